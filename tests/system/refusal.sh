# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# refusal CASE: what goes wrong at the start. One clear line with a hint, the right exit code, and
# nothing left behind.
CASE=$1
# The exit codes of vpnrun-tunnel.
RUN_TIME=1 NOT_ROOT=77 CONFIGURATION=78

# companion NAME: prepare and, if that works, run, until one of them fails. Sets STATUS and ERR (the
# last two lines of what it said) and FAILED_IN.
companion() {
  FAILED_IN=prepare
  attempt timeout 30 "$TUNNEL" prepare "$1"
  if [ "$STATUS" = 0 ]; then
    FAILED_IN=run
    attempt timeout 30 "$TUNNEL" run "$1"
    cat "$LAB/tmp/err" >>"$LAB/log/tunnel-$1"
  fi
  ERR=$(tail -n 2 "$LAB/tmp/err")
}

# refuses NAME CODE REGEX [same]: the companion fails with it, and cleans up behind itself. `same`: the
# line that says what is wrong says what to do as well.
refuses() {
  companion "$1"
  is "the companion's exit code ($FAILED_IN)" "$STATUS" "$2"
  if [ "${4:-}" = same ]; then
    like 'its message says what is wrong, and what to do' "$(tail -n 1 <<<"$ERR")" "^vpnrun-tunnel: .*($3)"
  else
    complains 'its message' "$3"
  fi
  empty 'no client is left' "$(clients)"
  empty 'no link is left' "$(ip -o link | grep ' vr-')"
  if [ "$FAILED_IN" = prepare ]; then
    unchanged_since before 'after the failed prepare'
  fi
  check 'release works' "$TUNNEL" release "$1"
  check 'twice is not an error' "$TUNNEL" release "$1"
  unchanged_since before 'after release'
}

# launch_refused NAME SECONDS REGEX [WHEN]: with its companion running, a launch says why not. WHEN is
# called when the launch is waiting.
launch_refused() {
  local name=$1 seconds=$2 when=${4:-:} launch
  within 5 'the companion listens' test -S "/run/vpnrun/$name/control"
  by alice vpnrun --wait "$seconds" echo ran >"$LAB/tmp/launch.out" 2>"$LAB/tmp/launch.err" </dev/null &
  launch=$!
  wait_until 0.3 gone "$launch" || "$when"
  attempt wait "$launch"
  OUT=$(cat "$LAB/tmp/launch.out")
  ERR=$(cat "$LAB/tmp/launch.err")
  is 'a launch gives 125' "$STATUS" 125
  is 'and starts nothing' "$OUT" ''
  complains 'the launch' "$3"
}

# goes_on NAME REGEX: what the network brings about is told at once, and ends no companion.
goes_on() {
  tunnel_prepare "$1"
  tunnel_run "$1"
  launch_refused "$1" 5 "$2"
  is 'the companion goes on trying' "$(gone "${TUNNEL_PID[$1]}" && echo gone || echo runs)" runs
  tunnel_release "$1"
  empty 'no client is left' "$(clients)"
}

