# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A gamepad or a remote control that is plugged in later: programs inside learn of it from the udev daemon, which
# sends in the machine's network namespace only. Here a program of root's stands for the daemon; the real libudev
# listens.
mkdir -p /run/udev
touch /run/udev/control # what libudev looks for to know that there is a daemon
install -m 0755 "$SOURCE/tests/probes/udev_events.py" "$LAB/bin/udev-events"
KINDS=(raw)
if by alice python3 -c 'import ctypes; ctypes.CDLL("libudev.so.1")' 2>/dev/null; then
  KINDS+=(libudev)
else
  pass 'libudev itself is not tried: it is not here'
fi
heard() { tail -n +2 "$LAB/log/heard-$1" | xargs; }
# hears WHO WORDS: what WHO has heard so far, in order.
hears() { [ "$(heard "$1")" = "$2" ]; }
# listen WHO KIND COMMAND…
LISTENERS=()
listen() {
  local who=$1 kind=$2
  shift 2
  background "$LAB/log/heard-$who" by alice "$@" udev-events listen "$kind" 1000
  LISTENERS+=("$BACKGROUND")
  within 10 "$who: somebody listens" grep -q listening "$LAB/log/heard-$who"
}
# With the rights of the daemon over the network, and not root.
almost_root() { setpriv --reuid=alice --regid=alice --init-groups --inh-caps=+net_admin --ambient-caps=+net_admin "$@"; }

profile_one
printf '%s\n' '[tunnel]' 'type = "none"' '[access]' 'users = ["alice"]' >"$PROFILES/none.toml"
chmod 0644 "$PROFILES/none.toml"
tunnel_start one
tunnel_prepare none
tunnel_run none
within 15 'the profile without a tunnel is up' grep -q '"state": *"up"' /run/vpnrun/none/state.json
for kind in "${KINDS[@]}"; do
  listen "one-$kind" "$kind" vpnrun -p one
done
listen none raw vpnrun -p none
listen outside raw env

udev-events send input/event7
for who in "${KINDS[@]/#/one-}" none outside; do
  within 10 "$who: a device that comes later is noticed" hears "$who" input/event7
done

# What must not be handed on: shown by an event that is sent later, and is the next that arrives.
attempt by alice udev-events send forged
like 'an ordinary user cannot send at all' "$ERR" 'Operation not permitted'
attempt by alice vpnrun -p one udev-events send forged-inside
like 'nor inside' "$ERR" 'Operation not permitted'
almost_root udev-events send forged
udev-events send eth9 net
nsenter --net=/run/netns/one udev-events send of-the-inside
within 10 'control, inside: who is root there is heard there' hears one-raw 'input/event7 of-the-inside'
udev-events send input/event8
within 10 'control, outside: all that was sent there arrives' hears outside 'input/event7 forged eth9 input/event8'
within 10 'inside: nothing of somebody who is not root, nothing of the machine'"'"'s interfaces' \
  hears one-raw 'input/event7 of-the-inside input/event8'
within 10 'and nothing of another profile' hears none 'input/event7 input/event8'

for _ in $(seq 1 50); do udev-events send many; done
udev-events send last
ends_with_last() { [[ $(heard one-raw) == *' many last' ]]; }
within 20 'many at once arrive, and what comes after them' ends_with_last
check 'the tunnel is up all the time' tunnel_up one
kill "${LISTENERS[@]}" 2>/dev/null || :
tunnel_release none
tunnel_release one
