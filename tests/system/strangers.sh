# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A client that its server has taken over is a stranger to all others: it learns nothing of another
# profile, can stop nobody, and is not taken for another's. Played by programs with its ids, in its
# network, from where the machine's files are in reach and from where it stands itself.
WEB4=http://203.0.113.10/
profile_one
profile_two
# Beyond what the files of the lab say: by systemd's module, too.
printf '%s\n' 'passwd: files systemd' 'group: files systemd' 'hosts: files dns' >/etc/nsswitch.conf
tunnel_start one
tunnel_start two
ONE=$(client_id one)
TWO=$(client_id two)
CLIENT=$(client_pid one)
OTHER=$(client_pid two)

field() { awk -v key="$2:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$1/status"; }
# with_id ID COMMAND…: with these ids and nothing else, in the first profile's network. A program, so that it
# becomes COMMAND.
cat >"$LAB/bin/with_id" <<'END'
#!/bin/bash
id=$1
shift
exec nsenter --net=/run/vpnrun/one/netns -- setpriv --reuid="$id" --regid="$id" --clear-groups --inh-caps=-all \
  --bounding-set=-all --no-new-privs -- "$@"
END
chmod 0755 "$LAB/bin/with_id"
# inside_client ID COMMAND…: where the first client itself stands.
inside_client() {
  local id=$1
  shift
  nsenter --target "$CLIENT" --net --mount --pid --ipc -- /usr/bin/setpriv --reuid="$id" --regid="$id" \
    --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs -- "$@"
}

# --- who they are ---
for NAME in one two; do
  PID=$(client_pid $NAME)
  ID=$(client_id $NAME)
  check "$NAME: the number is of the range" test "$ID" -ge 60706 -a "$ID" -le 61183
  is "$NAME: the user" "$(field "$PID" Uid)" "$ID $ID $ID $ID"
  is "$NAME: the group" "$(field "$PID" Gid)" "$ID $ID $ID $ID"
  is "$NAME: no other group" "$(field "$PID" Groups)" ''
  for SET in CapInh CapPrm CapEff CapBnd CapAmb; do
    is "$NAME: $SET" "$(field "$PID" $SET)" 0000000000000000
  done
  is "$NAME: no new privileges" "$(field "$PID" NoNewPrivs)" 1
  is "$NAME: the first of a pid namespace" "$(field "$PID" NSpid | awk '{ print $NF }')" 1
  unlike "$NAME: IPC objects of its own" "$(readlink "/proc/$PID/ns/ipc")" "^$(readlink /proc/self/ns/ipc | sed 's/[][]/\\&/g')\$"
  is "$NAME: no core" "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$PID/limits")" '0 0'
  is "$NAME: few processes" "$(awk '/^Max processes/ { print $3, $4 }' "/proc/$PID/limits")" '4 4'
  for FILE in environ maps mem; do
    is "$NAME: $FILE is root's, so it is not dumpable" "$(stat -c %u "/proc/$PID/$FILE")" 0
  done
  is "$NAME: nobody changes its configuration" \
    "$(python3 -c 'import fcntl; print(fcntl.fcntl(open("/proc/'"$PID"'/fd/0"), 1034))')" 15
  is "$NAME: getpwuid knows it" "$(getent passwd "$ID" | cut -d : -f 1,3,4)" "vpnrun-client-$ID:$ID:$ID"
  is "$NAME: and getpwnam" "$(getent passwd "vpnrun-client-$ID" | cut -d : -f 3,7)" "$ID:/usr/sbin/nologin"
  is "$NAME: and getgrgid" "$(getent group "$ID" | cut -d : -f 1,3)" "vpnrun-client-$ID:$ID"
  is "$NAME: and it itself" "$(nsenter --target "$PID" --mount -- /usr/bin/getent passwd "$ID" | cut -d : -f 1)" \
    "vpnrun-client-$ID"
done
unlike 'they are two' "$ONE" "^$TWO\$"
is 'an ordinary process is dumpable (control)' "$(by alice sh -c 'stat -c %U /proc/self/environ')" alice

