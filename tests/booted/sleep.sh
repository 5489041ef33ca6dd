# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The machine sleeps and wakes: the companion's clock tells it so (tests/probes/sleeping_clock.c; a machine
# that is not ours to suspend).
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10
connections() { grep -c 'Peer Connection Initiated' "$LAB/log/server-one"; }

check 'the package is installed' machine_install
machine_profile one
gcc -shared -fPIC -O1 -DCLOCK_FILE='"/run/slept"' -o "$LAB/tmp/clock.so" "$SOURCE/tests/probes/sleeping_clock.c"
put "$LAB/tmp/clock.so" /usr/local/lib/clock.so
echo 0 >"$MACHINE/run/slept"
printf '%s\n' '[Service]' 'Environment=LD_PRELOAD=/usr/local/lib/clock.so' 'WatchdogSec=1500ms' >"$LAB/tmp/clock.conf"
put "$LAB/tmp/clock.conf" /etc/systemd/system/vpnrun@one.service.d/clock.conf
inside systemctl daemon-reload
check 'the tunnel starts' inside timeout 20 systemctl start vpnrun@one
# shellcheck disable=SC2016
background "$LAB/log/app-loop" as_user alice vpnrun bash -c 'echo $$ >~/pid
  while :; do curl -s -m 1 '$WEB4' || echo none; sleep 0.1; done'
wait_until 5 grep -q $THROUGH "$LAB/log/app-loop"
first=$(connections)

echo 5 >"$MACHINE/run/slept"
throughout 2 'a nap of five seconds is not a reason to reconnect' eval '[ "$(connections)" = "$first" ]'
capture_start
echo 600 >"$MACHINE/run/slept"
within 10 'after a sleep it reconnects at once' eval '[ "$(connections)" -gt "$first" ]'
within 10 'the tunnel is up again' machine_tunnel_up one
like 'and the log says why' "$(journal -u vpnrun@one -o cat)" 'the machine was asleep for 59[456] s; connecting anew'
lines=$(wc -l <"$LAB/log/app-loop")
within 10 'the application is back online' eval 'tail -n "+$((lines + 1))" "$LAB/log/app-loop" | tail -n 1 | { read -r last; [ "$last" = $THROUGH ]; }'
capture_stop
empty 'nothing left outside of the tunnel' "$(capture_stray "$CAPTURE_ONE")"
unlike 'and it never had another address' "$(cat "$LAB/log/app-loop")" '203\.0\.113\.1$'
is 'one connection for one sleep' "$(($(connections) - first))" 1
