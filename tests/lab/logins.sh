# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Servers that want more than a password: a one-time password, which is good once.

# one_time PASSWORD: what the servers below take next, once.
one_time() { (umask 077; printf '%s\n' "$1" >"$LAB/tls/one-time"); }

# logins_raise: what the servers below need.
logins_raise() {
  on vpn nft add rule inet lab hide oifname '"v0"' ip saddr 10.10.0.0/16 snat ip to 198.51.100.10
  # What was taken or refused is told without what it was.
  cat >"$LAB/tls/take-one-time" <<END
#!/bin/bash
# take-one-time RESPONSE
read -r good <"$LAB/tls/one-time" && [ "\$1" = "\$good" ] && rm "$LAB/tls/one-time"
END
  cat >"$LAB/tls/check-static" <<END
#!/bin/bash
{ read -r user; IFS= read -r password; } <"\$1"
IFS=: read -r mark first second <<<"\$password"
[ "\$mark \$user \$(base64 -d <<<"\$first")" = 'SCRV1 subscriber correct horse' ] &&
  "$LAB/tls/take-one-time" "\$(base64 -d <<<"\$second")" && echo taken >>"$LAB/log/logins" && exit 0
echo "refused \$mark" >>"$LAB/log/logins"
exit 1
END
  cat >"$LAB/tls/check-dynamic" <<END
#!/bin/bash
{ read -r user; IFS= read -r password; } <"\$1"
if [ "\$user \$password" = 'subscriber correct horse' ]; then
  state=\$RANDOM\$RANDOM
  echo \$state >"$LAB/tls/state"
  printf 'CRV1:R,E:%s:%s:Token: of today?' \$state "\$(printf subscriber | base64)" >"\$auth_failed_reason_file"
  echo challenged >>"$LAB/log/logins"
  exit 1
fi
prefix=CRV1::\$(cat "$LAB/tls/state")::
[ "\$user" = subscriber ] && [ "\${password#"\$prefix"}" != "\$password" ] &&
  "$LAB/tls/take-one-time" "\${password#"\$prefix"}" && echo taken >>"$LAB/log/logins" && exit 0
echo 'refused CRV1' >>"$LAB/log/logins"
exit 1
END
  # Too busy at first.
  cat >"$LAB/tls/check-busy" <<END
#!/bin/bash
if [ ! -e "$LAB/tls/not-busy" ]; then
  : >"$LAB/tls/not-busy"
  printf 'TEMP[backoff 1]:come back later' >"\$auth_failed_reason_file"
  echo busy >>"$LAB/log/logins"
  exit 1
fi
exec "$LAB/tls/check-password" "\$1"
END
  chmod 0755 "$LAB"/tls/{take-one-time,check-static,check-dynamic,check-busy}
  : >"$LAB/log/logins"
}

# login_server_stop NAME
login_server_stop() {
  local pid
  pid=$(cat "$LAB/tmp/server-$1")
  kill "$pid"
  wait_until 5 gone "$pid" || lab_die "server $1 does not end"
}

# login_server NAME PORT SCRIPT OPTION…
login_server() {
  local name=$1 port=$2 script=$3
  shift 3
  vpn_server "server-$name" "tun-$name" server --proto udp6 --port "$port" \
    --server "10.10.$((port - 1300)).0" 255.255.255.0 --verify-client-cert none --username-as-common-name \
    --script-security 2 --auth-user-pass-verify "$LAB/tls/$script" via-file --push 'redirect-gateway def1' \
    --push 'dhcp-option DNS 10.8.0.1' --writepid "$LAB/tmp/server-$name" "$@"
  wait_until 5 grep -q 'Initialization Sequence Completed' "$LAB/log/server-$name" ||
    lab_die "server $name failed"
}

# profile_login NAME PORT LINE…: a profile of such a server, the lines in its configuration; user name and
# password in a file.
profile_login() {
  local name=$1 port=$2
  shift 2
  {
    printf '%s\n' client 'dev tun' 'proto udp' "remote 198.51.100.10 $port" nobind auth-user-pass \
      'remote-cert-tls server' 'verb 3' "$@"
    inline ca "$LAB/tls/ca.crt"
  } >"$PROFILES/$name.ovpn"
  printf '%s\n' subscriber 'correct horse' >"$PROFILES/$name.auth"
  chmod 0600 "$PROFILES/$name.ovpn" "$PROFILES/$name.auth"
  profile "$name" "credentials = \"$name.auth\""
}

# typing COMMAND…: on a terminal, where the lines of standard input are typed: a prompt, a tab, an answer.
# Sets STATUS and OUT (all that was to be seen).
typing() {
  (umask 077; cat >"$LAB/tmp/answers")
  attempt python3 "$SOURCE/tests/probes/type_answers.py" "$LAB/tmp/answers" "$@"
}

# waits_for NAME WHAT: its state says so.
waits_for() { grep -Eq "\"error\": *\"waits for $2" "/run/vpnrun/$1/state.json"; }
state_of() { sed -n 's/^ *"state": *"\(.*\)",$/\1/p' "/run/vpnrun/$1/state.json"; }
is_in_state() { [ "$(state_of "$1")" = "$2" ]; }
# logins: what the servers have seen so far, on a line.
logins() { paste -sd ' ' "$LAB/log/logins"; }