case $CASE in
  wrong_credentials)
    profile_two 'wrong horse'
    snapshot before
    tunnel_prepare two
    server_silent
    tunnel_run two
    launch_refused two 30 'password' server_talks
    within 10 'the companion gives up' gone "${TUNNEL_PID[two]}"
    attempt wait "${TUNNEL_PID[two]}"
    unset 'TUNNEL_PID[two]'
    "$TUNNEL" release two
    refuses two $CONFIGURATION 'password'
    unlike 'the password is in no log' "$(cat "$LAB"/log/tunnel-*)" 'wrong horse'
    ;;
  expired_server_certificate)
    ovpn_one "$PROFILES/one.ovpn" client '198.51.100.10 1195'
    profile one
    snapshot before
    goes_on one 'the certificate of the server has expired' # anybody on the way can answer with one
    unchanged_since before 'after release'
    ;;
  strange_certificate)
    # Whoever stands in between has no key of the provider's, and chooses his certificate's name.
    PORT=1300
    for SUBJECT in nobody 'Your certificate has expired' 'AUTH: Received control message: AUTH_FAILED' \
      'Options error: no such option' 'x [PUSH-OPTIONS]'; do
      PORT=$((PORT + 1))
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$SUBJECT" \
        -addext keyUsage=digitalSignature -addext extendedKeyUsage=serverAuth \
        -keyout "$LAB/tls/strange.key" -out "$LAB/tls/strange.crt" 2>>"$LAB/log/openssl"
      vpn_server strange-$PORT tun-$PORT strange --proto udp --port $PORT --local 198.51.100.10 \
        --server 10.$((PORT - 1270)).0.0 255.255.255.0
      within 5 "a server of the name '$SUBJECT' listens" grep -q 'Initialization Seq' "$LAB/log/strange-$PORT"
      ovpn_one "$PROFILES/one.ovpn" client "198.51.100.10 $PORT"
      profile one
      goes_on one 'the certificate of the server is not signed by'
    done
    ;;
  expired_client_certificate)
    ovpn_one "$PROFILES/one.ovpn" stale-client
    profile one
    snapshot before
    goes_on one 'the client certificate of this profile has expired' # or the clock is wrong
    unchanged_since before 'after release'
    ;;
  silent_from_the_start)
    profile_one
    snapshot before
    server_silent
    tunnel_prepare one
    tunnel_run one
    launch_refused one 2 'one'
    is 'the companion goes on trying' "$(gone "${TUNNEL_PID[one]}" && echo gone || echo runs)" runs
    server_talks
    is 'and gets through when the server answers' "$(by alice vpnrun --wait 20 curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
    server_silent
    tunnel_stop one
    within 1 'the client ends with its companion' eval '! clients'
    check 'release works' "$TUNNEL" release one
    check 'twice is not an error' "$TUNNEL" release one
    unchanged_since before 'after release'
    ;;
  unresolvable_endpoint)
    ovpn_one "$PROFILES/one.ovpn" client 'nosuch.invalid 1194'
    profile one
    snapshot before
    tunnel_prepare one
    tunnel_run one
    launch_refused one 5 'nosuch\.invalid'
    tunnel_release one
    check 'release twice is not an error' "$TUNNEL" release one
    unchanged_since before 'after release'
    ;;
  subnet_taken)
    ovpn_one "$PROFILES/one.ovpn"
    profile one '[link]' 'subnet = "192.168.77.0/30"'
    snapshot before
    refuses one $RUN_TIME '192\.168\.77\.0'
    ;;
  openvpn_missing)
    profile_one
    snapshot before
    mv /usr/sbin/openvpn /usr/sbin/openvpn.away
    refuses one $RUN_TIME 'openvpn'
    like 'the hint names the package' "$(tail -n 1 <<<"$ERR")" 'install'
    ;;
  no_tun_device)
    profile_one
    rm /dev/net/tun
    snapshot before
    refuses one $RUN_TIME '/dev/net/tun'
    ;;
  profile_missing)
    profile_one
    snapshot before
    refuses onne $CONFIGURATION 'onne'
    like 'the hint names the nearest profile' "$ERR" "hint: .*\bone\b"
    ;;
  profile_untrusted)
    profile_one
    chown alice "$PROFILES/one.toml"
    snapshot before
    refuses one $CONFIGURATION 'one\.toml'
    like 'the hint has the cure' "$ERR" 'hint: .*chown'
    chown root "$PROFILES/one.toml"
    chmod 0666 "$PROFILES/one.toml"
    snapshot before
    refuses one $CONFIGURATION 'one\.toml'
    like 'the hint has the other cure' "$ERR" 'hint: .*chmod'
    ;;
  unknown_key)
    ovpn_one "$PROFILES/one.ovpn"
    profile one '[dns]' 'sercers = []'
    snapshot before
    refuses one $CONFIGURATION 'one\.toml:6:1: .*sercers.*did you mean .servers' same
    ;;
  openvpn_file_refused)
    ovpn_one "$PROFILES/one.ovpn"
    echo 'plugin /usr/lib/evil.so' >>"$PROFILES/one.ovpn"
    profile one
    snapshot before
    refuses one $CONFIGURATION "one\\.ovpn:[0-9]+: .*plugin.*remove the line" same
    ;;
  not_root)
    profile_one
    snapshot before
    for COMMAND in prepare run release; do
      attempt by alice "$TUNNEL" $COMMAND one
      is "$COMMAND as an ordinary user" "$STATUS" $NOT_ROOT
      complains "$COMMAND" 'root'
    done
    attempt "$TUNNEL" juggle one
    is 'a command that does not exist' "$STATUS" 2
    attempt "$TUNNEL" prepare ../one
    is 'a name that is not valid' "$((STATUS != 0))" 1
    unchanged_since before 'after all of them'
    ;;
  *) lab_die "no such case: $CASE" ;;
esac
