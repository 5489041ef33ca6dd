# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/system/names.sh
# Whatever the machine's resolv.conf and nsswitch.conf are, and however they change, names go through
# the tunnel, for a running application and for a new one; and the machine's files stay its own.
# names_files [untold]: the latter on a kernel that tells nobody of changes in folders.
source "$SOURCE/tests/system/names.sh"
if [ "${1:-}" = untold ]; then
  cc -O2 -static -o "$LAB/bin/untold" "$SOURCE/tests/probes/untold.c"
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$LAB/bin/untold" "$TUNNEL" >"$LAB/bin/tunnel-untold"
  chmod 0755 "$LAB/bin/tunnel-untold"
  TUNNEL=$LAB/bin/tunnel-untold
  unlike 'control: nobody is told' "$(untold python3 -c 'import fcntl, os; fcntl.fcntl(os.open("/etc", 0), fcntl.F_NOTIFY, 1)' \
    2>&1)" '^$'
fi

# As on a machine with systemd-resolved: a stub on 127.0.0.53 that asks the provider.
STUB=/run/systemd/resolve/stub-resolv.conf
mkdir -p /run/systemd/resolve
printf '%s\n' 'nameserver 127.0.0.53' 'options edns0 trust-ad' >$STUB
background "$LAB/log/dns-stub" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
  --user=root --pid-file= --bind-interfaces --listen-address=127.0.0.53 --server=192.168.77.1 --cache-size=0 \
  --log-queries --log-facility=-
wait_until 5 grep -q 'started' "$LAB/log/dns-stub" || lab_die 'the stub did not start'
stub_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-stub"; }
stub_queries() { grep -c 'query\[' "$LAB/log/dns-stub"; }

HOST_LINE='nameserver 192.168.77.1'
# The machine's file, of each kind.
file() { echo "$HOST_LINE" >"$1"; }
absolute() { ln -s $STUB "$1"; }
relative() { ln -s ../run/systemd/resolve/stub-resolv.conf "$1"; }
dangling() { ln -s ../run/nowhere/resolv.conf "$1"; }
# renamed KIND; created KIND: the ways to put one in place.
renamed() {
  "$1" /etc/.resolv.conf.new
  mv -T /etc/.resolv.conf.new /etc/resolv.conf
}
created() {
  rm -f /etc/resolv.conf
  "$1" /etc/resolv.conf
}
# host_file NAME: all there is to say about the machine's file; it must not be vpnrun's doing.
host_file() {
  stat -c '%N %F %i %a %u:%g %s %y %z' "/etc/$1" 2>/dev/null || echo absent
  cat "/etc/$1" 2>/dev/null || :
}
host_files() {
  host_file resolv.conf
  host_file nsswitch.conf
}
# until_then WHAT COMMAND…: where nobody is told it may take until the companion looks the next time; up to then
# an application may see the machine's file, whose daemons it cannot reach.
if [ "${1:-}" = untold ]; then until_then() { within 3 "$@"; }; else until_then() { check "$@"; }; fi
inside_has() { by alice vpnrun grep -Eq "$2" "/etc/$1"; }

# --- what it is before prepare ---
profile_one
for kind in absolute relative dangling absent; do
  rm -f /etc/resolv.conf
  [ $kind = absent ] || $kind /etc/resolv.conf
  case $kind in
    absolute | relative)
      host_resolves "resolv.conf $kind"
      check 'through its stub' stub_asked "$NAME"
      ;;
  esac
  host_files >"$LAB/tmp/files"
  tunnel_start one
  new_app "from the start, resolv.conf $kind"
  if [ $kind != absent ]; then
    check "resolv.conf $kind: inside it names the tunnel's resolver" inside_has resolv.conf '^nameserver 10\.8\.0\.1$'
  fi
  attempt by alice vpnrun cat $STUB
  unlike "resolv.conf $kind: the stub's file is not there inside" "$STATUS $OUT" '^0|127\.0\.0\.53'
  empty "resolv.conf $kind: the machine's files are as the machine wrote them" "$(host_files | diff "$LAB/tmp/files" -)"
  tunnel_release one
  empty "resolv.conf $kind: and after release" "$(host_files | diff "$LAB/tmp/files" -)"
done
rm -f /etc/nsswitch.conf
created file
host_files >"$LAB/tmp/files"
tunnel_start one
new_app 'from the start, no nsswitch.conf'
empty 'no nsswitch.conf: none is made' "$(host_files | diff "$LAB/tmp/files" -)"

