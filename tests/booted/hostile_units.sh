# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Units that lead around the tunnel when they are attached, out of carelessness or not: sockets kept from
# before, drop-ins that undo ours or are undone by it, the host's /run by other spellings, odd names. And
# who presses the companion: from outside, with a flood, by killing it time and again.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10

isp_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-isp"; }
vpn_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-one"; }
# unit NAME LINE…: a service of the machine. drop_in NAME LINE…: what `systemctl edit` makes of it.
unit() {
  printf '%s\n' '[Service]' "${@:2}" >"$LAB/tmp/unit"
  put "$LAB/tmp/unit" "/etc/systemd/system/$1"
  inside systemctl daemon-reload
}
drop_in() { unit "$1.d/override.conf" "${@:2}"; }
attach() {
  attempt inside vpnrunctl attach "$1" one "${@:2}"
  is "attach $1" "$STATUS" 0
}

machine_install
machine_profile one
inside env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes nscd >"$LAB/log/app-apt" 2>&1 </dev/null
inside systemctl start nscd
inside timeout 30 systemctl start vpnrun@one.socket vpnrun@one.service

# --- a socket from before, kept by systemd over the restart ---
cat >"$LAB/tmp/keeper" <<'END'
#!/usr/bin/perl
use Socket;
socket(my $notify, PF_UNIX, SOCK_DGRAM, 0) or die;
my $to = pack_sockaddr_un($ENV{NOTIFY_SOCKET});
my $kept;
if ($ENV{LISTEN_FDS}) {
  open($kept, '+<&=', 3) or die;
} else {
  socket($kept, PF_INET, SOCK_DGRAM, 0) or die;
  # sendmsg(2) with SCM_RIGHTS, by hand: cmsghdr, iovec, msghdr.
  my $text = 'FDSTORE=1';
  my $rights = pack('Q i i i x4', 20, SOL_SOCKET, 1, fileno $kept);
  my $part = pack('P Q', $text, length $text);
  syscall(46, fileno $notify, pack('P L x4 P Q P Q i x4', $to, length $to, $part, 1, $rights, length $rights, 0), 0) > 0 or die;
}
send($notify, 'READY=1', 0, $to);
while (1) {
  send($kept, 'kept', 0, pack_sockaddr_in(4711, inet_aton('203.0.113.10')));
  select(undef, undef, undef, 0.1);
}
END
put "$LAB/tmp/keeper" /usr/local/bin/keeper 0755
unit keeper.service Type=notify NotifyAccess=all FileDescriptorStoreMax=5 ExecStart=/usr/local/bin/keeper
capture_start
inside systemctl start keeper
is 'control: systemd keeps its socket' "$(inside systemctl show --property=NFileDescriptorStore --value keeper)" 1
inside systemctl restart keeper
within 5 'control: which sends to the net, after a restart, too' capture_has 'udp dst port 4711'
capture_stop
attach keeper --now
capture_start
sleep 1 # a second of what it would send
capture_stop
empty 'attached, it sends nothing past the tunnel' "$(capture_stray "$CAPTURE_ONE")"
is 'for it has lost that socket' "$(inside systemctl show --property=NFileDescriptorStore --value keeper)" 0
inside systemctl stop keeper

# --- lists of what is allowed, in the administrator's own drop-in ---
cat >"$LAB/tmp/probe" <<'END'
#!/usr/bin/perl
for (17, 40) { print "family $_ ", socket(S, $_, 1, 0) || socket(S, $_, 3, 0) ? 'made' : 'refused', "\n"; }
print 'io_uring ', syscall(425, 8, 0) == -1 ? 0 + $! : 'made', "\n";
END
put "$LAB/tmp/probe" /usr/local/bin/probe 0755
seen() {
  inside systemctl start listed
  inside cat /var/log/probe | xargs
}
unit listed.service Type=oneshot StandardOutput=truncate:/var/log/probe ExecStart=/usr/local/bin/probe
is 'control: without a list all calls work' "$(seen)" 'family 17 made family 40 made io_uring 14'
drop_in listed.service 'RestrictAddressFamilies=AF_INET AF_UNIX' SystemCallFilter=@system-service SystemCallErrorNumber=EPERM
is 'control: what its drop-in allows' "$(seen)" 'family 17 refused family 40 refused io_uring 14'
attach listed
is 'attached, it has no more than that' "$(seen)" 'family 17 refused family 40 refused io_uring 1'
drop_in listed.service RestrictAddressFamilies= SystemCallFilter=@system-service SystemCallErrorNumber=EPERM
is 'a drop-in that is changed later gives none of ours back' "$(seen)" 'family 17 made family 40 refused io_uring 1'

