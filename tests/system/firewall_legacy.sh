# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Docker, ufw or a script of the administrator's has rules in the kernel's old tables (iptables-legacy), which
# nft neither lists nor traces. What drops the tunnel's packets there is named, with the way out; it is opened only
# where the profile asks for that, for the profile's link only, and closed again, also after a crash. Nobody else's
# rule is lost, moved or reset. The tables of iptables-nft are nftables' own.
BACKEND=$1
iptables() { "$(type -P "iptables-$BACKEND")" -w "$@"; }
if ! command -v "iptables-$BACKEND" >/dev/null || ! iptables -nL >/dev/null 2>&1; then
  echo "skipped: no iptables-$BACKEND here: it needs the package iptables and its part of the kernel"
  SCENARIO_COMPLETE=yes
  trap - EXIT
  exit 77
fi
# Without what the policies have counted: others' packets go on.
rules() { "$(type -P "iptables-$BACKEND-save")" | sed -E '/^#/d; s/ \[[0-9]+:[0-9]+\]$//'; }
counters() { "$(type -P "iptables-$BACKEND-save")" -c -t filter | sed '/^#/d'; }
state_says() { grep -Eq "\"(error|hint)\": \"[^\"]*$1" /run/vpnrun/one/state.json; }
ours() { rules | grep -c 'comment vpnrun-one' || :; }

docker() {
  iptables -P FORWARD DROP
  iptables -N DOCKER-USER
  iptables -N DOCKER-ISOLATION
  iptables -A FORWARD -j DOCKER-USER
  iptables -A FORWARD -j DOCKER-ISOLATION
  iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  iptables -A FORWARD -i docker0 -j ACCEPT
  iptables -A DOCKER-ISOLATION -i docker0 ! -o docker0 -j DROP
  iptables -A DOCKER-ISOLATION -j RETURN
  iptables -A DOCKER-USER -j RETURN
}
policy() { iptables -P FORWARD DROP; }
reject() {
  iptables -A FORWARD -m comment --comment 'nothing passes here' -j REJECT --reject-with icmp-host-prohibited
  iptables -A FORWARD -j ACCEPT
}
mangle() { iptables -t mangle -A FORWARD -p udp --dport 1194 -j DROP; }
ufw() {
  iptables -P FORWARD DROP
  iptables -N ufw-before-forward
  iptables -N ufw-user-forward
  iptables -A FORWARD -j ufw-before-forward
  iptables -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  iptables -A ufw-before-forward -j ufw-user-forward
}
# Drops answers before anybody knows for whom they are: no rule for the link alone changes that.
answers() { iptables -t raw -A PREROUTING -i up0 -p udp --sport 1194 -j DROP; }
nothing() {
  local table
  for table in filter mangle raw; do
    iptables -t "$table" -F
    iptables -t "$table" -X
  done
  iptables -P FORWARD ACCEPT
  # The tool leaves its empty tables, which were not there before.
  [ "$BACKEND" = legacy ] || for table in filter mangle raw nat; do nft delete table ip "$table" 2>/dev/null || :; done
}
for table in raw mangle nat filter; do
  iptables -t $table -nL >/dev/null
done

# What is named in the error and in the hint, and where it is opened.
declare -A CHAIN=([docker]="'FORWARD' .*'filter' .*policy" [policy]="'FORWARD' .*'filter' .*policy"
  [reject]="'FORWARD' .*'filter' .*rule 1" [mangle]="'FORWARD' .*'mangle' .*rule 1"
  [ufw]="'FORWARD' .*'filter' .*policy" [answers]="'PREROUTING' .*'raw' .*rule 1")
declare -A PLACE=([docker]='DOCKER-USER' [policy]=FORWARD [reject]=FORWARD [mangle]=FORWARD [ufw]=ufw-user-forward)
REMEDY='iptables-legacy .*-I .* -i vr-one -j ACCEPT'
kinds='docker policy reject mangle ufw answers'
if [ "$BACKEND" = nft ]; then
  # By the kernel's trace, in nft's words: firewall.sh has the rest. It follows packets of the link, and an answer
  # is one only once it is routed.
  kinds=${kinds% answers}
  for kind in $kinds; do
    CHAIN[$kind]="chain '(FORWARD|PREROUTING)' of table 'ip (filter|mangle|raw)'"
  done
  REMEDY='(iptables -I DOCKER-USER -i|ufw route allow in on|nft insert rule ip .* iifname) vr-one'
