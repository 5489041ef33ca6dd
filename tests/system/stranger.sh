# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What somebody without rights makes a companion spend: a few per cent of a core, however he goes about
# it, admitted or not. Counted are the companion's own processor time and that of its children, after a
# while in which what was saved up is gone. Meanwhile it serves root, and does at once what is urgent.
CONTROL=/run/vpnrun/one/control
cp "$SOURCE/tests/probes/flood.py" "$LAB/bin/"
chmod 0755 "$LAB/bin/flood.py"
MOST=10 # per cent
profile_one
tunnel_start one

# spent: in milliseconds
spent() { awk '{ sub(/^.*\) /, ""); print ($12 + $13 + $14 + $15) * 10 }' "/proc/${TUNNEL_PID[one]}/stat"; }
FLOOD=()
# flood USER WAY PATH
flood() {
  background "$LAB/log/flood" by "$1" python3 "$LAB/bin/flood.py" "$2" "$3"
  FLOOD+=("$BACKGROUND")
}
# renewals: how often the companion starts a child in three seconds, which it does for each renewal
renewals() {
  local status=0
  timeout 3 strace -qq -e trace=clone,clone3,fork,vfork -e signal=none -o "$LAB/tmp/renewals" \
    -p "${TUNNEL_PID[one]}" 2>/dev/null || status=$?
  [ "$status" = 124 ] || lab_die "the companion cannot be traced ($status)" # 124: timeout ended it
  wc -l <"$LAB/tmp/renewals"
}
# share_is_small WHAT: of the flood that goes on; ends it
share_is_small() {
  local before begin share
  sleep 6 # what was saved up
  before=$(spent)
  begin=$(now_ms)
  sleep 4 # what is measured
  share=$((($(spent) - before) * 100 / ($(now_ms) - begin)))
  is "$1: no more than $MOST % of a core ($share)" "$((share <= MOST))" 1
  check "$1: root gets an answer meanwhile" timeout 5 vpnrunctl status one
  kill "${FLOOD[@]}" 2>/dev/null || :  # it may have ended by itself
  FLOOD=()
}

# --- not admitted ---
# utmp, to which everybody writes by programs that are setgid for it.
touch /run/utmp
chmod 0666 /run/utmp
flood bob writes /run/utmp
flood bob knocks $CONTROL
is 'nothing is renewed because of utmp' "$(renewals)" 0
share_is_small 'what a stranger writes to utmp'
begin=$(now_ms)
flood root entries /run
flood root entries /etc
sleep 1 # in the thick of it
printf 'nameserver 192.0.2.1\n' >/etc/.resolv.conf.new
mv /etc/.resolv.conf.new /etc/resolv.conf
inside_resolv() { by alice vpnrun cat /etc/resolv.conf | grep -q '10\.8\.0\.1'; }
within 5 'a resolv.conf that is replaced meanwhile is covered again' inside_resolv
count=$(renewals)
seconds=$((($(now_ms) - begin) / 1000))
is "what comes and goes has the view renewed a few times a second at most ($count in $seconds s)" \
  "$((count <= 12 + 6 * seconds))" 1
# A pause may take ten seconds.
within 20 'and renewed it is' eval '[ "$(renewals)" -ge 1 ]'
MOST=30 share_is_small 'what root, and nobody else, makes and removes in /run and /etc'
rm -f /run/entry-* /etc/entry-*

# --- admitted ---
for way in questions crowds knocks bytewise askers gifts; do
  flood alice $way $CONTROL
done
share_is_small 'questions, crowds, half lines and descriptors'
flood alice orders $CONTROL
flood alice orders $CONTROL
share_is_small 'orders'
# An order of hers may still wait for her share, and be "down".
within 30 'root orders it up' timeout 20 vpnrunctl up one
within 15 'and it is' tunnel_up one
is 'applications are online' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
tunnel_release one
