# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# vpnrunctl attach of what it should rather not, or only with a word about it: what locks the administrator
# out, what listens, sockets that start a service, units of every kind; and what becomes of a unit afterwards.
WEB4=http://203.0.113.10/
OUTSIDE=203.0.113.1
THROUGH=198.51.100.10

isp_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-isp"; }
unit() {
  printf '%s\n' "${@:2}" >"$LAB/tmp/unit"
  put "$LAB/tmp/unit" "/etc/systemd/system/$1"
  inside systemctl daemon-reload
}
writes_nothing() { check "attach $1 writes nothing" test ! -e "$MACHINE/etc/systemd/system/$1.d/zz-vpnrun.conf"; }
refused() {
  attempt inside vpnrunctl attach "$2" one "${@:3}"
  complains "attach $2 ${*:3}" "$1"
  writes_nothing "$2"
}
# seen UNIT: 'ADDRESS ANSWER' as the service sees them.
seen() {
  inside rm -f /var/log/seen
  attempt inside timeout 60 systemctl start "$1"
  inside cat /var/log/seen 2>&1
}

machine_install
machine_profile one
inside timeout 30 systemctl start vpnrun@one

# --- ports, and who comes in by them ---
cat >"$LAB/tmp/listener" <<'END'
#!/usr/bin/perl
use Socket;
socket(my $tcp, PF_INET, SOCK_STREAM, 0) or die;
setsockopt($tcp, SOL_SOCKET, SO_REUSEADDR, 1);
bind($tcp, pack_sockaddr_in(22, INADDR_ANY)) && listen($tcp, 5) or die;
socket(my $udp, PF_INET, SOCK_DGRAM, 0) or die;
bind($udp, pack_sockaddr_in(514, inet_aton('127.0.0.1'))) or die;
socket(my $client, PF_INET, SOCK_DGRAM, 0) or die;
connect($client, pack_sockaddr_in(9, inet_aton('127.0.0.1'))) or die;
while (accept(my $peer, $tcp)) { print $peer "HTTP/1.0 200 OK\r\n\r\nhere\n"; close $peer; }
END
put "$LAB/tmp/listener" /usr/local/bin/listener 0755
unit ssh.service '[Service]' ExecStart=/usr/local/bin/listener '[Install]' Alias=sshd.service
inside systemctl enable --now ssh
within 5 'control: it is reached from another machine' eval '[ "$(on router curl -s -m 2 http://192.168.77.2:22/)" = here ]'
for name in ssh.service sshd.service; do
  refused 'it is there for logins from other machines' $name
done
like 'and says what overrides that' "$ERR" 'hint: .*--force attaches it all the same'
is 'it is still reached' "$(on router curl -s -m 2 http://192.168.77.2:22/)" here
attempt inside vpnrunctl attach --force ssh one --now
is 'an administrator who insists gets it' "$STATUS" 0
like 'and is told what nobody reaches any more' "$ERR" "'ssh.service' listens at 0\.0\.0\.0:22/tcp, 127\.0\.0\.1:514/udp: "
like 'with what opens it' "$ERR" 'expose = \["tcp/22", "udp/514"\]'
attempt on router curl -s -m 2 http://192.168.77.2:22/
is 'which is so' "$((STATUS != 0))" 1
inside vpnrunctl detach ssh --now
within 5 'and back' eval '[ "$(on router curl -s -m 2 http://192.168.77.2:22/)" = here ]'
unit own.service '[Service]' 'ExecStart=/usr/sbin/sshd -D'
refused 'it is there for logins from other machines' own.service
for name in getty@tty1.service dbus.service systemd-logind.service systemd-journald.service user@1000.service; do
  refused '(depends on it|behind the tunnel nobody reaches it)' "$name"
done
refused 'depends on it' dbus.service --force

# --- a socket that starts the service ---
unit one-for-all.socket '[Socket]' ListenStream=0.0.0.0:8081
unit one-for-all.service '[Service]' Type=oneshot StandardOutput=truncate:/var/log/seen 'ExecStart=/bin/sh -c "curl -s -m 5 203.0.113.10"'
inside systemctl start one-for-all.socket
refused "'one-for-all.socket' listens outside, at 0\.0\.0\.0:8081" one-for-all.service
# What the hint says.
unit one-for-all.socket.d/inside.conf '[Unit]' BindsTo=vpnrun-netns@one.service After=vpnrun-netns@one.service \
  '[Socket]' NetworkNamespacePath=/run/netns/one
