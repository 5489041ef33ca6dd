# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A launch starts the tunnel; nobody uses it for a while and it stops; the next launch starts it again.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10

check 'the package is installed' machine_install
machine_profile one
sed -i 's/^config = .*/&\nidle_stop = "10s"/' "$PROFILES/one.toml"
check 'only the socket is started' inside systemctl start vpnrun@one.socket
is 'there is no companion' "$(inside systemctl is-active vpnrun@one.service)" inactive
attempt as_user alice vpnrun --no-start curl -s -m 5 $WEB4
is 'with --no-start a launch fails at once' "$STATUS" 125
like 'and says what alice can do herself' "$ERR" "hint: 'vpnrunctl up one' starts it"
is 'and starts nothing' "$(inside systemctl is-active vpnrun@one.service)" inactive
attempt inside timeout 20 /usr/libexec/vpnrun/vpnrun-tunnel run one
is 'run by hand it does not take the socket from systemd' "$STATUS" 1
complains 'and says how it may' 'systemd listens on its control socket'
like 'with what to type' "$ERR" 'hint: systemctl stop vpnrun@one\.socket'
attempt as_user alice vpnrunctl status one
like 'vpnrunctl status starts nothing either' "$OUT-$(inside systemctl is-active vpnrun@one.service)" 'inactive$'
attempt as_user bob timeout 10 vpnrun curl -s -m 5 $WEB4
is 'who is not admitted' "$STATUS" 125
is 'cannot start it' "$(inside systemctl is-active vpnrun@one.service)" inactive
is 'a launch of who is starts the tunnel' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
check 'by its unit' unit_is active vpnrun@one.service

background "$LAB/log/app-sleeper" as_user alice vpnrun sleep 15
throughout 13 'an application that is quiet keeps it' unit_is active vpnrun@one.service
background "$LAB/log/app-inside" inside ip netns exec one sleep 12
wait_until 20 eval '[ -z "$(inside pgrep -u alice -x sleep)" ]'
check 'so does whatever else is inside' unit_is active vpnrun@one.service
within 30 'unused, it stops' unit_is inactive vpnrun@one.service
like 'and says so' "$(journal -u vpnrun@one -o cat)" "'one' has not been used for 10 s: stopping"
is 'it did not fail' "$(inside systemctl show --property=Result --value vpnrun@one.service)" success
is 'no OpenVPN is left' "$(inside pgrep -x openvpn)" ''
like 'the state names no process' "$(cat "$MACHINE/run/vpnrun/one/state.json")" '"pid": *0'
check 'the socket listens on' unit_is active vpnrun@one.socket
check 'the namespace stays' inside ip netns exec one true
attempt inside ip netns exec one curl -s -m 2 $WEB4
is 'sealed' "$((STATUS != 0))" 1
is 'the next launch starts it again' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH

# At the moment when it ends: the tunnel is no longer up, the companion still there.
wait_until 30 eval '! grep -q "\"state\": *\"up\"" "$MACHINE/run/vpnrun/one/state.json"'
is 'a launch at that very moment works' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH

# --- a profile that is wrong: said at once, to who launches ---
within 30 'unused again, it stops' unit_is inactive vpnrun@one.service
cp "$PROFILES/one.toml" "$LAB/tmp/good.toml"
sed -i 's/^idle_stop.*/idle_stopp = "10s"/' "$PROFILES/one.toml"
attempt as_user alice timeout 25 vpnrun curl -s -m 5 $WEB4
is 'a launch of a wrong profile fails' "$STATUS" 125
complains 'with the line and the nearest key' "one\.toml:[0-9]+:1: unknown key 'idle_stopp' in \[tunnel\]; did you mean 'idle_stop'"
for _ in 1 2 3 4 5 6; do
  attempt as_user alice timeout 25 vpnrun true
done
check 'however often it is launched, the socket is still there' unit_is active vpnrun@one.socket
like 'the state says so, too' "$(as_user alice vpnrunctl status one)" "error +.*unknown key 'idle_stopp'"
cp "$LAB/tmp/good.toml" "$PROFILES/one.toml"
is 'mended, it works at the next launch' "$(as_user alice timeout 25 vpnrun curl -s -m 5 $WEB4)" $THROUGH

# --- a user's own units ---
user_manager alice
cat >"$LAB/tmp/where" <<END2
#!/bin/sh
curl -s -m 5 $WEB4 >~/where 2>&1
echo "\$0 \$*" >~/how
sleep infinity
END2
put "$LAB/tmp/where" /usr/local/bin/where 0755
machine_profile two
inside timeout 20 systemctl start vpnrun@two
printf '%s\n' 'default = "one"' >"$LAB/tmp/config.toml"
put "$LAB/tmp/config.toml" /etc/vpnrun/config.toml
check "systemctl --user start vpnrun-app@where" as_user alice systemctl --user start vpnrun-app@where
within 10 'the application is behind the default profile' grep -qx $THROUGH "$MACHINE/home/alice/where"
check 'and stops with its unit' as_user alice systemctl --user stop vpnrun-app@where
put "$LAB/tmp/where" /usr/local/bin/where-it-is 0755
rm "$MACHINE/home/alice/where"
check 'a name with a dash is a name' as_user alice systemctl --user start vpnrun-app@where-it-is
within 10 'and started' grep -qx $THROUGH "$MACHINE/home/alice/where"
as_user alice systemctl --user stop vpnrun-app@where-it-is
is 'nothing of it runs on' "$(inside pgrep -u alice -f /usr/local/bin/where)" ''
rm "$MACHINE/home/alice/where"
check 'an instance names the profile' as_user alice systemctl --user start vpnrun-app@two:where
within 10 'which is used' grep -qx 198.51.100.20 "$MACHINE/home/alice/where"
as_user alice systemctl --user stop vpnrun-app@two:where
rm "$MACHINE/home/alice/where"
printf '%s\n' '[Service]' 'Environment=VPNRUN_PROFILE=two' >"$LAB/tmp/dropin"
put "$LAB/tmp/dropin" /home/alice/.config/systemd/user/vpnrun-app@where.service.d/profile.conf
as_user alice systemctl --user daemon-reload
check 'so does a drop-in' as_user alice systemctl --user start vpnrun-app@where
within 10 'which is used, too' grep -qx 198.51.100.20 "$MACHINE/home/alice/where"
as_user alice systemctl --user stop vpnrun-app@where
attempt as_user alice systemctl --user start vpnrun-app@nosuch:where
within 10 'an unknown profile fails the unit' eval \
  '[ "$(as_user alice systemctl --user is-failed vpnrun-app@nosuch:where)" = failed ]'
