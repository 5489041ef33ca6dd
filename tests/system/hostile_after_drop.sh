# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What is left in the application: nothing of the helper's privilege, all of the caller's state.

ITEMS=(attempts)
launch
inside 'what the application tries'
like 'control: what is allowed works' "$OUT" '^control: setresuid to itself ok$'
for name in setuid seteuid setreuid setresuid setgid setegid setresgid setgroups setfsuid setfsgid 'capset: sys_admin' \
  'capset: sys_chroot' 'capset: inheritable' ambient securebits bounding chroot mount umount 'unshare: net' \
  'unshare: mount' sethostname "setns: the caller's network" "setns: the caller's mounts" 'setns: by process'; do
  like "the application fails: $name" "$OUT" "^$name (EPERM|EACCES|EBADF)$"
done
bounded hostile groups 1 -- "$VERDICT" verdict attempts
for name in setuid setgid setgroups 'capset: sys_admin'; do
  like "control: root does not: $name" "$OUT" "^$name ok$"
done

# --- the caller's state, with and without the helper between --------------------------------------------
ITEMS=(state)
state_of() { sed '/^verdict/d; /^cgroup/d' <<<"$OUT"; }
# unchanged WHAT REGEX ACTION…: a line matches REGEX, and all others are as without the helper.
unchanged() {
  local what=$1 regex=$2 direct
  shift 2
  bounded env -i PATH=/usr/bin:/bin "$LAB/bin/hostile" as "$ALICE" "$@" -- "$VERDICT" "$VERDICT" state
  direct=$(state_of)
  launch "$@"
  inside "$what"
  like "$what: seen inside" "$OUT" "$regex"
  is "$what: all is as without the helper" "$(state_of)" "$direct"
}
unchanged 'nothing special' '^dumpable 1$'
# Users can go up only, from where whoever runs this is.
LEVEL=$(($(nice) < 7 ? 7 : 19))
unchanged 'nice' "^nice $LEVEL\$" nice $LEVEL
unchanged 'a batch scheduler' '^scheduler 3 0$' batch
unchanged 'one processor' '^affinity 1$' affinity
unchanged 'a child subreaper' '^subreaper 1$' prctl 36 1
unchanged 'timer slack' '^timerslack 77000$' prctl 29 77000
unchanged 'no transparent huge pages' '^thp_disable 1$' prctl 41 1
unchanged 'an I/O priority' '^io_priority 24582$' ioprio 24582
unchanged 'an OOM score' '^oom_score_adj 500 ' oom 500
unchanged 'a filter of core dumps' '^coredump_filter 0000007f ' coredump_filter 0x7f
unchanged 'umask' '^umask 017$' umask 17
unchanged 'an alarm' '^itimer 1$' alarm 3600
unchanged 'blocked signals' '^blocked f' block
unchanged 'ignored signals' '^ignored f' ignore
unchanged 'pending signals' '^pending f' block pend
# A new one has a number that nobody can foretell: ask for it on both sides of the helper.
# shellcheck disable=SC2016
bounded env -i "$LAB/bin/hostile" as "$ALICE" raw keyring -- /bin/sh sh -c \
  '"$0" state; exec "$1" clean -- "$2" vpnrun-helper one "$0" state' "$VERDICT" "$LAB/bin/hostile" "$HELPER"
is 'a session keyring of its own passes unchanged' "$(grep -ac '^session_keyring [1-9]' <<<"$OUT"), $(grep -a '^session_keyring' <<<"$OUT" | sort -u | wc -l)" '2, 1'
unlike 'control: another one has another number' "$(launch keyring && echo "$OUT")" "^$(grep -am 1 '^session_keyring' <<<"$OUT")\$"

# root hands down what a user cannot take.
launch_root prctl 24 12 as "$ALICE"
inside 'cap_net_admin is out of the bounding set'
like 'and stays out' "$OUT" '^bounding 1[0-9a-f]*efff$'
launch_root prctl 24 21 as "$ALICE"
harmless 'cap_sys_admin is out of the bounding set'
is 'which ends the helper' "$((STATUS != 0))" 1
launch_root prctl 24 18 as "$ALICE"
harmless 'cap_sys_chroot is out of the bounding set'
is 'which ends the helper, too' "$((STATUS != 0))" 1
for bits in 0x01 0x04 0x05 0x20 0x40 0x2f 0x80 0xc0; do
  launch_root securebits $bits as "$ALICE"
  harmless "securebits $bits"
  [ "$STATUS" != 0 ] || like "securebits $bits are still these" "$OUT" "^securebits $(printf %#x $((bits)))\$"
