# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# passing CASE: what passes by itself is told, and ends nothing: the tunnel is up some time after it has passed,
# without anybody's order.
CASE=$1
error_of() { sed -n 's/^ *"error": *"\(.*\)",$/\1/p' "/run/vpnrun/$1/state.json"; }
is_told() { grep -q -- "$2" <<<"$(error_of "$1")"; }
status_of() { by alice vpnrunctl status "$1"; }
runs() { kill -0 "${TUNNEL_PID[$1]}"; }

case $CASE in
  session_limit)
    # A subscription that still counts the connection that was lost. The login comes from a file, then from a person,
    # who is not asked again.
    logins_raise
    cat >"$LAB/tls/check-limit" <<END
#!/bin/bash
if [ -e "$LAB/tls/full" ]; then
  printf '[TOO_MANY] this subscription is in use on all devices' >"\$auth_failed_reason_file"
  exit 1
fi
exec "$LAB/tls/check-password" "\$1"
END
    chmod 0755 "$LAB/tls/check-limit"
    login_server limit 1362 check-limit
    profile_login limit 1362 'auth-retry nointeract'
    tunnel_start limit
    : >"$LAB/tls/full"
    kill -9 "$(client_pid limit)"
    within 10 'the reason is told' is_told limit 'in use on all devices'
    within 20 'it is tried again' eval '[ "$(grep -c "next attempt in" "$LAB/log/tunnel-limit")" -ge 5 ]'
    is 'and the state says that it goes on' "$(state_of limit)" reconnecting
    like 'so does the status' "$(status_of limit)" 'in use on all devices'
    rm "$LAB/tls/full"
    within 60 'the tunnel is back by itself' tunnel_up limit
    tunnel_release limit

    sed -i '/^credentials/d' "$PROFILES/limit.toml"
    tunnel_prepare limit
    tunnel_run limit
    within 10 'a person is asked' waits_for limit 'user name and password'
    typing by alice vpnrunctl up limit <<'END'
User name:	subscriber
Password:	correct horse
END
    is 'and brings it up' "$STATUS" 0
    : >"$LAB/tls/full"
    kill -USR1 "$(client_pid limit)"
    within 20 'the reason is told' is_told limit 'in use on all devices'
    rm "$LAB/tls/full"
    within 60 'the tunnel is back by itself' tunnel_up limit
    is 'and nobody was asked twice' "$(grep -c 'waits for user name' "$LAB/log/tunnel-limit")" 1
    tunnel_release limit
    ;;
  login_that_worked)
    # The same, without a word of the server: what it took before it may take again.
    logins_raise
    printf '#!/bin/bash\n[ ! -e "%s/tls/full" ] && exec "%s/tls/check-password" "$1"\n' "$LAB" "$LAB" >"$LAB/tls/check-limit"
    chmod 0755 "$LAB/tls/check-limit"
    login_server limit 1362 check-limit
    profile_login limit 1362
    tunnel_start limit
    : >"$LAB/tls/full"
    kill -9 "$(client_pid limit)"
    within 10 'the reason is told' is_told limit 'refuses the user name or password'
    is 'and the state says that it goes on' "$(state_of limit)" reconnecting
    rm "$LAB/tls/full"
    within 60 'the tunnel is back by itself' tunnel_up limit
    tunnel_stop limit
    : >"$LAB/tls/full"
    tunnel_run limit
    within 20 'control: at the first connection that is final' gone "${TUNNEL_PID[limit]}"
    attempt wait "${TUNNEL_PID[limit]}"
    is 'with status 78' "$STATUS" 78
    unset 'TUNNEL_PID[limit]'
    tunnel_release limit
    ;;
  backoff)
    # The server says how long to wait; whoever orders does not.
    logins_raise
    cat >"$LAB/tls/check-backoff" <<END
#!/bin/bash
if [ -e "$LAB/tls/full" ]; then
  printf 'TEMP[backoff 40,advance no]:the server is full' >"\$auth_failed_reason_file"
  exit 1
