# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The control socket, ill-treated by an admitted user: the companion serves root as before, keeps the
# tunnel, takes no descriptor, and does not grow.
CONTROL=/run/vpnrun/one/control
cp "$SOURCE/tests/probes/knock.py" "$LAB/bin/"
chmod 0755 "$LAB/bin/knock.py"
profile_one
tunnel_start one
knock() { by "$1" timeout 60 python3 "$LAB/bin/knock.py" $CONTROL "$2" 2>&1; }
descriptors_open() { find "/proc/${TUNNEL_PID[one]}/fd" -mindepth 1 | wc -l; }
resident() { awk '/^VmRSS:/ { print $2 }' "/proc/${TUNNEL_PID[one]}/status"; }
# unharmed WHAT
unharmed() {
  check "$1: root gets an answer" timeout 5 vpnrunctl status one
  within 10 "$1: the companion has as many descriptors as before" eval '[ "$(descriptors_open)" -le "$BEFORE" ]'
  is "$1: applications are online" "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
}

is 'control: an admitted user is answered' "$(knock alice half)" True
is 'who is not admitted does not reach it' "$(knock bob half)" 'PermissionError 13'
is 'nor does who is in another user namespace' \
  "$(by bob unshare --user --map-root-user python3 "$LAB/bin/knock.py" $CONTROL half 2>&1)" 'PermissionError 13'
wait_until 5 eval '[ "$(descriptors_open)" -lt 100 ]'
BEFORE=$(descriptors_open)
SIZE=$(resident)

is 'nonsense' "$(knock alice nonsense)" 'each refused'
unharmed nonsense
like 'a line without end' "$(knock alice endless)" '^cut off .* before 1 MiB'
unharmed 'a line without end'
is 'a byte at a time is answered all the same' "$(knock alice slow)" True
unharmed 'a slow one'
like 'three thousand that do not wait' "$(knock alice hurried)" '^[0-9]+ of 3000 were not taken'
unharmed 'the hurried'
like 'one that never reads' "$(knock alice deaf)" '^(cut off|held back)'
unharmed 'the deaf one'
is 'two hundred descriptors with each request' "$(knock alice gifts)" '0 answers'
unharmed 'the gifts'
background "$LAB/log/app-lingering" by alice python3 "$LAB/bin/knock.py" $CONTROL lingering
LINGERING=$BACKGROUND
within 10 'a descriptor that cannot be closed without waiting' grep -q 'left behind' "$LAB/log/app-lingering"
unharmed 'the lingering one'
check 'its maker is still there' kill -0 "$LINGERING"
is 'three thousand at once' "$(knock alice thousands)" knocked
unharmed 'thousands'
GROWN=$(resident)
is "it has not grown by more than 2 MiB ($SIZE KiB, then $GROWN)" "$((GROWN - SIZE < 2048))" 1
is 'the same companion is there' "$(kill -0 "${TUNNEL_PID[one]}" && echo yes)" yes
tunnel_release one
