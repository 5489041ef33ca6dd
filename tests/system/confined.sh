# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A VPN client that its server has taken over has nothing that takes long to end, cannot outlive its
# companion and is nobody's server: it tries, and so does somebody else (control). One that got away all
# the same is ended by the next companion and by release.
cp "$SOURCE/tests/probes/confined.py" /usr/local/bin/confined.py
chmod 0755 /usr/local/bin/confined.py
profile_one
stand_in 'exec python3 /usr/local/bin/confined.py'
tunnel_prepare one
ID=$(client_id one)
tunnel_run one
# client_with FILE: the client's process once it has written /tmp/FILE.
client_with() {
  local pid
  for pid in $(pgrep -u "$ID"); do
    [ ! -e "/proc/$pid/root/tmp/$1" ] || { echo "$pid" && return 0; }
  done
  return 1
}
within 15 'the client has tried' client_with tried
CLIENT=$(client_with tried)
cp "/proc/$CLIENT/root/tmp/tried" "$LAB/log/inside"
# The same user, in a new pid namespace as well, without limits and filter.
unshare --pid --fork --kill-child -- nsenter --net=/run/vpnrun/one/netns -- unshare --user --map-root-user --net -- \
  python3 /usr/local/bin/confined.py once >"$LAB/log/outside" || fail 'the control has run' "$STATUS"

tried() { sed -n "s/^$2: //p" "$LAB/log/$1"; }
for WHAT in unshare clone clone3 setns mount chroot memfd memfd_secret shared_memory messages listen listen_abstract \
  packet_socket alg_socket parent_death_signal trace keys io_uring bpf; do
  like "the client is refused: $WHAT" "$(tried inside "$WHAT")" '^refused (1|38)$'
done
for WHAT in unshare clone clone3 memfd shared_memory messages listen listen_abstract packet_socket \
  parent_death_signal trace; do
  is "somebody else is not (control): $WHAT" "$(tried outside "$WHAT")" "done"
done
for WHAT in descriptors processes file memory locked_memory; do
  like "the client has few: $WHAT" "$(tried inside "$WHAT")" '^refused'
  is "somebody else has not (control): $WHAT" "$(tried outside "$WHAT")" "done"
done
for WHAT in unix inet inet6 netlink; do
  is "what OpenVPN needs is there: $WHAT" "$(tried inside "$WHAT")" "done"
done
is 'it is filtered' "$(awk '$1 == "Seccomp:" { print $2 }' "/proc/$CLIENT/status")" 2
kill_hard "${TUNNEL_PID[one]}"
within 5 'it ends with its companion' gone "$CLIENT"
stand_in_ends

# --- one that got away from a companion that did not have all this ---
# away: a process with the client's number that has the tunnel device open; its number in AWAY.
cat >"$LAB/tmp/away.py" <<'END_OF_PROGRAM'
import fcntl, struct, time
device = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))
print("attached", flush=True)
time.sleep(1000)
END_OF_PROGRAM
away() {
  background "$LAB/log/away-$1" nsenter --net=/run/vpnrun/one/netns -- setpriv --reuid="$ID" --regid="$ID" \
    --clear-groups --bounding-set=-all --inh-caps=-all -- python3 "$LAB/tmp/away.py"
  AWAY=$BACKGROUND
  within 5 "$1: it has the tunnel device" grep -q attached "$LAB/log/away-$1"
}
away run
tunnel_run one
within 5 'run ends it' gone "$AWAY"
within 20 'and the tunnel comes up' tunnel_up one
is 'and applications are online' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
kill_hard "${TUNNEL_PID[one]}"
within 5 'the real client ends with its companion' eval '! clients'
away release
sleep 1000 &
BYSTANDER=$!
"$TUNNEL" release one
within 5 'release ends it' gone "$AWAY"
check 'and nobody else (control)' kill "$BYSTANDER"