# --- what it can do to the other, and to itself ---
attempt with_id "$ONE" kill -0 "$OTHER"
is 'it cannot signal the other' "$STATUS" 1
attempt with_id "$ONE" kill -0 "$CLIENT"
is 'as the kernel has it, it can itself (control)' "$STATUS" 0
attempt kill -0 "$OTHER"
is 'nor is there nobody: root can (control)' "$STATUS" 0
for PID in "$CLIENT" "$OTHER" "${TUNNEL_PID[one]}" "${TUNNEL_PID[two]}"; do
  for FILE in environ maps mem fd root cwd exe; do
    attempt with_id "$ONE" sh -c 'if [ -L "$1" ]; then readlink "$1"; elif [ -d "$1" ]; then ls "$1"; else head -c 1 "$1"; fi' - "/proc/$PID/$FILE"
    is "it reads no $FILE of process $PID" "$((STATUS != 0)) $OUT" '1 '
  done
  check "root does (control)" ls "/proc/$PID/fd/" "/proc/$PID/root/"
done
cat >"$LAB/tmp/seize.py" <<'END_OF_PROGRAM'
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
print("seized" if libc.ptrace(0x4206, int(sys.argv[1]), None, None) == 0 else f"refused {ctypes.get_errno()}")
END_OF_PROGRAM
with_id "$ONE" sleep 300 &
SLEEPER=$!
seizable() { [ "$(with_id "$ONE" python3 "$LAB/tmp/seize.py" "$SLEEPER")" = seized ]; }
within 5 'a process of the same user is traced (control)' seizable
is 'the client is not' "$(with_id "$ONE" python3 "$LAB/tmp/seize.py" "$CLIENT")" 'refused 1'
is 'the other even less' "$(with_id "$ONE" python3 "$LAB/tmp/seize.py" "$OTHER")" 'refused 1'

attempt with_id "$ONE" ls /run/vpnrun/two
is 'it does not enter the profiles' "$STATUS" 2
attempt with_id "$ONE" ls /run/vpnrun/one
is 'its own neither' "$STATUS" 2
attempt with_id "$ONE" ls /run/vpnrun
is 'nor learns which there are' "$STATUS" 2
cat >"$LAB/tmp/tun.py" <<'END_OF_PROGRAM'
import fcntl, struct
try:
    fcntl.ioctl(open("/dev/net/tun", "r+b", buffering=0), 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))
    print("attached")
except OSError as error:
    print(error.errno)
END_OF_PROGRAM
is 'the tunnel device is not the second client'"'"'s' "$(with_id "$TWO" python3 "$LAB/tmp/tun.py")" 1
is 'it is the first'"'"'s, who has it open (control)' "$(with_id "$ONE" python3 "$LAB/tmp/tun.py")" 16

cat >"$LAB/tmp/send.py" <<'END_OF_PROGRAM'
import socket
try:
    # Without a device it would go to the tunnel: the route over the link is the first client's.
    over_link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    over_link.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"uplink")
    over_link.sendto(b"x", ("198.51.100.10", 1194))
    print("sent")
except OSError as error:
    print(error.strerror)
END_OF_PROGRAM
is 'the link is not the second client'"'"'s' "$(with_id "$TWO" python3 "$LAB/tmp/send.py")" 'Operation not permitted'
is "nor the look-up user's" "$(with_id "$(id -u vpnrun)" python3 "$LAB/tmp/send.py")" 'Operation not permitted'
is 'the first client may send to its server (control)' "$(with_id "$ONE" python3 "$LAB/tmp/send.py")" sent

# --- what it sees from where it stands ---
is 'its root directory' "$(inside_client "$ONE" ls -A / | grep -vE '^(bin|sbin|lib[0-9x]*|usr)$' | xargs)" 'dev etc openvpn proc run tmp'
is 'in /run/vpnrun its own folder' "$(nsenter --target "$CLIENT" --mount -- /usr/bin/find /run | xargs)" \
  '/run /run/vpnrun /run/vpnrun/.client-one /run/vpnrun/.client-one/management'
is 'in /dev six devices' "$(inside_client "$ONE" /bin/sh -c 'for file in /dev/* /dev/*/*; do [ ! -c "$file" ] || echo "$file"; done' | sort | xargs)" \
  '/dev/full /dev/net/tun /dev/null /dev/random /dev/urandom /dev/zero'
