# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The name of a link belongs to its profile alone. The short forms of these two names are the same, and an
# administrator's link may have the name that a profile would have.
FIRST=customer-6188
SECOND=customer-11386
for NAME in $FIRST $SECOND two; do
  ovpn_one "$PROFILES/$NAME.ovpn"
  profile $NAME '[hooks]' "up_outside = [\"echo \$VPNRUN_HOST_LINK >$LAB/tmp/link-$NAME\"]"
done

# link_of NAME: the link whose other end is inside the profile's namespace.
link_of() {
  local index
  index=$(cat_inside "$1" /sys/class/net/uplink/iflink) || return 0
  ip -o link show | awk -v index_of="$index" -F '[:@ ]+' '$1 == index_of { print $2 }'
}
cat_inside() { ip netns exec "$1" cat "$2"; }
answer_of() { by alice vpnrun -p "$1" curl -s -m 5 http://203.0.113.10/; }
links() { ip -o link show type veth | awk -F '[:@ ]+' '{ print $2 }' | grep '^vr-' | sort; }

snapshot before
tunnel_start $FIRST
HERS=$(link_of $FIRST)
like 'a long name is shortened' "$HERS" '^vr-custo-[0-9a-f]{6}$'
tunnel_start $SECOND
is 'another profile with the same short form leaves the link alone' "$(link_of $FIRST)" "$HERS"
OTHERS=$(link_of $SECOND)
like 'and gets another name' "$OTHERS" '^vr-custo-[0-9a-f]{6}$'
unlike 'which is not the same' "$OTHERS" "^$HERS\$"
is 'both carry their tunnels' "$(answer_of $FIRST) $(answer_of $SECOND)" '198.51.100.10 198.51.100.10'
is 'hooks are told the names' "$(cat "$LAB/tmp/link-$FIRST" "$LAB/tmp/link-$SECOND")" "$HERS
$OTHERS"
like 'and so is whoever looks at the link' "$(ip link show "$OTHERS")" "alias vpnrun: $SECOND\$"

tunnel_release $FIRST
is 'released, the first takes its own link along and no other' "$(links)" "$OTHERS"
is 'and the second works on' "$(answer_of $SECOND)" 198.51.100.10

# A companion that was killed leaves its link; the next one of the other profile does not take it.
kill_hard "${TUNNEL_PID[$SECOND]}"
unset "TUNNEL_PID[$SECOND]"
LEFT=$(cat "/sys/class/net/$OTHERS/ifindex")
tunnel_start $FIRST
is 'what a companion that was killed left is not taken by another profile' \
  "$(cat "/sys/class/net/$OTHERS/ifindex")" "$LEFT"
tunnel_run $SECOND
within 15 'the next companion of its own profile replaces it' tunnel_up $SECOND
is 'and there are two links' "$(links | wc -l)" 2
kill_hard "${TUNNEL_PID[$SECOND]}"
unset "TUNNEL_PID[$SECOND]"
"$TUNNEL" release $SECOND
is 'and release finds it, too' "$(links)" "$(link_of $FIRST)"
is 'while the other works on' "$(answer_of $FIRST)" 198.51.100.10
tunnel_release $FIRST

# Somebody else's link that has the plain name.
ip tuntap add vr-two mode tun
tunnel_start two
check 'the link of somebody else stays' test -e /sys/class/net/vr-two
is 'as it is' "$(ip tuntap show | grep -c '^vr-two:')" 1
like 'and the profile has another name' "$(link_of two)" '^vr-two-[0-9a-f]{6}$'
is 'and works' "$(answer_of two)" 198.51.100.10
tunnel_release two
check 'also after release it stays' test -e /sys/class/net/vr-two
ip link delete vr-two
unchanged_since before 'after the releases'
