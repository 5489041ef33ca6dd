# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a profile hides from a program, or what a program outside would do for it, is said before it starts: displays
# and services of the machine's loopback, abstract Unix sockets, servers of tmux and shared connections of ssh.
profile_one
tunnel_start one
# told WHAT REGEX COMMAND…: as alice; the command runs, and the warning is there.
told() {
  local what=$1 regex=$2
  shift 2
  attempt by alice "$@"
  is "$what: the command runs" "$STATUS $OUT" '0 ran'
  like "$what: told" "$ERR" "^vpnrun: warning: .*$regex"
  like "$what: with a way out" "$ERR" '^hint: '
}
# silent WHAT COMMAND…
silent() {
  local what=$1
  shift
  attempt by alice "$@"
  is "$what: the command runs" "$STATUS $OUT" '0 ran'
  empty "$what: nothing is said" "$ERR"
}

# Displays. "ssh -X" has its one on the loopback.
background "$LAB/log/display" socat TCP4-LISTEN:6010,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo display'
wait_until 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/6010'
OVER_TCP='cat </dev/tcp/localhost/6010'
is 'control, outside: the display answers' "$(by alice bash -c "$OVER_TCP")" display
attempt by alice vpnrun bash -c "$OVER_TCP"
unlike 'control, inside: it does not' "$OUT" display
told 'a display of the loopback' 'DISPLAY=localhost:10\.0 is a port of this machine.s loopback' \
  env DISPLAY=localhost:10.0 vpnrun echo ran
told 'a display of another computer' 'DISPLAY=192\.168\.77\.50:0 is the display of another computer' \
  env DISPLAY=192.168.77.50:0 vpnrun echo ran
silent 'with -q' env DISPLAY=localhost:10.0 vpnrun -q echo ran
silent 'a display that is nowhere' env DISPLAY=:4242 vpnrun echo ran
silent 'inside already' env DISPLAY=localhost:10.0 vpnrun -q vpnrun echo ran
# The way out that the hint has works: a path is the same inside.
mkdir -p /tmp/.X11-unix
rm -f /tmp/.X11-unix/X4210
background "$LAB/log/path" socat UNIX-LISTEN:/tmp/.X11-unix/X4210,mode=666,fork TCP:localhost:6010
wait_until 5 test -S /tmp/.X11-unix/X4210
is 'by a path the display answers inside' \
  "$(by alice vpnrun socat -u UNIX-CONNECT:/tmp/.X11-unix/X4210 - 2>/dev/null)" display
rm -f /tmp/.X11-unix/X4210

# Services of the loopback, and abstract sockets.
told 'a proxy' 'http_proxy \(localhost:3128\)' env http_proxy=http://me:secret@localhost:3128/ vpnrun echo ran
unlike 'its password is not repeated' "$ERR" secret
background "$LAB/log/bus" by alice socat ABSTRACT-LISTEN:/tmp/dbus-lab,fork SYSTEM:'echo bus'
wait_until 5 grep -q '@/tmp/dbus-lab$' /proc/net/unix
BUS=DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/dbus-lab,guid=1
is 'control, outside: the bus answers' "$(by alice socat -u ABSTRACT-CONNECT:/tmp/dbus-lab -)" bus
attempt by alice vpnrun socat -u ABSTRACT-CONNECT:/tmp/dbus-lab -
unlike 'control, inside: it does not' "$OUT" '^bus$'
told 'a bus with an abstract name' 'DBUS_SESSION_BUS_ADDRESS \(@/tmp/dbus-lab\) is an abstract' env "$BUS" vpnrun echo ran
silent 'a bus with a path' env DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1/bus vpnrun echo ran

# ibus writes down where it listens. Its server is GLib's, which makes an abstract name of "unix:tmpdir=" and a
# path of the address that the hint has.
by alice mkdir -p "$LAB/home/alice/.config/ibus/bus"
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
echo 'IBUS_ADDRESS=unix:abstract=/tmp/dbus-lab,guid=1' \
  >"$LAB/home/alice/.config/ibus/bus/0123456789abcdef0123456789abcdef-unix-4242"
told 'an input method with an abstract name' 'the input method ibus \(@/tmp/dbus-lab\) is an abstract' \
  env DISPLAY=:4242 GTK_IM_MODULE=ibus vpnrun echo ran
ADDRESS=$(sed -nE 's/^hint: .*--address "([^"]*)".*/\1/p' <<<"$ERR")
cat >"$LAB/tmp/listen.py" <<'END'
import ctypes, os, sys
gio = ctypes.CDLL("libgio-2.0.so.0")
for name in ("g_dbus_generate_guid", "g_dbus_server_new_sync"):
    getattr(gio, name).restype = ctypes.c_void_p
