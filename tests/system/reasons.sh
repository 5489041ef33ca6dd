# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# reasons local|peer|server: each row of the table of reasons (client/openvpn/reasons.cc) is brought about with the
# real program, and told. `brings ROW …` stands once for each row, in one of the three parts. Where the installed
# server would do otherwise (one of OpenVPN 2.6 drops whom it does not take, without an alert of TLS), tests/probes has
# another.
PART=$1
TABLE=$SOURCE/systemd/service/client/openvpn/reasons.cc
LOG=/dev/null
N=0

# --- every row has its run ---
rows() { sed -n 's/^    {"\([a-z0-9_]*\)", k.*/\1/p' "$TABLE" | sort; }
run_here() { sed -nE "s/^ *(brings|setting '[^']*') ([a-z0-9_]+).*/\2/p" "$SOURCE/tests/system/reasons.sh" | sort; }
is 'each row of the table is run once' "$(rows)" "$(run_here)"
like 'control: there are rows' "$(rows | wc -l)" '^[6-9][0-9]$|^1[0-9][0-9]$'

# --- one run ---
# say LINE…: the configuration of the next run, but for certificates; with_ca, with_client: these.
say() { (umask 077; printf '%s\n' "$@" >"$PROFILES/r.ovpn"); }
add() { printf '%s\n' "$@" >>"$PROFILES/r.ovpn"; }
with() { inline "$1" "$2" >>"$PROFILES/r.ovpn"; }
usual() {
  say client 'dev tun' 'proto udp' "remote ${1:-198.51.100.10 1194}" 'remote-cert-tls server' "${@:2}"
  with ca "$LAB/tls/ca.crt"
}
complete_with() { # CERTIFICATE
  with cert "$LAB/tls/$1.crt"
  with key "$LAB/tls/$1.key"
}
login() {
  printf '%s\n' subscriber 'correct horse' >"$PROFILES/r.auth"
  chmod 0600 "$PROFILES/r.auth"
  profile r 'credentials = "r.auth"'
}
passphrase() {
  mkdir -p "$LAB/tmp/credentials"
  (umask 077; echo "$1" >"$LAB/tmp/credentials/vpnrun.passphrase")
}