inside systemctl stop one-for-all.socket
attempt inside vpnrunctl attach one-for-all one
is 'with its socket inside it is attached' "$STATUS" 0
check 'and the socket starts there' inside systemctl start one-for-all.socket
inside rm -f /var/log/seen
attempt inside ip netns exec one curl -s -m 5 http://127.0.0.1:8081/
within 10 'where it starts the service' eval '[ "$(inside cat /var/log/seen)" = '$THROUGH' ]'
attempt inside curl -s -m 2 http://127.0.0.1:8081/
is 'and not from outside' "$((STATUS != 0))" 1
inside systemctl stop one-for-all.socket

# --- units of every kind ---
for name in some.timer some.socket some.path some.target; do
  attempt inside vpnrunctl attach $name one
  complains "attach $name" 'it is not a service'
done
attempt inside vpnrunctl attach many@ one
complains 'attach of a template' 'it is a template'
unit joins.service '[Unit]' JoinsNamespaceOf=ssh.service '[Service]' PrivateTmp=yes ExecStart=/bin/true
refused 'JoinsNamespaceOf=' joins.service
unit private.service '[Service]' PrivateNetwork=yes ExecStart=/bin/true
refused 'PrivateNetwork=yes' private.service
unit elsewhere.service '[Service]' NetworkNamespacePath=/run/netns/other ExecStart=/bin/true
refused 'NetworkNamespacePath=/run/netns/other' elsewhere.service

unit early.service '[Unit]' DefaultDependencies=no Before=sockets.target '[Service]' ExecStart=/bin/true
refused 'it is started before sockets.target' early.service

cat >"$LAB/tmp/look" <<END
#!/bin/sh
echo "\$(curl -s -m 5 $WEB4) \$(getent ahostsv4 \$1 | awk '{ print \$1; exit }')"
END
put "$LAB/tmp/look" /usr/local/bin/look 0755
number=0
# kind LINE…: a oneshot service with these lines is behind the tunnel, and so are its names.
kind() {
  local exec=ExecStart= line lines=()
  number=$((number + 1))
  for line; do
    case $line in
      '!'* | '+'*) exec+=$line ;;
      *) lines+=("$line") ;;
    esac
  done
  unit look.service '[Service]' Type=oneshot StandardOutput=truncate:/var/log/seen "${lines[@]}" \
    "$exec/usr/local/bin/look kind$number.who.example"
  is "control: outside, with $*" "$(seen look.service | cut -d ' ' -f 1)" $OUTSIDE
  attempt inside vpnrunctl attach look one
  is "attach with $*" "$STATUS" 0
  unit look.service '[Service]' Type=oneshot StandardOutput=truncate:/var/log/seen "${lines[@]}" \
    "$exec/usr/local/bin/look attached$number.who.example"
  like 'is behind the tunnel' "$(seen look.service)" "^$THROUGH 192\.0\.2\."
  check 'nobody asks the provider' eval "! isp_asked attached$number.who.example"
  inside vpnrunctl detach look 2>/dev/null
}
kind User=alice
kind DynamicUser=yes
kind PrivateUsers=yes
kind PrivateTmp=yes PrivateDevices=yes ProtectSystem=strict ProtectHome=yes ProtectProc=invisible ProcSubset=pid
kind ReadOnlyPaths=/ 'InaccessiblePaths=/srv' PrivateIPC=yes PrivateMounts=yes
kind PrivateNetwork=no MountAPIVFS=yes ProtectKernelTunables=yes
kind NoExecPaths=/srv TemporaryFileSystem=/srv:ro
kind User=alice '!'
kind User=alice '!!'
kind User=alice '+'
kind User=alice 'ExecStartPre=+/bin/sh -c "curl -s -m 5 203.0.113.10 >/var/log/pre"'
is 'a command with all privileges before it, too' "$(inside cat /var/log/pre)" $THROUGH
unit timed.service '[Service]' Type=oneshot StandardOutput=truncate:/var/log/seen \
  'ExecStart=/usr/local/bin/look timed.who.example'
