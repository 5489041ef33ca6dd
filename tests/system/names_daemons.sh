# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# names_daemons before|after: real nscd, systemd-resolved, avahi and a system bus on the host, and an
# nsswitch.conf that asks all of them. They were there before the profile was prepared, or come after,
# under a running application; they are restarted, with and without a companion. No lookup from inside
# reaches them.
WHEN=$1
# shellcheck source=tests/lab/daemons.sh
source "$SOURCE/tests/lab/daemons.sh"
DAEMONS=(bus resolved avahi nscd)

# shellcheck source=tests/system/names.sh
source "$SOURCE/tests/system/names.sh"

start_daemons() {
  local name
  for name in "${DAEMONS[@]}"; do
    daemon_start "$name"
  done
  printf '%s\n' 'passwd: files' 'group: files' 'shadow: files' \
    'hosts: files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] myhostname dns' >/etc/nsswitch.conf.new
  mv /etc/nsswitch.conf.new /etc/nsswitch.conf
}

# inside WHAT COMMAND…: an application asks for $NAME; the tunnel's resolver has the question and the
# provider's has not.
inside() {
  local what=$1
  shift
  like "$what: the tunnel's resolver answers" "$(by alice vpnrun timeout 10 "$@" 2>&1)" '192\.0\.2\.8\b'
  check "$what: it was asked" vpn_asked "$NAME"
  check "$what: the provider was not" eval "! isp_asked $NAME"
}

# Every way to ask that an application has.
ask_in_all_ways() {
  fresh_name
  inside "getent $1" getent ahostsv4 "$NAME"
  fresh_name
  inside "Python $1" python3 -c "import socket; print(socket.getaddrinfo('$NAME', 80)[0][4][0])"
  fresh_name
  inside "Node, by libc $1" node -e "require('dns').lookup('$NAME', (e, a) => console.log(e || a))"
  fresh_name
  inside "Node, by itself $1" node -e "require('dns').resolve4('$NAME', (e, a) => console.log(e || a))"
  fresh_name
  inside "dig $1" dig +short +tries=1 +time=2 "$NAME"
  fresh_name
  inside "dig at the stub of systemd-resolved $1" dig +short +tries=1 +time=2 @127.0.0.53 "$NAME"
  fresh_name
  attempt by alice vpnrun curl -sv -4 -m 3 "http://$NAME/"
  check "curl $1: the tunnel's resolver was asked" vpn_asked "$NAME"
  check "curl $1: the provider's was not" eval "! isp_asked $NAME"
  fresh_name
  attempt by alice vpnrun timeout 5 resolvectl query "$NAME"
  unlike "resolvectl $1 has nobody to ask" "$OUT" '192\.0\.2\.'
  attempt by alice vpnrun timeout 5 busctl call org.freedesktop.resolve1 /org/freedesktop/resolve1 \
    org.freedesktop.resolve1.Manager ResolveHostname isit 0 "$NAME" 2 0
  is "the system bus $1 does not ask for it either" "$((STATUS != 0))" 1
  attempt by alice vpnrun timeout 5 avahi-resolve-host-name -4 "$NAME"
  unlike "avahi-resolve $1 has nobody to ask" "$OUT" '192\.0\.2\.'
  check "none of them $1 reached the provider" eval "! isp_asked $NAME"
  attempt by alice vpnrun ask_daemons "$NAME"
  unlike "no daemon is reached past libc $1" "$OUT" 'answered|reached'
  is "and all were tried $1" "$(grep -c '' <<<"$OUT")" 7
}

# The application that runs all the time, and asks when told to.
mkfifo "$LAB/tmp/names"
chmod 0666 "$LAB/tmp/names"
app_asks() {
  fresh_name
  echo "$NAME" >&9
  within 10 "$1: the running application is through" grep -q "done $NAME" "$LAB/log/app-names"
  check "$1: the provider was not asked" eval "! isp_asked $NAME"
}