# --- the host's /run, and with it nscd ---
inside ip netns exec one getent ahostsv4 nscd-control.who.example >/dev/null
check 'control: by nscd names leave the namespace' isp_asked nscd-control.who.example
for path in -/run //run /run/. %t /run:/run:norbind; do
  unit bound.service Type=oneshot "BindPaths=$path" ExecStart=/bin/true
  attempt inside vpnrunctl attach bound one
  complains "attach of BindPaths=$path" "it brings the host's /run with it"
done
unit plus.service Type=oneshot 'ExecStartPre=+/usr/bin/getent ahostsv4 plus-pre.who.example' ExecStart=/bin/true \
  'ExecStopPost=+/usr/bin/getent ahostsv4 plus-post.who.example'
attach plus
inside systemctl start plus
check 'commands with all privileges ask the tunnel'"'"'s resolver' eval 'vpn_asked plus-pre.who.example && vpn_asked plus-post.who.example'
check 'and nobody else' eval '! isp_asked plus-pre.who.example && ! isp_asked plus-post.who.example'

# --- names, and processes that outlive a restart ---
# systemd 257 cannot start any unit with a quote in BindPaths=; 252 and 262 can.
inside mkdir -p "/srv/q'uote"
unit quoted.service Type=oneshot "BindPaths=\"/srv/q'uote\"" ExecStart=/bin/true
attempt inside systemctl start quoted
QUOTED=$STATUS
for name in 'a\x2db.service' 'c@d\x2de.service'; do
  unit "$name" Type=oneshot KillMode=process 'RuntimeDirectory="with blank" a%%b' ExecStart=/bin/true
  attach "$name"
  like 'KillMode=process is worth a warning' "$ERR" 'KillMode=process'
  attach "$name"
  check "$name starts" inside systemctl start "$name"
  unit "$name" Type=oneshot KillMode=process "RuntimeDirectory=\"q'uote\"" ExecStart=/bin/true
  attach "$name"
  attempt inside systemctl start "$name"
  is "$name starts with a quote, if this systemd can" "$STATUS" "$QUOTED"
done
for name in 'a/../b' $'a\nb' 'a b' '../x' '$(id)'; do
  attempt inside vpnrunctl attach "$name" one
  complains 'attach of such a name' 'is not the name of a unit'
done

# --- a user's unit that is edited later ---
user_manager alice
# mine LINE…: alice's unit, or its drop-in.
mine() {
  printf '%s\n' '[Service]' "${@:2}" >"$LAB/tmp/unit"
  put "$LAB/tmp/unit" "/home/alice/.config/systemd/user/$1"
  inside chown -R alice: /home/alice/.config
  as_user alice systemctl --user daemon-reload
}
where() {
  rm -f "$MACHINE/home/alice/where"
  as_user alice systemctl --user start where
  inside cat /home/alice/where
}
mine where.service Type=oneshot "ExecStart=/usr/bin/curl -s -m 5 -o %h/where $WEB4"
is 'control: her unit is outside' "$(where)" 203.0.113.1
attempt as_user alice vpnrunctl attach --user where one
is 'she attaches it' "$STATUS" 0
is 'it is behind the tunnel' "$(where)" $THROUGH
mine where.service.d/override.conf ExecStart= "ExecStart=/usr/bin/curl -s -m 4 -o %h/where $WEB4"
is 'it still is when she has edited it' "$(where)" $THROUGH

