# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What answers in the lab: certificates, two OpenVPN servers and a stale one, resolvers, a web server.

# tls_issue NAME USAGE START END: a key and a certificate of the lab's authority. USAGE is clientAuth
# or serverAuth; dates as YYYYMMDDHHMMSSZ.
tls_issue() {
  local name=$1 usage=$2 start=$3 end=$4
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
    -keyout "$LAB/tls/$name.key" -out "$LAB/tls/$name.csr" 2>>"$LAB/log/openssl"
  printf '%s\n' 'basicConstraints=CA:FALSE' 'keyUsage=digitalSignature' "extendedKeyUsage=$usage" \
    >"$LAB/tls/$name.ext"
  openssl ca -batch -notext -config "$LAB/tls/ca.cnf" -in "$LAB/tls/$name.csr" -out "$LAB/tls/$name.crt" \
    -extfile "$LAB/tls/$name.ext" -startdate "$start" -enddate "$end" 2>>"$LAB/log/openssl"
}

tls_raise() {
  local start end
  start=$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)
  end=$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)
  cat >"$LAB/tls/ca.cnf" <<END
[ca]
default_ca = lab
[lab]
dir = $LAB/tls
database = $LAB/tls/index.txt
new_certs_dir = $LAB/tls
certificate = $LAB/tls/ca.crt
private_key = $LAB/tls/ca.key
default_md = sha256
rand_serial = yes
policy = any
[any]
commonName = supplied
END
  : >"$LAB/tls/index.txt"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -subj /CN=lab-authority -keyout "$LAB/tls/ca.key" -out "$LAB/tls/ca.crt" 2>>"$LAB/log/openssl"
  tls_issue server serverAuth "$start" "$end"
  tls_issue client clientAuth "$start" "$end"
  tls_issue stale-server serverAuth 20200101000000Z 20200201000000Z
  tls_issue stale-client clientAuth 20200101000000Z 20200201000000Z
}

# vpn_server NAME DEVICE CERTIFICATE OPTION…: an OpenVPN server, its log in $LAB/log/NAME.
vpn_server() {
  local name=$1 device=$2 certificate=$3
  shift 3
  background "$LAB/log/$name" on vpn openvpn --dev "$device" --dev-type tun --topology subnet \
    --ca "$LAB/tls/ca.crt" --cert "$LAB/tls/$certificate.crt" --key "$LAB/tls/$certificate.key" --dh none \
    --keepalive 1 4 --disable-dco --duplicate-cn --verb 3 --suppress-timestamps "$@"
}

vpn_servers_raise() {
  vpn_server server-one tun-one server --proto udp6 --port 1194 \
    --server 10.8.0.0 255.255.255.0 --server-ipv6 fd00:8::/64 \
    --push 'redirect-gateway def1 ipv6' --push 'dhcp-option DNS 10.8.0.1'
  vpn_server server-stale tun-stale stale-server --proto udp6 --port 1195 \
    --server 10.7.0.0 255.255.255.0 --push 'redirect-gateway def1'
  cat >"$LAB/tls/check-password" <<'END'
#!/bin/sh
[ "$(cat "$1")" = "$(printf 'subscriber\ncorrect horse')" ]
END
  chmod 0755 "$LAB/tls/check-password"
  vpn_server server-two tun-two server --proto tcp-server --local 198.51.100.20 --port 443 \
    --server 10.9.0.0 255.255.255.0 --server-ipv6 fd00:9::/64 \
    --verify-client-cert none --username-as-common-name --script-security 2 \
    --auth-user-pass-verify "$LAB/tls/check-password" via-file \
    --push 'redirect-gateway def1 ipv6' --push 'dhcp-option DNS 10.9.0.1'
}

# resolver NAMESPACE NAME ADDRESS OPTION…: a dnsmasq with the queries in $LAB/log/NAME. It listens at once,
# the tunnel that has its address may come later (network_routes allows that): with --bind-dynamic it
# now and then overlooks one.
resolver() {
  local namespace=$1 name=$2 address=$3
  shift 3
  background "$LAB/log/$name" on "$namespace" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
    --no-hosts --user=root --pid-file= --bind-interfaces --listen-address="$address" --log-queries \
    --log-facility=- --cache-size=0 --address=/vpn.example/198.51.100.10 --address=/web.example/203.0.113.10 \
    --address=/web.example/2001:db8:cb::10 "$@"
}

# who.example tells which resolver answered.
resolvers_raise() {
  resolver router dns-isp 192.168.77.1 --address=/who.example/192.0.2.77
  resolver vpn dns-one 10.8.0.1 --address=/who.example/192.0.2.8
  resolver vpn dns-two 10.9.0.1 --address=/who.example/192.0.2.9
}

web_raise() {
  cat >"$LAB/bin/answer" <<'END'
#!/bin/sh
# socat writes all eight groups of an IPv6 address; getent writes it as people do.
read -r request
address=${SOCAT_PEERADDR#[}
address=$(getent ahosts "${address%]}" | { read -r canonical rest; echo "$canonical"; })
printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n%s\n' "$address"
END
  chmod 0755 "$LAB/bin/answer"
  background "$LAB/log/web4" on web socat TCP4-LISTEN:80,fork,reuseaddr,backlog=128 EXEC:"$LAB/bin/answer"
  background "$LAB/log/web6" on web socat TCP6-LISTEN:80,fork,reuseaddr,ipv6only=1,backlog=128 EXEC:"$LAB/bin/answer"
}

resolver_ready() { grep -q 'started, version' "$LAB/log/$1"; }

servers_ready() {
  grep -q 'Initialization Sequence Completed' "$LAB/log/server-one" &&
    grep -q 'Initialization Sequence Completed' "$LAB/log/server-two" &&
    grep -q 'Initialization Sequence Completed' "$LAB/log/server-stale" &&
    resolver_ready dns-one && resolver_ready dns-two &&
    curl -s -m 5 http://203.0.113.10/ && curl -s -m 5 'http://[2001:db8:cb::10]/' &&
    getent ahostsv4 who.example
}

servers_raise() {
  tls_raise
  vpn_servers_raise
  resolvers_raise
  web_raise
  wait_until 10 servers_ready || {
    tail -n 5 "$LAB"/log/* >&2
    lab_die "the servers did not come up"
  }
}
