# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Where the caller stands.

ITEMS=()
H=$LAB/home/alice/places
install -d -o "$ALICE" -g "$ALICE" -m 0755 "$H"
folder() { install -d -o "$ALICE" -g "$ALICE" -m "${2:-0755}" "$H/$1"; }
stand() { launch_root cd "$1" as $ALICE; }

folder plain
stand "$H/plain"
inside 'an ordinary directory'
folder unreadable 0311
stand "$H/unreadable"
inside 'a directory that he may not read'
for mode in 0000 0600 0444; do
  folder "mode-$mode" $mode
  stand "$H/mode-$mode"
  refused "a directory of mode $mode" 'cannot enter the current directory'
done
folder below
folder below/here
chmod 0600 "$H/below"
stand "$H/below/here"
refused 'a directory below one that he may not search' 'cannot enter the current directory'
chmod 0755 "$H/below"
install -d -o "$BOB" -m 0700 "$LAB/home/bob/private"
stand "$LAB/home/bob/private"
refused 'another user'"'"'s closed directory' 'cannot enter the current directory'
folder gone
launch cd "$H/gone" rmdir "$H/gone"
refused 'a deleted directory' 'cannot remember the current directory'
folder gone
launch cd "$H/gone" rmdir "$H/gone" env PWD=/
refused 'a deleted directory, and PWD names another' 'cannot remember the current directory'
folder long
launch cd "$H/long" deep 25
refused 'a directory whose path is longer than any may be' 'cannot remember the current directory'
launch cd "$H/long" deep 15
inside 'a path of 3000 bytes'
for name in $'new\nline' $'escape\e[31m' $'\xff\xfe' '%s%n' "\$(id)" '-rf' 'a b' ' ' '...' "$(printf 'x%.0s' {1..255})"; do
  folder "$name"
  launch cd "$H/$name"
  inside "the directory $(printf %q "$name" | head -c 40)"
done
launch cd /
inside 'the root directory'
launch cd /proc/self
inside 'its own /proc/self'
stand "/proc/$$"
inside 'another process in /proc'
launch cd /dev/shm
inside '/dev/shm'
launch cd /sys/class/net
refused '/sys/class/net, which is a different one inside' 'is a different one inside|again'

# --- what moves -------------------------------------------------------------------------------------
folder was
launch_root cd "$H/was" as "$ALICE"
inside 'control: a directory before it is moved'
# moved WHAT SHELL: alice's shell stands in was/, does SHELL, and calls the helper.
moved() {
  bounded by alice bash -c 'cd "$1/was" && eval "$2" && shift 2 && exec env -i "$@"' - "$H" "$1" \
    "$LAB/bin/hostile" env A=1 -- "$HELPER" vpnrun-helper one "$VERDICT"
}
moved "mv $H/was $H/is"
inside 'a directory that was moved'
rmdir "$H/is"
folder was
moved "mv $H/was $H/is; ln -s is $H/was"
inside 'a directory that was moved, a link to it in its place'
rm -f "$H/was"; rmdir "$H/is"
folder was
moved "mv $H/was $H/is; ln -s /etc $H/was"
inside 'a directory that was moved, a link to another in its place'
rm -f "$H/was"; rmdir "$H/is"
# Swapped by its owner as fast as he can, under the feet of the helper: the one or a refusal. The
# application says where it stands.
folder was
folder other
# shellcheck disable=SC2016
by alice bash -c 'cd "$1"; for ((i = 0; i < 4000; ++i)); do mv -T was is; ln -s other was; rm was; mv -T is was; done' - "$H" >/dev/null 2>&1 &
swapper=$!
SEEN=
for _ in {1..80}; do
  stand "$H/was"
  case $STATUS.$OUT in 0."$INSIDE") SEEN+=i ;; 125.vpnrun:*'current directory'* | 99.*) SEEN+=r ;; *) SEEN+="($STATUS $OUT)" ;; esac
done
kill_hard $swapper
like 'a directory that is being swapped: inside, or refused' "$SEEN" '^[ir]+$'
like 'and some were inside (control)' "$SEEN" 'i'

# --- mounts ---------------------------------------------------------------------------------------
folder mounted
mount -t tmpfs -o mode=0755 tmpfs "$H/mounted"
stand "$H/mounted"
inside 'a mount that the host has made since, and that reached the view'
umount "$H/mounted"
mount --bind "$H" "$H"
mount --make-private "$H"
mount -t tmpfs -o mode=0755 tmpfs "$H/mounted"
stand "$H/mounted"
refused 'a mount that only the host has' 'is a different one inside|again'
# Lazily unmounted while somebody stands in it: it has no path any more.
bounded bash -c 'cd "$1" && umount -l "$1" && shift && exec "$@"' - "$H/mounted" \
  hostile as "$ALICE" -- "$HELPER" vpnrun-helper one "$VERDICT"
refused 'a mount that was taken away under his feet' 'outside the root directory|cannot remember'
umount "$H"
nsenter --mount=/run/vpnrun/one/mnt mount -t tmpfs -o mode=0755 tmpfs "$H/plain"
stand "$H/plain"
refused 'a mount that only the view has' 'is a different one inside'
nsenter --mount=/run/vpnrun/one/mnt umount "$H/plain"
stand "$H/plain"
inside 'control: the same directory without it'

# --- a file system of the caller's own ---------------------------------------------------------------
[ -e /dev/fuse ] || mknod -m 0666 /dev/fuse c 10 229
FLAG=$LAB/tmp/fuse-flag
folder fuse
# on_fuse HOW: alice stands in a file system of hers, which then turns nasty, and calls the helper.
on_fuse() {
  local fuse
  rm -f "$FLAG"
  python3 "$SOURCE/tests/probes/fuse_folder.py" "$H/fuse" $ALICE "$1" "$FLAG" >"$LAB/log/fuse-$1" 2>&1 </dev/null &
  fuse=$!
  wait_until 5 grep -q mounted "$LAB/log/fuse-$1" || lab_die "no FUSE: $(cat "$LAB/log/fuse-$1")"
  STATUS=0
  # shellcheck disable=SC2016
  OUT=$(by alice timeout -k 1 4 bash -c 'cd "$1" && { [ "$2" = honest ] || : >"$3"; } && shift 3 && exec env -i "$@"' - \
    "$H/fuse" "$1" "$FLAG" "$LAB/bin/hostile" env A=1 -- "$HELPER" vpnrun-helper one "$VERDICT" 2>&1 </dev/null) || STATUS=$?
  kill -9 $fuse # first: umount(8) would ask it
  wait $fuse 2>/dev/null || :
  umount -l "$H/fuse"
}
if grep -qw fuse /proc/filesystems; then
  on_fuse honest
  inside "a directory of the caller's own file system"
  on_fuse liar
  refused 'one that is another each time' 'is a different one inside|again'
  on_fuse broken
  refused 'one that fails' 'current directory'
else
  pass 'no file system of the caller'"'"'s own: this kernel has no FUSE'
fi
launch
inside 'control: afterwards'
