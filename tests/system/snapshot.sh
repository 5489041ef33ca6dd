# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Everything of the machine that vpnrun could leave behind or change, as text.

snapshot_network() {
  ip -o link | sed -E 's/ (state|mode) [A-Z]+//g'
  ip -o address | sed -E 's/^[0-9]+: //'
  ip route show table all
  ip -6 route show table all
  ip rule
  ip -6 rule
  ip netns list
  nft list ruleset
}

# Without what counts by itself.
snapshot_sysctl() {
  local all
  # procps 4.0.7 ends with 1, without a word, when it has shown all of them.
  all=$(sysctl -a --ignore -r '^net\.' 2>/dev/null) || :
  grep -q '^net\.ipv4\.ip_forward = ' <<<"$all" && grep -q '^net\.ipv6\.conf\.up0\.forwarding = ' <<<"$all" || return 1
  <<<"$all" grep -vE 'nf_conntrack_count|\.(stable_secret|flush) |tcp_fastopen_key'
}

snapshot_mounts() { cut -d ' ' -f 4- /proc/self/mountinfo | sed -E 's/(shared|master):[0-9]+/\1/g'; }

snapshot_files() {
  find /run /etc /dev -printf '%p %y %m %u:%g %l\n' | grep -v ' c 620 ' | sort
  find /etc -type f -newer "$LAB/tmp/snapshot.mark" -printf 'changed: %p\n'
}

# shellcheck disable=SC2009  # the columns are wanted
snapshot_processes() { ps -e -o pid=,user=,args= | grep -vE '(ps -e|snapshot|grep|sleep|/bin/answer|scenario\.sh)'; }

# snapshot NAME: into $LAB/tmp/snapshot.NAME/. The first one marks the time for changed files.
snapshot() {
  local part to=$LAB/tmp/snapshot.$1
  [ -e "$LAB/tmp/snapshot.mark" ] || touch "$LAB/tmp/snapshot.mark"
  mkdir -p "$to"
  for part in network sysctl mounts files processes; do
    "snapshot_$part" >"$to/$part" || lab_die "cannot take a snapshot of the $part"
  done
}

# unchanged_since NAME WHAT: one check for each part.
unchanged_since() {
  local part difference
  snapshot now
  for part in network sysctl mounts files processes; do
    difference=$(diff "$LAB/tmp/snapshot.$1/$part" "$LAB/tmp/snapshot.now/$part" | grep '^[<>]' || :)
    empty "$2: $part as before" "$difference"
  done
}
