# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Variables that mean something to libc, the loader or others. Marked, as vpnrun sends them, they arrive
# byte for byte and mean nothing on the way; unmarked the helper refuses, and nothing has acted.

ITEMS=(environ)
TRACES=$LAB/tmp/traces
install -d -m 1777 "$TRACES"
cat >"$LAB/tmp/evil.c" <<'CODE'
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void act(void) { close(open(TRACE, O_CREAT | O_WRONLY, 0666)); }
unsigned la_version(unsigned version) { act(); return version; }
void gconv_init(void) { act(); }
CODE
cc -shared -fPIC -DTRACE="\"$TRACES/acted\"" -o "$LAB/tmp/evil.so" "$LAB/tmp/evil.c"
mkdir -p "$LAB/tmp/evil"
for name in libc.so.6 libnss_files.so.2 libgcc_s.so.1 libnss_evil.so.2 EVIL.so; do cp "$LAB/tmp/evil.so" "$LAB/tmp/evil/$name"; done
printf 'module INTERNAL EVIL// EVIL 1\nmodule EVIL// INTERNAL EVIL 1\n' >"$LAB/tmp/evil/gconv-modules"
chmod -R a+rX "$LAB/tmp/evil" "$LAB/tmp/evil.so"
traces() { find "$TRACES" -mindepth 1 -printf '%f %u\n'; }

