# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a provider's file can make root read. The server is the thief: it writes down whatever arrives as user
# name and password, and takes it. Everything that its author can name is refused before a packet is sent;
# what is the profile's own arrives (control).
CONFIGURATION=78
LOOT=$LAB/tmp/loot
MARK='stolen-4711'

cat >"$LAB/tls/take" <<END
#!/bin/sh
paste -sd ' ' "\$1" >>"$LOOT"
END
chmod 0755 "$LAB/tls/take"
: >"$LOOT"
vpn_server server-thief tun-thief server --proto udp6 --port 1199 --server 10.6.0.0 255.255.255.0 \
  --verify-client-cert none --username-as-common-name --script-security 2 \
  --auth-user-pass-verify "$LAB/tls/take" via-file --push 'redirect-gateway def1' --push 'dhcp-option DNS 10.8.0.1'
wait_until 5 grep -q 'Initialization Sequence Completed' "$LAB/log/server-thief" || lab_die 'the server failed'
on vpn nft add rule inet lab hide oifname '"v0"' ip saddr 10.6.0.0/16 snat ip to 198.51.100.10

# thief LINE…: a profile "thief" whose file has these lines, and what the first one needs to make a client.
thief() {
  local role=client
  [[ ${1:-} != secret* ]] || role=
  {
    printf '%s\n' $role 'dev tun' 'proto udp' 'remote 198.51.100.10 1199' nobind 'verb 3' "$@"
    inline ca "$LAB/tls/ca.crt"
    case ${1:-} in
      key*) inline cert "$LAB/tls/client.crt" ;;
      cert*) inline key "$LAB/tls/client.key" ;;
      auth-user-pass* | pkcs12*) ;;
      *) echo auth-user-pass ;;
    esac
  } >"$PROFILES/thief.ovpn"
  chmod 0600 "$PROFILES/thief.ovpn"
  profile thief
}
secret() { (umask 077; mkdir -p "$(dirname "$1")"; printf '%s\n' "$MARK-user" "$MARK-password" >"$1"); }
# refused WHAT LINE REGEX
refused() {
  thief "$2"
  attempt timeout 8 "$TUNNEL" run thief
  is "$1: refused" "$STATUS" $CONFIGURATION
  complains "$1" "thief\.ovpn:[0-9]+: .*($3)"
  unlike "$1: no hint to open the file to anybody" "$ERR" 'chmod|chown'
  unlike "$1: nothing of the file is shown" "$ERR" "$MARK"
}

profile_two
printf '%s\n' "$MARK-user" "$MARK-password" >"$PROFILES/two.auth"
secret "$PROFILES/two.old"
# Another profile's, by the word of its profile and by that of its configuration.
secret "$PROFILES/login.txt"
profile_one
sed -i 's/^nobind/&\nauth-user-pass login.txt/' "$PROFILES/one.ovpn"
secret "$PROFILES/other.login"
ovpn_one "$PROFILES/other.ovpn"
profile other 'credentials = "other.login"'
secret "$PROFILES/provider/login"
ovpn_one "$PROFILES/provider/se.ovpn"
profile nested
sed -i 's#nested.ovpn#provider/se.ovpn#' "$PROFILES/nested.toml"
# The machine's.
secret /etc/wireguard/wg0.conf
secret "$LAB/tmp/elsewhere"
cp /etc/shadow /etc/shadow.copy
chmod 0000 /etc/shadow.copy
ln -s ../../wireguard/wg0.conf "$PROFILES/link"
ln -s ../../wireguard "$PROFILES/folder"
ln "$PROFILES/two.auth" "$PROFILES/second-name"
ln /etc/wireguard/wg0.conf "$PROFILES/hard"
mkdir "$PROFILES/empty"
secret "$PROFILES/long"
echo more >>"$PROFILES/long"
cp "$LAB/tls/ca.crt" "$PROFILES/lab.crt"
chmod 0600 "$PROFILES/lab.crt"
mkfifo -m 0600 "$PROFILES/fifo"
mknod -m 0600 "$PROFILES/device" c 1 5
cp "$LAB/tls/client.key" "$PROFILES/client.key"
chmod 0600 "$PROFILES/client.key"
secret "$PROFILES/spare"
thief
tunnel_prepare thief

