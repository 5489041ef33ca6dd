#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The leak lab: a private machine with a network of its own, raised in about a second, gone without
# a trace when its script ends. Nothing in it can touch the real machine's network, mounts, users
# or files.
#
#   lab.sh run BUILD SCRIPT [ARG…]   install the build tree BUILD in a lab and run SCRIPT there
#   lab.sh shell [BUILD]             a prompt in the lab, to look around by hand
#
# BUILD may be '-': a lab without vpnrun. SCRIPT is sourced by bash with every function of
# tests/lab/*.sh at hand and with `set -euo pipefail`; its exit status is the lab's.
#
# At the prompt of `lab.sh shell BUILD` the profiles are there, and nothing is started yet:
#   profile_one; tunnel_start one               one profile, its namespaces and its tunnel
#   by alice vpnrun curl -s http://203.0.113.10/    an admitted user, through the tunnel
#   by alice curl -s http://203.0.113.10/           the same without vpnrun
#   tunnel_release one                          undo all
#   on router tcpdump -ni r-host                the provider's view of the user's machine
#   server_silent; server_talks                 the VPN server drops everything; and answers again
#
#   host (the lab's own namespace)          router                  vpn
#   up0 192.168.77.2 ───────────── r-host 192.168.77.1
#       2001:db8:77::2                   r-vpn 198.51.100.1 ────── v0 198.51.100.10  "one", 1194/udp
#                                                                     198.51.100.10  expired, 1195/udp
#                                                                     198.51.100.20  "two", 443/tcp
#                                                                     2001:db8:51::10, ::20
#                                        r-web 203.0.113.1 ─────── w0 203.0.113.10 (web)
#                                                                     2001:db8:cb::10
#
# The web server answers with its client's address: 203.0.113.1 or 2001:db8:77::2 for the bare host,
# 198.51.100.10 or 2001:db8:51::10 through "one", 198.51.100.20 or 2001:db8:51::20 through "two".
set -euo pipefail

LAB_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SOURCE
SOURCE=$(cd "$LAB_FOLDER/../.." && pwd)

lab_die() {
  echo "lab: $*" >&2
  exit 125
}

# Sourced into the lab's PID 1.
lab_load() {
  local part
  for part in base machine servers network product capture logins; do
    # shellcheck source=/dev/null
    source "$LAB_FOLDER/$part.sh"
  done
}

# Becomes PID 1 of the lab; never returns.
lab_enter() {
  [ "$(id -u)" = 0 ] || lab_die "the lab needs root (its own namespaces, users and mounts): sudo $0"
  local tool name keep=()
  # As su leaves it, PATH has no sbin.
  PATH+=:/usr/local/sbin:/usr/sbin:/sbin
  for tool in unshare nsenter ip nft openvpn openssl dnsmasq tcpdump socat curl setpriv; do
    command -v "$tool" >/dev/null || lab_die "cannot find '$tool': run tests/run once, it installs the packages"
  done
  # Nothing of whoever runs it: a language, a proxy, a TMPDIR that is not there, a mask of 077 are another test.
  for name in HOME TERM VERBOSE ROOTFS PACKAGE FORMER CHAOS_KINDS "${!LAB_@}"; do
    [ -z "${!name+set}" ] || keep+=("$name=${!name}")
  done
  umask 022
  exec env -i "${keep[@]}" PATH="$PATH" LANG=C.UTF-8 LAB_INSIDE=$$ unshare -n -m -p -u -f --kill-child --mount-proc -- bash "$LAB_FOLDER/lab.sh" "$@"
}

lab_main() {
  case ${1:-} in
    run) [ $# -ge 3 ] || lab_die "usage: lab.sh run BUILD SCRIPT [ARG…]" ;;
    shell) ;;
    *)
      sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
      exit 2
      ;;
  esac
  [ -n "${LAB_INSIDE:-}" ] || lab_enter "$@"
  local mode=$1 build=${2:--}
  shift $(($# > 1 ? 2 : 1))
  unset LAB_INSIDE
  set -E
  trap 'echo "lab: ${BASH_SOURCE[0]}:$LINENO: failed ($?): $BASH_COMMAND" >&2' ERR
  [ "$build" = - ] || build=$(cd "$build" && pwd)
  lab_load
  machine_raise "$build"
  network_raise
  servers_raise
  [ "$build" = - ] || product_install "$build"
  case $mode in
    run)
      local script=$1
      shift
      # shellcheck source=/dev/null
      source "$script" "$@"
      ;;
    shell)
      [ "$build" = - ] || profile_one
      echo "The lab is up; leave it with 'exit'. Functions: on, by, tunnel_start, … (see $LAB_FOLDER)"
      bash --rcfile "$LAB_FOLDER/prompt.sh" -i
      ;;
  esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  lab_main "$@"
fi
