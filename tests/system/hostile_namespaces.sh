# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Callers in namespaces of their own, and a /proc that is not what it seems.

REFUSED='not privileged|from here|cannot tell from where|cannot join|not admitted|cannot|installed incorrectly'
# alone WHAT OPTION…: as unshare(1) of alice's, with everything that she may make herself.
alone() {
  local what=$1
  shift
  bounded by alice unshare "$@" "$LAB/bin/hostile" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
  refused "alice's own: $what" "$REFUSED"
}
bounded by alice unshare --user --map-root-user id -u
is 'control: alice may make user namespaces' "$OUT" 0
alone 'user namespace without a map' --user
alone 'user namespace, herself as root' --user --map-root-user
alone 'user namespace, herself as herself' --user --map-current-user
alone 'user namespace with all capabilities' --user --map-current-user --keep-caps
for more in net mount uts ipc cgroup time; do
  alone "user namespace and $more" --user --map-root-user "--$more"
done
alone 'user namespace and pid' --user --map-root-user --pid --fork
alone 'user namespace, pid and a /proc of its own' --user --map-root-user --pid --fork --mount-proc
alone 'everything' --user --map-root-user --mount --net --uts --ipc --cgroup --pid --fork --mount-proc
for depth in 2 3; do
  nested=()
  for ((i = 1; i < depth; ++i)); do nested+=(unshare --user --map-root-user); done
  bounded by alice unshare --user --map-root-user "${nested[@]}" "$LAB/bin/hostile" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
  refused "alice's own: user namespaces, $depth deep" "$REFUSED"
done
# faked WHAT SHELL: root of her own mount namespace rearranges it first.
faked() {
  # shellcheck disable=SC2016
  bounded by alice unshare --user --map-root-user --mount bash -c \
    'what=$1; shift; eval "$what" || { echo "cannot rearrange"; exit 99; }; exec "$@"' - "$2" \
    "$LAB/bin/hostile" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
  refused "alice rearranges: $1" "$REFUSED"
}
faked '/proc is a tmpfs' 'mount -t tmpfs tmpfs /proc'
faked '/proc is a folder of hers' "mkdir -p $LAB/home/alice/proc && mount --bind $LAB/home/alice/proc /proc"
faked '/proc is a tmpfs with links to the host' \
  "mount -t tmpfs tmpfs /mnt && mkdir -p /mnt/self/ns && cp -a /proc/self/ns/. /mnt/self/ns/ 2>/dev/null; mount --rbind /mnt /proc"
faked '/proc is another process'"'"' folder' 'mount --rbind /proc/self /proc'
faked '/run/vpnrun is a tmpfs' 'mount -t tmpfs tmpfs /run/vpnrun'
faked '/run/vpnrun/one is a folder of hers' "mount --bind $LAB/home/alice /run/vpnrun/one"
faked 'the view is bound over the host' 'mount --bind /etc /run/vpnrun/one'
faked 'she is in a chroot' 'mount --rbind / /mnt && exec /usr/sbin/chroot /mnt "$@"'
faked 'she has joined her own network' 'exec unshare --net "$@"'
bounded by alice unshare --user --map-root-user --mount bash -c \
  'mount -t tmpfs tmpfs /mnt && cp "$1" /mnt/helper && chmod 4755 /mnt/helper && exec "$2" clean -- /mnt/helper vpnrun-helper one "$3"' \
  - "$READABLE" "$LAB/bin/hostile" "$VERDICT"
refused 'a setuid copy of hers, root-owned in her own namespace' "$REFUSED"

# --- what root makes for a caller -----------------------------------------------------------------------
launch_root unshare 0x04000000 as "$ALICE"
inside 'another uts namespace'
launch_root unshare 0x08000000 as "$ALICE"
inside 'another ipc namespace'
launch_root unshare 0x02000000 as "$ALICE"
inside 'another cgroup namespace'
launch_root unshare 0x40000000 as "$ALICE"
refused 'another network namespace' 'another network namespace'
launch_root unshare 0x80 fork as "$ALICE"
inside 'another time namespace'
launch_root unshare 0x20000000 as "$ALICE"
inside 'a pid namespace for its children, itself in the host'"'"'s'
launch_root unshare 0x20000000 fork as "$ALICE"
refused 'another pid namespace' 'another pid namespace'
launch_root unshare 0x00020000 as "$ALICE"
refused 'another mount namespace' 'another mount namespace'
launch_root unshare 0x20020000 fork as "$ALICE"
refused 'another mount and pid namespace' 'another (mount|pid) namespace'
# Setuid root counts in a user namespace in which root is root; it is the root of that one only.
launch_root identity as "$ALICE"
refused 'a user namespace in which root is root' 'another user namespace'
touch "$LAB/tmp/user"
mount --bind /proc/self/ns/user "$LAB/tmp/user"
launch_root identity cover "$LAB/tmp/user" /proc/self/ns/user as "$ALICE"
harmless 'the same, the host'"'"'s user namespace mounted over the link in /proc'
is 'which does not run' "$((STATUS != 0))" 1
umount "$LAB/tmp/user"
bounded nsenter --net=/run/vpnrun/one/netns "$LAB/bin/hostile" as "$ALICE" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
refused 'the profile'"'"'s network already, but not its view' 'another network namespace'
bounded nsenter --mount=/run/vpnrun/one/mnt "$LAB/bin/hostile" as "$ALICE" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
refused 'the profile'"'"'s view already' 'already inside|not admitted|from here'
plain_profile two
bounded nsenter --mount=/run/vpnrun/two/mnt "$LAB/bin/hostile" as "$ALICE" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
refused 'another profile'"'"'s view' 'from here|not admitted'
bounded hostile as "$ALICE" clean -- "$HELPER" vpnrun-helper two "$LAB/bin/hostile" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
refused 'from one profile into another' 'from here|not admitted'
bounded hostile as "$ALICE" clean -- "$HELPER" vpnrun-helper one "$LAB/bin/hostile" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
refused 'into the same one again' 'already inside|not admitted'

# --- the root directory and /proc --------------------------------------------------------------------------
bounded chroot / "$LAB/bin/hostile" as "$ALICE" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
inside 'a chroot to where one is'
mkdir "$LAB/tmp/jail"
jailed() {
  bounded chroot "$LAB/tmp/jail" "$LAB/bin/hostile" as "$ALICE" clean -- "$HELPER" vpnrun-helper one "$VERDICT"
}
mount --rbind / "$LAB/tmp/jail"
mount --make-rprivate "$LAB/tmp/jail"
jailed
refused 'a chroot into the same file system, mounted once more' 'another root directory'
mount -t tmpfs tmpfs "$LAB/tmp/jail/proc"
jailed
refused 'the same without /proc' 'cannot tell from where'
mount -t proc proc "$LAB/tmp/jail/proc"
jailed
refused 'the same with a /proc of its own' 'another root directory'
umount -l "$LAB/tmp/jail"
mount -t tmpfs tmpfs /proc
launch
stopped 'the host without /proc'
umount /proc
mount --bind "$LAB/tmp/jail" /proc
launch
refused 'the host with an empty folder as /proc' 'cannot tell from where'
umount /proc
if mount -o remount,hidepid=2 /proc 2>/dev/null; then
  launch
  inside 'a /proc that hides what belongs to others'
  mount -o remount,hidepid=0 /proc
fi