error_now() { sed -n 's/^ *"error": *"\(.*\)",$/\1/p' /run/vpnrun/r/state.json; }
hint_now() { sed -n 's/^ *"hint": *"\(.*\)",*$/\1/p' /run/vpnrun/r/state.json; }
state_now() { sed -n 's/^ *"state": *"\(.*\)",$/\1/p' /run/vpnrun/r/state.json; }
told() { grep -Eq -- "$1" <<<"$(error_now) // $(hint_now)"; }
begin() {
  N=$((N + 1))
  LOG=$LAB/log/reasons-$N
  rm -f /run/vpnrun/r/state.json
  CREDENTIALS_DIRECTORY=$LAB/tmp/credentials "$TUNNEL" -v run r >"$LOG" 2>&1 </dev/null &
  TUNNEL_PID["r"]=$!
}
seen() { grep -q "openvpn reason: $1\$" "$LOG"; }
# brings ROW REGEX [final|goes]: after begin; the row is seen and its message stands in the status (error // hint).
# final: the companion ends with 78; goes: it goes on. Then it is ended.
brings() {
  local row=$1 regex=$2 how=${3:-}
  within 20 "$row is seen" seen "$row"
  within 5 "$row is told" told "$regex"
  if [ "$how" = final ]; then
    within 10 "$row is final" gone "${TUNNEL_PID["r"]}"
    attempt wait "${TUNNEL_PID["r"]}"
    is "$row: with status 78" "$STATUS" 78
  elif [ "$how" = goes ]; then
    like "$row is not final" "$(state_now)" 'starting|reconnecting|failed|up'
    check "$row ends no companion" kill -0 "${TUNNEL_PID["r"]}"
  fi
  [ "$FAILURES" = 0 ] || grep 'openvpn:\|openvpn state\|reason' "$LOG" | tail -n 25 | sed 's/^/#     /'
  finish
}
# setting LINE ROW PATTERN HOW: what a file with this line brings that is complete otherwise.
setting() {
  usual '' "$1" && complete_with client && begin
  brings "${@:2}"
}
finish() { tunnel_stop r; }
garbage() { printf -- '-----BEGIN %s-----\n%s\n-----END %s-----\n' "$1" "$(head -c 300 /dev/urandom | base64)" "$1" >"$LAB/tls/garbage"; }
days() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }
# issue NAME USAGE START END OPTION…: like tls_issue, with a key and options of one's own.
issue() {
  local name=$1 usage=$2 start=$3 end=$4
  shift 4
  openssl req -newkey "${KEY:-rsa:2048}" -nodes -subj "/CN=$name" \
    -keyout "$LAB/tls/$name.key" -out "$LAB/tls/$name.csr" 2>>"$LAB/log/openssl"
  printf '%s\n' 'basicConstraints=CA:FALSE' 'keyUsage=digitalSignature,keyEncipherment' "extendedKeyUsage=$usage" \
    >"$LAB/tls/$name.ext"
  openssl ca -batch -notext -config "${CA_CONFIG:-$LAB/tls/ca.cnf}" -in "$LAB/tls/$name.csr" -out "$LAB/tls/$name.crt" \
    -extfile "$LAB/tls/$name.ext" -startdate "$start" -enddate "$end" "$@" 2>>"$LAB/log/openssl"
}
# authority NAME CN START END: another one.
authority() {
  local name=$1
  sed "s|$LAB/tls/ca\\.|$LAB/tls/$name.|; s|index.txt|index-$name.txt|" "$LAB/tls/ca.cnf" >"$LAB/tls/$name.cnf"
  : >"$LAB/tls/index-$name.txt"
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$LAB/tls/$name.key" \
    -out "$LAB/tls/$name.csr" 2>>"$LAB/log/openssl"
  printf '%s\n' 'basicConstraints=CA:TRUE' >"$LAB/tls/$name.ext"
  openssl ca -batch -notext -selfsign -keyfile "$LAB/tls/$name.key" -config "$LAB/tls/$name.cnf" -in "$LAB/tls/$name.csr" \
    -out "$LAB/tls/$name.crt" -extfile "$LAB/tls/$name.ext" -startdate "$3" -enddate "$4" 2>>"$LAB/log/openssl"
}
PORT=1400
# serve NAME CERTIFICATE OPTION…: a server of its own at PORT, which is counted up.
serve() {
  local name=$1 certificate=$2
  shift 2
  PORT=$((PORT + 1))
  vpn_server "server-$name" "tun-$PORT" "$certificate" --port "$PORT" --local 198.51.100.10 \
    --writepid "$LAB/tmp/pid-$name" "$@"
  wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/server-$name" || lab_die "server $name failed"
}
serve_udp() {
  local name=$1 certificate=$2
  shift 2
  serve "$name" "$certificate" --proto udp --server "10.11.$((PORT - 1400)).0" 255.255.255.0 \
    --push 'redirect-gateway def1' "$@"
}
serve_tcp() {
  local name=$1 certificate=$2
  shift 2
  serve "$name" "$certificate" --proto tcp-server --server "10.11.$((PORT - 1400)).0" 255.255.255.0 \
    --push 'redirect-gateway def1' "$@"
}
at() { usual "198.51.100.10 $PORT" "$@"; }
# other OPTION…: a server of another kind (tests/probes/other_server.py) at PORT, which is counted up; over_tcp is what
# its client is.
other() {
  PORT=$((PORT + 1))
  background "$LAB/log/other-$PORT" on vpn python3 -u "$SOURCE/tests/probes/other_server.py" 198.51.100.10 "$PORT" "$@"
  wait_until 10 grep -q listens "$LAB/log/other-$PORT" || lab_die "the other server at $PORT failed"
}
other_tls() {
  other --cert "$LAB/tls/plain-server.crt" --key "$LAB/tls/plain-server.key" --authority "$LAB/tls/ca.crt" "$@"
}
over_tcp() { sed -i 's/^proto udp/proto tcp/' "$PROFILES/r.ovpn"; }

ca_only() { sed -i '/^remote-cert-tls/d' "$PROFILES/r.ovpn"; }
usual
complete_with client
profile r
tunnel_prepare r