refused "another profile's credentials" 'auth-user-pass two.auth' "belongs to the profile 'two'"
refused 'what is called as another profile' 'auth-user-pass two.old' "belongs to the profile 'two'"
refused 'the same by an absolute name' "auth-user-pass $PROFILES/two.auth" "belongs to the profile 'two'"
refused 'the same by a second name' 'auth-user-pass second-name' "belongs to the profile 'two'"
refused 'a second name of a file elsewhere' 'auth-user-pass hard' 'hard link'
refused 'what another profile names' 'auth-user-pass other.login' "belongs to the profile 'other'"
refused "what another's configuration names" 'auth-user-pass login.txt' "belongs to the profile 'one'"
refused "what lies with another's configuration" 'auth-user-pass provider/login' "belongs to the profile 'nested'"
refused "another's profile" 'auth-user-pass two.toml' 'is a profile'
refused 'a file above' 'auth-user-pass ../../wireguard/wg0.conf' "'\.\.'"
refused 'a file above by way of a folder' 'auth-user-pass empty/../../../wireguard/wg0.conf' "'\.\.'"
refused 'a file elsewhere' 'auth-user-pass /etc/wireguard/wg0.conf' 'outside'
refused 'the passwords of the machine' 'auth-user-pass /etc/shadow' 'outside'
refused 'a copy of them, closed to all' 'auth-user-pass /etc/shadow.copy' 'outside'
refused 'a link' 'auth-user-pass link' 'symbolic link'
refused 'a folder behind a link' 'auth-user-pass folder/wg0.conf' 'symbolic link'
refused 'a FIFO' 'auth-user-pass fifo' 'not a regular file'
refused 'a device' 'auth-user-pass device' 'not a regular file'
refused 'a folder' 'auth-user-pass empty' 'not a regular file'
refused 'a key' 'auth-user-pass client.key' 'it has a key'
cp "$LAB/tls/client.key" "$PROFILES/theirs.key"
chmod 0600 "$PROFILES/theirs.key"
profile third
{ ovpn_one "$PROFILES/third.ovpn"; echo 'key theirs.key' >>"$PROFILES/third.ovpn"; }
refused 'a key that another configuration names' 'key theirs.key' "belongs to the profile 'third'"
refused 'a longer file' 'auth-user-pass long' 'more than two lines'
refused 'a certificate for a key' 'key lab.crt' 'it has no private key'
refused 'a name that is optional' 'setenv opt auth-user-pass /etc/wireguard/wg0.conf' 'outside'
for directive in ca cert key extra-certs crl-verify tls-crypt tls-crypt-v2 tls-auth secret pkcs12; do
  refused "$directive: a file elsewhere" "$directive $LAB/tls/client.key" 'outside'
  refused "$directive: another's configuration" "$directive two.ovpn" "belongs to the profile 'two'"
  refused "$directive: a login" "$directive spare" 'it has no|it is no'
done
empty 'nothing has arrived at the server' "$(cat "$LOOT")"

# An answer of the server's own is needed to know that it would have written it down.
secret "$PROFILES/thief.auth"
thief 'auth-user-pass thief.auth' auth-nocache
tunnel_run thief
within 15 'control: with its own credentials it comes up' tunnel_up thief
is 'control: they arrive' "$(tail -n 1 "$LOOT")" "$MARK-user $MARK-password"
tunnel_stop thief

# What was the profile's own when it started may be another's later: it is judged each time it is read.
tunnel_run thief
within 15 'it comes up again' tunnel_up thief
: >"$LOOT"
kill -USR1 "$(client_pid thief)"
within 15 'control: at a reconnection they arrive once more' grep -q "$MARK-password" "$LOOT"
within 15 'control: and it is up' tunnel_up thief
: >"$LOOT"
cp "$PROFILES/thief.auth" "$LAB/tmp/elsewhere"
ln -sf "$LAB/tmp/elsewhere" "$PROFILES/thief.auth"
kill -USR1 "$(client_pid thief)"
within 15 'a link in the place of the file is not followed at a reconnection' \
  grep -q 'thief\.auth.*symbolic link' "$LAB/log/tunnel-thief"
empty 'and nothing has arrived' "$(cat "$LOOT")"
tunnel_release thief
rm -f /etc/shadow.copy