# --- under a running application ---
SWITCH='hosts: files resolve [!UNAVAIL=return] mdns4_minimal dns'
switch() { printf '%s\n' 'passwd: files' 'group: files' "# $2" "$SWITCH" >"$1"; }
STUB_QUERIES=$(stub_queries)
app_start
running_app 'at first'
capture_start
capture_names_control
# changed WHAT COMMAND…: the machine changes a file; everybody's names keep going through the tunnel.
changed() {
  local what=$1
  shift
  "$@"
  host_files >"$LAB/tmp/files"
  running_app "$what"
  if [ -e /etc/resolv.conf ] || [ -L /etc/resolv.conf ]; then
    within 3 "$what: resolv.conf inside names the tunnel's resolver" inside_has resolv.conf '^nameserver 10\.8\.0\.1$'
  fi
  running_app "$what, later"
  new_app "$what"
  empty "$what: the machine's files are as the machine wrote them" "$(host_files | diff "$LAB/tmp/files" -)"
}
in_place() { echo "$HOST_LINE # in place" >/etc/resolv.conf; }
truncated() { truncate -s 0 /etc/resolv.conf; }
changed 'nsswitch.conf created' switch /etc/nsswitch.conf created
within 3 'nsswitch.conf inside follows' inside_has nsswitch.conf '^# created$'
until_then 'without daemons' inside_has nsswitch.conf '^hosts: files (myhostname )?dns$'
changed 'resolv.conf renamed over' renamed file
changed 'resolv.conf unlinked and created' created file
changed 'resolv.conf rewritten in place' in_place
changed 'resolv.conf truncated' truncated
changed 'resolv.conf a link to the stub' renamed absolute
changed 'resolv.conf a relative link to the stub' renamed relative
changed 'resolv.conf a link to the stub, unlinked and created' created relative
changed 'resolv.conf dangling' renamed dangling
changed 'resolv.conf absent' rm /etc/resolv.conf
changed 'resolv.conf created again' created file
switch_renamed() {
  switch /etc/.nsswitch.new renamed
  mv /etc/.nsswitch.new /etc/nsswitch.conf
}
changed 'nsswitch.conf renamed over' switch_renamed
within 3 'nsswitch.conf inside follows the rename' inside_has nsswitch.conf '^# renamed$'
until_then 'and asks no daemon' inside_has nsswitch.conf '^hosts: files (myhostname )?dns$'
changed 'nsswitch.conf rewritten in place' switch /etc/nsswitch.conf rewritten
within 3 'nsswitch.conf inside follows what is written in place' inside_has nsswitch.conf '^# rewritten$'
until_then 'and still asks no daemon' inside_has nsswitch.conf '^hosts: files (myhostname )?dns$'
changed 'resolv.conf renamed over after that' renamed file
changed 'nsswitch.conf absent' rm /etc/nsswitch.conf

# --- and with the companion killed in between ---
# killed_between WHAT COMMAND…: killed, the file changed, an application asks in vain, restarted.
killed_between() {
  local what=$1
  shift
  companion_killed
  "$@"
  host_files >"$LAB/tmp/files"
  cut_app "killed, $what"
  companion_again "$what"
  running_app "restarted after '$what'"
  new_app "restarted after '$what'"
  empty "$what with nobody there: the machine's files are its own" "$(host_files | diff "$LAB/tmp/files" -)"
}
killed_between 'nsswitch.conf created' switch /etc/nsswitch.conf created
killed_between 'resolv.conf and nsswitch.conf renamed over' eval 'renamed file; switch_renamed'
killed_between 'resolv.conf a relative link to the stub' renamed relative
killed_between 'resolv.conf absent' rm /etc/resolv.conf
killed_between 'resolv.conf created, then rewritten' eval 'created file; in_place'
killed_between 'resolv.conf truncated' truncated

is 'the machine'"'"'s stub was never asked in all that' "$(stub_queries)" "$STUB_QUERIES"
capture_names_stop 'through all of it'
app_end
created file
host_resolves 'at last'
tunnel_release one
if [ "${1:-}" = untold ]; then
  like 'each companion said once that it has to look for itself' "$(grep -c 'does not report changes' "$LAB/log/tunnel-one")" \
    "^$(grep -c 'starting' "$LAB/log/tunnel-one")$"
fi