reasons_local() {
  authority rsa rsa-authority "$(days -1)" "$(days +30)" # an elliptic key cannot sign with MD5
  cat "$LAB/tls/ca.crt" "$LAB/tls/rsa.crt" >"$LAB/tls/both.crt"
  serve_udp lenient server --ca "$LAB/tls/both.crt" --tls-cert-profile insecure
  usual && complete_with stale-client && begin
  brings own_certificate_expired 'client certificate of this profile has expired' goes
  issue early clientAuth "$(days +1)" "$(days +30)"
  usual && complete_with early && begin
  brings own_certificate_not_yet_valid 'client certificate of this profile is not yet valid // check the clock' goes
  CA_CONFIG=$LAB/tls/rsa.cnf issue md5 clientAuth "$(days -1)" "$(days +30)" -md md5
  at && complete_with md5 && begin
  brings own_certificate_old_signature "signature that is too old .*tls-cert-profile insecure" final
  at 'tls-cert-profile insecure' && complete_with md5 && begin
  within 15 'and connects with that line' tunnel_up r
  finish
  KEY=rsa:768 issue short clientAuth "$(days -1)" "$(days +30)"
  usual && complete_with short && begin
  brings own_certificate_short_key 'client certificate is too short .*tls-cert-profile insecure' final
  garbage CERTIFICATE
  usual && with cert "$LAB/tls/garbage" && with key "$LAB/tls/client.key" && begin
  brings own_certificate_damaged 'client certificate of the configuration is damaged' final
  usual && with cert "$LAB/tls/client.crt" && with key "$LAB/tls/server.key" && begin
  brings private_key_of_another 'do not belong together' final

  # --- keys and their passphrases ---
  passphrase secret
  issue plain clientAuth "$(days -1)" "$(days +30)"
  openssl rsa -in "$LAB/tls/plain.key" -traditional -des -passout pass:secret -provider legacy -provider default \
    -out "$LAB/tls/des.key" 2>>"$LAB/log/openssl"
  openssl rsa -in "$LAB/tls/plain.key" -aes256 -passout pass:secret -out "$LAB/tls/aes.key" 2>>"$LAB/log/openssl"
  usual && with cert "$LAB/tls/plain.crt" && with key "$LAB/tls/des.key" && begin
  brings private_key_old_encryption 'encrypted by an old method \(DES-CBC\).*providers legacy default' final
  usual '' 'providers legacy default' && with cert "$LAB/tls/plain.crt" && with key "$LAB/tls/des.key" && begin
  within 15 'and connects with that line' tunnel_up r
  finish
  passphrase wrong
  usual && with cert "$LAB/tls/plain.crt" && with key "$LAB/tls/aes.key" && begin
  brings private_key_passphrase 'passphrase of the private key is wrong' final
  # One of 256 wrong ones decrypts to what looks well padded, as this one does this key.
  body='MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhhKcQuLYbioAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEFB9UN6/V8uj
BP2hKtrppiYEQKsOTbi8I/5ahNM6C/6/NCdSyC0p5YSxvYgDKvLWq7Dd6kpStWNwTeiqVRKNdmvZkD82/1kfnPJAnn8mW55+D3I='
  printf -- '-----BEGIN ENCRYPTED PRIVATE KEY-----\n%s\n-----END ENCRYPTED PRIVATE KEY-----\n' "$(fold -w 64 <<<"${body/$'\n'/}")" >"$LAB/tls/padded.key"
  unlike 'control: this passphrase fails otherwise' \
    "$(openssl pkey -in "$LAB/tls/padded.key" -passin pass:wrong-60 -noout 2>&1)" 'bad decrypt|maybe wrong|^$'
  check 'control: and the right one is right' openssl pkey -in "$LAB/tls/padded.key" -passin pass:secret -noout
  passphrase wrong-60
  usual && with cert "$LAB/tls/client.crt" && with key "$LAB/tls/padded.key" && begin
  within 20 'one that decrypts the key to something else is seen' seen private_key_passphrase
  within 10 'and is final' gone "${TUNNEL_PID["r"]}"
  like 'and is told' "$(error_now)" 'passphrase of the private key is wrong'
  finish
  passphrase wrong
  garbage 'PRIVATE KEY'
  usual && with cert "$LAB/tls/client.crt" && with key "$LAB/tls/garbage" && begin
  brings private_key_damaged 'private key of the configuration is damaged' final

  # --- PKCS#12 ---
  pkcs12() { openssl pkcs12 -export -in "$LAB/tls/plain.crt" -inkey "$LAB/tls/plain.key" -passout pass:secret "$@" 2>>"$LAB/log/openssl" | base64 >"$LAB/tls/p12"; }
  passphrase secret
  pkcs12 -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-RC2-40
  usual && with pkcs12 "$LAB/tls/p12" && begin
  brings pkcs12_old_encryption 'encrypted by an old method \(RC2-40-CBC\).*providers legacy default' final
  usual '' 'providers legacy default' && with pkcs12 "$LAB/tls/p12" && begin
  within 15 'and connects with that line' tunnel_up r
  finish
  passphrase wrong
  pkcs12
  usual && with pkcs12 "$LAB/tls/p12" && begin
  brings pkcs12_passphrase 'passphrase of the .*is wrong' final
  head -c 500 /dev/urandom | base64 >"$LAB/tls/p12"
  usual && with pkcs12 "$LAB/tls/p12" && begin
  brings pkcs12_damaged 'PKCS#12 file of the configuration is damaged' final

  # --- other parts ---
  garbage CERTIFICATE
  say client 'dev tun' 'proto udp' 'remote 198.51.100.10 1194' && with ca "$LAB/tls/garbage" && complete_with client && begin
  brings ca_damaged 'authority in the configuration \(ca\) is damaged' final
  usual && complete_with client && with extra-certs "$LAB/tls/garbage" && begin
  brings extra_certificates_damaged "extra-certs.* is damaged" final
  garbage 'X509 CRL'
  usual && complete_with client && with crl-verify "$LAB/tls/garbage" && begin
  brings crl_unreadable 'revocation list of the configuration .*damaged' final
  openvpn --genkey secret "$LAB/tls/static.key"
  sed '10,12d' "$LAB/tls/static.key" >"$LAB/tls/broken.key"
  usual '' 'key-direction 1' && complete_with client && with tls-auth "$LAB/tls/broken.key" && begin
  brings static_key_damaged "tls-auth.* is damaged" final

  # --- what the library does not know ---
  setting 'cipher bf-cbc' cipher_unknown "OpenVPN does not know the cipher 'bf-cbc'.*providers legacy default" final
  say 'dev tun' 'remote 198.51.100.10 1194' 'ifconfig 10.9.8.2 10.9.8.1' && with secret "$LAB/tls/static.key" && begin
  within 20 'a static key without a cipher means BF-CBC' told "does not know the cipher 'BF-CBC'.*providers legacy default.*BF-CBC"
  finish
  setting 'data-ciphers BF-CBC' data_cipher_unknown "r\\.ovpn:[0-9]+: .*'BF-CBC' of data-ciphers.*providers legacy default" final
  setting 'data-ciphers AES-256-ECB' data_cipher_unfit "cipher 'AES-256-ECB' cannot be used" final
  setting 'auth FOO' digest_unknown "does not know the digest 'FOO' of 'auth'" final
  setting 'providers fips default' provider_missing "no provider 'fips'" final
  setting 'tls-cipher TLS-FOO' tls_cipher_unknown "none of the ciphers in 'tls-cipher'" final
  setting 'tls-groups foo' tls_group_unknown "none of the groups in 'tls-groups'" final
  setting 'tls-cert-profile foo' certificate_profile_unknown "does not know the profile 'foo'" final
  setting 'hand-window 1 2 3' option_unknown 'r\.ovpn:6: this OpenVPN does not know this option, or takes other values for it: .*hand-window' final
  setting 'tls-version-min 9' option_wrong 'r\.ovpn:6: OpenVPN rejects the configuration: .*tls-version-min' final

  # --- the device ---
  usual && complete_with client
  chmod 0600 /dev/net/tun
  begin
  brings tun_closed "may not open '/dev/net/tun'" final
  chmod 0666 /dev/net/tun
  # The client opens the device once the server has let it in, which takes this one a while.
  printf '#!/bin/sh\nsleep 2\nexit 0\n' >"$LAB/tls/slow"
  chmod 0755 "$LAB/tls/slow"
  serve_udp slow server --script-security 2 --auth-user-pass-verify "$LAB/tls/slow" via-file --verify-client-cert none
  cat >"$LAB/bin/attach_tun" <<'END'
#!/usr/bin/env python3
# attach_tun NAME [OWNER]: attaches to the device and stays; with OWNER, makes it that user's and leaves.
import fcntl, struct, sys, time
device = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1001))
if len(sys.argv) > 2:
    fcntl.ioctl(device, 0x400454CC, int(sys.argv[2]))
    sys.exit()