daemons_available || lab_die "the daemons of tests/packages are not unpacked: tests/run does it"
daemons_accounts
cp "$SOURCE/tests/probes/ask_daemons.py" "$LAB/bin/ask_daemons"
chmod 0755 "$LAB/bin/ask_daemons"
if [ "$WHEN" = before ]; then
  start_daemons
fi
profile_one
snapshot before
capture_start
tunnel_start one
background "$LAB/log/app-names" by alice vpnrun bash -c \
  'while read -r name; do timeout 5 getent ahostsv4 "$name"; echo "done $name"; done <"$1"' - "$LAB/tmp/names"
APP=$BACKGROUND
exec 9>"$LAB/tmp/names"
background "$LAB/log/app-watch" by alice vpnrun ask_daemons -w 600
WATCH=$BACKGROUND
if [ "$WHEN" = after ]; then
  app_asks 'without any daemon'
  start_daemons
fi

fresh_name
like 'the machine itself resolves through its daemons' "$(getent ahostsv4 "$NAME")" '192\.0\.2\.77'
check 'and its provider is asked' isp_asked "$NAME"
OUTSIDE=$(ask_daemons "$NAME")
for daemon in nscd resolved avahi; do
  like "outside, the probe is answered by $daemon" "$OUTSIDE" "^$daemon answered"
done
like 'and reaches the system bus' "$OUTSIDE" '^system-bus reached'

ask_in_all_ways 'at first'
app_asks 'at first'
for name in "${DAEMONS[@]}"; do
  daemon_restart "$name"
  app_asks "$name restarted"
done
ask_in_all_ways 'after restarts'

# Nobody is alive to lay anything over anything.
kill_hard "${TUNNEL_PID[one]}"
for name in "${DAEMONS[@]}"; do
  daemon_restart "$name"
  app_asks "$name restarted without a companion"
done
fresh_name
attempt nsenter --net=/run/vpnrun/one/netns --mount=/run/vpnrun/one/mnt -- setpriv --reuid=alice --regid=alice \
  --init-groups "$LAB/bin/ask_daemons" "$NAME"
unlike 'without a companion no daemon is reached past libc' "$OUT" 'answered|reached'
check 'and the provider is not asked' eval "! isp_asked $NAME"

tunnel_run one
within 15 'the next companion brings the tunnel up' tunnel_up one
mkdir -p /run/newcomer /run/systemd/newcomer
echo here >/run/newcomer/file
within 5 'what comes to /run of the host later comes inside' \
  eval '[ "$(by alice vpnrun cat /run/newcomer/file)" = here ]'
within 5 'in /run/systemd as well' by alice vpnrun test -d /run/systemd/newcomer
rm -r /run/newcomer /run/systemd/newcomer
within 5 'and goes with it' eval '! by alice vpnrun test -e /run/newcomer'
is 'the watching application has never reached a daemon' "$(cat "$LAB/log/app-watch")" asking
check 'and still watches' eval "! gone $WATCH"

kill "$WATCH"
exec 9>&-
kill "$APP"
capture_stop
QUERIES='(udp dst port 53 and dst host 192.168.77.1) or udp port 5353 or igmp'
empty 'nothing of it left the machine' "$(capture_stray "$CAPTURE_ONE" "($QUERIES)")"
tunnel_release one

# A machine whose /var/run is not a link; libc looks for nscd there.
if [ "$WHEN" = before ]; then
  mkdir -p "$LAB/var/run"
  mount --bind "$LAB/var" /var
  mount --bind /run /var/run
  tunnel_start one
  fresh_name
  like 'with /var/run a folder, the probe outside is answered there' "$(ask_daemons "$NAME")" '^nscd-var answered'
  fresh_name
  attempt by alice vpnrun ask_daemons "$NAME"
  unlike 'and no daemon is reached inside' "$OUT" 'answered|reached'
  check 'nor the provider asked' eval "! isp_asked $NAME"
  tunnel_release one
  umount /var/run /var
fi
for name in nscd avahi resolved bus; do
  daemon_stop "$name"
done