gio.g_dbus_server_new_sync.argtypes = [ctypes.c_char_p, ctypes.c_int] + 4 * [ctypes.c_void_p]
gio.g_dbus_server_get_client_address.restype = ctypes.c_char_p
gio.g_dbus_server_get_client_address.argtypes = [ctypes.c_void_p]
address = os.path.expandvars(sys.argv[1]).encode()
server = gio.g_dbus_server_new_sync(address, 0, gio.g_dbus_generate_guid(), None, None, None)
print(gio.g_dbus_server_get_client_address(server).decode())
END
LISTENING=$(XDG_RUNTIME_DIR=$LAB/tmp python3 "$LAB/tmp/listen.py" "$ADDRESS" 2>&1) || :
case $LISTENING in
  *'libgio-2.0.so.0: cannot open'*) pass 'GLib is not tried: it is not here' ;;
  *) like 'GLib listens at a path for the address of the hint' "$LISTENING" "^unix:path=$LAB/tmp/dbus-" ;;
esac

# refused WHAT REGEX COMMAND…
refused() {
  local what=$1 regex=$2
  shift 2
  attempt by alice "$@"
  is "$what: refused" "$STATUS" 125
  like "$what: with the reason" "$ERR" "^vpnrun: cannot start .*$regex.*outside the tunnel"
  like "$what: with two ways out" "$ERR" '^hint: .*; --force starts it all the same'
}
# tmux, the real one: a new window is made by the server.
if command -v tmux >/dev/null; then
  TMUX_FOLDER=$LAB/home/alice/tmux
  install -d -o alice -m 0700 "$TMUX_FOLDER"
  TMUX_CALL=(env -u TMUX "TMUX_TMPDIR=$TMUX_FOLDER")
  # window FILE COMMAND…: has COMMAND open a window, whose shell writes its network namespace to FILE.
  window() { attempt by alice "${TMUX_CALL[@]}" "${@:2}" new-session -d "stat -L -c %i /proc/self/ns/net >$TMUX_FOLDER/$1"; }
  by alice "${TMUX_CALL[@]}" tmux new-session -d 'sleep 300'
  refused 'tmux with a server outside' 'it would have its windows in the server at' \
    "${TMUX_CALL[@]}" vpnrun tmux new-session -d true
  window forced vpnrun --force tmux
  like 'control: with --force it starts, and it is said' "$ERR" "warning: 'tmux' will have its windows in"
  within 10 'control: the window is there' test -s "$TMUX_FOLDER/forced"
  is 'control: in the machine'"'"'s network' "$(<"$TMUX_FOLDER/forced")" "$(stat -L -c %i /proc/self/ns/net)"
  window own vpnrun tmux -L vpn
  is 'with a server of its own it starts' "$STATUS$ERR" 0
  within 10 'and the window is there' test -s "$TMUX_FOLDER/own"
  is 'in the profile'"'"'s network' "$(<"$TMUX_FOLDER/own")" "$(stat -L -c %i /run/netns/one)"
  by alice "${TMUX_CALL[@]}" vpnrun tmux -L vpn new-session -d 'sleep 300'
  attempt by alice "${TMUX_CALL[@]}" vpnrun tmux -L vpn new-session -d true
  is 'a server that is inside is no reason' "$STATUS$ERR" 0
  by alice "${TMUX_CALL[@]}" tmux kill-server
  by alice "${TMUX_CALL[@]}" vpnrun tmux -L vpn kill-server
else
  pass 'tmux is not tried: it is not here'
fi