# The libraries would act in a dynamic program: the control for all that follows.
bounded hostile as "$ALICE" raw env LD_PRELOAD="$LAB/tmp/evil.so" -- /bin/true true
is 'control: a preloaded library acts in an ordinary program' "$(traces)" 'acted alice'
rm -f "$TRACES"/*
bounded hostile as "$ALICE" raw env LD_DEBUG=all env LD_DEBUG_OUTPUT="$TRACES/debug" -- /bin/true true
like 'control: so does LD_DEBUG_OUTPUT' "$(traces)" '^debug'
rm -f "$TRACES"/*

# The calls of the helper with an empty environment, which no variable may change. (The system call of
# the application is not among them.)
calls_with() { env -i "$@" "$LAB/bin/inject" calls "$ALICE" "$HELPER" vpnrun-helper one /bin/true 2>/dev/null | xargs || true; }
PLAIN=$(calls_with)
like 'control: the list of calls is one' "$PLAIN" '^([0-9]+ ){30,}'
unlike 'control: another profile makes another list' \
  "$(env -i "$LAB/bin/inject" calls "$ALICE" "$HELPER" vpnrun-helper nosuch /bin/true | xargs || true)" "^$PLAIN$"

x() { printf "%0$1d" 0; }
VARIABLES=(
  "LD_PRELOAD=$LAB/tmp/evil.so" "LD_PRELOAD=$(x 5000)" "LD_LIBRARY_PATH=$LAB/tmp/evil" "LD_AUDIT=$LAB/tmp/evil.so"
  'LD_DEBUG=all' "LD_DEBUG_OUTPUT=$TRACES/debug" 'LD_TRACE_LOADED_OBJECTS=1' 'LD_BIND_NOW=1' 'LD_SHOW_AUXV=1'
  "LD_PROFILE=libc.so.6" "LD_PROFILE_OUTPUT=$TRACES" "LD_ORIGIN_PATH=$LAB/tmp/evil" 'LD_HWCAP_MASK=0' 'LD_ASSUME_KERNEL=2.2.5'
  'LD_VERBOSE=1' 'LD_WARN=1' 'LD_DYNAMIC_WEAK=1' 'LD_POINTER_GUARD=0' 'LD_PREFER_MAP_32BIT_EXEC=1'
  'GLIBC_TUNABLES=glibc.malloc.check=3' "GLIBC_TUNABLES=glibc.malloc.mxfast=glibc.malloc.mxfast=$(x 2000)"
  "GLIBC_TUNABLES=glibc.malloc.mxfast=$(x 100000)" 'GLIBC_TUNABLES=glibc.rtld.nns=99999999999999999999'
  'GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1:glibc.pthread.rseq=0' 'GLIBC_TUNABLES=' 'GLIBC_TUNABLES=:::='
  'MALLOC_CHECK_=3' "MALLOC_TRACE=$TRACES/malloc" 'MALLOC_PERTURB_=85' 'MALLOC_ARENA_MAX=1' 'MALLOC_TOP_PAD_=1000000000'
  'MALLOC_MMAP_THRESHOLD_=0' "GCONV_PATH=$LAB/tmp/evil" "LOCPATH=$LAB/tmp/evil" "NLSPATH=$LAB/tmp/evil/%N"
  'LANG=EVIL' 'LC_ALL=de_DE.EVIL' 'LC_MESSAGES=../../tmp/evil' 'LANGUAGE=../../../tmp' "TZDIR=$LAB/tmp/evil" 'TZ=:/etc/shadow'
  "GETCONF_DIR=$LAB/tmp/evil" "HOSTALIASES=$LAB/tmp/evil/aliases" 'RES_OPTIONS=debug' 'LOCALDOMAIN=evil.example'
  "RESOLV_HOST_CONF=/etc/shadow" 'RESOLV_MULTI=on' 'RESOLV_ADD_TRIM_DOMAINS=x' "TMPDIR=$TRACES" "TEMP=$TRACES"
  "NIS_PATH=$LAB/tmp/evil" "PCPROFILE_OUTPUT=$TRACES/pc" "SEGFAULT_SIGNALS=all" "SEGFAULT_OUTPUT_NAME=$TRACES/segv"
  "LIBSECCOMP_X=1" 'GMON_OUT_PREFIX=gmon' "GCOV_PREFIX=$TRACES" "ASAN_OPTIONS=log_path=$TRACES/asan"
  "UBSAN_OPTIONS=log_path=$TRACES/ubsan" "LLVM_PROFILE_FILE=$TRACES/profraw" 'IFS=/' "BASH_ENV=$LAB/tmp/evil" "ENV=$LAB/tmp/evil"
  'SHELLOPTS=xtrace' 'PS4=$(touch x)' 'BASH_FUNC_setns%%=() { :; }' "PYTHONPATH=$LAB/tmp/evil" 'PATH=' 'PATH=/nowhere' 'HOME=/root'
  'USER=root' 'LOGNAME=root' 'SUDO_UID=0' 'VPNRUN_PROFILE=theirs' 'VPNRUN_HELPER=/bin/sh' '-RLIMIT_STACK=4096' '+PLUS=1'
  '=' '=x' '' 'without_equals' "$(x 100000)=1" $'NEW\nLINE=\n' $'\xff\xfe=\x80' 'A=%n%n%s' 'A=$(id)')
for variable in "${VARIABLES[@]}"; do
  printf -v shown %q "${variable:0:40}"
  shown="$shown (${#variable})"
  launch env "$variable"
  inside "$shown"
  printf 'PATH=/usr/bin:/bin\0%s\0' "$variable" >"$LAB/tmp/expected"
  # (On standard error glibc 2.41 and later warn of an invalid GLIBC_TUNABLES, in every program.)
  env -i PATH=/usr/bin:/bin "$LAB/bin/hostile" as "$ALICE" env "$variable" -- "$HELPER" vpnrun-helper one "$VERDICT" environ \
    2>/dev/null </dev/null | tail -c +$((${#INSIDE} + 2)) >"$LAB/tmp/found"
  check "$shown: arrives byte for byte" cmp "$LAB/tmp/expected" "$LAB/tmp/found"
  launch raw env "$variable"
  refused "$shown, unmarked" 'not started by vpnrun'
done
is 'nothing of all that has acted' "$(traces)" ''

# For the ones that matter most, by what the kernel saw.
for variable in "LD_PRELOAD=$LAB/tmp/evil.so" "LD_LIBRARY_PATH=$LAB/tmp/evil" "LD_AUDIT=$LAB/tmp/evil.so" LD_DEBUG=all \
  GLIBC_TUNABLES=glibc.malloc.check=3 "MALLOC_TRACE=$TRACES/malloc" "GCONV_PATH=$LAB/tmp/evil" LC_ALL=de_DE.EVIL \
  "LOCPATH=$LAB/tmp/evil" "TZDIR=$LAB/tmp/evil" RES_OPTIONS=debug "TMPDIR=$TRACES" PATH=/usr/bin; do
  is "${variable%%=*} changes no system call" "$(calls_with "$variable")" "$PLAIN"
done
ITEMS=()
launch clean
inside 'no environment at all'
MANY=()
for i in {1..1000}; do MANY+=(env "N$i=$i"); done
launch "${MANY[@]}"
inside '1000 variables'
launch raw env +A=1 env B=2
refused 'one unmarked among marked ones' 'not started by vpnrun'
launch first "+RLIMIT_STACK=unlimited"
inside 'a stack limit that is an ordinary variable'
for value in 0 unlimited 99999999999999999999 0x10 '1 ' ''; do
  launch limit 3 8388608 hard first "-RLIMIT_STACK=$value"
  harmless "the stack limit '$value' in front"
done
