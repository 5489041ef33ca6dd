# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# vpnrunctl attach --user: a real desktop program, the browser Dillo on a display, and a small loop as
# units of alice's own service manager; behind the tunnel and back.
WEB=http://203.0.113.10/
UNITS=/home/alice/.config/systemd/user

mine() { as_user alice systemctl --user "$@"; }
unit_pid() { mine show --property=MainPID --value "$1"; }
net_of() { inside readlink "/proc/$1/ns/net"; }
install_packages() {
  inside env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >"$LAB/log/app-apt" 2>&1 </dev/null
}

machine_install
machine_profile one
install_packages dillo xvfb
inside systemctl start vpnrun@one
user_manager alice
HOST=$(net_of 1)
ONE=$(inside ip netns exec one readlink /proc/self/ns/net)

cat >"$LAB/tmp/display.service" <<'END'
[Service]
ExecStart=Xvfb :7 -screen 0 640x480x24 -nolisten tcp
END
cat >"$LAB/tmp/dillo.service" <<'END'
[Unit]
Requires=display.service
After=display.service
[Service]
Environment=DISPLAY=:7
Restart=on-failure
RestartSec=200ms
ExecStart=/usr/bin/dillo http://203.0.113.10/
END
cat >"$LAB/tmp/loop.service" <<'END'
[Service]
# The quotes, specifiers and continued lines are part of the test.
ExecStart=-/bin/sh -c 'while :; do curl -s -m 5 http://203.0.113.10/ >%t/loop; \
    echo "$$0 ; done" >>%t/loop; sleep 0.2; \
  # a comment between
    done' "name of the loop"
END
for unit in display dillo loop; do
  put "$LAB/tmp/$unit.service" "$UNITS/$unit.service"
done
inside chown -R alice: /home/alice/.config
mine daemon-reload
mine start dillo loop
loop_says() { [ "$(inside cat /run/user/1000/loop | xargs)" = "$1 name of the loop ; done" ]; }

within 10 'control: the loop is on the host'"'"'s network' loop_says 203.0.113.1
within 10 'control: the browser runs' mine is-active dillo
is 'control: on the host'"'"'s network' "$(net_of "$(unit_pid dillo)")" "$HOST"

attempt as_user alice vpnrunctl attach --user loop one
is 'alice attaches her unit' "$STATUS" 0
like 'and is told that it still runs outside' "$ERR" "still runs outside: 'systemctl --user restart loop.service'"
attempt as_user alice vpnrunctl attach --user loop one --now
is '--now moves it' "$STATUS" 0
is 'into the profile'"'"'s network' "$(net_of "$(unit_pid loop)")" "$ONE"
within 10 'with the same command line' loop_says 198.51.100.10
attempt as_user alice vpnrunctl attach --user dillo one --now
is 'she attaches the browser' "$STATUS" 0
is 'which is there, too' "$(net_of "$(unit_pid dillo)")" "$ONE"
unlike 'no drop-in has the path, which user units ignore' "$(inside cat "$UNITS/loop.service.d/zz-vpnrun.conf")" '^NetworkNamespacePath='
like 'vpnrunctl attach --user shows them' "$(as_user alice vpnrunctl attach --user | xargs)" 'dillo.service one inside loop.service one inside'

capture_start
mine restart dillo
within 10 'the browser is back' eval '[ "$(net_of "$(unit_pid dillo)")" = "$ONE" ]'
inside systemctl stop vpnrun@one
within 10 'without a tunnel the loop gets nothing' eval '! loop_says 198.51.100.10'
capture_stop
empty 'and nothing leaves beside the tunnel' "$(capture_stray "$CAPTURE_ONE")"
inside systemctl start vpnrun@one
within 10 'with it, it does' loop_says 198.51.100.10

# Settings under which no setuid program works: refused by name, and closed if somebody adds them later.
inside sh -c "echo NoNewPrivileges=yes >>$UNITS/loop.service"
attempt as_user alice vpnrunctl attach --user loop one
complains 'NoNewPrivileges=' 'NoNewPrivileges=yes takes away'
mine daemon-reload
mine stop loop
inside rm /run/user/1000/loop
mine start loop
attempt inside test -e /run/user/1000/loop
is 'nor does it start outside' "$STATUS" 1
inside sed -i '$d' "$UNITS/loop.service"

# And those for which her service manager makes a user namespace, from systemd 254 on.
VERSION=$(inside systemctl --version | awk '{ print int($2); exit }')
for SETTING in PrivateTmp=yes ProtectSystem=strict ReadOnlyPaths=/mnt; do
  inside sh -c "echo $SETTING >>$UNITS/loop.service"
  mine daemon-reload
  attempt as_user alice vpnrunctl attach --user loop one
  if [ "$VERSION" -ge 254 ]; then
    complains "$SETTING" "$SETTING takes away the right"
  else
    is "$SETTING has no effect in systemd $VERSION" "$STATUS" 0
  fi
  inside rm -f /run/user/1000/loop
  mine restart loop || :
  if [ "$VERSION" -ge 254 ]; then
    attempt inside test -s /run/user/1000/loop
    is "with $SETTING it does not start outside" "$STATUS" 1
  else
    within 10 "with $SETTING it is where it was" loop_says 198.51.100.10
  fi
  inside sed -i '$d' "$UNITS/loop.service"
done
mine daemon-reload

attempt as_user alice vpnrunctl detach --user loop --now
is 'she detaches it' "$STATUS" 0
check 'nothing is left' test ! -e "$MACHINE$UNITS/loop.service.d"
mine restart loop
within 10 'it is outside again' loop_says 203.0.113.1
attempt as_user alice vpnrunctl detach --user dillo --now
is 'and the browser' "$(net_of "$(unit_pid dillo)")" "$HOST"
capture_start
mine restart dillo
within 15 'control: where its packets are captured' capture_has 'host 203.0.113.10 and tcp dst port 80'
capture_stop
