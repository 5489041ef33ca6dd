# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Steam and Wine are 32-bit x86 programs, which make sockets by a call that a filter cannot look into. They get none,
# and whoever starts one is told; root opens it for a profile by [application] i386 = true, which opens more than that.
if [ "$(uname -m)" != x86_64 ]; then
  echo 'skipped: not a machine for 32-bit x86 programs'
  exit 77
fi
cc -m32 -O1 -ffreestanding -nostdlib -static -fno-stack-protector -fno-pie -no-pie -fcf-protection=none \
  -o "$LAB/bin/small32" "$SOURCE/tests/probes/small32.c"
if ! "$LAB/bin/small32" >/dev/null; then
  echo 'skipped: this kernel does not run 32-bit programs'
  exit 77
fi
printf '#!%s\n' "$LAB/bin/small32" >"$LAB/bin/script32"
printf '#!/bin/sh\nexec small32\n' >"$LAB/bin/steam"
chmod 0755 "$LAB"/bin/{script32,steam}
install -m 0755 "$SOURCE/tests/probes/attack.py" "$LAB/bin/attack"

profile_one
tunnel_start one
attempt by alice small32
is 'control, outside: the program reaches the web as the machine' "$(tail -n 1 <<<"$OUT")" 203.0.113.1
VSOCK=$(sed -n 's/^vsock //p' <<<"$OUT")
capture_start

# refused WHAT COMMAND IS: no socket, and told so.
refused() {
  attempt by alice vpnrun "$2"
  is "$1: starts" "$STATUS" 0
  is "$1: every socket is refused" "$(xargs <<<"$OUT")" 'unix refused vsock refused inet refused'
  like "$1: told before it starts" "$ERR" "^vpnrun: warning: '$2' $3 32-bit x86 program"
  like "$1: with what root can do" "$ERR" '^hint: as root: i386 = true in \[application\]'
}
refused 'a 32-bit program' small32 'is a'
refused 'a script for one' script32 'is a'
refused 'a program that is known to start some' steam 'may start'
attempt by alice vpnrun -q small32
empty 'with -q nothing is said' "$ERR"
attempt by alice vpnrun true
empty 'nothing is said of other programs' "$ERR"
check 'the status has no exceptions' eval '! by alice vpnrunctl status one --json | grep -q exceptions'

# Root's word.
sed -i '/^\[access\]/i [application]\ni386 = true' "$PROFILES/one.toml"
tunnel_prepare one
attempt by alice vpnrun small32
is 'where the profile says so it reaches the web through the tunnel' "$(tail -n 1 <<<"$OUT")" 198.51.100.10
is 'and has what the kernel offers of other families' "$(sed -n 's/^vsock //p' <<<"$OUT")" "$VSOCK"
like 'at the launch it is told what is open' "$ERR" '^vpnrun: warning: .*i386 = true.*AF_VSOCK'
attempt by alice vpnrun true
like 'at each launch' "$ERR" 'i386 = true'
attempt by alice vpnrun -q true
empty 'not with -q' "$ERR"
attempt by alice vpnrun -q attack families
is '64-bit programs have what they had: AF_VSOCK' "$(awk '$1 == "AF_VSOCK/stream" { print $3 }' <<<"$OUT")" EAFNOSUPPORT
is 'and io_uring' "$(awk '$1 == "io_uring_setup" { print $3 }' <<<"$OUT")" ENOSYS
tunnel_stop one
tunnel_start one
attempt by alice vpnrunctl status one
like 'the status lists what is open' "$OUT" 'i386.*AF_VSOCK'
check 'also for programs' eval 'by alice vpnrunctl status one --json | grep -q "application.i386"'

# A caller has no say in it.
sed -i '/^i386/d' "$PROFILES/one.toml"
tunnel_prepare one
attempt by alice env i386=true VPNRUN_I386=1 vpnrun small32
is 'taken back: refused again' "$(xargs <<<"$OUT")" 'unix refused vsock refused inet refused'
capture_stop
empty 'nothing went past the tunnel' "$(capture_stray "$CAPTURE_ONE")"
tunnel_release one
