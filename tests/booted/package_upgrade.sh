# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# An upgrade under a running application, which asks for its address all the time: it keeps running,
# sealed, gets its tunnel back, and never had another way out.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10

# repack VERSION: the package again with another version, and a unit that can be told from the old one.
repack() {
  local folder=$LAB/tmp/package-$1
  dpkg-deb --raw-extract "$PACKAGE" "$folder"
  sed -i "s/^Version: .*/Version: $1/" "$folder/DEBIAN/control"
  printf '[Service]\nEnvironment=PACKAGE_VERSION=%s\n' "$1" >>"$folder/usr/lib/systemd/system/vpnrun@.service"
  (cd "$folder" && find usr -type f -exec md5sum {} +) >"$folder/DEBIAN/md5sums"
  dpkg-deb --root-owner-group -Znone --build "$folder" "$LAB/tmp/vpnrun_$1.deb" >/dev/null
}
property() { inside systemctl show --property="$2" --value "$1"; }
companion_is() {
  local pid
  pid=$(property vpnrun@one MainPID)
  [ "$pid" != 0 ] && inside cat "/proc/$pid/environ" | tr '\0' '\n' | grep -x "PACKAGE_VERSION=$1"
}
UPSTREAM=$(dpkg-deb -f "$PACKAGE" Version)
UPSTREAM=${UPSTREAM%-*}
# asked SINCE: it was answered after line SINCE of its log.
asked() { tail -n "+$(($1 + 1))" "$LAB/log/app-loop" | grep "^$APP $THROUGH$"; }
lines() { wc -l <"$LAB/log/app-loop"; }

machine_install
machine_profile one
check 'the tunnel is up' inside systemctl start vpnrun@one.socket vpnrun@one.service
# shellcheck disable=SC2016  # expanded by the application
background "$LAB/log/app-loop" as_user alice vpnrun \
  sh -c 'while :; do echo "$$ $(curl -s -m 1 '$WEB4')"; sleep 0.05; done'
within 5 'an application asks for its address' grep -q "$THROUGH" "$LAB/log/app-loop"
APP=$(cut -d ' ' -f 1 "$LAB/log/app-loop" | head -n 1)
INSIDE=$(inside readlink "/proc/$APP/ns/net")
NAMESPACE=$(property vpnrun-netns@one InvocationID)
SOCKET=$(property vpnrun@one.socket InvocationID)
inside dpkg-statoverride --update --add root root 4751 /usr/libexec/vpnrun/vpnrun-helper

capture_start
repack "$UPSTREAM-2"
check 'a new version is installed' machine_install "$LAB/tmp/vpnrun_$UPSTREAM-2.deb"
is 'it is' "$(inside dpkg-query -W -f '${Version}' vpnrun)" "$UPSTREAM-2"
within 20 'the tunnel gets the new companion' companion_is "$UPSTREAM-2"
within 20 'and comes back' machine_tunnel_up one
SINCE=$(lines)
within 10 'the application is online again' asked "$SINCE"
is 'in the same namespace' "$(inside readlink "/proc/$APP/ns/net")" "$INSIDE"
is 'which was not made again' "$(property vpnrun-netns@one InvocationID)" "$NAMESPACE"
is 'nor was the socket' "$(property vpnrun@one.socket InvocationID)" "$SOCKET"
is 'the administrator'"'"'s mode of the helper is kept' \
  "$(inside stat -c '%a %U:%G' /usr/libexec/vpnrun/vpnrun-helper)" '4751 root:root'
is 'a new application works' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH

# dpkg must not wait for a server that does not answer; the unit does for half a minute.
server_silent
repack "$UPSTREAM-3"
check 'with a server that is silent an upgrade ends as well' machine_install "$LAB/tmp/vpnrun_$UPSTREAM-3.deb"
like 'without waiting for it: its restart is on the way' "$(property vpnrun@one.service Job)" '^[1-9]'
within 20 'the new companion tries' companion_is "$UPSTREAM-3"
server_talks
within 70 'and has the tunnel when the server is back' machine_tunnel_up one
SINCE=$(lines)
within 10 'the same application is online' asked "$SINCE"

# An administrator's policy that forbids to start anything.
printf '#!/bin/sh\nexit 101\n' >"$LAB/tmp/policy-rc.d"
put "$LAB/tmp/policy-rc.d" /usr/sbin/policy-rc.d 0755
repack "$UPSTREAM-4"
check 'an upgrade under a policy-rc.d' machine_install "$LAB/tmp/vpnrun_$UPSTREAM-4.deb"
check 'leaves the companion as it is' companion_is "$UPSTREAM-3"
check 'and the machine running' machine_tunnel_up one

inside kill "$APP"
capture_stop
empty 'in all that time nothing stray left the machine' "$(capture_stray "$CAPTURE_ONE")"
is 'and the application saw the tunnel'"'"'s address or none' \
  "$(cut -d ' ' -f 2 "$LAB/log/app-loop" | sort -u | xargs)" $THROUGH
is 'in one process' "$(cut -d ' ' -f 1 "$LAB/log/app-loop" | sort -u)" "$APP"
