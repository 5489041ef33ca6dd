# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The seal where no companion runs: `prepare` puts it back when somebody took it away, `release` leaves it
# behind under whoever is still inside. Without the seal a namespace is open to the next link that anybody
# moves into it; such a link is made here, and shows that it was open when it should be.

# inside COMMAND…: in the network of NETNS.
inside() { nsenter --net="$NETNS" -- "$@"; }
seal() { inside nft list table inet vpnrun; }
# probe_link: a link between the machine and NETNS that is not vpnrun's.
probe_link() {
  ! ip link show probe0 >"$LAB/tmp/probe" 2>&1 || ip link delete probe0
  ip link add probe0 type veth peer name probe1 netns "$1"
  ip address add 10.99.0.1/30 dev probe0
  ip link set probe0 up
  inside ip address add 10.99.0.2/30 dev probe1
  inside ip link set probe1 up
}
# open, closed WHAT: whether a connection from inside is answered by the machine; what is refused inside is
# refused by the namespace itself.
background "$LAB/log/answer" socat TCP4-LISTEN:9,fork,reuseaddr SYSTEM:true
ask() { attempt inside curl -s -m 1 http://10.99.0.1:9/; }
open() {
  ask
  like "control: $1, a link leads out" "$STATUS" '^5[26]$'
}
closed() {
  ask
  is "$1, a link leads nowhere" "$STATUS" 7
}

profile_one
# Names made in a private mount namespace would be seen by nobody: neither by a launch nor by the next prepare.
attempt unshare -m "$TUNNEL" prepare one
is 'prepare in a private mount namespace fails' "$STATUS" 1
complains 'prepare in a private mount namespace' 'private mount namespace'
empty 'and leaves nothing' "$(ls -A /run/vpnrun /run/netns 2>/dev/null)"

NETNS=/run/vpnrun/one/netns
tunnel_prepare one
SEAL=$(seal)
like 'control: the seal is a policy' "$SEAL" 'hook postrouting .*policy drop'
probe_link one
closed 'prepared'

# --- prepare ---
for HOW in 'delete table inet vpnrun' 'flush ruleset'; do
  inside nft "$HOW"
  open "after '$HOW'"
  attempt "$TUNNEL" prepare one
  like "after '$HOW', prepare says that the seal was gone" "$OUT$ERR" 'the filter of the namespace was gone'
  closed "after '$HOW' and prepare"
  is "and the seal is whole" "$(seal)" "$SEAL"
done

# --- release under somebody who is inside ---
# occupy: somebody is inside from now on, and NETNS is what he is in.
occupy() {
  nsenter --net=/run/vpnrun/one/netns -- sleep 60 &
  OCCUPANT=$!
  wait_until 5 eval '[ "$(cat /proc/$OCCUPANT/comm)" = sleep ]'
  NETNS=/proc/$OCCUPANT/ns/net
}
occupy
tunnel_start one
CLIENT=$(client_pid one)
kill -STOP "$CLIENT"
kill_hard "${TUNNEL_PID[one]}"
wait_until 5 gone "${TUNNEL_PID[one]}"
within 5 'a client that cannot notice it dies with its companion' gone "$CLIENT"
like 'control: a companion killed with -9 leaves its endpoint open' "$(seal)" '198\.51\.100\.10'
like 'control: and the tunnel device' "$(inside ip -o link show)" 'tun0'
check 'release' "$TUNNEL" release one
is 'whoever is still inside is left with the seal' "$(seal)" "$SEAL"
is 'and with no device of the tunnel' "$(inside ip -o link show | awk -F '[:@] *' '{ print $2 }' | xargs)" 'lo probe1'
closed 'released'
kill "$OCCUPANT"

NETNS=/run/vpnrun/one/netns
tunnel_prepare one
occupy
probe_link "$OCCUPANT"
inside nft flush ruleset
open 'the seal taken away'
check 'release of a namespace without its seal' "$TUNNEL" release one
closed 'released all the same'
kill "$OCCUPANT"
