# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A hostile server that lets the client in and throws it out at once, for ever, under hooks that take a
# while; and the end of a companion whose hooks hang. Nothing may grow by it: not the pace, not the queue
# of hooks, no descriptor, no rule, no process.

# A hook writes down what it is, for which connection, and when.
HOOKS=$LAB/tmp/hooks
hook() { printf "echo %s \$VPNRUN_ENDPOINT >>%s; sleep 0.4" "$1" "$HOOKS"; }
connections() { grep -c "'one' is up" "$LAB/log/tunnel-one" || return 0; }
pid() { echo "${TUNNEL_PID[one]}"; }
# All that a companion holds: descriptors, its threads and children, and rules and routes.
descriptors() { find "/proc/$(pid)/fd" -mindepth 1 -printf '%l\n' | sed 's/[0-9]\+/N/g' | sort | uniq -c; }
rules() { nft list ruleset | grep -vc counter; ip netns exec one nft list ruleset | grep -vc counter; }
routes() { ip route | wc -l; ip -n one route | wc -l; ip -n one address | grep -c inet; }
entries() { find /run/vpnrun -xdev -path '*/mnt' -prune -o -print | sort; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(pid)/status"; }
settled() { tunnel_up one && grep -q ^up-2 <<<"$(tail -n 1 "$HOOKS")" && ! pgrep -P "$(pid)" -x sh; }

vpn_server server-flap tun-flap server --proto udp --port 1199 --server 10.6.0.0 255.255.255.0 \
  --push 'redirect-gateway def1' --push 'dhcp-option DNS 10.6.0.1' --management "$LAB/tmp/management" unix
wait_until 5 grep -q 'Initialization Sequence Completed' "$LAB/log/server-flap" || lab_die 'the server did not start'
ovpn_one "$PROFILES/one.ovpn" client '198.51.100.10 1199'
profile one '[hooks]' "up_outside = ['$(hook up-1)', '$(hook up-2)']" \
  "down_outside = ['$(hook down-1)', '$(hook down-2)']"
tunnel_start one
within 10 'the hooks of the first connection run' settled
descriptors >"$LAB/tmp/descriptors-before"
MEMORY=$(rss)
rules >"$LAB/tmp/rules-before"
routes >"$LAB/tmp/routes-before"
entries >"$LAB/tmp/entries-before"

# --- 20 s in which each connection is thrown out as soon as it is there ---
python3 "$SOURCE/tests/probes/throw_out.py" "$LAB/tmp/management" 20 >"$LAB/log/app-thrown"
THROWN=$(awk '{ print $1 }' "$LAB/log/app-thrown")
LOOKS=$(awk '{ print $2 }' "$LAB/log/app-thrown")
like 'control: the server looks for somebody to throw out many times a second' "$LOOKS" '^[0-9]{3,}$'
is 'control: it threw out more than two' "$((THROWN > 2))" 1
# The law of Attempts, as the companion says it: what fails and what does not last pauses alike.
PAUSES=$(grep -o 'next attempt in [0-9.]*' "$LAB/log/tunnel-one" | cut -d ' ' -f 4 | tr '\n' ' ')
LAW='0.2 0.4 0.8 1.6 3.2 6.4 12.8 25.6 51.2 '
is 'each pause is twice the one before' "${LAW:0:${#PAUSES}}" "$PAUSES"
is 'and no connection comes without one' "$(($(connections) <= 1 + $(wc -w <<<"$PAUSES")))" 1
# 12.4 s are over after six pauses, 25 s after seven.
is 'so that in twenty seconds there are no more than seven' "$((THROWN <= 7 ? 7 : THROWN))" 7
like 'the state says how long the pause is, and what ends it' "$(by alice vpnrunctl status one --json)" \
  "the next attempt is in (7|13|26) s; 'vpnrunctl up one'"
by alice vpnrunctl up one
within 15 'left alone, and ordered up, it comes up and its hooks run' settled
is 'each connection whose up hooks began had all of its down hooks, once, before the next' \
  "$(awk '{ print $1 }' "$HOOKS" | awk '
    $1 == "up-1" && state != "" { print "two ups"; exit }
    $1 == "up-1" { state = "up"; next }
    $1 == "up-2" && state == "up" { state = "up"; next }
    $1 == "down-1" && state == "up" { state = "down"; next }
    $1 == "down-2" && state == "down" { state = ""; next }
    { print "wrong: " $1; exit }
    END { print state }')" up
is 'with the endpoint of the connection' "$(awk '{ print $2 }' "$HOOKS" | sort -u)" 198.51.100.10:1199/udp

# --- orders without pause: each attempt is at least a second after the one before ---
CONNECTIONS=$(connections)
BEGUN=$(now_ms)
for number in 1 2 3 4 5 6; do
  by alice vpnrunctl down one
  by alice vpnrunctl up one
done
is 'an admitted user gets no more than a connection a second' \
  "$(($(connections) - CONNECTIONS <= 1 + ($(now_ms) - BEGUN) / 1000))" 1
within 15 'the hooks come to rest' settled
# Children that have ended and that nobody has waited for: look-ups, hooks, clients, and what they held.
zombies() { ps -o stat=,args= --ppid "$(pid)" | grep '^Z' || :; }
within 10 'no child is left that has ended' eval '[ -z "$(zombies)" ]'
throughout 2 'nor is there one that stays' eval '[ -z "$(zombies)" ] || { sleep 1; [ -z "$(zombies)" ]; }'
is 'its only child is the client' "$(ps -o comm= --ppid "$(pid)" | xargs)" openvpn
is 'no descriptor was left' "$(descriptors)" "$(cat "$LAB/tmp/descriptors-before")"
is 'no rule' "$(rules)" "$(cat "$LAB/tmp/rules-before")"
is 'no route and no address' "$(routes)" "$(cat "$LAB/tmp/routes-before")"
is 'less than half a MiB of memory' "$(($(rss) - MEMORY < 512))" 1
is 'no file' "$(entries)" "$(cat "$LAB/tmp/entries-before")"
tunnel_stop one

# --- hooks that hang do not hold up the end ---
profile one '[hooks]' "up_outside = ['echo up >>$LAB/tmp/ends; sleep 1000']" \
  "down_inside = ['sleep 1000 & wait', 'echo inside >>$LAB/tmp/ends']" \
  "down_outside = ['echo outside >>$LAB/tmp/ends; setsid sleep 1000']"
tunnel_start one
within 5 'a hook hangs' test -s "$LAB/tmp/ends"
COMPANION=$(pid)
kill -TERM "$COMPANION"
# Bounded by what vpnrun-service(8) states, and far from it: each hook has its share.
within 40 'the companion ends all the same' gone "$COMPANION"
is 'and each of the down hooks had its turn' "$(tr '\n' ' ' <"$LAB/tmp/ends")" 'up inside outside '
unset 'TUNNEL_PID[one]'
tunnel_release one