fi
exec "$LAB/tls/check-password" "\$1"
END
    chmod 0755 "$LAB/tls/check-backoff"
    login_server limit 1362 check-backoff
    profile_login limit 1362
    : >"$LAB/tls/full"
    tunnel_prepare limit
    tunnel_run limit
    within 10 'the reason is told' is_told limit 'the server is full'
    like 'and how long it waits' "$(cat "$LAB/log/tunnel-limit")" 'the server is full; next attempt in 40'
    attempt by alice vpnrun --wait 3 -p limit true
    is 'a launch that waits three seconds fails' "$STATUS" 125
    complains 'the launch' 'the server is full'
    rm "$LAB/tls/full"
    check 'an order does not wait for it' by alice timeout 20 vpnrunctl up limit
    is 'the tunnel is up' "$(state_of limit)" up
    tunnel_release limit
    ;;
  one_of_several)
    # One server refuses, the next of the list does not.
    printf '#!/bin/sh\nexit 1\n' >"$LAB/tls/no"
    chmod 0755 "$LAB/tls/no"
    vpn_server server-no tun-no server --proto udp --port 1372 --local 198.51.100.10 --server 10.7.72.0 255.255.255.0 \
      --script-security 2 --client-connect "$LAB/tls/no"
    wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/server-no"
    ovpn_one "$PROFILES/one.ovpn" client '198.51.100.10 1372'
    sed -i '/^remote /a remote 198.51.100.10 1194' "$PROFILES/one.ovpn"
    profile one
    tunnel_prepare one
    tunnel_run one
    within 15 'the other one is found' tunnel_up one
    like 'after the first had refused' "$(cat "$LAB/log/tunnel-one")" 'the server refuses this client'
    tunnel_release one

    # The same with what a person has typed, who is not asked again.
    logins_raise
    printf '#!/bin/bash\nprintf "full: come back later" >"$auth_failed_reason_file"\nexit 1\n' >"$LAB/tls/full"
    chmod 0755 "$LAB/tls/full"
    login_server full 1373 full
    login_server free 1374 check-password
    profile_login two-servers 1373 'remote 198.51.100.10 1374'
    sed -i '/^credentials/d' "$PROFILES/two-servers.toml"
    tunnel_prepare two-servers
    tunnel_run two-servers
    within 10 'a person is asked' waits_for two-servers 'user name and password'
    typing by alice vpnrunctl up two-servers <<'END'
User name:	subscriber
Password:	correct horse
END
    is 'and it is up' "$STATUS $(state_of two-servers)" '0 up'
    like 'by the other one' "$(cat /run/vpnrun/two-servers/state.json)" '"endpoint": *"198\.51\.100\.10:1374/udp"'
    like 'after the first had refused' "$(cat "$LAB/log/tunnel-two-servers")" 'full: come back later'
    is 'nobody was asked twice' "$(grep -c 'waits for user name' "$LAB/log/tunnel-two-servers")" 1
    tunnel_release two-servers
    ;;
  clock)
    # A small computer without a clock of its own boots in the past: until the time has come from the network, the
    # server's certificate is not yet valid, and the client's neither.
    START=$(date -u -d '+12 seconds' +%Y%m%d%H%M%SZ)
    END=$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)
    tls_issue late serverAuth "$START" "$END"
    tls_issue late-client clientAuth "$START" "$END"
    vpn_server server-late tun-late late --proto udp6 --port 1361 --server 10.7.61.0 255.255.255.0 \
      --push 'redirect-gateway def1' --push 'dhcp-option DNS 10.8.0.1'
    wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/server-late"
    ovpn_one "$PROFILES/late.ovpn" late-client '198.51.100.10 1361'
    profile late
    tunnel_prepare late
    tunnel_run late
    within 10 'the reason is told' is_told late 'not yet valid'
    check 'and ends no companion' runs late
    within 60 'the tunnel comes up once the clock is right' tunnel_up late
    tunnel_release late
    ;;
  expired_then_renewed)
    # An expired certificate is failed, and tried again all the same; a launch does not wait for it.
    ovpn_one "$PROFILES/one.ovpn" stale-client
    profile one
    tunnel_prepare one
    tunnel_run one
    within 10 'it is failed' is_in_state one failed
    attempt by alice vpnrun --wait 20 true
    is 'a launch fails' "$STATUS" 125
    complains 'at once, with the reason' 'client certificate of this profile has expired'
    check 'the companion goes on' runs one
    tunnel_release one
    ;;
  *) lab_die "no such case: $CASE" ;;
esac
