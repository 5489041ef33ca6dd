# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# How the helper is started: arguments, kinds of exec, links and copies, ids of the caller.

# --- arguments ---
bounded hostile as "$ALICE" -- "$HELPER"
refused 'no argument, not even a name' 'not started by vpnrun'
bounded hostile as "$ALICE" -- "$HELPER" ''
refused 'an empty name and nothing else' 'not started by vpnrun'
bounded hostile as "$ALICE" -- "$HELPER" '' one "$VERDICT"
inside 'an empty name for the helper'
bounded hostile as "$ALICE" -- "$HELPER" "$(head -c 100000 /dev/zero | tr '\0' x)" one "$VERDICT"
inside 'a name of 100000 bytes for the helper'
bounded hostile as "$ALICE" -- "$HELPER" /usr/bin/sudo one "$VERDICT"
inside 'the name of another program'

ITEMS=(argv)
# arrives WHAT ACTION…: the arguments are the same with and without the helper.
arrives() {
  local what=$1 direct
  shift
  bounded env -i PATH=/usr/bin:/bin "$LAB/bin/hostile" as "$ALICE" "$@" -- "$VERDICT" verdict argv
  direct=$(LC_ALL=C sed -n '/^argv/p' <<<"$OUT")
  like "$what: arrives without the helper" "$direct" '^argv'
  launch "$@"
  inside "$what"
  is "$what: arrives whole" "$(LC_ALL=C sed -n '/^argv/p' <<<"$OUT")" "$direct"
}
arrives 'one argument of 128 KiB but one' fill 1 131070
arrives '2 MiB of arguments, but a little' limit 3 8388608 fill 20 100000 fill 1 90000
arrives '100000 empty arguments' fill 100000 0
arrives '5 MiB of arguments with a stack of 64 MiB' limit 3 67108864 first -RLIMIT_STACK=67108864 fill 52 100000
launch limit 3 67108864 total 5242880
refused 'the same without a word about the stack, which the kernel cut' 'Argument list too long' 126
launch limit 3 8388608 total 2097600
stopped 'arguments of 2 MiB and a little'
launch fill 1 131072
stopped 'one argument of 128 KiB'
launch limit 3 67108864 total 6400000
stopped 'more than 6 MiB of arguments'
# Around the edge: the first exec may fit and the second not.
EDGE=
for bytes in $(seq 2096400 24 2097600); do
  launch limit 3 8388608 total "$bytes"
  [ "$STATUS" = 0 ] && [[ $OUT == "$INSIDE"* ]] && EDGE+=i || { [[ $OUT != *verdict\ * ]] && EDGE+=r || EDGE+='?'; }
done
like 'around the limit of arguments: inside, then refused, and nothing between' "$EDGE" '^i+r+$'
printf 'echo script\n' >"$LAB/tmp/script"
chmod 0755 "$LAB/tmp/script"
VERDICT=$LAB/tmp/script EDGE=
for bytes in $(seq 2096400 24 2097600); do
  launch limit 3 8388608 total "$bytes"
  case $STATUS.$OUT in 0.script) EDGE+=i ;; 126.vpnrun:*) EDGE+=m ;; 99.*) EDGE+=r ;; *) EDGE+='?' ;; esac
done
VERDICT=$LAB/bin/verdict ITEMS=()
like 'the same for a script that goes to /bin/sh' "$EDGE" '^i+m*r+$'

# --- kinds of exec ---
launch execveat
inside 'execveat of a descriptor'
launch by_fd
inside 'exec through /proc/self/fd'
launch thread
inside 'exec from a thread that is not the first'
launch vfork
inside 'exec from a vfork child, whose memory is its parent'"'"'s'
launch share_files
inside 'descriptors shared with another process'
launch share_fs
refused 'current directory shared with another process' 'not privileged'
launch trace
refused 'a tracer' 'not privileged'
launch nnp
refused 'no_new_privs' 'NoNewPrivileges'
launch fork trace execveat
refused 'a tracer, by execveat' 'not privileged'
bounded hostile as "$ALICE" -- /usr/bin/strace -f -o /dev/null "$HELPER" one "$VERDICT"
refused 'strace' 'not privileged|not started by vpnrun'
for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
  [ -x $loader ] || continue
  bounded hostile as "$ALICE" -- $loader ld.so "$HELPER" one "$VERDICT"
  # Newer loaders execute a static program, older ones map it, without its privilege.
  harmless 'the helper as an argument of the loader'