print("attached", flush=True)
time.sleep(60)
END
  chmod 0755 "$LAB/bin/attach_tun"
  device() { sed -n 's/^ *"device": *"\(.*\)",$/\1/p' /run/vpnrun/r/state.json; }
  at auth-user-pass && login && begin
  within 10 'the client is on its way' grep -q 'openvpn state: AUTH' "$LOG"
  check 'the device becomes another user'"'"'s' ip netns exec r attach_tun "$(device)" 12345
  brings tun_refused 'cannot attach to the tunnel device' final
  begin
  within 10 'the client is on its way' grep -q 'openvpn state: AUTH' "$LOG"
  background "$LAB/log/attached" ip netns exec r attach_tun "$(device)"
  local attached=$BACKGROUND
  within 5 'another process has the device' grep -q attached "$LAB/log/attached"
  brings tun_busy 'in use by another process' goes
  kill "$attached"
  profile r
  passphrase secret
  pkcs12 -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-RC2-40
  usual && with pkcs12 "$LAB/tls/p12" && begin
  brings state_passphrase 'encrypted by an old method' final
}

reasons_peer() {
  usual '198.51.100.10 1195' && complete_with client && begin
  brings server_certificate_expired 'certificate of the server has expired' goes
  authority old old-authority 20200101000000Z 20200201000000Z
  CA_CONFIG=$LAB/tls/old.cnf issue of-old serverAuth "$(days -1)" "$(days +30)"
  serve_udp of-old of-old
  at && sed -i '/<ca>/,/<.ca>/d' "$PROFILES/r.ovpn" && with ca "$LAB/tls/old.crt" && complete_with client && begin
  brings authority_expired "certificate of the server's authority has expired" goes
  at && complete_with client && begin
  brings server_certificate_unknown "not signed by the configuration's authority" goes
  for LINE in 'verb 0' 'mute 1'; do
    at "$LINE" && complete_with client && begin
    within 20 "with '$LINE' as well" told "not signed by the configuration's authority"
    finish
  done
  issue late serverAuth "$(days +1)" "$(days +30)"
  serve_udp late late
  at && complete_with client && begin
  brings server_certificate_not_yet_valid 'certificate of the server is not yet valid // check the clock' goes

  # --- revocation lists ---
  usual_list() { usual && complete_with client && with crl-verify "$LAB/tls/crl" && begin; }
  list() { openssl ca -gencrl -config "${CA_CONFIG:-$LAB/tls/ca.cnf}" -out "$LAB/tls/crl" "$@" 2>>"$LAB/log/openssl"; }
  list -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z
  usual_list
  brings crl_expired 'revocation list of the configuration .* is out of date' goes
  list -crl_lastupdate "$(days +1)" -crl_nextupdate "$(days +9)"
  usual_list
  brings crl_not_yet_valid 'revocation list of the configuration .* is not yet valid' goes
  authority false lab-authority "$(days -1)" "$(days +30)"
  CA_CONFIG=$LAB/tls/false.cnf list -crl_lastupdate "$(days -1)" -crl_nextupdate "$(days +9)"
  usual_list
  brings crl_of_another "not of this server's authority" goes
  openssl ca -config "$LAB/tls/ca.cnf" -revoke "$LAB/tls/server.crt" 2>>"$LAB/log/openssl"
  list -crl_lastupdate "$(days -1)" -crl_nextupdate "$(days +9)"
  usual_list
  brings server_certificate_revoked 'certificate of the server has been revoked' goes

  # --- weak ones, and others ---
  authority rsa rsa-authority "$(days -1)" "$(days +30)" # an elliptic key cannot sign with MD5
  CA_CONFIG=$LAB/tls/rsa.cnf issue md5-server serverAuth "$(days -1)" "$(days +30)" -md md5
  serve_udp md5 md5-server --tls-cert-profile insecure
  of_rsa() { at "$@" && sed -i '/<ca>/,/<.ca>/d' "$PROFILES/r.ovpn" && with ca "$LAB/tls/rsa.crt" && complete_with client; }
  of_rsa && begin
  brings server_certificate_old_signature 'signature that is too old .*tls-cert-profile insecure' goes
  of_rsa 'tls-cert-profile insecure' && begin
  within 15 'and connects with that line' tunnel_up r
  finish
  KEY=rsa:768 issue short-server serverAuth "$(days -1)" "$(days +30)"
  serve_udp short short-server --tls-cert-profile insecure
  at && complete_with client && begin
  brings server_certificate_short_key "key of the server's certificate is too short.*tls-cert-profile insecure" goes
  serve_udp purpose client
  at && complete_with client && begin
  brings server_certificate_purpose 'not meant for a server' goes
  setting 'verify-x509-name somebody.example name' server_certificate_name 'not the one that verify-x509-name asks for' goes
  usual '' "peer-fingerprint $(printf '00:%.0s' {1..31})00" && complete_with client && begin
  brings server_certificate_fingerprint "not the one of 'peer-fingerprint'" goes

  # --- TLS ---
  serve_udp modern server --tls-version-min 1.3
  at 'tls-version-max 1.2' && complete_with client && begin
  brings silent_in_handshake 'breaks the TLS handshake off without a word // .*tls-version-min' goes
  issue plain-server serverAuth "$(days -1)" "$(days +30)"
  other_tls --max-version 1.2
  at 'tls-version-min 1.3' && over_tcp && complete_with client && begin
  brings tls_version "no TLS version in common .*tls-version-min" goes
  other_tls --max-version 1.1
  at 'tls-version-min 1.2' 'tls-version-max 1.2' && over_tcp && complete_with client && begin
  brings tls_no_version "no TLS version in common .*tls-version-min" goes
  other_tls --max-version 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256
  at 'tls-cipher TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384' 'tls-version-max 1.2' && over_tcp && complete_with client && begin
  brings tls_cipher "no TLS cipher, group or signature in common .*tls-cipher" goes
  openssl dhparam -dsaparam -out "$LAB/tls/dh.pem" 1024 2>>"$LAB/log/openssl"
  other_tls --max-version 1.2 --dh "$LAB/tls/dh.pem" --ciphers 'DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0'
  at 'tls-cert-profile preferred' && over_tcp && complete_with client && begin
  brings tls_old_parameters "key exchange or signature is too weak .*tls-cert-profile insecure" goes
  other_tls --authority "$LAB/tls/rsa.crt" --ask-certificate --max-version 1.2
  at && over_tcp && complete_with client && begin
  brings own_certificate_refused 'refuses the client certificate of this profile' goes
  other_tls --authority "$LAB/tls/rsa.crt" --ask-certificate
  at && over_tcp && complete_with client && begin
  brings own_certificate_refused_late 'refuses the client certificate of this profile' goes
  other --raw $'HTTP/1.1 400 Bad Request\r\n\r\n'
  at && over_tcp && complete_with client && begin
  brings web_server 'a web server, not the VPN server' goes
  other --raw $'\x15\x03\x01\x02\x02'
  at && over_tcp && complete_with client && begin
  brings tls_server 'speaks TLS, but is not the VPN server' goes
  openvpn --genkey secret "$LAB/tls/static.key"
  openvpn --genkey secret "$LAB/tls/other.key"
  serve_udp wrapped server --tls-auth "$LAB/tls/static.key"
  background "$LAB/log/noise" on vpn python3 -u -c 'import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.10", 1499))
while True:
    s.sendto(b"\x40" + os.urandom(60), s.recvfrom(2000)[1])'
  usual '198.51.100.10 1499' && complete_with client && with tls-crypt "$LAB/tls/other.key" && begin
  brings control_key 'another control channel key' goes
  usual "198.51.100.10 $((PORT))" 'key-direction 1' && complete_with client && with tls-auth "$LAB/tls/other.key" && begin
  brings silent_with_key "does not answer // .*'tls-auth'" goes

  # --- the way ---
  usual '198.51.100.10 1999' && complete_with client && begin
  brings refused 'server refuses the connection' goes
  usual '198.51.77.1 1194' && complete_with client && begin
  brings unreachable 'no route to the server' goes
  background "$LAB/log/app-watch" bash -c 'until ip netns exec r nft "add table inet lab; add chain inet lab out { type filter hook output priority 0; policy accept; }; add rule inet lab out udp dport 1194 drop"; do sleep 0.02; done'
  wait "$BACKGROUND"
  usual && complete_with client && begin
  brings forbidden "firewall of this machine holds the VPN client's packets back" goes
  ip netns exec r nft delete table inet lab
  server_silent
  usual '198.51.100.10 81' 'connect-timeout 2' && sed -i 's/^proto udp/proto tcp/' "$PROFILES/r.ovpn" && complete_with client && begin
  brings timed_out 'does not answer' goes
  setting 'hand-window 2' negotiation_timed_out "hand-window" goes
  server_talks
  usual '198.51.100.10 1195' && complete_with client && begin
  brings handshake 'certificate of the server has expired' goes
  usual '198.51.100.10 1195' && complete_with client && begin
  brings state_no_answer 'certificate of the server has expired' goes
  usual && complete_with client
  background "$LAB/log/unrouted" bash -c 'while :; do ip -n r route flush table 30322 2>/dev/null; sleep 0.01; done'
  local unrouting=$BACKGROUND
  begin
  brings state_unreachable 'no route to the server' goes
  kill "$unrouting"
}

