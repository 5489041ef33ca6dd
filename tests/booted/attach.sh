# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# vpnrunctl attach: a real daemon, transmission, behind the tunnel as a system unit. Where it is, what it
# asks and whom, what is out of its reach; the tunnel's and the namespace's end; and back.
DAEMON=transmission-daemon
WEB=203.0.113.10

install_packages() {
  inside env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes "$@" >"$LAB/log/app-apt" 2>&1 </dev/null
}

# isp_asked NAME: whether the provider's resolver was asked for it; vpn_asked: the tunnel's.
isp_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-isp"; }
vpn_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-one"; }

daemon_pid() { inside systemctl show --property=MainPID --value "$DAEMON"; }
net_of() { inside readlink "/proc/$1/ns/net"; }
# in_daemon [-m] COMMAND…: in the daemon's network; with -m in its view of the file system as well.
in_daemon() { inside nsenter -t "$(daemon_pid)" -n "$@"; }
rpc_answers() { in_daemon curl -s -m 2 http://127.0.0.1:9091/transmission/rpc | grep -q X-Transmission-Session-Id; }

# announce TRACKER: the daemon itself asks this tracker, at once.
NUMBER=0
announce() {
  NUMBER=$((NUMBER + 1))
  local torrent
  printf -v torrent 'magnet:?xt=urn:btih:%040d&tr=http%%3A%%2F%%2F%s%%2Fannounce' "$NUMBER" "$1"
  in_daemon transmission-remote --add "$torrent" >/dev/null
}

machine_install
machine_profile one
install_packages "$DAEMON" transmission-cli nscd
inside systemctl stop nscd "$DAEMON"
# Not in its settings: it writes these itself, when it pleases.
inside sed -i '/^ExecStart=/s/$/ --no-auth/' "/usr/lib/systemd/system/$DAEMON.service"
inside systemctl daemon-reload
inside systemctl start "$DAEMON"
HOST=$(net_of 1)

# Without attach: all that is denied below happens.
is 'control: the daemon is in the host'"'"'s network' "$(net_of "$(daemon_pid)")" "$HOST"
within 10 'control: its port is open on the host' rpc_answers
announce control.who.example
within 15 'control: it asks the provider'"'"'s resolver' isp_asked control.who.example
capture_start
announce "$WEB"
within 15 'control: its packets are captured' capture_has "host $WEB and tcp dst port 80"
capture_stop

# attach
attempt inside vpnrunctl attach "$DAEMON" one
is 'attach succeeds' "$STATUS" 0
like 'and says that it still runs outside' "$ERR" "'$DAEMON.service' still runs outside: 'systemctl restart $DAEMON.service'"
is 'which is so' "$(net_of "$(daemon_pid)")" "$HOST"
is 'file and folder are root'"'"'s' "$(stat -c '%U %a' "$MACHINE/etc/systemd/system/$DAEMON.service.d" "$MACHINE/etc/systemd/system/$DAEMON.service.d/zz-vpnrun.conf" | xargs)" 'root 755 root 644'
empty 'systemd has nothing to complain about' "$(inside systemd-analyze verify "$DAEMON.service" 2>&1 | grep vpnrun)"
attempt inside vpnrunctl attach "$DAEMON" one --now
is 'attach --now succeeds, twice is not an error' "$STATUS" 0
ONE=$(inside ip netns exec one readlink /proc/self/ns/net)
is 'the daemon is in the profile'"'"'s network' "$(net_of "$(daemon_pid)")" "$ONE"
check 'restarting it started the tunnel, and waited for it' machine_tunnel_up one
like 'vpnrunctl ps shows it' "$(inside vpnrunctl ps one)" "$DAEMON"
like 'and vpnrunctl attach' "$(inside vpnrunctl attach)" "^$DAEMON.service +one"
within 10 'its port is open inside' rpc_answers
attempt inside curl -s -m 2 http://127.0.0.1:9091/
is 'and not on the host' "$STATUS" 7
announce inside.who.example
within 15 'it asks the tunnel'"'"'s resolver' vpn_asked inside.who.example
is 'and packets of its network come from the tunnel' "$(in_daemon curl -s -m 5 "http://$WEB/")" 198.51.100.10

# Daemons of names that come later: nscd, and what answers on the system bus.
inside systemctl start nscd
within 5 'nscd runs on the host' inside test -S /run/nscd/socket
in_daemon getent ahostsv4 nscd-control.who.example >/dev/null
check 'control: by its socket names leave the daemon'"'"'s network' isp_asked nscd-control.who.example
attempt in_daemon -m getent ahostsv4 nscd.who.example
like 'where the daemon is, the tunnel'"'"'s resolver answers' "$OUT" '\b192\.0\.2\.8\b'
announce later.who.example
within 15 'the daemon asks the tunnel'"'"'s, too' vpn_asked later.who.example
check 'nobody asked the provider'"'"'s' eval '! isp_asked nscd.who.example && ! isp_asked later.who.example && ! isp_asked inside.who.example'
check 'control: the host has a system bus' inside test -S /run/dbus/system_bus_socket
# "incoming" is systemd's own: mounts reach the service there; 262 has it elsewhere.
is 'the daemon'"'"'s /run has what it needs and nothing else' \
  "$(in_daemon -m ls /run /run/systemd | grep -vx incoming | xargs)" '/run: netns systemd /run/systemd: journal notify'

# has_tried: the daemon has an outcome, good or bad, from the tracker of the last torrent.
has_tried() { in_daemon transmission-remote --torrent "$NUMBER" --info-trackers | grep -qE 'No updates scheduled|Got an error'; }

# The tunnel comes and goes.
PID=$(daemon_pid)
capture_start
inside systemctl kill --signal=KILL vpnrun@one
announce "$WEB"
announce killed.who.example
inside systemctl stop vpnrun@one
announce "$WEB"
within 20 'the daemon has tried to reach its tracker' has_tried
announce stopped.who.example
within 20 'and one with a name' has_tried
attempt in_daemon curl -s -m 2 "http://$WEB/"
is 'without a tunnel the daemon'"'"'s network leads nowhere' "$((STATUS != 0))" 1
capture_stop
empty 'and nothing leaves' "$(capture_stray "$CAPTURE_ONE")"
check 'not even a question' eval '! isp_asked killed.who.example && ! isp_asked stopped.who.example'
inside systemctl start vpnrun@one
inside systemctl restart vpnrun@one
is 'a tunnel that is restarted does not stop the daemon' "$(daemon_pid)" "$PID"
is 'which is back online' "$(in_daemon curl -s -m 5 "http://$WEB/")" 198.51.100.10
inside systemctl stop vpnrun-netns@one
check 'the end of the namespace does' eval "! unit_is active $DAEMON"
inside systemctl reset-failed "$DAEMON"
inside systemctl start "$DAEMON"
is 'starting it brings namespace and tunnel back' "$(in_daemon curl -s -m 5 "http://$WEB/")" 198.51.100.10

# A unit with everything that needs a /run, on a host whose resolv.conf leads nowhere. Its list of system
# calls allows io_uring; 40, 44 and 15 are AF_VSOCK, AF_XDP and AF_KEY; "wide" is AF_VSOCK with a bit that
# the kernel cuts off.
cat >"$LAB/tmp/probe" <<'END'
#!/bin/bash
echo word >"$RUNTIME_DIRECTORY/file" && cat "$RUNTIME_DIRECTORY/file"
cat "$CREDENTIALS_DIRECTORY/word"
sed -n 's/^nameserver //p' /etc/resolv.conf 2>/dev/null
perl -e 'for (40, 44, 15) { print socket(S, $_, 1, 0) || socket(S, $_, 3, 0) || socket(S, $_, 3, 2) ? "made\n" : "family $_ refused\n"; }
  print "wide ", -1 == syscall(41, (1 << 32) | 40, 1, 0) ? 0 + $! : "made", "\n";
  print -1 == syscall(425, 8, 0) ? "io_uring " . (0 + $!) . "\n" : "io_uring\n"'
END
printf '%s\n' '[Service]' Type=oneshot DynamicUser=yes RuntimeDirectory=probe LoadCredential=word:/etc/hostname \
  SystemCallFilter=@system-service StandardOutput=truncate:/var/log/probe ExecStart=/usr/local/bin/probe >"$LAB/tmp/probe.service"
put "$LAB/tmp/probe" /usr/local/bin/probe 0755
put "$LAB/tmp/probe.service" /etc/systemd/system/probe.service
inside ln -sfn ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf.new
inside mv -T /etc/resolv.conf.new /etc/resolv.conf
inside systemctl daemon-reload
inside systemctl start probe
like 'control: outside, families and io_uring work' "$(inside cat /var/log/probe | xargs)" '^word lab .*made.* io_uring 14$'
attempt inside vpnrunctl attach probe one
is 'a unit with a list of system calls is attached' "$STATUS" 0
attempt inside systemctl start probe
is 'it starts' "$STATUS" 0
is 'with RuntimeDirectory=, LoadCredential=, DynamicUser=, resolver, and without those sockets' \
  "$(inside cat /var/log/probe | xargs)" \
  'word lab 10.8.0.1 family 40 refused family 44 refused family 15 refused wide 97 io_uring 1'
check 'and nothing was made on the host for it' inside test ! -e /run/systemd/resolve
inside sh -c 'echo SystemCallErrorNumber=EPERM >>/etc/systemd/system/probe.service'
inside vpnrunctl attach probe one
attempt inside systemctl start probe
is 'it starts with an error number of its own' "$STATUS" 0
like 'which it then gets' "$(inside cat /var/log/probe | xargs)" 'family 40 refused .* io_uring 1$'

# listed NUMBER LINE…: probe with these lines starts after attach, with what it needs, and io_uring_setup(2)
# fails with NUMBER there. systemd makes no filter in which a call has the error of all that is not listed.
listed() {
  local number=$1
  shift
  printf '%s\n' '[Service]' Type=oneshot DynamicUser=yes RuntimeDirectory=probe LoadCredential=word:/etc/hostname \
    StandardOutput=truncate:/var/log/probe ExecStart=/usr/local/bin/probe "$@" >"$LAB/tmp/probe.service"
  put "$LAB/tmp/probe.service" /etc/systemd/system/probe.service
  inside rm -f /var/log/probe
  attempt inside vpnrunctl attach probe one
  is "attach with $*" "$STATUS" 0
  attempt inside systemctl start probe
  like "with $* it starts, refused what is ours to refuse" "$(inside cat /var/log/probe 2>&1 | xargs)" \
    "^word lab 10\\.8\\.0\\.1 family 40 refused family 44 refused family 15 refused wide [0-9a-z]+ io_uring $number\$"
}
listed 38 'SystemCallFilter=~@mount @reboot'
listed 38 'SystemCallFilter=~@mount' SystemCallErrorNumber=ENOSYS
listed 38 'SystemCallFilter=~@mount' SystemCallFilter=@system-service
listed 38 SystemCallErrorNumber=EPERM
listed 38 SystemCallFilter=@system-service SystemCallErrorNumber=ENOSYS
listed 126 SystemCallFilter=@system-service SystemCallErrorNumber=ENOKEY
listed 1 SystemCallFilter=@system-service SystemCallErrorNumber=1
listed 1 SystemCallFilter=@system-service SystemCallErrorNumber=kill
listed 1 SystemCallFilter=@system-service 'SystemCallFilter=~@resources uname:EACCES' SystemCallErrorNumber=no-such
listed 38 'SystemCallLog=~@system-service' 'SystemCallArchitectures=native x86'
is 'and 32-bit programs, which no list of families sees, run there no more' \
  "$(inside systemctl show --property=SystemCallArchitectures --value probe)" native
listed 38 'RestrictAddressFamilies=AF_INET AF_UNIX AF_VSOCK AF_KEY' RestrictNamespaces=yes
listed 38 'RestrictAddressFamilies=~AF_PACKET' 'RestrictAddressFamilies=AF_PACKET'

# A unit that does not come up again. To systemd an ordinary service has started before its program has.
printf '%s\n' '[Service]' 'ExecStart=/bin/sleep infinity' >"$LAB/tmp/once.service"
put "$LAB/tmp/once.service" /etc/systemd/system/once.service
inside systemctl daemon-reload
inside systemctl start once
attempt inside vpnrunctl attach once one --now
is 'an ordinary service is attached and moved' "$STATUS" 0
printf '%s\n' '[Service]' ExecStart=/no/such/program >"$LAB/tmp/once.service"
put "$LAB/tmp/once.service" /etc/systemd/system/once.service
attempt inside vpnrunctl attach once one --now
is 'attach --now of what does not start fails' "$STATUS" 1
like 'and says what became of it' "$ERR" "'once.service' does not start any more: its result is 'exit-code', status 203"
# And a drop-in behind ours, which takes the filter away.
printf '%s\n' '[Service]' 'ExecStart=/bin/sleep infinity' >"$LAB/tmp/once.service"
put "$LAB/tmp/once.service" /etc/systemd/system/once.service
inside vpnrunctl detach once
printf '%s\n' '[Service]' SystemCallFilter= >"$LAB/tmp/zzz.conf"
put "$LAB/tmp/zzz.conf" /etc/systemd/system/once.service.d/zzz.conf
attempt inside vpnrunctl attach once one
complains 'attach of a unit whose filter is taken away' 'another drop-in of the unit overrides ours'
check 'writes nothing' test ! -e "$MACHINE/etc/systemd/system/once.service.d/zz-vpnrun.conf"
inside rm -r /etc/systemd/system/once.service.d

# What is refused.
refused() {
  attempt inside vpnrunctl attach "$2" "${3:-one}"
  complains "attach $2" "$1"
  check "attach $2 writes nothing" test ! -e "$MACHINE/etc/systemd/system/${2%.service}.service.d"
}
refused 'the machine itself depends on it' dbus.service
refused 'there is no unit' no-such.service
refused 'cannot find profile' nscd.service oen
printf '%s\n' '[Service]' Type=dbus BusName=org.example.Probe ExecStart=/bin/true >"$LAB/tmp/bus.service"
put "$LAB/tmp/bus.service" /etc/systemd/system/bus.service
refused 'it needs the system bus' bus.service
printf '%s\n' '[Unit]' 'JoinsNamespaceOf=nscd.service' '[Service]' PrivateNetwork=yes ExecStart=/bin/true >"$LAB/tmp/joins.service"
put "$LAB/tmp/joins.service" /etc/systemd/system/joins.service
refused 'JoinsNamespaceOf=' joins.service
attempt as_user alice vpnrunctl attach nscd one
complains 'a user' 'only root'
attempt inside vpnrunctl attach --user nscd one
complains 'root without a session' 'root has no service manager'

# The journal.
like 'vpnrunctl log shows what the companion said' "$(inside vpnrunctl log one -n all)" 'vpnrun-tunnel'
like 'as JSON, too' "$(inside vpnrunctl log one -n 1 --json)" '^\{.*"_SYSTEMD_UNIT"'
like 'a user is shown what the companion keeps' "$(as_user alice vpnrunctl log one --json)" '^\{"number":[0-9]+,"time":[0-9]+,"level":"info","text":"'
inside usermod -aG systemd-journal alice
like 'a member of systemd-journal the journal' "$(as_user alice vpnrunctl log one -n all)" 'vpnrun-tunnel'

# A reboot: the daemon starts with the machine, behind the tunnel that it pulls in, though nobody enabled
# that. It has trackers to ask, on the way down and on the way up.
inside ln -sfn /dev/null /etc/systemd/system/nscd.service
echo 'nameserver 192.168.77.1' >"$LAB/tmp/resolv.conf"
inside rm /etc/resolv.conf
put "$LAB/tmp/resolv.conf" /etc/resolv.conf
in_daemon transmission-remote --torrent all --remove >/dev/null # it has five at a time
announce "$WEB"
announce reboot.who.example
wait_until 15 vpn_asked reboot.who.example
asked() { grep -c 'query\[.*\] reboot.who.example ' "$LAB/log/dns-one"; }
BEFORE=$(asked)
capture_start
machine_reboot
within 20 'after a reboot the daemon runs' unit_is active "$DAEMON"
is 'in the network of the profile' "$(net_of "$(daemon_pid)")" "$(inside ip netns exec one readlink /proc/self/ns/net)"
within 20 'which is behind the tunnel' eval '[ "$(in_daemon curl -s -m 5 "http://$WEB/")" = 198.51.100.10 ]'
within 20 'it asks its trackers again, by the tunnel' eval '[ "$(asked)" -gt "$BEFORE" ]'
capture_stop
empty 'and nothing left outside, on the way down and up' \
  "$(capture_stray "$CAPTURE_ONE")"
check 'nor a question' eval '! isp_asked reboot.who.example'

# And back.
attempt inside vpnrunctl detach "$DAEMON" --now
is 'detach --now succeeds' "$STATUS" 0
is 'the daemon is in the host'"'"'s network again' "$(net_of "$(daemon_pid)")" "$HOST"
check 'no file and no folder is left' test ! -e "$MACHINE/etc/systemd/system/$DAEMON.service.d"
inside systemctl stop vpnrun-netns@one
check 'the namespace no longer affects it' unit_is active "$DAEMON"
within 10 'its port is open on the host again' rpc_answers
attempt inside vpnrunctl detach "$DAEMON"
is 'detach twice is not an error' "$STATUS" 0