is 'of all processes its own' "$(inside_client "$ONE" /bin/sh -c 'echo /proc/[0-9]*' | cut -d ' ' -f 1)" /proc/1
unlike 'no companion among them' "$(inside_client "$ONE" /bin/sh -c 'cat /proc/[0-9]*/cmdline' | tr '\0' ' ')" 'vpnrun-tunnel'
like 'companions are there (control)' "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')" 'vpnrun-tunnel run two'
empty 'nothing names the other profile' "$(inside_client "$ONE" find / -xdev -name '*two*' -not -path '/usr/*' 2>/dev/null)"
attempt inside_client "$ONE" /bin/sh -c ': >/run/written || : >/usr/written'
is 'it writes nowhere but in its /tmp' "$((STATUS != 0))" 1
attempt inside_client "$ONE" head -c 1 /openvpn
is 'its program it may not read' "$STATUS" 1
check 'root may (control)' nsenter --target "$CLIENT" --mount -- /usr/bin/head -c 1 /openvpn
attempt inside_client "$ONE" /bin/sh -c 'kill -9 -1'
is 'it kills all that it can' "$(client_pid one) $(client_pid two)" "$CLIENT $OTHER"
is 'and both tunnels are up' "$(by alice vpnrun -p one curl -s -m 5 $WEB4) $(by alice vpnrun -p two curl -s -m 5 $WEB4)" \
  '198.51.100.10 198.51.100.20'
inside_client "$ONE" /bin/sh -c 'sleep 301 & sleep 301' &
STARTED=$!
wait_until 5 pgrep -u "$ONE" -f 'sleep 301'

# --- the management sockets ---
# Knocks until it is ended: what each connection heard, "closed" for nothing, before it was closed.
cat >"$LAB/tmp/knock.py" <<'END_OF_PROGRAM'
import socket, sys
seen = set()
while True:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(2)
        try:
            peer.connect(sys.argv[1])
            heard = peer.recv(100).decode() or "closed"
        except OSError as error:
            heard = error.strerror or "timeout"
    if heard not in seen:
        seen.add(heard)
        print(repr(heard), flush=True)
END_OF_PROGRAM
background "$LAB/log/knock-two" with_id "$ONE" python3 "$LAB/tmp/knock.py" /run/vpnrun/.client-two/management
KNOCK_TWO=$BACKGROUND
background "$LAB/log/knock-one" with_id "$ONE" python3 "$LAB/tmp/knock.py" /run/vpnrun/.client-one/management
KNOCK_ONE=$BACKGROUND
within 5 'the socket of the other is closed to it' grep -q 'Permission denied' "$LAB/log/knock-two"
within 5 'at its own nobody listens once its client is connected' grep -q 'Connection refused' "$LAB/log/knock-one"
# The companion listens for a client that it waits for: one that never connects is the time for others.
stand_in 'exec sleep 302'
kill -9 "$CLIENT"
within 10 'at its own, another process is hung up on' grep -q closed "$LAB/log/knock-one"
stand_in_ends
kill -9 "$(pgrep -u "$ONE" -f '^sleep 302$')"
another_client() { [ -n "$(client_pid one)" ] && [ "$(client_pid one)" != "$CLIENT" ] && tunnel_up one; }
within 15 'the next client is connected all the same' another_client
within 5 'what the dead one had started is dead as well' eval "! pgrep -u $ONE -f 'sleep 301'"
wait "$STARTED" || :
kill "$KNOCK_ONE" "$KNOCK_TWO"
unlike 'nobody else was told anything' "$(cat "$LAB/log/knock-one" "$LAB/log/knock-two")" 'state|hold|password'
like 'there was something to tell: root at his own socket (control)' "$(by alice vpnrunctl status one)" up

# --- a number stays with its profile, and goes when nobody has it ---
kill_hard "${TUNNEL_PID[one]}"
tunnel_run one
wait_until 15 tunnel_up one
is 'after a crash of the companion it is the same' "$(client_id one)" "$ONE"
is 'the client has it' "$(field "$(client_pid one)" Uid)" "$ONE $ONE $ONE $ONE"
tunnel_release one
is 'released, it has none' "$(client_id one)" ''
is 'nor a name' "$(getent passwd "$ONE")" ''
wait "$SLEEPER" 2>/dev/null || : # release has ended what had the number
setpriv --reuid="$ONE" --regid="$ONE" --clear-groups sleep 300 &
SLEEPER=$!
wait_until 5 pgrep -u "$ONE" -x sleep
tunnel_prepare one
AGAIN=$(client_id one)
unlike 'what a process has is not given again' "$AGAIN" "^$ONE\$"
"$TUNNEL" release one
kill "$SLEEPER"
wait "$SLEEPER" 2>/dev/null || :
echo "somebody:x:$ONE:$ONE::/:/bin/sh" >>/etc/passwd
echo "friends:x:$AGAIN:alice" >>/etc/group
tunnel_prepare one
unlike 'nor what NSS knows as somebody'"'"'s' "$(client_id one)" "^($ONE|$AGAIN)\$"
"$TUNNEL" release one
sed -i 's/^users = .*/users = ["alice", "somebody"]/' "$PROFILES/one.toml"
attempt "$TUNNEL" prepare one
is 'a profile that admits such a user is refused' "$STATUS" 1
complains 'who it admits' "users names 'somebody'"
sed -i 's/^users = .*/groups = ["friends"]/' "$PROFILES/one.toml"
attempt "$TUNNEL" prepare one
complains 'a group as well' "groups names 'friends'"
sed -i 's/^groups = .*/users = ["vpnrun"]/' "$PROFILES/one.toml"
attempt "$TUNNEL" prepare one
complains 'and the user that looks up names' "users names 'vpnrun'"
sed -i '/^somebody:/d' /etc/passwd
sed -i '/^friends:/d' /etc/group
profile_one
tunnel_prepare one
is 'free again, it is given again' "$(client_id one)" "$ONE"
"$TUNNEL" release one

