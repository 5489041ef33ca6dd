# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# JoinsNamespaceOf=: what systemd makes for one unit, /tmp and a network, is shared with others, whichever of
# them is started first. No unit that joins one of ours with PrivateNetwork=yes is outside; and an attached
# service is where it was attached to, or not started, whoever joins it.
WEB4=http://203.0.113.10/
OUTSIDE=203.0.113.1
THROUGH=198.51.100.10

isp_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-isp"; }
# unit NAME LINE…: a file below /etc/systemd/system.
unit() {
  printf '%s\n' "${@:2}" >"$LAB/tmp/unit"
  put "$LAB/tmp/unit" "/etc/systemd/system/$1"
}
# seen UNIT: what the web server and the resolvers say to UNIT, started now: 'ADDRESS ANSWER', '-' for none.
seen() {
  inside rm -f /var/log/seen
  attempt inside timeout 60 systemctl start "$1"
  inside cat /var/log/seen 2>/dev/null || echo 'not started'
}

cat >"$LAB/tmp/look" <<END
#!/bin/sh
address=\$(curl -s -m 2 $WEB4)
name=\$(getent ahostsv4 \$1 | awk '{ print \$1; exit }')
echo "\${address:--} \${name:--}"
END
put "$LAB/tmp/look" /usr/local/bin/look 0755
LOOK=('[Service]' Type=oneshot StandardOutput=truncate:/var/log/seen)

machine_install
machine_profile one
unit plain.service "${LOOK[@]}" 'ExecStart=/usr/local/bin/look control.who.example'
inside systemctl daemon-reload
capture_start
like 'control: a unit that joins nothing is outside' "$(seen plain.service)" "^$OUTSIDE "
capture_stop
check 'control: and captured' capture_has 'host 203.0.113.10 and tcp dst port 80'
check 'control: and asks the provider' isp_asked control.who.example

# --- units that join one of ours, before and after that is started ---
VERSION=$(inside systemctl --version | awk '{ print $2; exit }')
number=0
# joined WHAT TARGET ORDERED TMP: nothing of it is outside.
joined() {
  local ordered=()
  number=$((number + 1))
  [ "$3" = no ] || ordered=("Requires=$2" "After=$2")
  unit joined.service '[Unit]' "JoinsNamespaceOf=$2" "${ordered[@]}" "${LOOK[@]}" PrivateNetwork=yes "PrivateTmp=$4" \
    "ExecStart=/usr/local/bin/look joined$number.who.example"
  inside systemctl daemon-reload
  unlike "systemd $VERSION, $1, joins $2, ordered $3, PrivateTmp=$4: not outside" "$(seen joined.service)" "$OUTSIDE"
  check "nor does it ask the provider ($number)" eval "! isp_asked joined$number.who.example"
}
capture_start
for target in vpnrun@one.service vpnrun-netns@one.service; do
  for tmp in no yes; do
    inside systemctl stop vpnrun@one.socket vpnrun@one.service vpnrun-netns@one.service
    joined 'ours is not started' $target no $tmp
    joined 'ours is pulled in' $target yes $tmp
    check 'ours runs' inside timeout 30 systemctl start vpnrun@one.service
    joined 'ours runs' $target no $tmp
  done
done
# Others keep what is shared, and systemd since 254 follows the relation from one to the next.
unit keeper.service '[Unit]' JoinsNamespaceOf=vpnrun@one.service '[Service]' PrivateNetwork=yes PrivateTmp=yes \
  ExecStart=/bin/sleep infinity
inside systemctl daemon-reload
inside systemctl start keeper
joined 'another one has joined' vpnrun@one.service no yes
inside timeout 30 systemctl restart vpnrun@one.service
joined 'another one has joined, ours is started after it' vpnrun@one.service no yes
is 'the tunnel works all the same' "$(inside ip netns exec one curl -sS -m 5 $WEB4)" $THROUGH
inside systemctl stop keeper
capture_stop
empty 'nothing left outside of the tunnel in all that' "$(capture_stray "$CAPTURE_ONE")"

# --- an administrator's drop-ins, for our units and for all services, give systemd nothing to share ---
SHARES=('[Service]' PrivateTmp=yes PrivateIPC=yes)
unit service.d/hardening.conf "${SHARES[@]}"
unit vpnrun@.service.d/override.conf "${SHARES[@]}"
unit vpnrun-netns@.service.d/override.conf "${SHARES[@]}"
inside systemctl daemon-reload
inside systemctl stop vpnrun@one.socket vpnrun@one.service vpnrun-netns@one.service
check 'ours runs with drop-ins' inside timeout 30 systemctl start vpnrun@one.service
capture_start
for target in vpnrun@one.service vpnrun-netns@one.service; do
  joined 'ours has drop-ins' $target no yes
  joined 'ours has drop-ins, and is pulled in' $target yes no
