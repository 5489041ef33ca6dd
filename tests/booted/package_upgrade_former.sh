# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# From the last release to this one, with a tunnel and applications running: another user for the client,
# another mode for the helper, another record of the profile. Every application keeps running, sealed,
# gets its tunnel back, and never had another way out, neither for packets nor for names.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10
NAME=who.example
NAME_ONE=192.0.2.8  # as the tunnel's resolver has it
HELPER=/usr/libexec/vpnrun/vpnrun-helper

property() { inside systemctl show --property="$2" --value "$1"; }
version() { inside dpkg-query -W -f '${Version}' vpnrun; }
lines() { wc -l <"$LAB/log/app-$1"; }
# asked WHAT SINCE TEXT: the loop of that name printed TEXT after line SINCE of its log.
asked() { tail -n "+$(($2 + 1))" "$LAB/log/app-$1" | grep -q " $3$"; }
# companion_runs FILE: the companion's program is this one.
companion_runs() {
  local pid
  pid=$(property vpnrun@one MainPID)
  [ "$pid" != 0 ] && inside cmp -s "/proc/$pid/exe" "$1"
}
# client_status FIELD: of the client's /proc/PID/status, words in one line.
client_status() {
  local pid
  pid=$(inside pgrep -x openvpn) && inside sed -n "s/^$1:\s*//p" "/proc/$pid/status" | xargs
}

# record NAME: what kind of record the profile has.
record() { inside head -c 8 "/run/vpnrun/$1/origin" | od -An -tx1; }

check 'the last release is installed' machine_install "$FORMER"
is 'it is' "$(version)" 0.1.0-1
is 'with a helper that everybody reads' "$(inside stat -c %a $HELPER)" 4755
machine_profile one
machine_profile two
check 'a profile is prepared and has no tunnel' inside systemctl start vpnrun-netns@two
check 'another one'"'"'s tunnel is up' inside systemctl start vpnrun@one.socket vpnrun@one.service
OLD_CLIENT=$(client_status Uid)
FORMER_RECORD=$(record one)
is 'its client is the one user of all clients' "${OLD_CLIENT%% *}" "$(inside id -u vpnrun)"
# shellcheck disable=SC2016  # expanded by the application
background "$LAB/log/app-web" as_user alice vpnrun -p one \
  sh -c 'while :; do echo "$$ $(curl -s -m 1 '$WEB4')"; sleep 0.05; done'
# When it is ended cut(1) may just be writing, and would say that nobody reads.
# shellcheck disable=SC2016
background "$LAB/log/app-names" as_user alice vpnrun -p one \
  sh -c 'while :; do echo "$$ $(getent ahostsv4 '$NAME' | head -n 1 | cut -d " " -f 1 2>/dev/null)"; sleep 0.2; done'
within 5 'an application asks for its address' asked web 0 $THROUGH
within 5 'another one looks up a name' asked names 0 "$NAME_ONE"
APP=$(cut -d ' ' -f 1 "$LAB/log/app-web" | head -n 1)
NAMES=$(cut -d ' ' -f 1 "$LAB/log/app-names" | head -n 1)
INSIDE=$(inside readlink "/proc/$APP/ns/net")
VIEW=$(inside readlink "/proc/$APP/ns/mnt")
NAMESPACE=$(property vpnrun-netns@one InvocationID)

capture_start
check 'this release is installed over it' machine_install "$PACKAGE"
is 'it is' "$(version)" "$(dpkg-deb -f "$PACKAGE" Version)"
within 20 'the tunnel gets the new companion' companion_runs /usr/libexec/vpnrun/vpnrun-tunnel
within 20 'and comes back' machine_tunnel_up one
SINCE=$(lines web)
SINCE_NAMES=$(lines names)
within 10 'the application is online again' asked web "$SINCE" $THROUGH
within 10 'the other one has names again' asked names "$SINCE_NAMES" "$NAME_ONE"
is 'in the same namespace' "$(inside readlink "/proc/$APP/ns/net")" "$INSIDE"
is 'which was not made again' "$(property vpnrun-netns@one InvocationID)" "$NAMESPACE"
like 'the client has a user of its own' "$(client_status Uid)" '^(6[01][0-9]{3}) \1 \1 \1$'
is 'and nothing runs as the former one' "$(inside pgrep -u vpnrun)" ''
is 'nobody reads the helper' "$(inside stat -c '%a %U:%G' $HELPER)" '4711 root:root'
is 'the profile without a tunnel has a record of the new kind as well' "$(record two)" "$(record one)"
unlike 'which is not the former one' "$(record two)" "$FORMER_RECORD"
is 'a new application works' "$(as_user alice vpnrun -p one curl -sS -m 5 $WEB4)" $THROUGH
is 'in the same view' "$(as_user alice vpnrun -p one readlink /proc/self/ns/mnt)" "$VIEW"
attempt as_user bob vpnrun -p one curl -sS -m 5 $WEB4
is 'and admits nobody else' "$STATUS" 125

# The host rewrites its resolv.conf, as a DHCP client does: a running application keeps the tunnel's.
inside sh -c 'cp /etc/resolv.conf /etc/resolv.conf.new && mv /etc/resolv.conf.new /etc/resolv.conf'
SINCE_NAMES=$(lines names)
within 10 'an application of the former release keeps the tunnel'"'"'s names' asked names "$SINCE_NAMES" "$NAME_ONE"

# Without a tunnel they are offline, and nowhere else.
inside systemctl stop vpnrun@one.socket vpnrun@one.service
SINCE=$(lines web)
within 10 'without the tunnel the application is offline' asked web "$SINCE" ''
inside systemctl start vpnrun@one.socket vpnrun@one.service
SINCE=$(lines web)
within 10 'and online with it' asked web "$SINCE" $THROUGH

inside kill "$APP" "$NAMES"
capture_stop
empty 'in all that time nothing stray left the machine' "$(capture_stray "$CAPTURE_ONE")"
is 'the first application saw the tunnel'"'"'s address or none' \
  "$(cut -d ' ' -f 2 "$LAB/log/app-web" | sort -u | xargs)" $THROUGH
is 'the second the tunnel'"'"'s names or none' \
  "$(cut -d ' ' -f 2 "$LAB/log/app-names" | sort -u | xargs)" "$NAME_ONE"
is 'each in one process' "$(cut -d ' ' -f 1 "$LAB/log/app-web" "$LAB/log/app-names" | sort -u | wc -l)" 2
check 'what the former release left is released' inside systemctl stop vpnrun-netns@one vpnrun-netns@two
is 'and gone' "$(inside ls /run/vpnrun)" ''
