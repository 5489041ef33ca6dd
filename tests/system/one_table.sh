# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# All profiles have one table on the host. What becomes of one of them, by its own companion, by a kill or
# by somebody who flushes everything, neither opens nor stalls another; with the last one it is gone.
WEB4=http://203.0.113.10/
ours() { nft list ruleset | grep -c 'table [a-z]* vpnrun' || :; }
of_one() { nft list ruleset | grep -Ec '[-"]one\b|vr-one' || :; }
record() { cat "/run/vpnrun/.links/$1"; }
two_works() { is "$1: the second tunnel works" "$(by alice vpnrun -p two curl -s -m 5 $WEB4)" 198.51.100.20; }
chain_of() { nft -a list chain inet vpnrun_links "$1" 2>/dev/null || :; }
two_has() { chain_of from-two | grep -q accept; }

profile_one
profile_two
snapshot before
capture_start
tunnel_start one
tunnel_start two
is 'one table of rules and one for ARP, for both' "$(nft list tables | grep vpnrun | sort | xargs)" \
  'table arp vpnrun_links table inet vpnrun_links'
check 'positive control: what is the first one'"'"'s is found' test "$(of_one)" -gt 3

# --- asked without end while the other one comes and goes ---
by alice touch "$LAB/home/alice/ask"
by alice vpnrun -p two bash -c 'while [ -e '"$LAB/home/alice/ask"' ]; do curl -s -m 5 '$WEB4' || echo failed; done' \
  >"$LAB/tmp/asked" 2>&1 &
ASKING=$!
within 5 'the second is asked without end' grep -q 198.51.100.20 "$LAB/tmp/asked"
FROM=$(chain_of from-two)
FLOWS=$(chain_of flows-two)
tunnel_release one
is 'released, nothing of the first is left' "$(of_one)" 0
within 5 'its record neither' eval '! record one 2>/dev/null'
tunnel_start one
is 'what the other does leaves its rules as they are' "$(chain_of from-two)" "$FROM"
is 'and what they have counted' "$(chain_of flows-two)" "$FLOWS"
kill_hard "${TUNNEL_PID[one]}"
check 'release after a kill' "$TUNNEL" release one
is 'killed and released, nothing of it is left' "$(of_one)" 0
LINES=$(wc -l <"$LAB/tmp/asked")
within 5 'it has been asked all the while' eval '[ "$(wc -l <"$LAB/tmp/asked")" -gt "$((LINES + 2))" ]'
by alice rm "$LAB/home/alice/ask"
wait "$ASKING"
is 'and has always answered' "$(sort -u "$LAB/tmp/asked")" 198.51.100.20

# --- flushed while nobody minds the first one's part ---
tunnel_start one
kill_hard "${TUNNEL_PID[one]}"
nft flush ruleset
within 5 'flushed, the second one'"'"'s part is back' two_has
empty 'the dead one'"'"'s is not' "$(chain_of from-one)"
two_works 'with a record of rules that are not there'
check 'which release takes away' "$TUNNEL" release one
two_works 'after that'

# --- the guard is the table's, whoever has loaded it last ---
guarded() { nft list set inet vpnrun_links guarded | grep -c up0 || :; }
is 'the uplink is guarded' "$(guarded)" 1
nft flush set inet vpnrun_links guarded
rm /run/vpnrun/.links/.guard
ip link set up0 alias "news of the uplink"
within 5 'a guard that is not known is loaded again' eval '[ "$(guarded)" = 1 ]'
ip link set up0 alias ''
tunnel_start one
tunnel_release two
is 'with the first up and the second released it stays' "$(guarded)" 1
is 'the first works' "$(by alice vpnrun -p one curl -s -m 5 $WEB4)" 198.51.100.10

# --- somebody has the lock for longer than anybody waits ---
touch "$LAB/tmp/hold"
background "$LAB/log/holder" flock -x /run/vpnrun/.lock bash -c "echo held; while [ -e $LAB/tmp/hold ]; do sleep 0.1; done"
within 5 'the lock is held' grep -q held "$LAB/log/holder"
kill -9 "$(client_pid one)"
within 30 'an attempt that does not get it says so' grep -q '"error": "cannot lock ' /run/vpnrun/one/state.json
rm "$LAB/tmp/hold"
within 30 'and the next one succeeds' tunnel_up one

# --- the tables of a former version ---
for FAMILY in inet arp ip; do
  nft add table "$FAMILY" vpnrun-two
done
tunnel_start two
unlike 'go when their profile starts' "$(nft list tables)" 'vpnrun-two'
two_works 'started over a former version'

# --- both killed ---
kill_hard "${TUNNEL_PID[one]}" "${TUNNEL_PID[two]}"
check 'the first is released' "$TUNNEL" release one
is 'the second'"'"'s rules stand without a companion' "$(chain_of from-two | grep -c accept)" 1
check 'the second is released' "$TUNNEL" release two
is 'with the last one the tables are gone' "$(ours)" 0
capture_stop
empty 'nothing else left the machine' "$(capture_stray "$CAPTURE_ONE" "$CAPTURE_TWO" "$CAPTURE_REFUSAL")"
unchanged_since before 'after both releases'
