# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# cap_sys_admin,cap_sys_chroot is the least set for the install with file capabilities, and the only one
# that the helper works with.

# What the kernel asks for, without the helper's own checks.
cc -O2 -static -o "$LAB/bin/join" "$SOURCE/tests/probes/join.c"
# kernel SET RESULTS: what the three calls give with SET as the file's capabilities.
kernel() {
  setcap -q -r "$LAB/bin/join" 2>/dev/null || :
  [ "$1" = none ] || setcap "$1+ep" "$LAB/bin/join"
  bounded "$LAB/bin/hostile" as "$ALICE" -- "$LAB/bin/join" join one
  is "the kernel, with $1" "$(xargs <<<"$OUT")" "$2"
}
kernel cap_sys_admin,cap_sys_chroot 'netns ok view ok filter ok'
kernel cap_sys_chroot 'netns EPERM view EPERM filter EACCES'
kernel cap_sys_admin 'netns ok view EPERM filter ok'
kernel none 'netns EPERM view EPERM filter EACCES'
# Everything that is near, and cannot stand in for either.
kernel cap_sys_admin,cap_net_admin,cap_dac_override,cap_setpcap 'netns ok view EPERM filter ok'
kernel cap_sys_chroot,cap_net_admin,cap_dac_override,cap_setpcap 'netns EPERM view EPERM filter EACCES'

# What the helper says: one line, one hint, 125, and nothing has run.
LEAST=cap_sys_admin,cap_sys_chroot
# capable SETS: the helper's file has these.
capable() {
  setcap -q -r "$HELPER" 2>/dev/null || :
  [ -z "$1" ] || setcap "$1" "$HELPER"
  launch
}
capable $LEAST+ep
inside 'control: the set'
capable cap_sys_chroot+ep
refused 'without cap_sys_admin' 'installed incorrectly: it has only one of cap_sys_admin and cap_sys_chroot'
capable cap_sys_admin+ep
refused 'without cap_sys_chroot' 'installed incorrectly: it has only one of cap_sys_admin and cap_sys_chroot'
capable ''
refused 'without both' 'not privileged: it is not setuid root and does not have the capabilities'
capable cap_setuid,cap_setgid+ep
refused 'with two others' 'not privileged: it is not setuid root and does not have the capabilities'
# Asleep is enough: the helper makes them effective itself, when their time has come.
capable $LEAST+p
inside 'the set without the effective bit'

# Each other capability that this machine has. (The kernel starts no file that asks, by +ep, for one that
# is out of the bounding set.)
BOUNDING=$(sed -n 's/^CapBnd:[[:space:]]*/0x/p' /proc/self/status)
for number in $(seq 0 "$(cat /proc/sys/kernel/cap_last_cap)"); do
  (((BOUNDING >> number) & 1)) || continue
  name=$(capsh --explain="$number" 2>/dev/null | head -n 1 | grep -o 'cap_[a-z_]*' || :)
  case $name in
    cap_sys_admin | cap_sys_chroot) continue ;;
    '') name=$number ;;
  esac
  capable "$LEAST,$name+ep"
  refused "with $name as well" 'installed incorrectly: it has more capabilities than cap_sys_admin and cap_sys_chroot'
done
capable "$LEAST,cap_net_raw+p"
refused 'with one more, all asleep' 'installed incorrectly: it has more capabilities'
# The file's inheritable set gives what the caller has in his own.
capable "$LEAST+ep cap_net_raw+ei"
inside 'with one more that only an heir gets, which the caller is not'
bounded setpriv --reuid "$ALICE" --regid "$ALICE" --clear-groups --inh-caps +net_raw env -i "$LAB/bin/hostile" clean -- \
  "$HELPER" vpnrun-helper one "$VERDICT"
refused 'the same, and the caller is one' 'installed incorrectly: it has more capabilities'

# Half of the one install and half of the other.
# half WHAT REGEX OWNER MODE SETS
half() {
  setcap -q -r "$HELPER" 2>/dev/null || :
  chown "$3" "$HELPER"
  chmod "$4" "$HELPER"
  [ -z "$5" ] || setcap "$5" "$HELPER"
  launch
  refused "$1" "$2"
}
half 'neither' 'not privileged: it is not setuid' root 0755 ''
half 'both' 'installed incorrectly: it is setuid and has file capabilities' root 4755 $LEAST+ep
half 'both, one capability missing' 'not privileged|installed incorrectly' root 4755 cap_sys_admin+ep
half 'setuid to another' 'installed incorrectly: it is setuid, but does not belong to root' bob 4755 ''
half 'setuid to another, with the capabilities' 'installed incorrectly: it is setuid, but does not belong to root' bob 4755 $LEAST+ep
half 'setuid to the caller' 'installed incorrectly: it is setuid, but does not belong to root' alice 4755 ''
half 'setgid' 'not privileged: it is not setuid' root:root 2755 ''

# With capabilities the owner of the file is not asked for: whoever can write to it and does has taken
# them away.
chown alice "$HELPER"
chmod 0775 "$HELPER"
setcap $LEAST+ep "$HELPER"
launch
inside 'control: capabilities on a file of alice'"'"'s'
by alice bash -c 'printf x >>"$0"' "$HELPER"
empty 'the kernel takes them from a file that is written to' "$(getcap "$HELPER")"
launch
refused 'and so the helper that alice changed' 'not privileged: it is not setuid'

truncate -s -1 "$HELPER"
chown root:root "$HELPER"
chmod 0755 "$HELPER"
setcap $LEAST+ep "$HELPER"
