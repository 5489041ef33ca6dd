# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# vpnrun in the lab: installation, profiles, the companion's life.

# cmake_cache BUILD VARIABLE
cmake_cache() { sed -n "s/^$2:[^=]*=//p" "$1/CMakeCache.txt"; }

# product_install BUILD: as an administrator would, helper setuid and all. Sets TUNNEL (vpnrun-tunnel),
# HELPER and PROFILES (the folder of the profiles).
product_install() {
  local build=$1 prefix bin libexec sysconf
  cmake --install "$build" >"$LAB/log/install" 2>&1 || {
    cat "$LAB/log/install" >&2
    lab_die "cannot install '$build'"
  }
  prefix=$(cmake_cache "$build" CMAKE_INSTALL_PREFIX)
  bin=$(cmake_cache "$build" CMAKE_INSTALL_BINDIR)
  libexec=$(cmake_cache "$build" CMAKE_INSTALL_LIBEXECDIR)
  sysconf=$(cmake_cache "$build" CMAKE_INSTALL_SYSCONFDIR)
  [[ $bin == /* ]] || bin=$prefix/${bin:-bin}
  [[ $libexec == /* ]] || libexec=$prefix/${libexec:-libexec}
  if [ "$prefix" = /usr ]; then
    sysconf=/etc
  elif [[ $sysconf != /* ]]; then
    sysconf=$prefix/${sysconf:-etc}
  fi
  export TUNNEL=$libexec/vpnrun/vpnrun-tunnel HELPER=$libexec/vpnrun/vpnrun-helper
  export PROFILES=$sysconf/vpnrun/profiles
  mkdir -p "$PROFILES"
  [ -x "$TUNNEL" ] || lab_die "the installation has no '$TUNNEL'"
  # Another prefix than PATH has.
  command -v vpnrun >/dev/null || ln -s "$bin/vpnrun" "$bin/vpnrunctl" "$LAB/bin/"
  local probe
  for probe in persistent_client exec_with_environment; do
    [ ! -x "$build/tests/probes/$probe" ] || cp "$build/tests/probes/$probe" "$LAB/bin/"
  done
}

# profile NAME EXTRA…: writes NAME.toml for NAME.ovpn, alice admitted; EXTRA lines follow.
profile() {
  local name=$1
  shift
  {
    printf '%s\n' "description = \"lab, $name\"" '[tunnel]' 'type = "openvpn"' "config = \"$name.ovpn\"" "$@"
    printf '%s\n' '[access]' 'users = ["alice"]'
  } >"$PROFILES/$name.toml"
  chmod 0644 "$PROFILES/$name.toml"
}

inline() { printf '<%s>\n%s\n</%s>\n' "$1" "$(cat "$2")" "$1"; }

# ovpn_one FILE [CERTIFICATE [REMOTE]]: a provider's file for server "one", client certificate inline.
ovpn_one() {
  local file=$1 certificate=${2:-client} remote=${3:-198.51.100.10 1194}
  {
    printf '%s\n' client 'dev tun' 'proto udp' "remote $remote" nobind persist-key persist-tun \
      'remote-cert-tls server' 'verb 3'
    inline ca "$LAB/tls/ca.crt"
    inline cert "$LAB/tls/$certificate.crt"
    inline key "$LAB/tls/$certificate.key"
  } >"$file"
  chmod 0600 "$file"
}

profile_one() {
  ovpn_one "$PROFILES/one.ovpn"
  profile one
}

# profile_two [PASSWORD]: server "two", over TCP with user name and password.
profile_two() {
  {
    printf '%s\n' client 'dev tun' 'proto tcp' 'remote 198.51.100.20 443' nobind auth-user-pass \
      'remote-cert-tls server' 'verb 3'
    inline ca "$LAB/tls/ca.crt"
  } >"$PROFILES/two.ovpn"
  printf '%s\n' subscriber "${1:-correct horse}" >"$PROFILES/two.auth"
  chmod 0600 "$PROFILES/two.ovpn" "$PROFILES/two.auth"
  profile two 'credentials = "two.auth"'
}

tunnel_has_route() { [ -n "$(ip -n "$1" route show default 2>/dev/null)" ]; }

# tunnel_up NAME: the companion says so, this one and not one that was killed, and the default route is
# in place.
tunnel_up() {
  [ -z "${TUNNEL_PID[$1]:-}" ] || grep -q "\"pid\": *${TUNNEL_PID[$1]}," "/run/vpnrun/$1/state.json" || return 1
  grep -q '"state": *"up"' "/run/vpnrun/$1/state.json" && tunnel_has_route "$1"
}

# tunnel_prepare NAME; tunnel_run NAME: the latter in the background, its output in
# $LAB/log/tunnel-NAME (appended), its pid in TUNNEL_PID[NAME].
declare -gA TUNNEL_PID=()
tunnel_prepare() { "$TUNNEL" prepare "$1"; }
tunnel_run() {
  "$TUNNEL" run "$1" >>"$LAB/log/tunnel-$1" 2>&1 </dev/null &
  TUNNEL_PID[$1]=$!
}

# tunnel_start NAME: prepare, run, and wait until it is up.
tunnel_start() {
  tunnel_prepare "$1"
  tunnel_run "$1"
  wait_until 15 tunnel_up "$1" || {
    tail -n 40 "$LAB/log/tunnel-$1" >&2
    lab_die "the tunnel '$1' did not come up"
  }
}

# tunnel_stop NAME: ends the companion as systemd does, and waits for it.
tunnel_stop() {
  local pid=${TUNNEL_PID[$1]:-}
  [ -n "$pid" ] || return 0
  unset "TUNNEL_PID[$1]"
  if ! gone "$pid"; then
    kill -TERM "$pid"
    wait_until 10 gone "$pid" || lab_die "vpnrun-tunnel of '$1' does not end on SIGTERM"
  fi
}

# tunnel_release NAME: stop and release.
tunnel_release() {
  tunnel_stop "$1"
  "$TUNNEL" release "$1"
}

# client_pid NAME: the OpenVPN process whose network is the profile's; empty if there is none.
client_pid() {
  local pid wanted
  wanted=$(stat -L -c %i "/run/vpnrun/$1/netns") || return 0
  for pid in $(pgrep -x openvpn); do
    if [ "$(stat -L -c %i "/proc/$pid/ns/net" 2>/dev/null)" = "$wanted" ]; then
      echo "$pid"
    fi
  done
}

# client_id NAME: user and group of the profile's client; empty if it has none.
client_id() {
  local record
  for record in /run/vpnrun/.ids/*; do
    if [ "$(readlink "$record")" = "$1" ]; then
      echo "${record##*/}"
    fi
  done
}

# stand_in LINE…: from now on a client is this script, until stand_in_ends. It has the client's user, network and
# root directory: of the lab it sees /usr, and it writes to its own /tmp.
stand_in() {
  [ -e "$LAB/bin/stand_in" ] || cc -O2 -static -o "$LAB/bin/stand_in" "$SOURCE/tests/probes/stand_in.c"
  printf '%s\n' "$@" >/usr/local/bin/stand-in
  chmod 0644 /usr/local/bin/stand-in
  # The program is what the companion finds, the mount goes with the lab.
  mount --bind "$LAB/bin/stand_in" "$(command -v openvpn)"
}
stand_in_ends() { umount -l "$(command -v openvpn)"; } # lazily: a client may just be starting

# clients: the clients of all profiles; false if there is none.
clients() { ps -C openvpn -o uid=,pid= | awk '$1 >= 60706 && $1 <= 61183 { print $2; any = 1 } END { exit !any }'; }
