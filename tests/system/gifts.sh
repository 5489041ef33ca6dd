# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# gifts.sh KERNEL: an admitted user sends a descriptor that cannot be closed without waiting, on a byte
# in its order and on one out of band, on the connection that starts the companion (a socket unit's
# listener takes descriptors from everybody) and later. The companion serves root all the while.
# KERNEL is "present", or "past" for one without SO_PASSRIGHTS.
CONTROL=/run/vpnrun/one/control
cp "$SOURCE"/tests/probes/{knock,activate}.py "$LAB/bin/"
chmod 0755 "$LAB"/bin/{knock,activate}.py
PROGRAM=("$TUNNEL")
cc -O2 -static -o "$LAB/bin/old_kernel" "$SOURCE/tests/probes/old_kernel.c"
[ "$1" = present ] || PROGRAM=("$LAB/bin/old_kernel" "$TUNNEL")
profile_one
tunnel_prepare one

# give HOW: its maker stays there, pid in GIVER
give() {
  background "$LAB/log/app-$1" by alice python3 "$LAB/bin/knock.py" $CONTROL "$1"
  GIVER=$BACKGROUND
}
served() {
  check "$1: root gets an answer" timeout 5 vpnrunctl status one
  is "$1: and so does who is admitted" "$(by alice timeout 10 python3 "$LAB/bin/knock.py" $CONTROL half)" True
  check "$1: whoever gave it is still there" kill -0 "$GIVER"
}

background "$LAB/log/tunnel-one" python3 "$LAB/bin/activate.py" $CONTROL "${PROGRAM[@]}" run one
# shellcheck disable=SC2154 # of product.sh
TUNNEL_PID[one]=$BACKGROUND
wait_until 5 test -S $CONTROL
give out_of_band
within 5 'what starts the companion is sent with a byte out of band' grep -q 'left behind' "$LAB/log/app-out_of_band"
touch $CONTROL.go
within 15 'the companion starts, and its tunnel is up' tunnel_up one
served 'the first connection'
is 'applications are online' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
kill "$GIVER"

for how in out_of_band lingering; do
  give $how
  within 10 "a later one, $how" grep -Eq 'left behind|refused by the kernel' "$LAB/log/app-$how"
  if [ "$1" = past ]; then
    check "$how: the kernel let it pass" grep -q 'left behind' "$LAB/log/app-$how"
  else
    check "$how: the kernel refused it" grep -q 'refused by the kernel' "$LAB/log/app-$how"
  fi
  served "$how"
  kill "$GIVER" 2>/dev/null || :  # it may have ended by itself
done
is 'the same companion is there' "$(kill -0 "${TUNNEL_PID[one]}" && echo yes)" yes
tunnel_release one