# --- numbers that newuidmap(1) makes somebody, and records of others ---
cp /etc/subuid "$LAB/tmp/subuid"
cp /etc/subgid "$LAB/tmp/subgid"
subordinate_ends() { cp "$LAB/tmp/subuid" /etc/subuid && cp "$LAB/tmp/subgid" /etc/subgid; }
echo 'alice:60706:9' >>/etc/subuid
echo "alice:$((60706 + 9)):1" >>/etc/subgid
tunnel_prepare one
is 'what /etc/subuid or /etc/subgid gives somebody is not given' "$(client_id one)" 60716
echo 'alice:60716:1' >>/etc/subgid
tunnel_run one
wait_until 15 tunnel_up one
is 'given to somebody later, it is changed at the next start' "$(client_id one)" 60717
is 'the client has the new one' "$(field "$(client_pid one)" Uid)" '60717 60717 60717 60717'
is 'through the tunnel as before' "$(by alice vpnrun -p one curl -s -m 5 $WEB4)" 198.51.100.10
is 'the old one no longer has a name' "$(getent passwd 60716)" ''
echo 'dave:x:60717:60717::/:/bin/sh' >>/etc/passwd
tunnel_prepare one
is 'while the client runs it keeps its number' "$(client_id one)" 60717
tunnel_stop one
tunnel_prepare one
is 'a person who has it now keeps it' "$(client_id one) $(getent passwd 60717 | cut -d : -f 1)" '60718 dave'
sed -i '/^dave:/d' /etc/passwd
"$TUNNEL" release one
echo 'alice:10000:65536' >>/etc/subuid
attempt "$TUNNEL" prepare one
is 'with all of them given to somebody, none is left' "$STATUS" 1
complains 'which line gives them' "/etc/subuid, line $(wc -l </etc/subuid)"
like 'and what to do' "$ERR" 'usermod --del-subuids 10000-75535 '
subordinate_ends
mkdir -p /run/userdb
echo '{"userName":"carol","uid":60706,"gid":60706,"disposition":"regular"}' >/run/userdb/carol.user
echo '{"groupName":"carol","gid":60706}' >/run/userdb/carol.group
for KIND in user group; do ln -s "carol.$KIND" "/run/userdb/60706.$KIND"; done
tunnel_prepare one
is 'records of others stay' "$(readlink /run/userdb/60706.user) $(readlink /run/userdb/60706.group)" 'carol.user carol.group'
unlike 'and keep their number' "$(client_id one)" '^60706$'
"$TUNNEL" release one
rm /run/userdb/carol.* /run/userdb/60706.*
tunnel_prepare one
is 'without them it is given again' "$(client_id one)" "$ONE"

# --- the user that looks up names ---
ovpn_one "$PROFILES/one.ovpn" client 'vpn.example 1194'
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
background "$LAB/log/silent" socat -u UDP-RECV:53,bind=127.0.0.1 /dev/null
SILENT=$BACKGROUND
wait_until 5 eval "ss -Huln sport = 53 | grep -q 127.0.0.1"
tunnel_run one
asker() { pgrep -f '^vpnrun-tunnel look-up$'; }
within 10 'it waits for a resolver that does not answer' asker
ASKER=$(asker)
waits() { find "/proc/$ASKER/fd" -lname 'socket:*' | grep -q .; }
within 5 'with a socket of its own' waits
ID=$(id -u vpnrun)
is 'the user' "$(field "$ASKER" Uid)" "$ID $ID $ID $ID"
is 'the group, which admits nobody' "$(field "$ASKER" Gid)" '65534 65534 65534 65534'
is 'no other group' "$(field "$ASKER" Groups)" ''
for SET in CapInh CapPrm CapEff CapBnd CapAmb; do
  is "$SET" "$(field "$ASKER" $SET)" 0000000000000000
