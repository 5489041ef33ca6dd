# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/system/names.sh
# /etc/netns/NAME: the administrator's own files and folders over /etc inside, by the rules of
# `ip netns exec`, and what becomes of a running application when they change.
source "$SOURCE/tests/system/names.sh"

OWN=/etc/netns/one
inside_is() { [ "$(by alice vpnrun cat "/etc/$1")" = "$2" ]; }
# same_as_ip_netns NAME: what vpnrun shows is what the tool shows that the rules are from.
same_as_ip_netns() {
  is "$1: the same as by ip netns exec" "$(by alice vpnrun cat "/etc/$1" 2>/dev/null)" "$(ip netns exec one cat "/etc/$1" 2>/dev/null)"
}

# The machine's, and the administrator's for this profile. There is no /etc/only-here to lay it over.
rm -rf /etc/dnsmasq.d /etc/hostapd /etc/only-here
mkdir -p /etc/dnsmasq.d /etc/hostapd $OWN/dnsmasq.d $OWN/hostapd
echo 'address=/which.example/192.0.2.61' >/etc/dnsmasq.d/machine.conf
echo 'interface=machine' >/etc/hostapd/hostapd.conf
printf '%s\n' 'port=5300' 'listen-address=127.0.0.1' 'address=/which.example/192.0.2.62' >$OWN/dnsmasq.d/own.conf
echo 'interface=own' >$OWN/hostapd/hostapd.conf
printf '%s\n' '127.0.0.1 localhost' '192.0.2.63 own.example' >$OWN/hosts
# Careless: the provider's resolver. The filter holds all the same.
printf '%s\n' 'nameserver 192.168.77.1' '# the administrator'"'"'s' >$OWN/resolv.conf
echo 'left out' >$OWN/only-here
find /etc/hosts /etc/resolv.conf /etc/dnsmasq.d /etc/hostapd $OWN -type f -exec md5sum {} + >"$LAB/tmp/own-files"

profile_one
host_resolves 'before'
tunnel_start one
for name in hosts resolv.conf dnsmasq.d/own.conf hostapd/hostapd.conf; do
  is "$name inside is the administrator's" "$(by alice vpnrun cat "/etc/$name")" "$(cat $OWN/$name)"
  same_as_ip_netns $name
done
attempt by alice vpnrun cat /etc/only-here
unlike 'a file that /etc has not is left out' "$STATUS $OUT" '^0'
same_as_ip_netns only-here
check 'nor is one made in /etc' test ! -e /etc/only-here
attempt by alice vpnrun cat /etc/dnsmasq.d/machine.conf
unlike 'a folder replaces the machine'"'"'s, file by file it is not mixed' "$STATUS" '^0$'
attempt by alice vpnrun sh -c 'echo x >>/etc/hosts; echo x >/etc/dnsmasq.d/x'
empty 'nobody writes to the administrator'"'"'s files from inside' "$(md5sum --quiet -c "$LAB/tmp/own-files" 2>&1)"
attempt inside sh -c 'echo x >>/etc/hosts || echo x >/etc/dnsmasq.d/x'
like 'root inside neither: they are read-only there' "$ERR" 'Read-only file system'
is 'a name of the hosts file' "$(by alice vpnrun getent ahostsv4 own.example | awk 'NR == 1 { print $1 }')" 192.0.2.63
attempt getent ahostsv4 own.example
unlike 'which the machine does not know' "$OUT" '192\.0\.2\.63'
capture_start
capture_names_control
new_app 'with a resolv.conf that names the provider'
like 'nsswitch.conf inside is the generated one' "$(by alice vpnrun cat /etc/nsswitch.conf)" '^hosts:\s+files (myhostname )?dns$'

# --- a daemon that root starts inside reads the configuration laid over ---
daemon_asked() { by alice vpnrun dns_query 127.0.0.1 which.example --port 5300; }
background "$LAB/log/app-dnsmasq" inside dnsmasq --keep-in-foreground --conf-file=/dev/null --conf-dir=/etc/dnsmasq.d \
  --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces
DAEMON=$BACKGROUND
within 5 'dnsmasq inside answers on its own port' daemon_asked
like 'by the administrator'"'"'s folder' "$(daemon_asked)" '^udp 127\.0\.0\.1 noerror .* 192\.0\.2\.62$'
kill "$DAEMON"
within 5 'and ends' gone "$DAEMON"

# --- changed under a running application ---
app_start
# The application's libc reads /etc/hosts for each name.
app_hosts() {
  local before
  before=$(wc -l <"$LAB/log/app-names")
  echo own.example >&9
  wait_until 2 eval '[ "$(wc -l <"$LAB/log/app-names")" -gt '"$before"' ]'
  [ "$(tail -n 1 "$LAB/log/app-names")" = "own.example $1" ]
}
within 3 'the running application reads the administrator'"'"'s hosts' app_hosts 192.0.2.63
# The machine replaces what lies under an overlay.
cp /etc/hosts /etc/.hosts.new
echo '192.0.2.66 own.example' >>/etc/.hosts.new
mv /etc/.hosts.new /etc/hosts
within 3 'the machine'"'"'s hosts renamed over: inside it stays the administrator'"'"'s' app_hosts 192.0.2.63
mv /etc/hostapd /etc/hostapd.old
mkdir /etc/hostapd
within 3 'the machine'"'"'s folder made again: inside it stays the administrator'"'"'s' inside_is hostapd/hostapd.conf 'interface=own'
# The administrator changes the own files.
sed -i 's/192.0.2.63/192.0.2.64/' $OWN/hosts
within 3 'hosts renamed over (sed -i): the running application follows' app_hosts 192.0.2.64
within 1 'and a new one' inside_is hosts "$(cat $OWN/hosts)"
same_as_ip_netns hosts
printf '%s\n' '127.0.0.1 localhost' '192.0.2.65 own.example' >$OWN/hosts
within 3 'hosts rewritten in place: the running application follows' app_hosts 192.0.2.65
within 1 'and a new one' inside_is hosts "$(cat $OWN/hosts)"
echo 'interface=changed' >$OWN/hostapd/.new
mv $OWN/hostapd/.new $OWN/hostapd/hostapd.conf
within 3 'a file in a folder renamed over is seen inside' inside_is hostapd/hostapd.conf 'interface=changed'
printf '%s\n' 'nameserver 203.0.113.10' >$OWN/.resolv.new
mv $OWN/.resolv.new $OWN/resolv.conf
running_app 'the administrator'"'"'s resolv.conf renamed over'
within 3 'which is seen inside' inside_is resolv.conf 'nameserver 203.0.113.10'
echo 'own networks' >$OWN/networks
[ -e /etc/networks ] || echo 'machine networks' >/etc/networks
within 3 'a file put there later is laid over' inside_is networks 'own networks'
rm $OWN/resolv.conf
running_app 'the administrator'"'"'s resolv.conf removed'
within 3 'then the generated one is there again' eval "by alice vpnrun grep -q '^nameserver 10.8.0.1' /etc/resolv.conf"
new_app 'at last'

# --- the companion killed and the files changed meanwhile ---
companion_killed
printf '%s\n' '127.0.0.1 localhost' '192.0.2.67 own.example' >$OWN/.hosts.new
mv $OWN/.hosts.new $OWN/hosts
companion_again 'after the administrator'"'"'s hosts changed'
within 3 'the running application follows' app_hosts 192.0.2.67
running_app 'after the companion was killed'
capture_names_stop 'through all of it'
app_end
tunnel_release one
host_resolves 'after'
