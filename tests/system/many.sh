# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/many.sh
# many NONE VPN BESIDE ROW: that many profiles of type none and that many tunnels to one server at once, BESIDE
# applications side by side in all of them, ROW launches in a row. Each is in its own network and asks its own
# resolver, nothing leaves the machine outside, nothing stays behind. tests/bench/many.sh does it with hundreds.
source "$SOURCE/tests/lab/many.sh"
NONE=$1 VPN=$2 BESIDE=$3 ROW=$4
many_probe
cc -O2 -o "$LAB/bin/spawn_timer" "$SOURCE/tests/bench/spawn_timer.c"
many_profiles "$NONE" "$VPN"
snapshot before
capture_start
many_up "${NAMES[@]}"
pass "$NONE profiles of type none and $VPN tunnels are up at once"
is 'no companion takes an inotify instance of the machine'"'"'s' \
  "$(for NAME in "${NAMES[@]}"; do readlink "/proc/${TUNNEL_PID[$NAME]}/fd/"*; done | grep -c inotify || :)" 0
many_expected >"$LAB/tmp/expected"
is 'each has a network of its own' "$(awk '{ print $2 }' "$LAB/tmp/expected" | sort -u | wc -l)" $((NONE + VPN))
is 'and each tunnel an address of its own' "$(awk '$3 != "-" { print $3 }' "$LAB/tmp/expected" | sort -u | wc -l)" "$VPN"
is 'and a view has nothing of the other profiles in it but the names of their networks' \
  "$(nsenter --mount=/run/vpnrun/none-1/mnt cat /proc/self/mountinfo | grep -c ' /run/vpnrun/' || :)" 0

# --- side by side ---
many_left >"$LAB/tmp/left"
background "$LAB/log/many-server" nsenter --net="$LAB/ns/vpn" -- tcpdump --immediate-mode -Z root -l -n -i tun-one 'dst host 203.0.113.10 and udp'
SERVER=$BACKGROUND
wait_until 5 grep -q 'listening on' "$LAB/log/many-server" || lab_die 'the capture at the server did not start'
if many_inside "$BESIDE"; then
  pass "$BESIDE applications get there side by side"
else
  fail "$BESIDE applications get there side by side" "$(tail "$LAB/log/many-inside" "$LAB/home/inside")"
fi
empty 'each is in the network of its profile, with its address' "$(many_mixed)"
# The ports that the server saw from each address; what is expected is from many_expected.
at_server() { sed -nE 's/.* IP ([0-9.]+)\.[0-9]+ > 203\.0\.113\.10\.([0-9]+): .*/\1 \2/p' "$LAB/log/many-server" | sort -u; }
wanted() { awk '$3 != "-" { sub(/.*-/, "", $1); print $3, 20000 + $1 }' "$LAB/tmp/expected" | sort -u; }
within 5 "each tunnel carries its own applications' packets, and no other's" eval '[ "$(at_server)" = "$(wanted)" ]'
many_leave
kill "$SERVER"
wait "$SERVER" || :
still_left() { diff "$LAB/tmp/left" <(many_left); }
wait_until 10 still_left || :
empty 'the applications leave nothing behind' "$(still_left || :)"

# --- names ---
for NAME in $(awk '$3 != "-" { print $1 }' "$LAB/tmp/expected"); do
  by alice vpnrun -p "$NAME" getent ahostsv4 "$NAME.who.example" >/dev/null || :
done
asked() { sed -nE 's/.*query\[A\] (.*)\.who\.example from ([0-9.]+)$/\1 \2/p' "$LAB/log/dns-one" | sort -u; }
is 'each tunnel asks for its own names' "$(asked)" "$(awk '$3 != "-" { print $1, $3 }' "$LAB/tmp/expected" | sort -u)"

# --- in a row ---
for NAME in "${NAMES[@]}"; do
  by alice spawn_timer $(((ROW + NONE + VPN - 1) / (NONE + VPN))) vpnrun -p "$NAME" true >/dev/null
done
wait_until 10 still_left || :
empty "nor do $ROW in a row" "$(still_left || :)"

capture_stop
empty 'nothing but the tunnels left the machine' "$(capture_stray "$CAPTURE_ONE")"
many_down "${NAMES[@]}"
unchanged_since before 'all released'