done
# The kernel honours the setuid bit of an interpreter.
printf '#!%s one\n' "$HELPER" >"$LAB/tmp/interpreted"
chmod 0755 "$LAB/tmp/interpreted"
bounded hostile as "$ALICE" -- "$LAB/tmp/interpreted" interpreted
refused 'the helper as the interpreter of a script, which it starts, and so on' 'inside|not started by vpnrun'
bounded hostile raw as "$ALICE" -- "$LAB/tmp/interpreted" interpreted
refused 'the same with an unmarked environment' 'not started by vpnrun'

# --- links, copies, mounts ---
HERE=$LAB/tmp/places
install -d -m 1777 "$HERE"
# through WHAT PATH: the helper by another path
by_path() { bounded hostile as "$ALICE" -- "$1" vpnrun-helper one "$VERDICT"; }
ln -s "$HELPER" "$HERE/symbolic"
by_path "$HERE/symbolic"
inside 'a symbolic link to the helper'
ln "$HELPER" "${HELPER%/*}/hard"
by_path "${HELPER%/*}/hard"
inside 'a hard link by root'
rm "${HELPER%/*}/hard"
bounded by alice cp "$HELPER" "$HERE/copy"
is 'nobody but root can read it, and copy it' "$STATUS" 1
bounded by alice cp "$READABLE" "$HERE/copy"
by_path "$HERE/copy"
refused 'a copy' 'not setuid root'
chmod 4755 "$HERE/copy"
by_path "$HERE/copy"
refused 'a copy that is setuid to its owner, the caller' 'not privileged|installed incorrectly'
chown bob "$HERE/copy"
chmod 4755 "$HERE/copy"
by_path "$HERE/copy"
refused 'a copy that is setuid to another user' 'installed incorrectly'
chown root:64110 "$HERE/copy"
chmod 2755 "$HERE/copy"
by_path "$HERE/copy"
refused 'a copy that is setgid' 'not privileged'
mkdir "$HERE/nosuid"
mount --bind "${HELPER%/*}" "$HERE/nosuid"
by_path "$HERE/nosuid/vpnrun-helper"
inside 'control: a bind mount of it'
mount -o remount,bind,nosuid "$HERE/nosuid"
by_path "$HERE/nosuid/vpnrun-helper"
refused 'a bind mount of it with nosuid' 'nosuid'
mount -o remount,bind,noexec,suid "$HERE/nosuid"
by_path "$HERE/nosuid/vpnrun-helper"
stopped 'a bind mount of it with noexec'
umount "$HERE/nosuid"
bounded by alice bash -c 'exec 3<"$0" && ln -L /proc/self/fd/3 "$1"' "$HELPER" "$HERE/stolen"
by_path "$HERE/stolen"
harmless 'a hard link by the caller, if the kernel lets him'
rm -rf "$HERE"

# --- who calls ---
launch_root as "$ALICE" ids "$ALICE" "$ALICE" "$ALICE"
inside 'control: his ids given explicitly'
launch_root groups 65536 ids "$ALICE" "$ALICE" "$ALICE"
unlike 'root'"'"'s group and 65536 others' "$OUT" 'verdict .*caps=[^ ]*[1-9a-f]'
# ids_of WHAT REGEX GID R E S: the ids of the caller; REGEX is of what comes of it.
ids_of() {
  bounded hostile gids "$3" ids "$4" "$5" "$6" -- "$HELPER" vpnrun-helper one "$VERDICT"
  like "$1" "$OUT" "$2"
}
alices=" mnt=$VIEW uid=$ALICE,$ALICE,$ALICE gid=$ALICE,$ALICE,$ALICE caps=0,0,0,0 "
ids_of 'alice with the saved id of root: it is lost' "$alices" "$ALICE" "$ALICE" "$ALICE" 0
ids_of 'alice with the effective id of bob: all are hers, or refused' "$alices|installed incorrectly" "$ALICE" "$ALICE" "$BOB" "$BOB"
ids_of 'alice with the effective id of root: all are hers, or refused' "$alices|installed incorrectly" "$ALICE" "$ALICE" 0 0
ids_of 'bob with the effective id of alice: refused' 'vpnrun: .*(not admitted|installed incorrectly)' "$BOB" "$BOB" "$ALICE" "$ALICE"
ids_of 'bob with the saved id of alice: refused' 'vpnrun: .*not admitted' "$BOB" "$BOB" "$BOB" "$ALICE"
ids_of 'bob with the effective id of root: refused' 'vpnrun: .*(not admitted|installed incorrectly)' "$BOB" "$BOB" 0 0
launch_root as "$BOB"
refused 'bob' 'not admitted'