# --- the companion, pressed ---
cat >"$LAB/tmp/knock.pl" <<'END'
use Socket;
socket(S, PF_UNIX, SOCK_STREAM, 0);
print connect(S, pack_sockaddr_un('/run/vpnrun/one/control')) ? 'in' : "$!";
END
put "$LAB/tmp/knock.pl" /tmp/knock.pl
is 'control: alice reaches the socket' "$(as_user alice perl /tmp/knock.pl)" in
is 'bob does not' "$(as_user bob perl /tmp/knock.pl)" 'Permission denied'
drop_in vpnrun@one.service WatchdogSec=2s RestartSec=100ms
inside timeout 30 systemctl restart vpnrun@one
cat >"$LAB/tmp/flood.pl" <<'END'
use Socket;
$SIG{PIPE} = 'IGNORE';
my @lines = ('{"command":"status","follow":true}', '{"command":"up"}', 'x' x 3000, '[' x 2000, '', '{}');
for (1 .. 16) {
  next if fork;
  while (1) {
    socket(S, PF_UNIX, SOCK_STREAM, 0);
    connect(S, pack_sockaddr_un('/run/vpnrun/one/control')) or next;
    defined send(S, $lines[rand @lines] . "\n", MSG_DONTWAIT) or last for 1 .. 200;
  }
}
sleep 4;
kill 'KILL', -getpgrp;
END
put "$LAB/tmp/flood.pl" /tmp/flood.pl
attempt as_user alice perl /tmp/flood.pl
is 'a flood of requests does not starve its watchdog' "$(inside systemctl show --property=NRestarts --value vpnrun@one)" 0
is 'and it answers at once' "$(as_user alice timeout 10 vpnrun curl -s -m 5 $WEB4)" $THROUGH
inside systemctl kill --kill-who=main --signal=STOP vpnrun@one
restarts() { [ "$(inside systemctl show --property=NRestarts --value vpnrun@one)" -ge "$1" ]; }
within 10 'control: one that hangs is restarted' restarts 1

unit loop.service Restart=always RestartSec=100ms \
  'ExecStart=/bin/sh -c "while :; do curl -s -m 1 203.0.113.10; getent ahostsv4 loop.who.example; sleep 0.05; done"'
attach loop
inside systemctl start loop
within 10 'an attached service is online' vpn_asked loop.who.example
capture_start
pauses() { [[ $(inside systemctl show --property=StatusText --value vpnrun@one) == *' times in a row'* ]]; }
for _ in {1..60}; do
  if pauses; then break; fi
  # Either may be between two lives just now: that is no crash the less.
  inside systemctl kill --kill-who=main --signal=SEGV vpnrun@one || :
  inside systemctl kill --signal=KILL loop || :
  sleep 0.5 # of a life
done
check 'a companion that crashes time and again waits before it begins' pauses
sleep 0.5 # for the loop to try without a companion
inside systemctl reset-failed loop
inside timeout 30 systemctl restart vpnrun-netns@one
inside timeout 30 systemctl start vpnrun@one.socket vpnrun@one.service loop
capture_stop
empty 'no packet of the service leaves by all that' "$(capture_stray "$CAPTURE_ONE")"
check 'and no name' eval '! isp_asked loop.who.example'
within 10 'it is back behind the tunnel' machine_tunnel_up one

# --- released by hand, under its socket ---
inside systemctl stop vpnrun@one.service
inside chmod -x /usr/bin/systemctl # it would stop the units, too
inside /usr/libexec/vpnrun/vpnrun-tunnel release one
inside chmod +x /usr/bin/systemctl
inside systemctl restart vpnrun@one.socket
is 'a socket without a namespace admits nobody' "$(as_user bob perl /tmp/knock.pl)" 'Permission denied'
inside systemctl restart vpnrun-netns@one
inside systemctl start vpnrun@one.socket
is 'prepared again, it admits alice' "$(as_user alice perl /tmp/knock.pl)" in
is 'and not bob' "$(as_user bob perl /tmp/knock.pl)" 'Permission denied'