done
# What the kernel takes at a privileged exec, as documented.
launch prctl 1 9
inside 'a signal for the death of the parent'
like 'which the kernel cleared' "$OUT" '^pdeathsig 0$'
launch personality 0x0040000
inside 'a personality without address randomisation'
like 'which the kernel cleared' "$OUT" '^personality 0$'
launch
like 'comm is the application'"'"'s' "$OUT" '^comm verdict '
like 'cmdline is the application'"'"'s' "$OUT" "^cmdline $VERDICT state "
like 'it may be traced and dumped like any' "$OUT" '^dumpable 1$'
like 'it keeps no capabilities over a change of ids' "$OUT" '^keepcaps 0$'

# --- setuid programs of the application -------------------------------------------------------------------
ITEMS=()
install -o root -m 4755 "$LAB/bin/verdict" "$LAB/bin/becomes_root"
install -o root -m 0755 "$LAB/bin/verdict" "$LAB/bin/has_raw"
setcap cap_net_raw+ep "$LAB/bin/has_raw"
VERDICT=$LAB/bin/becomes_root
launch
like 'a setuid program gets its privilege, inside' "$OUT" \
  "^verdict net=$NET mnt=$VIEW uid=$ALICE,0,0 gid=$ALICE,$ALICE,$ALICE caps=0,1[0-9a-f]+,1[0-9a-f]+,0 nnp=0 seccomp=2$"
VERDICT=$LAB/bin/has_raw
launch
like 'a program with a capability gets it, inside' "$OUT" \
  "^verdict net=$NET mnt=$VIEW uid=$ALICE,$ALICE,$ALICE gid=$ALICE,$ALICE,$ALICE caps=0,2000,2000,0 nnp=0 seccomp=2$"
# nnp_of PROFILE: as a program inside reads it.
nnp_of() { env -i "$LAB/bin/hostile" as "$ALICE" -- "$HELPER" vpnrun-helper "$1" /usr/bin/grep -x 'NoNewPrivs:.[01]' /proc/self/status; }
is 'NoNewPrivs in /proc/self/status, by default' "$(nnp_of one)" $'NoNewPrivs:\t0'

# [application] no_new_privs: neither gains anything, and nor does what they start.
plain_profile locked
printf '[application]\nno_new_privs = false\n' >>"$PROFILES/locked.toml"
tunnel_prepare locked
PROFILE=locked
VERDICT=$LAB/bin/becomes_root
launch
like 'no_new_privs = false: a setuid program gets its privilege' "$OUT" \
  " uid=$ALICE,0,0 .* caps=0,1[0-9a-f]+,1[0-9a-f]+,0 nnp=0 "
LOCKED_VIEW=$(stat -L -c %i /run/vpnrun/locked/mnt)
sed -i 's/^no_new_privs = false/no_new_privs = true/' "$PROFILES/locked.toml"
tunnel_prepare locked
is 'a second prepare changes that and keeps the view' "$(stat -L -c %i /run/vpnrun/locked/mnt)" "$LOCKED_VIEW"
LOCKED="^$(verdict_of "$(stat -L -c %i /run/vpnrun/locked/netns)" "$LOCKED_VIEW" "$ALICE" | sed 's/nnp=0/nnp=1/')\$"
for VERDICT in "$LAB/bin/verdict" "$LAB/bin/becomes_root" "$LAB/bin/has_raw"; do
  launch
  like "no_new_privs = true: ${VERDICT##*/} is alice's, and no more" "$OUT" "$LOCKED"
done
is 'NoNewPrivs in /proc/self/status, no_new_privs = true' "$(nnp_of locked)" $'NoNewPrivs:\t1'
VERDICT=/bin/sh
ITEMS=(-c "$LAB/bin/becomes_root; exit 0")
launch
like 'a child gains nothing either' "$OUT" "$LOCKED"
ITEMS=()
VERDICT=$LAB/bin/verdict
bounded env -i "$LAB/bin/hostile" -- "$HELPER" vpnrun-helper locked "$VERDICT"
like 'for root it holds as well' "$OUT" '^verdict .* uid=0,0,0 .* nnp=1 seccomp=2$'
sed -i '/no_new_privs/d' "$PROFILES/locked.toml"
tunnel_prepare locked
is 'and without the line it is off again' "$(nnp_of locked)" $'NoNewPrivs:\t0'
PROFILE=one

VERDICT=$LAB/bin/becomes_root
launch fork nnp
refused 'with no_new_privs there is no launch to find it out' 'NoNewPrivileges'
VERDICT=$LAB/bin/verdict
