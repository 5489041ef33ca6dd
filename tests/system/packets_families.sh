# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Under vpnrun only those socket families open that a network namespace confines, and there is no way
# to somebody else's socket: what the kernel would allow outside is refused by the filter inside.
profile_one
tunnel_start one

# verdict NAME: of the last probe.
verdict() { awk -v name="$1" '$1 == name { print $2 == "sent" ? "allowed" : $3 }' <<<"$OUT"; }
# probe COMMAND…
probe() {
  attempt "$@" attack families
  is 'the probe ran to its end' "$STATUS${ERR:+ $ERR}" 0
  is 'and tried everything' "$((${#OUT} > 3000 && $(wc -l <<<"$OUT") > 150))" 1
}
CONFINED='^AF_(UNIX|INET|INET6|NETLINK|PACKET)/'
refused_families() {
  is "$1: each other family is refused, in every kind" \
    "$(grep '^AF_' <<<"$OUT" | grep -Ev "$CONFINED|^AF_INET/smc" | grep -v ' refused EAFNOSUPPORT$')" ''
  is "$1: AF_SMC by its other name" "$(verdict AF_INET/smc)" EPROTONOSUPPORT
  is "$1: pairs of sockets of another family" "$(verdict socketpair/AF_TIPC)" EAFNOSUPPORT
  is "$1: pidfd_getfd" "$(verdict pidfd_getfd)" EPERM
  is "$1: io_uring_setup" "$(verdict io_uring_setup)" ENOSYS
  is "$1: io_uring_enter" "$(verdict io_uring_enter)" ENOSYS
  is "$1: io_uring_register" "$(verdict io_uring_register)" ENOSYS
}
usual_families() {
  local one
  for one in AF_UNIX/stream AF_UNIX/dgram AF_UNIX/seqpacket AF_INET/stream AF_INET/dgram AF_INET6/stream \
    AF_INET6/dgram AF_NETLINK/dgram AF_NETLINK/raw socketpair/AF_UNIX; do
    is "$1: $one" "$(verdict $one)" allowed
  done
}

# Control: what the kernel of this machine allows by itself.
probe by alice
usual_families 'outside'
is 'control, outside: pidfd_getfd' "$(verdict pidfd_getfd)" allowed
OTHERS=$(grep '^AF_.* sent$' <<<"$OUT" | grep -Ev "$CONFINED" | cut -d ' ' -f 1 | tr '\n' ' ')
if [[ $OTHERS == *AF_VSOCK* ]]; then
  pass 'control, outside: AF_VSOCK opens' "$OTHERS"
else
  pass 'no control for families: this kernel has none of the others' "$OTHERS"
fi
RING=$(verdict io_uring_setup)
if [ "$RING" = allowed ]; then
  pass 'control, outside: io_uring_setup'
else
  pass 'no control for io_uring: this kernel does not allow it' "$RING"
fi

probe by alice vpnrun
usual_families 'a user under vpnrun'
refused_families 'a user under vpnrun'
is 'a user under vpnrun: packet sockets, by want of the capability' "$(verdict AF_PACKET/raw)" EPERM

probe vpnrun
usual_families 'root under vpnrun'
refused_families 'root under vpnrun'
is 'root under vpnrun: packet sockets open' "$(verdict AF_PACKET/raw) $(verdict AF_PACKET/dgram)" 'allowed allowed'

probe vpnrun setpriv --reuid=alice --regid=alice --init-groups --inh-caps=-all,+net_raw \
  --ambient-caps=-all,+net_raw --bounding-set=-all,+net_raw --
refused_families 'a user with CAP_NET_RAW under vpnrun'
is 'a user with CAP_NET_RAW under vpnrun: packet sockets open' \
  "$(verdict AF_PACKET/raw) $(verdict AF_PACKET/dgram)" 'allowed allowed'

# The namespace without the filter: it is the filter that refuses.
probe nsenter --net=/run/vpnrun/one/netns -- by alice
is 'control, inside without vpnrun: pidfd_getfd' "$(verdict pidfd_getfd)" allowed
is 'control, inside without vpnrun: the other families are as outside' \
  "$(grep '^AF_.* sent$' <<<"$OUT" | grep -Ev "$CONFINED" | cut -d ' ' -f 1 | tr '\n' ' ')" "$OTHERS"
tunnel_release one
