# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Folders that are empty inside: those of an automounter, which looks up names outside (indirect maps), what
# starts the programs of snaps, devices that no namespace confines.
fresh() { NAME=secret-$((++COUNT)).who.example; }
COUNT=0
# automounter FOLDER [KIND]: the smallest one; KIND is the kind of map, "indirect" if not given.
automounter() {
  background "$LAB/log/automount-${1##*/}" python3 "$SOURCE/tests/probes/automounter.py" "$@"
  wait_until 5 grep -q ready "$LAB/log/automount-${1##*/}"
}
seen() { grep -q "$1" "$LAB"/log/automount-* "$LAB/log/dns-isp"; }
# touched WHAT FOLDER: from inside, nobody outside hears of a name below FOLDER.
touched() {
  fresh
  attempt by alice vpnrun timeout 5 ls -d "$2/$NAME"
  is "$1: nothing is there inside" "$((STATUS != 0))" 1
  check "$1: nobody outside hears the name" eval "! seen $NAME"
}
# leaks WHAT FOLDER: the control, outside.
leaks() {
  fresh
  attempt by alice timeout 5 ls -d "$2/$NAME"
  check "$1: control: outside, the automounter hears the name" seen "$NAME"
}

# /var becomes the lab's own. (/snap would have to be made in the machine's root directory; /var/lib/snapd/snap
# stands for it, which is the same folder in other distributions.)
mkdir -p "$LAB/var/upper" "$LAB/var/work"
mount -t overlay lab-var -o "lowerdir=/var,upperdir=$LAB/var/upper,workdir=$LAB/var/work" /var
SNAPS=/var/lib/snapd/snap
mkdir -p $SNAPS/hello/1/bin /usr/lib/snapd /run/snapd/ns /dev/infiniband "$LAB/netmap" \
  "$LAB/direct" "$LAB/latemap"
printf '#!/bin/sh\necho started\n' >/usr/lib/snapd/snap-confine
cp /usr/lib/snapd/snap-confine $SNAPS/hello/1/bin/hello
chmod 0755 /usr/lib/snapd/snap-confine $SNAPS/hello/1/bin/hello
touch /dev/infiniband/uverbs0
socat UNIX-LISTEN:/run/snapd.socket,fork,mode=666 EXEC:'echo answered' &
SNAPD=$!
wait_until 5 test -S /run/snapd.socket
automounter "$LAB/netmap"
AUTOMOUNTER=$BACKGROUND
leaks 'a map that is there before' "$LAB/netmap"

profile_one
tunnel_start one
capture_start
touched 'a map that is there before' "$LAB/netmap"
background "$LAB/log/app-watch" by alice vpnrun sleep 300
APP=$BACKGROUND
within 5 'an application runs' eval '[ "$(stat -L -c %i "/proc/$APP/ns/net")" = "$(stat -L -c %i /run/vpnrun/one/netns)" ]'
# from_app COMMAND…: as root, in the network and the view of the application that runs.
from_app() { nsenter --mount="/proc/$APP/ns/mnt" --net="/proc/$APP/ns/net" -- "$@"; }

for file in $SNAPS/hello/1/bin/hello /usr/lib/snapd/snap-confine /run/snapd /run/snapd.socket \
  /dev/infiniband/uverbs0; do
  check "control: outside there is $file" by alice test -e "$file"
  check "inside there is not" by alice vpnrun test ! -e "$file"
done
attempt from_app touch /var/lib/snapd/x
like 'not even root writes there' "$ERR" 'Read-only file system'
mkdir "$LAB/fs"
mount -t tmpfs snap-of-later "$LAB/fs"
mkdir $SNAPS/later
mount --bind "$LAB/fs" $SNAPS/later
check 'a snap that is mounted later is not inside either' by alice vpnrun test ! -e $SNAPS/later
umount $SNAPS/later "$LAB/fs"

# Programs of snaps: refused before they start, whichever way they are named.
install -m 0755 /dev/stdin /usr/bin/snap <<'END'
#!/bin/sh
echo "snap started as $0 $*"
END
ln -s /usr/bin/snap $SNAPS/hello/hello
ln -s $SNAPS/hello/hello /usr/bin/hello-link
printf '%s\n' '#!/bin/sh' 'exec /snap/bin/hello "$@"' >/usr/bin/hello-script
chmod 0755 /usr/bin/hello-script
for command in 'snap run hello' '/usr/bin/snap run hello' hello-link "$SNAPS/hello/hello" "$SNAPS/hello/1/bin/hello" \
  hello-script; do
  read -ra words <<<"$command"
  if [ "$command" != hello-script ]; then
    like "$command: control: outside it starts" "$(by alice "${words[@]}")" started
  fi
  attempt by alice vpnrun "${words[@]}"
  is "$command: refused" "$STATUS" 125
  complains "$command" 'it is a snap'
done
# One that nobody sees coming finds nothing there.
attempt by alice vpnrun sh -c "exec $SNAPS/hello/hello"
is 'by a shell: not found' "$STATUS" 127

# The automounter is restarted: a mount that comes where the view has the cover goes below it.
kill "$AUTOMOUNTER"
wait_until 5 gone "$AUTOMOUNTER"
umount -l "$LAB/netmap"
fresh
attempt from_app ls -d "$LAB/netmap/$NAME"
is 'without the automounter: nothing' "$((STATUS != 0))" 1
automounter "$LAB/netmap"
AUTOMOUNTER=$BACKGROUND
leaks 'restarted' "$LAB/netmap"
touched 'restarted' "$LAB/netmap"

# One that comes later is covered at once, under the application that runs.
covers() { from_app grep -c vpnrun-cover /proc/self/mountinfo; }
automounter "$LAB/latemap"
LATER=$BACKGROUND
leaks 'a map that comes later' "$LAB/latemap"
within 5 'its folder is covered' from_app grep -q "$LAB/latemap .* vpnrun-cover " /proc/self/mountinfo
touched 'a map that comes later' "$LAB/latemap"
COVERS=$(covers)
mkdir /run/renewal-2
within 5 'renewed again' by alice vpnrun test -d /run/renewal-2
is 'covers do not pile up' "$(covers)" "$COVERS"

# What must go on: direct maps, and home folders.
automounter "$LAB/direct" direct
DIRECT=$BACKGROUND
check 'a direct map leads to its fixed target' by alice vpnrun timeout 5 test -e "$LAB/direct/target"
mkdir "$LAB/homes"
sed -i "s,$LAB/home/bob:,$LAB/homes/bob:," /etc/passwd
automounter "$LAB/homes"
HOMES=$BACKGROUND
mkdir /run/renewal-3
within 5 'renewed for the third time' by alice vpnrun test -d /run/renewal-3
check 'a map with home folders in it goes on' by alice vpnrun timeout 5 test -d "$LAB/homes/bob"

capture_stop
# (The automounters of the controls ask the provider; their names are compared above.)
empty 'no packet went past the tunnel' "$(capture_stray "$CAPTURE_ONE" '(udp dst port 53 and dst host 192.168.77.1)')"
kill "$APP" "$SNAPD"
tunnel_release one
for process in "$AUTOMOUNTER" "$LATER" "$DIRECT" "$HOMES"; do kill "$process"; done
umount -l "$LAB/netmap" "$LAB/latemap" "$LAB/direct" "$LAB/homes"
rm -r /run/renewal-*
umount /var