done
is 'the tunnel works with them' "$(inside ip netns exec one curl -sS -m 5 $WEB4)" $THROUGH
capture_stop
empty 'nothing left outside with them' "$(capture_stray "$CAPTURE_ONE")"
inside rm /etc/systemd/system/service.d/hardening.conf
if [ "${VERSION%%[!0-9]*}" -lt 254 ]; then
  unit vpnrun@.service.d/zzz.conf "${SHARES[@]}"
  inside systemctl daemon-reload
  inside timeout 30 systemctl restart vpnrun@one.service
  unit joined.service '[Unit]' JoinsNamespaceOf=vpnrun@one.service "${LOOK[@]}" PrivateNetwork=yes \
    'ExecStart=/usr/local/bin/look control.joined.example'
  inside systemctl daemon-reload
  capture_start
  like 'control: with one that is read after ours a unit that joins is outside' "$(seen joined.service)" "^$OUTSIDE "
  capture_stop
fi
inside rm -r /etc/systemd/system/vpnrun@.service.d /etc/systemd/system/vpnrun-netns@.service.d
inside systemctl daemon-reload
check 'ours runs without drop-ins' inside timeout 30 systemctl restart vpnrun@one.service

# --- an attached service, and units that join it: which since systemd 254 is a relation in both
# directions ---
unit served.service "${LOOK[@]}" 'ExecStartPre=/bin/sh -c "curl -s -m 2 203.0.113.10 >/var/log/before"' \
  'ExecStart=/usr/local/bin/look served.who.example'
inside systemctl daemon-reload
attempt inside vpnrunctl attach served one
is 'a service is attached' "$STATUS" 0
like 'it is behind the tunnel' "$(seen served.service)" "^$THROUGH "
unit sharer.service '[Unit]' JoinsNamespaceOf=served.service '[Service]' PrivateTmp=yes ExecStart=/bin/sleep infinity
inside systemctl daemon-reload
inside systemctl start sharer
inside rm -f /var/log/before
capture_start
unlike 'with a unit that shares its /tmp, started first, it is not outside' "$(seen served.service)" "$OUTSIDE"
unlike 'nor is a command before it' "$(inside cat /var/log/before 2>&1)" "$OUTSIDE"
capture_stop
empty 'and nothing leaves' "$(capture_stray "$CAPTURE_ONE")"
check 'nor a name' eval '! isp_asked served.who.example'
# Which versions hand on what, and when, differs: since 254 it is either where it belongs or has failed.
if [ "${VERSION%%[!0-9]*}" -ge 254 ]; then
  like 'vpnrunctl attach names the unit' "$(inside vpnrunctl attach 2>&1)" 'JoinsNamespaceOf=.*sharer|sharer.*JoinsNamespaceOf='
else
  like 'to this systemd the other unit does not matter' "$(seen served.service)" "^$THROUGH "
fi
inside systemctl stop sharer
inside systemctl reset-failed served || :

# --- and however it comes to be elsewhere, it has not started ---
unit served.service.d/zzz.conf '[Service]' NetworkNamespacePath=
inside systemctl daemon-reload
# What the check says goes where the service's own output goes.
like 'an attached service that is not taken inside says so' "$(seen served.service)" \
  "not in the network namespace of the profile 'one'"
is 'and has failed' "$(inside systemctl is-failed served)" failed
unit served.service.d/zzz.conf '[Service]' NetworkNamespacePath= ExecCondition=
inside systemctl daemon-reload
capture_start
like 'control: without the check it is outside' "$(seen served.service)" "^$OUTSIDE "
capture_stop
check 'control: and captured' capture_has 'host 203.0.113.10 and tcp dst port 80'
like 'which vpnrunctl attach says' "$(inside vpnrunctl attach 2>&1)" \
  '(ExecCondition|NetworkNamespacePath)= of its drop-in is not in force'
inside rm /etc/systemd/system/served.service.d/zzz.conf
inside systemctl daemon-reload
attempt inside systemctl reset-failed served
like 'with its drop-in in force it is behind the tunnel again' "$(seen served.service)" "^$THROUGH "

# --- a service whose user writes its environment: what looks first is not root's in it ---
printf '%s\n' '#include <fcntl.h>' '#include <stdio.h>' '#include <unistd.h>' \
  '__attribute__((constructor)) static void tell(void) {' '  char name[64];' \
  '  snprintf(name, sizeof name, "/var/tmp/loaded-by-%u", geteuid());' '  close(creat(name, 0666));' '}' \
  >"$LAB/tmp/tell.c"
cc -O2 -shared -fPIC -o "$LAB/tmp/tell.so" "$LAB/tmp/tell.c"
put "$LAB/tmp/tell.so" /home/alice/tell.so 0755
echo LD_PRELOAD=/home/alice/tell.so >"$LAB/tmp/environment"
put "$LAB/tmp/environment" /home/alice/environment
unit hers.service '[Service]' User=alice EnvironmentFile=/home/alice/environment 'ExecStart=/bin/sleep infinity'
inside systemctl daemon-reload
inside systemctl start hers
within 5 'control: what she has loaded runs as she' inside test -e /var/tmp/loaded-by-1000
check 'control: and not as root' inside test ! -e /var/tmp/loaded-by-0
attempt inside vpnrunctl attach hers one --now
is 'attached' "$STATUS" 0
is 'it is behind the tunnel' \
  "$(inside readlink "/proc/$(inside systemctl show --property=MainPID --value hers)/ns/net")" \
  "$(inside ip netns exec one readlink /proc/self/ns/net)"
check 'and nothing of hers was loaded by root' inside test ! -e /var/tmp/loaded-by-0
