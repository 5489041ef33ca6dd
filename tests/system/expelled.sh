# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Who is taken out of [access] is out, also by a connection that was open before: no order of his is
# carried out, no status reaches him, and he is told. The others notice nothing.
CONTROL=/run/vpnrun/one/control
cp "$SOURCE/tests/probes/stays.py" "$LAB/bin/"
chmod 0755 "$LAB/bin/stays.py"
# admit USER…: as an administrator does, with the companion running
admit() {
  local names
  printf -v names '"%s", ' "$@"
  sed -i "s/^users = .*/users = [${names%, }]/" "$PROFILES/one.toml"
  "$TUNNEL" prepare one
}
profile_one
tunnel_start one
admit alice bob
for who in alice bob; do
  background "$LAB/log/app-$who" by $who python3 "$LAB/bin/stays.py" $CONTROL "$LAB/tmp/go-$who"
  within 5 "$who is connected, and follows" grep -q connected "$LAB/log/app-$who"
done

admit bob
within 5 'who is expelled is told' grep -q 'no longer admits you' "$LAB/log/app-alice"
attempt by alice python3 "$LAB/bin/stays.py" $CONTROL "$LAB/tmp/go"
like 'and cannot connect again' "$ERR" '^PermissionError'
vpnrunctl restart one >/dev/null
within 10 'the other one follows as before' grep -q '"state":"starting"' "$LAB/log/app-bob"
within 15 'up again' tunnel_up one
touch "$LAB/tmp/go-alice"
ended() { grep -Eq '^(closed|[A-Za-z]*Error)$' "$LAB/log/app-$1"; }
within 10 'the expelled gives his orders all the same' ended alice
is 'he has heard nothing but his first answer' "$(grep -c '"ok":true' "$LAB/log/app-alice")" 1
check 'the tunnel is up' tunnel_up one
unlike 'nobody has seen it go down meanwhile' "$(tail -n 1 "$LAB/log/app-bob")" '"state":"down"'
# The same orders of one who is admitted are carried out.
touch "$LAB/tmp/go-bob"
within 10 'the admitted gives the same orders' ended bob
like 'and has them carried out' "$(tail -n 12 "$LAB/log/app-bob")" '"state":"starting"'
within 15 'after which the tunnel is up' tunnel_up one

# --- vpnrunctl, waiting for a tunnel that does not come up ---
admit alice bob
vpnrunctl down one >/dev/null
server_silent
background "$LAB/log/app-waits" by alice vpnrunctl up one
waiting=$BACKGROUND
within 5 'alice waits for the tunnel' grep -q '"state": *"starting"' /run/vpnrun/one/state.json
admit bob
within 5 'she is told' gone "$waiting"
ERR=$(cat "$LAB/log/app-waits")
complains 'expelled while waiting' "cannot start the tunnel of profile 'one': it no longer admits you"
attempt by alice vpnrunctl status one
is 'and asking again fails' "$STATUS" 1
server_talks
tunnel_release one
