# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The machine's own firewall: what drops the tunnel's packets is named, with the way out; it is opened
# only where the profile asks for that, for the profile's link only, and closed again; and what removes
# our own rules does not open anything.

# state_says REGEX: in error or hint.
state_says() { grep -Eq "\"(error|hint)\": \"[^\"]*$1" /run/vpnrun/one/state.json; }
foreign_rules() { nft list ruleset | sed '/^table [a-z]* vpnrun/,/^}/d' | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'; }

docker() {
  nft -f - <<'END'
table ip filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD {
    type filter hook forward priority 0; policy drop;
    jump DOCKER-USER
    ct state established,related accept
    iifname "docker0" accept
  }
}
END
}
ufw() {
  nft -f - <<'END'
table ip filter {
  chain ufw-user-forward { return; }
  chain ufw-before-forward { jump ufw-user-forward; }
  chain FORWARD { type filter hook forward priority 0; policy drop; jump ufw-before-forward; }
}
END
}
firewalld() {
  nft -f - <<'END'
table inet firewalld {
  chain filter_FORWARD {
    type filter hook forward priority 10; policy accept;
    ct state established,related accept
    reject with icmpx admin-prohibited
  }
}
END
}
policy() {
  nft -f - <<'END'
table inet mine {
  chain through { type filter hook forward priority 0; policy drop; }
}
END
}
# What is named, and in the words of whose tool.
declare -A CHAIN=([docker]="'FORWARD' of table 'ip filter'" [ufw]="'FORWARD' of table 'ip filter'"
  [firewalld]="'filter_FORWARD' of table 'inet firewalld'" [policy]="'through' of table 'inet mine', by its policy")
declare -A REMEDY=([docker]='iptables -I DOCKER-USER -i vr-one' [ufw]='ufw route allow in on vr-one'
  [firewalld]='firewall-cmd .*vr-one' [policy]='nft insert rule inet mine through iifname vr-one accept')
declare -A PLACE=([docker]='ip filter DOCKER-USER' [ufw]='ip filter ufw-user-forward'
  [firewalld]='inet firewalld filter_FORWARD' [policy]='inet mine through')

# The host's own remark about answers to a client that has just ended.
REMARK='(icmp and src host 192.168.77.2 and dst host 198.51.100.10)'
profile_one
cp -a "$PROFILES/one.toml" "$LAB/tmp/one.toml"
snapshot before
for kind in docker ufw firewalld policy; do
  $kind
  foreign_rules >"$LAB/tmp/rules.before"
  tunnel_prepare one
  tunnel_run one
  within 10 "$kind: the chain that drops is named" state_says "${CHAIN[$kind]}"
  check "$kind: and what opens it" state_says "${REMEDY[$kind]}"
  attempt by alice vpnrun --wait 1 true
  like "$kind: a launch says so too" "$ERR" "${CHAIN[$kind]}"
  is "$kind: nothing of it is changed unasked" "$(foreign_rules)" "$(cat "$LAB/tmp/rules.before")"
  tunnel_stop one

  profile one '[link]' 'firewall = "integrate"'
  capture_start
  tunnel_run one
  within 10 "$kind: asked to, vpnrun opens it" tunnel_up one
  # shellcheck disable=SC2086  # family, table, chain
  is "$kind: by two rules for its link" "$(nft list chain ${PLACE[$kind]} | grep -c 'name "vr-one" .*comment "vpnrun-one"')" 2
  is "$kind: applications are online" "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
  capture_stop
  empty "$kind: nothing else left the machine" "$(capture_stray "$CAPTURE_ONE" "$REMARK")"
  if [ $kind = docker ]; then
    kill_hard "${TUNNEL_PID[one]}"
    tunnel_run one
    within 10 'after a kill the next companion finds its rules' tunnel_up one
    is 'and does not add to them' "$(nft list chain ip filter DOCKER-USER | grep -c vpnrun-one)" 2
    nft flush chain ip filter DOCKER-USER
    nft add rule ip filter DOCKER-USER counter return
    kill -9 "$(client_pid one)"  # what is established passes Docker
    within 20 'when Docker makes its chain again the way is opened again' \
      eval '[ "$(nft list chain ip filter DOCKER-USER | grep -c vpnrun-one)" = 2 ] && tunnel_up one'
  fi
  tunnel_stop one
  is "$kind: with the companion they are gone" "$(foreign_rules)" "$(cat "$LAB/tmp/rules.before")"
  tunnel_release one
  profile one
  nft flush ruleset
done

# --- everybody's rules are flushed under a running tunnel ---
tunnel_start one
flow_limit() {
  nft list chain inet vpnrun_links flows-one | grep 'ct state new ct count over 128 drop' >/dev/null &&
    nft list map inet vpnrun_links flows | grep '"vr-one" : goto flows-one' >/dev/null
}
within 3 'the flows of the client are limited' flow_limit
# That ends one turn of the companion's loop after it said that the tunnel is up.
untraced() {
  nft list table inet vpnrun_links >"$LAB/tmp/ours" && ! grep -q nftrace "$LAB/tmp/ours"
}
within 3 'nothing is traced while the tunnel is up' untraced
capture_start
nft flush ruleset
within 3 'flushed with all others our rules are back' nft list table inet vpnrun_links
within 3 'so is the limit of flows' flow_limit
is 'the same as before' "$(nft list table inet vpnrun_links)" "$(cat "$LAB/tmp/ours")"
is 'and the tunnel carries on' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
# A firewall that appears under a running tunnel.
policy
within 15 'one that appears later is named' state_says "${CHAIN[policy]}"
nft delete table inet mine
within 30 'and when it goes the tunnel is back' tunnel_up one
capture_stop
empty 'meanwhile nothing left the machine but the tunnel' "$(capture_stray "$CAPTURE_ONE" "$REMARK")"

# --- somebody else changes our link ---
for change in 'link set vr-one down' 'address flush dev vr-one' 'link del vr-one'; do
  # shellcheck disable=SC2086  # words of a command
  ip $change
  within 3 "after 'ip $change' the link is back" eval 'ip -o -4 address show up dev vr-one | grep -q inet'
  within 30 'and the tunnel' eval 'tunnel_up one && [ "$(by alice vpnrun curl -s -m 2 http://203.0.113.10/)" = 198.51.100.10 ]'
done
tunnel_stop one

# --- one uplink only ---
ip link add up1 type veth peer name r-host1 netns "$LAB/ns/router"
network_address - up1 192.168.78.2/24
network_address router r-host1 192.168.78.1/24
on router nft add rule inet lab hide ip saddr 192.168.78.0/24 masquerade
profile one '[link]' 'uplink = "up1"'
tunnel_run one
within 10 'an uplink that the machine does not use is named' state_says "through 'up0', but \[link\] uplink is 'up1'"
ip route add 198.51.100.10/32 via 192.168.78.1 dev up1
within 30 'once it leads to the server the tunnel comes up' tunnel_up one
capture_start up0
is 'applications use it' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
ip route del 198.51.100.10/32
attempt by alice vpnrun curl -s -m 2 http://203.0.113.10/
is 'and are cut off when the way to the server changes' "$((STATUS != 0))" 1
ip route add 198.51.100.10/32 via 192.168.78.1 dev up1
within 30 'until it changes back' eval '[ "$(by alice vpnrun curl -s -m 2 http://203.0.113.10/)" = 198.51.100.10 ]'
capture_stop
empty 'nothing left by the other, not even the tunnel' "$(capture_stray "$REMARK")"
tunnel_release one
cp -a "$LAB/tmp/one.toml" "$PROFILES/one.toml"
ip link del up1
unchanged_since before 'after release'
