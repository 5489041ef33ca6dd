# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Names go to the tunnel's resolver and to nobody else, whatever the machine does with its own.

# isp_asked NAME: whether the provider's resolver was asked for it.
isp_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-isp"; }
vpn_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-one"; }
# Every query under its own name, so that no answer can come from elsewhere.
NUMBER=0
fresh_name() { NUMBER=$((NUMBER + 1)); NAME=n$NUMBER.who.example; }
# resolved WHAT COMMAND…: the command prints the tunnel's answer for $NAME; nobody else was asked.
resolved() {
  local what=$1
  shift
  like "$what: the tunnel's resolver answers" "$(timeout 10 "$@" 2>&1)" '192\.0\.2\.8\b'
  check "$what: it was asked" vpn_asked "$NAME"
  check "$what: the provider was not" eval "! isp_asked $NAME"
}

# A DNS question by hand, to any address: ask ADDRESS NAME prints the IPv4 address of the answer.
cat >"$LAB/bin/ask" <<'END'
#!/bin/bash
question=$(printf '\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00'
  for label in ${2//./ }; do printf '\\x%02x%s' ${#label} "$label"; done
  printf '\\x00\\x00\\x01\\x00\\x01')
printf "$question" | socat -t 2 - "UDP:$1:53" | tail -c 4 | od -An -tu1 | awk '{ print $1 "." $2 "." $3 "." $4 }'
END
chmod 0755 "$LAB/bin/ask"

ovpn_one "$PROFILES/one.ovpn" client 'vpn.example 1194'
profile one
snapshot before
tunnel_start one
check 'the endpoint is looked up by the machine, through its provider' isp_asked vpn.example
fresh_name
check 'the provider answers the machine' getent ahostsv4 "$NAME"
check 'and its log shows it' isp_asked "$NAME"

fresh_name
resolved 'getent' by alice vpnrun getent ahostsv4 "$NAME"
fresh_name
is 'curl inside reaches a host by name' "$(by alice vpnrun curl -s -4 -m 5 http://web.example/)" 198.51.100.10
check 'without the provider' eval '! isp_asked web.example'
like 'resolv.conf inside names the tunnel'"'"'s resolver' "$(by alice vpnrun cat /etc/resolv.conf)" '^nameserver 10\.8\.0\.1$'
unlike 'and no other' "$(by alice vpnrun cat /etc/resolv.conf)" '192\.168\.77\.1'
is 'nor empty lines' "$(by alice vpnrun grep -c '^$' /etc/resolv.conf)" 0
like 'nsswitch.conf inside asks no daemon' "$(by alice vpnrun grep '^hosts:' /etc/nsswitch.conf)" '^hosts:\s+files (myhostname )?dns$'
is 'resolv.conf outside is the machine'"'"'s' "$(cat /etc/resolv.conf)" 'nameserver 192.168.77.1'

for ADDRESS in 192.168.77.1 203.0.113.10 127.0.0.53 127.0.0.1; do
  fresh_name
  resolved "a query to $ADDRESS" by alice vpnrun ask "$ADDRESS" "$NAME"
done

# A running application, while the machine changes its resolver as NetworkManager and resolvconf do.
mkfifo "$LAB/tmp/names"
chmod 0666 "$LAB/tmp/names"
background "$LAB/log/app-names" by alice vpnrun bash -c 'while read -r name; do getent ahostsv4 "$name"; done <"$1"' - "$LAB/tmp/names"
APP=$BACKGROUND
exec 9>"$LAB/tmp/names"
ask_app() {
  fresh_name
  echo "$NAME" >&9
  within 10 "$1: the running application gets an answer" grep -q " $NAME" "$LAB/log/app-names"
  like "$1: the tunnel's" "$(cat "$LAB/log/app-names")" "192\\.0\\.2\\.8 .* $NAME"
  check "$1: and the provider was not asked" eval "! isp_asked $NAME"
}
ask_app 'at first'
echo 'nameserver 192.168.77.1' >/etc/resolv.conf.new
mv /etc/resolv.conf.new /etc/resolv.conf
ask_app 'resolv.conf replaced by rename'
mkdir -p /run/resolver
echo 'nameserver 192.168.77.1' >/run/resolver/resolv.conf
ln -s /run/resolver/resolv.conf /etc/resolv.conf.new
mv -T /etc/resolv.conf.new /etc/resolv.conf
ask_app 'resolv.conf replaced by a symbolic link'
fresh_name
resolved 'a new application then' by alice vpnrun getent ahostsv4 "$NAME"
rm -r /run/resolver
fresh_name
resolved 'and with the link dangling' by alice vpnrun getent ahostsv4 "$NAME"
exec 9>&-
within 5 'the application ends' gone "$APP"

# Without a tunnel nobody is asked.
by alice vpnrunctl down one
within 3 'the tunnel is down' eval '! tunnel_has_route one'
fresh_name
attempt nsenter --net=/run/vpnrun/one/netns --mount=/run/vpnrun/one/mnt -- \
  setpriv --reuid=alice --regid=alice --init-groups timeout 20 getent ahostsv4 "$NAME"
is 'without a tunnel a name is not resolved' "$((STATUS != 0))" 1
check 'and the provider is not asked' eval "! isp_asked $NAME"
tunnel_release one

# A machine whose resolv.conf dangles from the start.
rm /etc/resolv.conf
ln -s /run/nowhere/resolv.conf /etc/resolv.conf
profile_one
tunnel_start one
fresh_name
resolved 'on a machine whose resolv.conf dangles' by alice vpnrun getent ahostsv4 "$NAME"
tunnel_release one
is 'which is left as it was' "$(readlink /etc/resolv.conf)" /run/nowhere/resolv.conf
rm /etc/resolv.conf
echo 'nameserver 192.168.77.1' >/etc/resolv.conf
