# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# /run/vpnrun, damaged by root's hand in every way that comes to mind.

D=/run/vpnrun/broken
PROFILE=broken
# anew: makes a profile by hand with the namespaces of "one". On a private mount, because a mount namespace
# is bound nowhere else.
clear_away() {
  while umount -q -R $D 2>/dev/null; do :; done
  rm -rf $D
}
anew() {
  clear_away
  mkdir -m 0750 $D
  setfacl -m u:$ALICE:rx $D
  mount --bind $D $D
  mount --make-private $D
  touch $D/netns $D/mnt
  mount --bind /run/vpnrun/one/netns $D/netns
  mount --bind /run/vpnrun/one/mnt $D/mnt
  cp -p /run/vpnrun/one/origin $D/origin
}
# damage WHAT REGEX SHELL: undone before the next one.
damage() {
  anew
  eval "$3"
  launch
  refused "$1" "$2"
}
anew
launch
inside 'control: a profile made by hand'

# A namespace of each kind, of processes that stay while the test runs.
mkdir "$LAB/tmp/kinds"
unshare --net --uts --ipc --cgroup --time --pid --fork --mount --kill-child sleep 120 &
holder=$!
wait_until 5 pgrep -P $holder
foreign=$(pgrep -P $holder)
by alice unshare --user --map-root-user --net --kill-child --fork sleep 120 &
rootless=$!
wait_until 20 eval 'child=$(pgrep -P $rootless) && space=$(readlink "/proc/$child/ns/net") && [ "$space" != "$(readlink /proc/self/ns/net)" ]'
rootless_child=$(pgrep -P $rootless)
RECORDED='not the recorded one|not the namespace that it should be'
for entry in netns mnt; do
  for kind in net mnt uts ipc cgroup pid user time; do
    # The kernel binds no mount namespace where it would keep itself.
    [ "$kind" != mnt ] || continue
    damage "$entry is root's $kind namespace" "$RECORDED" "umount $D/$entry; mount --bind /proc/self/ns/$kind $D/$entry"
  done
  for kind in net uts ipc cgroup; do
    damage "$entry is another $kind namespace" "$RECORDED" "umount $D/$entry; mount --bind /proc/$foreign/ns/$kind $D/$entry"
  done
  damage "$entry is a network namespace of alice's own" "$RECORDED" "umount $D/$entry; mount --bind /proc/$rootless_child/ns/net $D/$entry"
  damage "$entry is a user namespace of alice's own" "$RECORDED" "umount $D/$entry; mount --bind /proc/$rootless_child/ns/user $D/$entry"
  damage "$entry is a file" 'not the namespace' "umount $D/$entry"
  damage "$entry is missing" 'not admitted' "umount $D/$entry; rm $D/$entry"
  damage "$entry is a pipe" 'not the namespace' "umount $D/$entry; rm $D/$entry; mkfifo $D/$entry"
  damage "$entry is a directory" 'not the namespace' "umount $D/$entry; rm $D/$entry; mkdir $D/$entry"
  damage "$entry is a device" 'not the namespace' "umount $D/$entry; mount --bind /dev/null $D/$entry"
  damage "$entry is a file of /proc" 'not the namespace' "umount $D/$entry; mount --bind /proc/version $D/$entry"
  damage "$entry is a file of alice's" 'not the namespace' \
    "umount $D/$entry; install -o $ALICE -m 644 /dev/null $LAB/tmp/hers; mount --bind $LAB/tmp/hers $D/$entry"
  damage "$entry is a socket" 'cannot open|not the namespace' \
    "umount $D/$entry; rm $D/$entry; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"$D/$entry\")'"
  damage "$entry is closed" 'not admitted|not the namespace' "umount $D/$entry; chmod 000 $D/$entry"
  for target in /proc/self/ns/net /proc/self/ns/mnt /etc/passwd ../one/netns ../one/mnt nowhere netns .; do
    damage "$entry is a link to $target" 'cannot open' "umount $D/$entry; rm $D/$entry; ln -s $target $D/$entry"
  done
done
damage 'netns and mnt are each other' "$RECORDED" \
  "umount $D/netns; mount --bind /run/vpnrun/one/mnt $D/netns; umount $D/mnt; mount --bind /run/vpnrun/one/netns $D/mnt"