done
is 'no new privileges' "$(field "$ASKER" NoNewPrivs)" 1
is 'alone' "$(field "$ASKER" NSpid | awk '{ print $NF }')" 1
is 'not dumpable' "$(stat -c %u "/proc/$ASKER/environ")" 0
is 'in the network of the machine' "$(readlink "/proc/$ASKER/ns/net")" "$(readlink /proc/self/ns/net)"
is 'a program of its own, not a copy of the companion' "$(tr '\0' ' ' <"/proc/$ASKER/cmdline")" 'vpnrun-tunnel look-up '
like 'names go in by a file in memory' "$(readlink "/proc/$ASKER/fd/0")" '^/memfd:question'
like 'addresses come out by a pipe' "$(readlink "/proc/$ASKER/fd/1")" '^pipe:'
is 'complaints go nowhere' "$(readlink "/proc/$ASKER/fd/2")" /dev/null
is 'and no other descriptor is open but the question' \
  "$(find "/proc/$ASKER/fd" -mindepth 1 -printf '%f %l\n' | awk '$1 > 2' | cut -d : -f 1 | sed 's/^[0-9]* //' | sort -u)" socket
check 'the companion has others (control)' test "$(find "/proc/${TUNNEL_PID[one]}/fd" -mindepth 1 | wc -l)" -gt 10
is 'it cannot be traced by one like it' "$(with_id "$ID" python3 "$LAB/tmp/seize.py" "$ASKER")" 'refused 1'
tunnel_stop one
within 5 'it ends with the companion' eval "! asker"
kill "$SILENT"
wait "$SILENT" 2>/dev/null || :
echo 'nameserver 192.168.77.1' >/etc/resolv.conf
tunnel_run one
within 15 'an answer leads to the tunnel (control)' tunnel_up one

# --- what else the companion starts ---
tunnel_stop one
strace -f -qq -o "$LAB/tmp/rights" -e trace=capset,keyctl,setsid "$TUNNEL" run one >>"$LAB/log/tunnel-one" 2>&1 </dev/null &
TRACER=$!
within 20 'traced, it comes up' tunnel_up one
kill -TERM "$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' /run/vpnrun/one/state.json)"
within 10 'and ends' gone "$TRACER"
is 'filters: CAP_NET_ADMIN; the view: what mounts and enters it; all else: nothing' \
  "$(grep -oE 'permitted=[A-Z0-9_<|]+' "$LAB/tmp/rights" | sort -u | xargs)" \
  'permitted=0 permitted=1<<CAP_NET_ADMIN permitted=1<<CAP_SYS_CHROOT|1<<CAP_SYS_ADMIN'
is 'client, look-up and who asks NSS leave the session keyring' "$(grep -c 'keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)' "$LAB/tmp/rights")" 5
is 'and the terminal' "$(grep -c 'setsid()' "$LAB/tmp/rights")" 5
"$TUNNEL" release one
is 'made anew: who loads the filter has CAP_NET_ADMIN, who asks NSS nothing' \
  "$(strace -f -qq -e trace=capset "$TUNNEL" prepare one 2>&1 | grep -oE 'permitted=[A-Z0-9_<|]+' | sort -u | xargs)" \
  'permitted=0 permitted=1<<CAP_NET_ADMIN'
# As a version left it that had one user for all clients; and with no right that the unit does not have.
rm "/run/vpnrun/.ids/$(client_id one)"
setpriv --bounding-set=-all,+net_admin,+sys_admin,+sys_chroot,+sys_ptrace,+setuid,+setgid,+setpcap,+kill \
  --inh-caps=-all --no-new-privs "$TUNNEL" run one >>"$LAB/log/tunnel-one" 2>&1 </dev/null &
TUNNEL_PID[one]=$!
within 20 'what an older version prepared comes up' tunnel_up one
is 'with a number' "$(field "$(client_pid one)" Uid)" "$ONE $ONE $ONE $ONE"
is 'in the rights of the unit' "$(field "${TUNNEL_PID[one]}" CapEff)" 00000000002c11e0
tunnel_release one
tunnel_release two
empty 'after both releases no record is left' "$(ls -d /run/userdb /run/vpnrun 2>/dev/null || :)"