unit timed.timer '[Timer]' OnActiveSec=200ms AccuracySec=10ms
attempt inside vpnrunctl attach timed one
is 'a service that a timer starts' "$STATUS" 0
inside rm -f /var/log/seen
inside systemctl start timed.timer
within 20 'is behind the tunnel as well' eval 'inside grep -q "^'$THROUGH' " /var/log/seen'

# --- what becomes of them ---
states() { inside vpnrunctl attach 2>&1; }
unit sleeper.service '[Service]' 'ExecStart=/bin/sleep infinity'
inside systemctl start sleeper
inside vpnrunctl attach sleeper one 2>/dev/null
like 'not yet restarted' "$(states)" '^sleeper.service +one +outside'
inside systemctl restart sleeper
like 'restarted' "$(states)" '^sleeper.service +one +inside'
empty 'vpnrunctl status has nothing to say about it' "$(inside vpnrunctl status one 2>&1 >/dev/null)"
unit sleeper.service.d/zzz.conf '[Service]' NetworkNamespacePath=
attempt inside systemctl restart sleeper
is 'overridden by a later drop-in, it does not start outside' "$((STATUS != 0))" 1
like 'it has failed' "$(states)" '^sleeper.service +one +failed'
like 'which vpnrunctl status says' "$(inside vpnrunctl status one 2>&1 >/dev/null)" \
  "'sleeper.service' is attached to 'one', but NetworkNamespacePath= of its drop-in is not in force"
like 'and list' "$(inside vpnrunctl list 2>&1 >/dev/null)" "'sleeper.service' is attached to 'one', but"
inside systemctl revert sleeper
like 'reverted' "$(inside vpnrunctl status one 2>&1 >/dev/null)" "'sleeper.service' is attached to 'one', but its drop-in is gone"
# systemctl revert removes the administrator's unit only if the distribution has one, too.
inside systemctl daemon-reload
attempt inside vpnrunctl attach sleeper one --now
is 'attached again' "$STATUS" 0
like 'it is inside' "$(states)" '^sleeper.service +one +inside'
inside ip netns delete one
like 'a namespace without its name' "$(inside vpnrunctl status one 2>&1 >/dev/null)" '/run/netns/one does not lead to the profile'
check 'what helps is said' inside systemctl reload vpnrun-netns@one
is 'and does' "$(inside vpnrunctl status one 2>&1 >/dev/null)" ''
check 'it starts again' inside systemctl restart sleeper
like 'inside' "$(states)" '^sleeper.service +one +inside'
like 'as JSON, too' "$(inside vpnrunctl attach --json 2>/dev/null | tr -d '\n')" '"unit": "sleeper.service",[^}]*"state": "inside"'
inside vpnrunctl detach sleeper 2>/dev/null
unit sleeper.service '[Service]' NetworkNamespacePath=/run/netns/one 'ExecStart=/bin/sleep infinity'
inside systemctl restart sleeper
like 'a unit that somebody put there by the path alone' "$(states)" "'sleeper.service' is in the namespace by NetworkNamespacePath= alone"
inside systemctl stop sleeper
unit sleeper.service '[Unit]' JoinsNamespaceOf=vpnrun@one.service '[Service]' PrivateNetwork=yes 'ExecStart=/bin/sleep infinity'
inside systemctl start sleeper
like 'one that joins the tunnel'"'"'s unit' "$(states)" "'sleeper.service' has no network: JoinsNamespaceOf=vpnrun@one.service"
inside systemctl stop sleeper

user_manager alice
printf '%s\n' '[Service]' NetworkNamespacePath=/run/netns/one 'ExecStart=/bin/sleep infinity' >"$LAB/tmp/unit"
put "$LAB/tmp/unit" /home/alice/.config/systemd/user/mine.service
inside chown -R alice: /home/alice/.config
as_user alice systemctl --user daemon-reload
attempt as_user alice systemctl --user start mine
like 'a user'"'"'s unit with the path' "$(as_user alice vpnrunctl attach --user 2>&1)" "'mine.service' runs outside: in a user's unit"