# --- the record -------------------------------------------------------------------------------------
SIZE=$(stat -c %s /run/vpnrun/one/origin)
damage 'origin is missing' 'not admitted' "rm $D/origin"
damage 'origin is empty' 'damaged' ": >$D/origin"
for size in 1 7 8 $((SIZE - 8)) $((SIZE - 1)) $((SIZE + 1)) $((SIZE * 2)) 1000000; do
  damage "origin has $size bytes" 'damaged' "truncate -s $size $D/origin"
done
# Turned, not overwritten: any fixed byte is now and then the one that an inode number ends with.
turn_byte() {
  python3 - "$1" "$2" <<'PY'
import sys
path, offset = sys.argv[1], int(sys.argv[2])
with open(path, "r+b") as record:
    record.seek(offset)
    byte = record.read(1)[0]
    record.seek(offset)
    record.write(bytes([byte ^ 0xFF]))
PY
}
for offset in $(seq 0 8 $((SIZE - 1))); do
  damage "origin has another word at $offset" 'damaged|not the recorded one|from here' \
    "turn_byte $D/origin $offset"
done
for mode in 0464 0446 0666 0020 0002 0777; do
  damage "origin has mode $mode" 'damaged|not admitted' "chmod $mode $D/origin"
done
damage 'origin is closed to alice' 'not admitted' "chmod 0400 $D/origin"
damage 'origin belongs to alice' 'damaged' "chown $ALICE $D/origin"
damage 'origin belongs to bob' 'damaged' "chown $BOB $D/origin"
damage 'origin is a pipe' 'damaged|cannot open' "rm $D/origin; mkfifo -m 444 $D/origin"
damage 'origin is a directory' 'damaged|cannot open' "rm $D/origin; mkdir $D/origin"
damage 'origin is a link to the right one' 'cannot open' "rm $D/origin; ln -s ../one/origin $D/origin"
damage 'origin is a link to itself' 'cannot open' "rm $D/origin; ln -s origin $D/origin"
damage 'origin is a device that never ends' 'damaged' "rm $D/origin; touch $D/origin; mount --bind /dev/zero $D/origin"
damage 'origin is a file of alice'"'"'s, bound over it' 'damaged' \
  "install -o $ALICE -m 444 /run/vpnrun/one/origin $LAB/tmp/hers; mount --bind $LAB/tmp/hers $D/origin"

# --- the directories ---------------------------------------------------------------------------------
for mode in 0770 0757 0777 1777 0772; do
  damage "the directory has mode $mode" 'cannot trust' "chmod $mode $D"
done
damage 'the directory is closed' 'not admitted' "setfacl -b $D; chmod 0700 $D"
damage 'the directory may be listed, not searched' 'not admitted' "setfacl -m u:$ALICE:r $D"
damage 'the directory may be searched, not listed' 'not admitted' "setfacl -m u:$ALICE:x $D"
damage 'the directory belongs to alice' 'cannot trust' "chown $ALICE $D"
damage 'the directory belongs to bob' 'cannot trust' "chown $BOB $D"
damage 'a folder of alice'"'"'s is bound over it' 'cannot trust' \
  "install -d -o $ALICE $LAB/tmp/folder; mount --bind $LAB/tmp/folder $D"
damage 'the directory is empty' 'not admitted' "umount $D/netns $D/mnt; rm $D/*"
for kind in 'touch' 'mkfifo -m 644' 'ln -s one' 'ln -s /proc/self/ns' "ln -s $LAB/home/alice" 'ln -s broken'; do
  clear_away
  $kind $D
  launch
  refused "in place of the directory: $kind" 'cannot open|not admitted'
done
clear_away

PROFILE=one
for options in mode=0777 mode=1777 mode=0775 uid=$ALICE,mode=0711 uid=$BOB,mode=0711; do
  mount -t tmpfs -o "$options" tmpfs /run/vpnrun
  launch
  refused "the runtime root: $options" 'cannot trust'
  umount /run/vpnrun
done
mount -t tmpfs -o mode=0711 tmpfs /run/vpnrun
launch
refused 'the runtime root is empty' 'not admitted'
umount /run/vpnrun
mount -t tmpfs -o mode=0700 tmpfs /run/vpnrun
launch
refused 'the runtime root is closed' 'not admitted'
umount /run/vpnrun
kill_hard $holder $rootless $rootless_child