reasons_server() {
  logins_raise
  # reason_script WORDS: a server's check that refuses with these words.
  cat >"$LAB/tls/refuse" <<END
#!/bin/bash
cat "$LAB/tls/words" >"\$auth_failed_reason_file"
exit 1
END
  chmod 0755 "$LAB/tls/refuse"
  PORT=1480
  login_server words 1381 refuse
  refusing() {
    printf '%s' "$1" >"$LAB/tls/words"
    usual '198.51.100.10 1381' auth-user-pass "${@:2}"
    login
    begin
  }
  refusing '[TOO_MANY] this subscription is in use on all devices'
  brings refusal_for_now 'refuses this client: \[TOO_MANY\] this subscription is in use on all devices' goes
  refusing 'Account expired: renew it'
  within 20 'words that nobody foresaw are told' told 'refuses this client: Account expired: renew it'
  is 'and may pass' "$(state_now)" starting
  finish
  refusing 'SESSION: Your session has expired'
  brings refusal_session 'refuses this client: SESSION: Your session' goes
  refusing 'invalid username or password'
  brings refusal_of_login 'refuses the user name or password: invalid username or password // check the file' final
  refusing 'TEMP[backoff 42,advance no]:the server is full'
  brings state_auth_temporary 'refuses for now: the server is full // the next attempt is in 4[0-9] s' goes
  refusing ''
  within 20 'without words it is the password' told 'refuses the user name or password // check the file'
  finish
  profile r
  serve_udp ciphers server --data-ciphers AES-192-CBC
  at && complete_with client && begin
  brings refusal_data_cipher 'no data cipher in common: Data channel cipher negotiation failed.*data-ciphers' goes
  unlike 'nobody is sent to look for a password' "$(error_now) $(hint_now)" 'password|credentials'
  serve_udp old server --data-ciphers AES-256-CBC --cipher AES-256-CBC
  at 'cipher AES-256-CBC' && complete_with client && begin
  within 15 'the cipher of an old file is offered' tunnel_up r
  finish
  printf '#!/bin/sh\nexit 1\n' >"$LAB/tls/no"
  chmod 0755 "$LAB/tls/no"
  serve_udp refusing server --script-security 2 --client-connect "$LAB/tls/no"
  at && complete_with client && begin
  within 20 'a client without a password is not asked to look for one' told '^the server refuses this client // the provider knows why'
  is 'and goes on' "$(state_now)" starting
  finish

  # --- settings that do not fit ---
  usual '' 'pull-filter ignore cipher' 'pull-filter ignore protocol-flags' && complete_with client && begin
  brings data_cipher_unsaid 'does not say which it has.*data-ciphers-fallback' goes
  setting 'pull-filter ignore cipher' data_cipher_pushed 'the server wants BF-CBC' goes
  issue plain-server serverAuth "$(days -1)" "$(days +30)"
  # One older than 2.4, which leaves it to the client to find its cipher.
  other_tls --options 'V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto TCPv4_SERVER,cipher CAST5-CBC,auth SHA1,tls-server' \
    --push 'PUSH_REPLY,ifconfig 10.13.0.2 10.13.0.1'
  at && over_tcp && complete_with client && begin
  brings data_cipher_of_server 'the server has CAST5-CBC // .*data-ciphers' goes
  serve_udp lzo server --push 'comp-lzo yes'
  at && complete_with client && begin
  brings compression "compressed, which OpenVPN refuses.*allow-compression asym" goes
  at && complete_with client && begin
  brings pushed_options 'compressed' goes

  # A server that answers no request for settings: one that has none to give.
  PORT=$((PORT + 1))
  background "$LAB/log/server-peer" on vpn openvpn --dev tun-$PORT --dev-type tun --tls-server --proto udp \
    --local 198.51.100.10 --port $PORT --ifconfig 10.12.0.1 10.12.0.2 --ca "$LAB/tls/ca.crt" --cert "$LAB/tls/server.crt" \
    --key "$LAB/tls/server.key" --dh none --disable-dco --verb 3 --suppress-timestamps
  at 'hand-window 3' && complete_with client && begin
  brings no_push_reply 'does not answer the request for its settings' goes
  at 'hand-window 3' && complete_with client && begin
  brings state_no_push 'does not answer the request for its settings' goes

  # --- what ends a connection ---
  serve_udp ordered server --management 127.0.0.1 7570
  up_and() { begin; within 15 'the tunnel is up first' tunnel_up r; }
  at && complete_with client && up_and
  send_away 'RESTART,[P]moving'
  brings restart_pushed '' goes
  up_and
  send_away 'HALT,maintenance'
  brings halt_pushed '' goes
  up_and
  send_away 'RESTART'
  brings state_pushed_reset '' goes
  serve_tcp resetting server
  at && sed -i 's/^proto udp/proto tcp/' "$PROFILES/r.ovpn" && complete_with client && up_and
  kill -KILL "$(cat "$LAB/tmp/pid-resetting")"
  brings state_reset 'closed the connection|refuses the connection' goes
  other_tls --options 'V4,dev-type tun,tls-server' --then EXIT \
    --push 'PUSH_REPLY,ifconfig 10.13.0.2 10.13.0.1,cipher AES-256-GCM,peer-id 0'
  at && over_tcp && complete_with client && begin
  brings state_remote_exit '' goes # it connects again, and is sent away again
  usual '' 'session-timeout 3' && complete_with client && up_and
  brings state_inactive '' goes # and it is back at once
  usual && complete_with client && up_and
  server_silent
  brings state_ping_restart 'stopped answering|no answer|no connection' goes
  server_talks
  usual && complete_with client && up_and
  kill -TERM "$(client_pid r)"
  brings state_other '' goes
}
# send_away MESSAGE: the server's management does it to its only client.
send_away() {
  on vpn python3 - "$1" >>"$LAB/log/order" 2>&1 <<'END'
import re, socket, sys
connection = socket.create_connection(("127.0.0.1", 7570), 10)
stream = connection.makefile("rw")
def ask(order, end):
    stream.write(order + "\n")
    stream.flush()
    said = []
    for line in stream:
        said.append(line)
        print(line, end="")
        if line.startswith(end):
            return said
for line in ask("status 2", "END"):
    client = re.match("CLIENT_LIST,(?:[^,]*,){9}([0-9]+),", line)
    if client:
        ask("client-kill " + client[1] + " " + sys.argv[1], ("SUCCESS", "ERROR"))
END
}

"reasons_$PART"
tunnel_release r
