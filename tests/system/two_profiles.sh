# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Two profiles at once: different servers, transports and credentials, each application in its own.
WEB4=http://203.0.113.10/
WEB6='http://[2001:db8:cb::10]/'

profile_one
profile_two
snapshot before
capture_start
tunnel_start one
tunnel_start two

for FAMILY in 4 6; do
  WEB=WEB$FAMILY
  by alice vpnrun -p one curl -s -m 5 "${!WEB}" >"$LAB/tmp/first" &
  FIRST=$!
  by alice vpnrun -p two curl -s -m 5 "${!WEB}" >"$LAB/tmp/second" &
  SECOND=$!
  wait "$FIRST"
  wait "$SECOND"
  is "at the same time, IPv$FAMILY: the first in its own tunnel" "$(cat "$LAB/tmp/first")" \
    "$([ $FAMILY = 4 ] && echo 198.51.100.10 || echo 2001:db8:51::10)"
  is "and the second in the other, IPv$FAMILY" "$(cat "$LAB/tmp/second")" \
    "$([ $FAMILY = 4 ] && echo 198.51.100.20 || echo 2001:db8:51::20)"
done

like 'names in the first go to its resolver' "$(by alice vpnrun -p one getent ahostsv4 who.example)" '^192\.0\.2\.8 '
like 'and in the second to the other' "$(by alice vpnrun -p two getent ahostsv4 who.example)" '^192\.0\.2\.9 '

attempt by alice vpnrun true
is 'with two profiles and no choice an application does not start' "$STATUS" 125
complains 'no choice' 'profile'
is '$VPNRUN_PROFILE chooses' "$(by alice env VPNRUN_PROFILE=two vpnrun curl -s -m 5 $WEB4)" 198.51.100.20
is '--profile is stronger' \
  "$(by alice env VPNRUN_PROFILE=two vpnrun --profile one curl -s -m 5 $WEB4)" 198.51.100.10
by alice mkdir -p "$LAB/home/alice/.config/vpnrun"
by alice tee "$LAB/home/alice/.config/vpnrun/config.toml" >/dev/null <<'END'
default = "one"
[apps]
curl = "two"
END
is 'the user'"'"'s file chooses by application' "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.20
like 'and by default' "$(by alice vpnrun getent ahostsv4 who.example)" '^192\.0\.2\.8 '

TWO=$(client_pid two)
kill -9 "$(client_pid one)"
is 'one client killed, the other tunnel does not notice' "$(by alice vpnrun -p two curl -s -m 5 $WEB4)" 198.51.100.20
is 'its client is the same' "$(client_pid two)" "$TWO"
within 15 'and the first comes back' tunnel_up one

is 'each client runs as the user of its profile' \
  "$(for NAME in one two; do ps -o uid= -p "$(client_pid $NAME)"; done | xargs)" \
  "$(client_id one) $(client_id two)"
is 'without any capability' \
  "$(grep -hE '^Cap(Inh|Prm|Eff|Amb)' "/proc/$(client_pid one)/status" "/proc/$(client_pid two)/status" | awk '{ print $2 }' | sort -u)" \
  0000000000000000

capture_stop
empty 'nothing else left the machine' "$(capture_stray "$CAPTURE_ONE" "$CAPTURE_TWO")"

# A server goes on for a while when its client is gone. The machine still forwards what comes in, for the
# other profile; conntrack turns it to the address of the link that is gone.
kill_hard "${TUNNEL_PID[one]}"
capture_start
tunnel_release one
check 'the server of the one released still sends (control)' timeout 10 tcpdump --immediate-mode -Z root -n \
  -i up0 -Q in -c 2 'udp src port 1194'
capture_stop
empty 'and nothing of it is sent back out' "$(capture_stray "$CAPTURE_TWO" "$CAPTURE_REFUSAL")"
is 'the first released, the second still works' "$(by alice vpnrun -p two -- curl -s -m 5 $WEB4)" 198.51.100.20
tunnel_release two
rm -r "$LAB/home/alice/.config"
unchanged_since before 'after both releases'
