# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# An attached service comes back by itself: whatever keeps its tunnel or its namespace from being there for a
# while, nobody has to give an order afterwards.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10

unit() {
  printf '%s\n' "${@:2}" >"$LAB/tmp/unit"
  put "$LAB/tmp/unit" "/etc/systemd/system/$1"
}
# ticks ADDRESS [NAME]: what the web server saw last from the service, in the last second or so.
ticks() {
  inside rm -f "/run/ticks/${2:-ticker}"
  wait_until 3 eval '[ "$(inside cat "/run/ticks/'"${2:-ticker}"'")" = '"$1"' ]'
}
pid_of() { inside systemctl show --property=MainPID --value "$1"; }
restarts() { inside systemctl show --property=NRestarts --value "$1"; }

cat >"$LAB/tmp/tick" <<END
#!/bin/sh
# Writes what the web server sees to \$RUNTIME_DIRECTORY, time and again; with 'needy' it ends at once without.
while :; do
  seen=\$(curl -s -m 1 $WEB4)
  [ -z "\$seen" ] || echo "\$seen" >"\$RUNTIME_DIRECTORY/\$1"
  [ -n "\$seen\$2" ] || exit 1
  sleep 0.1
done
END
put "$LAB/tmp/tick" /usr/local/bin/tick 0755
TICK=('[Service]' RuntimeDirectory=ticks RuntimeDirectoryPreserve=yes)
unit ticker.service "${TICK[@]}" 'ExecStart=/usr/local/bin/tick ticker patient' '[Install]' WantedBy=multi-user.target
unit needy.service "${TICK[@]}" 'ExecStart=/usr/local/bin/tick needy' Restart=always RestartSec=100ms
unit silent.service "${TICK[@]}" 'ExecStart=/usr/local/bin/tick silent'
machine_install
machine_profile one
inside systemctl daemon-reload
inside systemctl start ticker
within 10 'control: the service is outside' ticks 203.0.113.1
attempt inside vpnrunctl attach --now ticker needy silent one
is 'three services are attached' "$STATUS" 0
within 20 'and behind the tunnel' ticks $THROUGH
check 'the first one as ever' inside systemctl enable ticker

# --- the tunnel ---
PID=$(pid_of ticker)
capture_start
inside systemctl kill --kill-whom=main --signal=KILL vpnrun@one
within 20 'a companion that is killed comes back, and the service with it' ticks $THROUGH
inside systemctl restart vpnrun@one
within 20 'so does one that is restarted' ticks $THROUGH
is 'the service has not noticed' "$(pid_of ticker)" "$PID"
server_silent
inside systemctl stop vpnrun@one
inside systemctl --no-block start needy silent
within 30 'a service that ends without a tunnel is started again' eval '[ "$(restarts needy)" -gt 6 ]'
within 30 'so is one that does not say whether it wants that' eval '[ "$(restarts silent)" -gt 1 ]'
server_talks
within 60 'the one is there once the server is' ticks $THROUGH needy
within 60 'and the other' ticks $THROUGH silent
inside systemctl stop needy silent

# --- the namespace ---
inside systemctl restart vpnrun-netns@one
within 20 'the namespace is made anew, the service moves along' ticks $THROUGH
is 'as another process' "$([ "$(pid_of ticker)" != "$PID" ] && echo yes)" yes
inside systemctl stop vpnrun-netns@one
is 'stopped with it by order' "$(inside systemctl is-active ticker)" inactive
# Somebody has taken its name.
inside ip netns add one
attempt inside timeout 20 systemctl start ticker
is 'a namespace that cannot be made keeps the service from starting' "$((STATUS != 0))" 1
like 'the reason is in the log' "$(journal -u vpnrun-netns@one -o cat)" "there is another network namespace named 'one'"
attempt inside timeout 20 systemctl start vpnrun@one.socket
inside ip netns delete one
within 30 'when it can be, the service is there without an order' ticks $THROUGH
within 30 'and the tunnel, and its socket' unit_is active vpnrun@one.socket
empty 'nothing is remembered any longer' "$(inside find /run/vpnrun -maxdepth 1 -name '.*waiting*')"
# At a restart, and more often than systemd's own limit allows.
unit vpnrun-netns@one.service.d/spoilt.conf '[Service]' 'ExecStartPre=/usr/bin/test ! -e /var/lib/spoilt' RestartSec=200ms
inside touch /var/lib/spoilt
inside systemctl daemon-reload
attempt inside timeout 20 systemctl restart vpnrun-netns@one
within 20 'it fails time and again' eval '[ "$(restarts vpnrun-netns@one)" -gt 7 ]'
is 'the service is down meanwhile' "$(inside systemctl is-active ticker)" inactive
inside rm /var/lib/spoilt
within 30 'and back after that' ticks $THROUGH
# At a boot.
inside touch /var/lib/spoilt
capture_stop
empty 'nothing left outside of the tunnel in all that' "$(capture_stray "$CAPTURE_ONE")"
capture_start
machine_reboot
is 'at a boot the namespace cannot be made, and the service not be started' "$(inside systemctl is-active ticker)" inactive
inside rm /var/lib/spoilt
within 40 'the service is there as soon as it can be' ticks $THROUGH
inside rm -r /etc/systemd/system/vpnrun-netns@one.service.d
inside systemctl daemon-reload
machine_reboot
within 40 'and after a boot at which nothing is in the way' ticks $THROUGH
capture_stop
empty 'nothing left outside, on the way down and up' "$(capture_stray "$CAPTURE_ONE")"

# --- what somebody has to correct first ---
inside systemctl stop vpnrun-netns@one
cp "$PROFILES/one.toml" "$LAB/tmp/good.toml"
sed -i 's/^config = .*/&\nnonsense = 1/' "$PROFILES/one.toml"
attempt inside timeout 20 systemctl start ticker
is 'a profile that is wrong keeps the service from starting' "$((STATUS != 0))" 1
within 10 'and is not tried again' unit_is failed vpnrun-netns@one.service
cp "$LAB/tmp/good.toml" "$PROFILES/one.toml"
check 'corrected, the tunnel starts' inside timeout 30 systemctl start vpnrun@one
within 20 'and the service that waited for it' ticks $THROUGH
check 'a service that is stopped' inside systemctl stop ticker
inside systemctl restart vpnrun-netns@one
throughout 2 'stays stopped' unit_is inactive ticker
