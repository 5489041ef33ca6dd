#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# helper_edges_test.sh SOURCE_ROOT HELPER LIBRARY…: the edges of the setuid program. What it may
# include, call and link is a list here, and a longer list is a decision, not an accident. (How it is laid
# out is in hardening_test.py, with the other programs.)
set -u
export LC_ALL=C
root=$1
helper=$2
shift 2
failures=0
fail() { echo "not ok - $1"; failures=$((failures + 1)); }

# 1. Nothing under helper/ includes from elsewhere in the project or from its libraries.
found=$(grep -rnE '#include ["<](launcher|profiles|systemd|desktop|tests|spdlog|fmt|CLI|nlohmann|netlink|toml)' \
  "$root/helper")
[ -z "$found" ] || fail "helper/ includes from outside: $found"

# 2. What our own code calls. No getenv, locale, NSS, dlopen, stdio, malloc, mount, fork, exec by
# PATH of libc; nothing of the C++ library but the end of a failed assertion.
allowed="__errno_location __stack_chk_fail _exit _ZSt21__glibcxx_assert_failPKciS0_S0_ access chdir
close execve fcntl fcntl64 fstat fstat64 fstatat fstatat64 fstatfs fstatfs64 getauxval geteuid getgid
getresgid gnu_dev_makedev getresuid getrlimit getrlimit64 getuid ioctl memchr memcmp memcpy memmove memset open open64
openat openat64 __open_2 __openat_2 __open64_2 __openat64_2 __read_chk prctl read setns setresgid
setresuid setrlimit setrlimit64 setuid stat stat64 statfs statfs64 statx strchr strerrordesc_np strlen
strncmp syscall write _GLOBAL_OFFSET_TABLE_"
for symbol in $(nm -u "$@" | sed -n 's/^ *U //p' | sort -u); do
  case $symbol in _ZN6vpnrun* | _ZNK6vpnrun*) continue ;; esac
  echo "$allowed" | tr ' ' '\n' | grep -qxF "$symbol" || fail "the helper calls $symbol"
done

# 3. What is linked: nothing at run time, or libc alone where no static one was installed.
needed=$(readelf -d "$helper" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -e '^libc\.so' -e '^ld-linux')
[ -z "$needed" ] || fail "the helper needs $needed"
if readelf -l "$helper" | grep -q INTERP; then
  echo "# dynamic: no static libc here"
elif readelf -d "$helper" | grep -q NEEDED; then
  fail "static and yet with libraries"
fi

# 4. How big it is: base included, without headers, comments, directives, and lines of braces only.
lines=$(sed -e 's,//.*,,' "$root"/helper/*.cc "$root"/helper/base/*.cc |
  grep -c -v -E '^[[:space:]]*$|^#|^[[:space:]]*[{}]+;?[[:space:]]*$|namespace')
[ "$lines" -lt 500 ] || fail "$lines lines of code"
main=$(sed -n '/^int main/,/^}/p' "$root/helper/main.cc" | wc -l)
[ "$main" -le 40 ] || fail "main() has $main lines"

[ "$failures" -eq 0 ] && echo "ok - edges of the helper ($lines lines of code)"
exit $((failures > 0))