# gpg, the real one: key servers are asked by dirmngr, which stays when gpg has ended.
if command -v gpg >/dev/null && command -v dirmngr >/dev/null; then
  printf '#!/bin/sh\nread -r request\necho "$SOCAT_PEERADDR" >>%s/asked\nprintf "HTTP/1.0 404 Not Found\\r\\n\\r\\n"\n' "$LAB/log" >"$LAB/bin/keys"
  chmod 0755 "$LAB/bin/keys"
  background "$LAB/log/keys" on web socat TCP4-LISTEN:11371,fork,reuseaddr EXEC:"$LAB/bin/keys"
  by alice mkdir -m 0700 "$LAB/home/alice/.gnupg"
  FETCH=(gpg --batch --fetch-keys http://203.0.113.10:11371/key)
  # asked_by: who was seen to ask; the key is not there, so gpg fails.
  asked_by() { : >"$LAB/log/asked" && { by alice "$@" "${FETCH[@]}" 2>/dev/null || :; } && tail -n 1 "$LAB/log/asked"; }
  is 'control: gpg asks as the machine' "$(asked_by env)" 203.0.113.1
  check 'control: it has left dirmngr behind' pgrep -u alice dirmngr
  refused 'gpg with a dirmngr outside' 'it would have keys fetched by dirmngr at' vpnrun "${FETCH[@]}"
  is 'control: that one asks past the tunnel' "$(asked_by vpnrun --force)" 203.0.113.1
  # What the hint says.
  by alice gpgconf --kill dirmngr
  within 10 'dirmngr has ended' eval '! pgrep -u alice dirmngr'
  is 'gpg starts one inside' "$(asked_by vpnrun)" 198.51.100.10
  is 'which is no reason' "$(asked_by vpnrun)" 198.51.100.10
  by alice vpnrun gpgconf --kill dirmngr
else
  pass 'gpg is not tried: it is not here'
fi

# podman, the real one: its pause process keeps the user and mount namespaces of all its containers.
if command -v podman >/dev/null && command -v newuidmap >/dev/null; then
  echo 'alice:200000:65536' | tee -a /etc/subuid >>/etc/subgid
  PODMAN_FOLDER=$LAB/home/alice/podman
  install -d -o alice -g alice -m 0700 "$PODMAN_FOLDER"
  PODMAN=(podman --log-level error --cgroup-manager cgroupfs --storage-driver vfs)
  PODMAN_CALL=(env "XDG_RUNTIME_DIR=$PODMAN_FOLDER")
  silent 'podman without a pause process' "${PODMAN_CALL[@]}" vpnrun "${PODMAN[@]}" unshare echo ran
  within 5 'it has one now, inside' test -s "$PODMAN_FOLDER/libpod/tmp/pause.pid"
  is 'in the profile'"'"'s network' "$(stat -L -c %i "/proc/$(<"$PODMAN_FOLDER/libpod/tmp/pause.pid")/ns/net")" \
    "$(stat -L -c %i /run/netns/one)"
  silent 'podman with one inside' "${PODMAN_CALL[@]}" vpnrun "${PODMAN[@]}" unshare echo ran
  by alice "${PODMAN_CALL[@]}" vpnrun "${PODMAN[@]}" system migrate
  by alice "${PODMAN_CALL[@]}" "${PODMAN[@]}" unshare true
  within 5 'control: another one outside' test -s "$PODMAN_FOLDER/libpod/tmp/pause.pid"
  told 'podman with one outside' "'podman' may take the machine.s mounts, .* from its pause process [0-9]+, outside" \
    "${PODMAN_CALL[@]}" vpnrun "${PODMAN[@]}" unshare echo ran
  like 'as it does: its view is the machine'"'"'s' \
    "$(by alice "${PODMAN_CALL[@]}" vpnrun -q "${PODMAN[@]}" unshare cat /etc/resolv.conf)" "^$(head -n 1 /etc/resolv.conf)\$"
  is 'but its network is the profile'"'"'s' \
    "$(by alice "${PODMAN_CALL[@]}" vpnrun -q "${PODMAN[@]}" unshare stat -L -c %i /proc/self/ns/net)" "$(stat -L -c %i /run/netns/one)"
  # What the hint says.
  by alice "${PODMAN_CALL[@]}" "${PODMAN[@]}" system migrate
  silent 'podman after a migration' "${PODMAN_CALL[@]}" vpnrun "${PODMAN[@]}" unshare echo ran
  by alice "${PODMAN_CALL[@]}" vpnrun "${PODMAN[@]}" system migrate
else
  pass 'podman is not tried: it is not here'
fi

# A shared connection of ssh: this stands for its master, which binds, links and unlinks like ssh.
cat >"$LAB/bin/master" <<'END'
#!/usr/bin/env python3
import os, socket, sys
path = sys.argv[1]
bound = path + ".AbCdEfGh01234567"
master = socket.socket(socket.AF_UNIX)
master.bind(bound)
os.link(bound, path)
os.unlink(bound)
master.listen()
while True:
    master.accept()
END
printf '#!/bin/sh\necho ran\n' >"$LAB/bin/ssh"
chmod 0755 "$LAB"/bin/{master,ssh}
CONTROL=$LAB/home/alice/cm-alice@far.example:22
silent 'ssh without a master' vpnrun ssh far.example
background "$LAB/log/master" by alice master "$CONTROL"
MASTER=$BACKGROUND
wait_until 5 test -S "$CONTROL"
refused 'ssh with a master to that host' "go over the shared connection at '$CONTROL'" vpnrun ssh far.example
told 'with --force' 'will go over the shared connection' vpnrun --force ssh far.example
silent 'with a connection of its own' vpnrun ssh -S none far.example
told 'to a host that may be the same' "'ssh' may go over" vpnrun ssh alias
kill "$MASTER"
wait "$MASTER" 2>/dev/null || :
silent 'when the master has ended' vpnrun ssh far.example
rm -f "$CONTROL"
background "$LAB/log/master" by alice vpnrun master "$CONTROL"
MASTER=$BACKGROUND
wait_until 5 test -S "$CONTROL"
silent 'a master that runs inside is no reason' vpnrun ssh far.example
kill "$MASTER"

# A PATH with a folder that alice may not search: what is not there is not found, as the shell has it.
mkdir -m 0700 "$LAB/closed"
attempt by alice env PATH="$LAB/closed:$PATH" vpnrun no-such-command
is 'not found is 127' "$STATUS" 127
attempt by alice env PATH="$LAB/closed:$PATH" vpnrun vpnrun no-such-command
is 'inside, too' "$STATUS" 127
attempt by alice vpnrun -p '' true
is 'an empty profile name is refused' "$STATUS" 125
complains 'an empty profile name' "cannot use option '-p': its value is empty"
tunnel_release one