fi

REMARK='(icmp and src host 192.168.77.2 and dst host 198.51.100.10)'
profile_one
cp -a "$PROFILES/one.toml" "$LAB/tmp/one.toml"
snapshot before
for kind in $kinds; do
  $kind
  rules >"$LAB/tmp/rules.before"
  tunnel_prepare one
  tunnel_run one
  within 15 "$kind: what drops is named" state_says "${CHAIN[$kind]}"
  check "$kind: and what opens it" state_says "$REMEDY"
  attempt by alice vpnrun --wait 1 true
  like "$kind: a launch says so too" "$ERR" "${CHAIN[$kind]}"
  is "$kind: nothing of it is changed unasked" "$(rules)" "$(cat "$LAB/tmp/rules.before")"
  if [ "$kind" = policy ]; then
    iptables -P FORWARD ACCEPT
    within 10 "$kind: somebody mends it while the tunnel waits, and it comes up at once" tunnel_up one
    iptables -P FORWARD DROP
  fi
  tunnel_stop one

  profile one '[link]' 'firewall = "integrate"'
  if [ "$kind" = answers ]; then
    tunnel_run one
    if [ "$BACKEND" = legacy ]; then
      within 15 "$kind: what cannot be opened for the link alone is said" \
        grep -q 'cannot do it: no rule for' /run/vpnrun/one/state.json
      is "$kind: and left as it is" "$(rules)" "$(cat "$LAB/tmp/rules.before")"
    fi
    tunnel_stop one
    tunnel_release one
    cp -a "$LAB/tmp/one.toml" "$PROFILES/one.toml"
    nothing
    continue
  fi
  # Two packets of somebody else's, counted by rules that stay.
  iptables -A OUTPUT -d 203.0.113.10 -p udp --dport 9 -m comment --comment 'an account'
  echo x | socat -u - UDP4:203.0.113.10:9
  echo x | socat -u - UDP4:203.0.113.10:9 2>/dev/null || :
  account=$(counters | grep 'an account')
  rules >"$LAB/tmp/rules.before"
  capture_start
  tunnel_run one
  within 20 "$kind: asked to, vpnrun opens it" tunnel_up one
  is "$kind: by two rules for its link" "$(rules | grep -c -- "-A ${PLACE[$kind]} -[io] vr-one .*vpnrun-one.* -j ACCEPT\|comment \"*vpnrun-one")" 2
  is "$kind: no other rule was lost or moved" "$(rules | grep -v vpnrun-one)" "$(cat "$LAB/tmp/rules.before")"
  is "$kind: or reset" "$(counters | grep 'an account')" "$account"
  is "$kind: applications are online" "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
  capture_stop
  empty "$kind: nothing else left the machine" "$(capture_stray "$CAPTURE_ONE" "$REMARK" '(udp dst port 9)')"
  if [ "$kind" = docker ]; then
    kill_hard "${TUNNEL_PID[one]}"
    tunnel_run one
    within 20 'after a kill the next companion comes up' tunnel_up one
    is 'with two rules, not four' "$(ours)" 2
    iptables -F DOCKER-USER
    kill -9 "$(client_pid one)"
    within 30 'when Docker makes its chain again the way is opened again' eval '[ "$(ours)" = 2 ] && tunnel_up one'
    iptables -A DOCKER-USER -j RETURN
    kill_hard "${TUNNEL_PID[one]}"
    unset 'TUNNEL_PID[one]'
    check 'release after a kill' "$TUNNEL" release one
    tunnel_prepare one
  else
    tunnel_stop one
  fi
  is "$kind: with the companion they are gone" "$(rules)" "$(cat "$LAB/tmp/rules.before")"
  is "$kind: and the account is as it was" "$(counters | grep 'an account')" "$account"
  tunnel_release one
  cp -a "$LAB/tmp/one.toml" "$PROFILES/one.toml"
  nothing
done

# --- rules that do not concern the tunnel are not blamed for a server that is silent ---
iptables -P FORWARD DROP
iptables -A FORWARD -i vr-one -j ACCEPT
iptables -A FORWARD -o vr-one -j ACCEPT
server_silent
tunnel_prepare one
tunnel_run one
within 40 'a server that is silent is named' state_says 'no (answer from|connection to the server) 198.51.100.10'
check 'and no firewall' eval '! state_says FORWARD'
server_talks
tunnel_release one
nothing
unchanged_since before 'after release'
