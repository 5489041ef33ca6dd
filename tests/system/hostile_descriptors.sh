# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Descriptors of the caller. Descriptor 999 takes the verdict where 1 is closed or odd.

ITEMS=(closed)
for set in 0 1 2 '0 1' '0 2' '1 2' '0 1 2'; do
  actions=()
  for fd in $set; do actions+=(close "$fd"); done
  launch dup 1 999 "${actions[@]}"
  inside "closed: $set"
  like "closed inside, too: $set" "$OUT" "^closed $set$"
  # Nothing that the helper opens may become somebody's standard error: what it writes on a refusal
  # reaches descriptor 2 or nobody.
  PROFILE=nosuch
  launch "${actions[@]}"
  stopped "closed, and refused: $set"
  PROFILE=one
done
for fd in 0 1 2; do
  for path in / /dev/full /proc/self/mem /etc/passwd; do
    launch dup 1 999 open $path $fd
    inside "descriptor $fd is $path"
  done
  launch dup 1 999 socket $fd
  inside "descriptor $fd is a socket"
  launch dup 1 999 pipe_broken $fd
  inside "descriptor $fd is a broken pipe"
  launch dup 1 999 cloexec $fd
  inside "descriptor $fd is close-on-exec"
done
PROFILE=nosuch
launch pipe_broken 2
stopped 'a refusal into a broken pipe'
launch ignore pipe_broken 2
stopped 'a refusal into a broken pipe, SIGPIPE ignored'
is 'and that with the exit status of the helper' "$STATUS" 125
launch open /dev/full 2
stopped 'a refusal into a descriptor that is open for reading'
launch open / 2
stopped 'a refusal into a directory'
PROFILE=one

# What the application has is what was given, no more and no less.
ITEMS=(fds)
fds_of() { grep -a '^fd ' <<<"$OUT" | sed 's/pipe:\[[0-9]*\]/pipe/; s/socket:\[[0-9]*\]/socket/' | sort; }
# given WHAT ACTION…
given() {
  local what=$1 direct
  shift
  bounded env -i "$LAB/bin/hostile" as "$ALICE" "$@" -- "$VERDICT" verdict fds
  direct=$(fds_of)
  launch "$@"
  inside "$what"
  is "$what: the same descriptors" "$(fds_of)" "$direct"
}
given 'three descriptors'
given 'a high descriptor' open /etc/passwd 500
given 'a folder at 3, a socket at 4, a pipe at 5' open / 3 socket 4 pipe_broken 5
given '200 descriptors' files 200
given 'one of them close-on-exec' files 10 cloexec 7
given 'the runtime folder itself' open /run 3
launch open /etc/passwd 7
like 'control: one more is seen' "$(fds_of)" '^fd 7 /etc/passwd '
ITEMS=()

# --- the helper, held in the middle by a standard error that takes nothing -------------------------
# It is about to refuse, holds its capabilities in the permitted set, and belongs to the caller.
attempt intruder held "$ALICE" "$HELPER" vpnrun-helper nosuch /bin/true
like 'control: the held helper has a privilege' "$OUT" '^holds 240000$'
for name in mem environ maps smaps pagemap auxv stack syscall io personality exe cwd root \
  fd/0 fd/2 fd/3 ns/net ns/mnt fd map_files process_vm_readv process_vm_writev pidfd_getfd 'setns by process' kcmp \
  process_madvise 'ptrace attach' 'ptrace seize'; do
  like "held: $name is closed to its caller" "$OUT" "^$name (EACCES|EPERM|ESRCH|EINVAL)$"
done
like 'it still has it after all that' "$OUT" '^still 240000$'
like 'and refuses when it is let go' "$OUT" '^end 125 core 0$'
# The same attempts do get at an ordinary program, stuck in the same way.
cat >"$LAB/tmp/stuck.c" <<'CODE'
#include <unistd.h>
int main(void) { return write(2, "x", 1) != 1; }
CODE
cc -static -o "$LAB/bin/stuck" "$LAB/tmp/stuck.c"
attempt intruder held "$ALICE" "$LAB/bin/stuck" stuck
for name in maps auxv syscall exe fd/2 ns/net process_vm_readv pidfd_getfd 'ptrace attach' 'ptrace seize'; do
  like "control: $name of an ordinary program is open to its caller" "$OUT" "^$name ok$"
done
cd "$LAB/home/alice" || exit
ulimit -c unlimited
attempt intruder dump "$ALICE" "$HELPER" vpnrun-helper nosuch /bin/true
like 'killed by SIGABRT it leaves no core' "$OUT" '^end 134 core 0$'
attempt intruder dump "$ALICE" "$LAB/bin/stuck" stuck
like 'control: an ordinary program does' "$OUT" '^end 134 core 1$'
cd "$LAB/tmp" || exit
