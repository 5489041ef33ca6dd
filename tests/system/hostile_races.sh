# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2064
# What moves while the helper runs: signals and limits from its caller, entries of /run/vpnrun by root.

# sweep HOW ROUNDS: at a different instant of each launch. Sets OUT.
sweep() { attempt intruder "$1" "$2" "$INSIDE" "$ALICE" "$HELPER" vpnrun-helper one "$VERDICT"; }
sweep stop 600
like 'stopped and continued at 600 instants: never astray' "$OUT" '^astray 0$'
like 'it was never got at while it held a privilege' "$OUT" '^caught 0$'
like 'control: and it was stopped while it did' "$OUT" '^privileged [1-9]'
like 'control: and all of them went on to the end' "$OUT" '^inside 600$'
sweep kill 300
like 'killed at 300 instants: never astray' "$OUT" '^astray 0$'
like 'control: some were killed before' "$OUT" '^nothing [1-9]'
sweep term 300
like 'ended at 300 instants: never astray' "$OUT" '^astray 0$'
sweep limit 300
like 'its descriptors taken away at 300 instants: never astray' "$OUT" '^astray 0$'
like 'control: some went inside all the same' "$OUT" '^inside [1-9]'

# --- entries that root swaps while alice launches ----------------------------------------------------------
plain_profile two
plain_profile three
TWO=$(verdict_of "$(stat -L -c %i /run/vpnrun/two/netns)" "$(stat -L -c %i /run/vpnrun/two/mnt)" $ALICE)
SECOND=1
cat >"$LAB/tmp/swap.c" <<'CODE'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char** argv) {
  (void)argc;
  for (;;) {
    if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) != 0) {
      perror(argv[1]);
      return 1;
    }
  }
}
CODE
cc -O2 -static -o "$LAB/bin/swap" "$LAB/tmp/swap.c"
# race WHAT PROFILE ALLOWED SWAPPER…: SWAPPER runs while alice launches for a second. Each launch prints
# one of the lines in ALLOWED, or is refused.
race() {
  local what=$1 profile=$2 allowed=$3 end swapper seen=0 inside=0 wrong=
  shift 3
  touch "$LAB/tmp/go"
  "$@" >"$LAB/tmp/swapper" 2>&1 &
  swapper=$!
  PROFILE=$profile
  end=$((SECOND * 1000 + $(now_ms)))
  while [ "$(now_ms)" -lt "$end" ]; do
    launch
    seen=$((seen + 1))
    if [ "$STATUS" = 0 ] && [ -n "$OUT" ] && grep -Fxq -- "$OUT" <<<"$allowed"; then
      inside=$((inside + 1))
    elif [ "$STATUS" != 125 ] || [[ $OUT == *verdict\ * ]]; then
      wrong+="($STATUS $OUT)"
    fi
  done
  is "$what: the swapper was at work to the end" "$(gone $swapper && cat "$LAB/tmp/swapper" || echo yes)" yes
  if [ "$1" = repeat ]; then
    rm "$LAB/tmp/go"
    wait $swapper
  else
    kill_hard $swapper
    rm "$LAB/tmp/go"
  fi
  PROFILE=one
  empty "$what: inside or refused, nothing else ($inside of $seen inside)" "$wrong"
  INSIDE_COUNT=$inside
}
# To the end of a round, so that nothing is left half done.
repeat() { while [ -e "$LAB/tmp/go" ]; do "$@" || return; done; }

# settle: a new profile from the parts of "one", on a private mount.
FOLDER=/run/vpnrun/mixed
settle() {
  while umount -q -l -R $FOLDER 2>/dev/null; do :; done
  rm -rf $FOLDER
  mkdir -m 0750 $FOLDER
  setfacl -m u:$ALICE:rx $FOLDER
  mount --bind $FOLDER $FOLDER
  mount --make-private $FOLDER
  touch $FOLDER/netns $FOLDER/mnt
  mount --bind /run/vpnrun/one/netns $FOLDER/netns
  mount --bind /run/vpnrun/one/mnt $FOLDER/mnt
  cp -p /run/vpnrun/one/origin $FOLDER/origin
}
settle
race 'control: nothing changes' mixed "$INSIDE" sleep 60
is 'control: and every launch was inside' "$((INSIDE_COUNT > 3))" 1

# The record of the one and of the other profile, in turn, on the namespaces of the one.
settle
cp -p /run/vpnrun/two/origin $FOLDER/other
race 'the record changes' mixed "$INSIDE" swap $FOLDER/origin $FOLDER/other
is 'the record changes: some launches were inside' "$((INSIDE_COUNT > 0))" 1
settle
head -c 10 /run/vpnrun/one/origin >$FOLDER/other
race 'the record is half a record' mixed "$INSIDE" swap $FOLDER/origin $FOLDER/other
settle
ln -s ../one/origin $FOLDER/other
race 'the record is a link' mixed "$INSIDE" swap $FOLDER/origin $FOLDER/other
settle
install -o "$ALICE" -m 444 /run/vpnrun/one/origin $FOLDER/other
race 'the record is alice'"'"'s' mixed "$INSIDE" swap $FOLDER/origin $FOLDER/other
# Written in place, as nobody should.
rewrite() { cat /run/vpnrun/two/origin >$FOLDER/origin && cat /run/vpnrun/one/origin >$FOLDER/origin; }
settle
race 'the record is rewritten in place' mixed "$INSIDE" repeat rewrite

# Another namespace is mounted over the right one, and taken away again.
over() { mount --bind "$1" "$2" && umount -l "$2"; }
settle
race 'the host'"'"'s network over the entry' mixed "$INSIDE" repeat over /proc/self/ns/net $FOLDER/netns
settle
race 'the other network over the entry' mixed "$INSIDE" repeat over /run/vpnrun/two/netns $FOLDER/netns
settle
race 'the other view over the entry' mixed "$INSIDE" repeat over /run/vpnrun/two/mnt $FOLDER/mnt
settle
race 'a file over the entry' mixed "$INSIDE" repeat over /etc/passwd $FOLDER/netns
settle
race 'a folder of alice'"'"'s over the directory' mixed "$INSIDE" repeat over "$LAB/home/alice" $FOLDER
settle
race 'the other profile over the directory' mixed "$INSIDE"$'\n'"$TWO" repeat over /run/vpnrun/two $FOLDER
mkfifo "$LAB/tmp/pipe"
settle
race 'a pipe over the record' mixed "$INSIDE" repeat over "$LAB/tmp/pipe" $FOLDER/origin
permissions() { chmod 0777 $FOLDER && chmod 0750 $FOLDER && chown "$ALICE" $FOLDER && chown 0 $FOLDER; }
settle
race 'the permissions of the directory' mixed "$INSIDE" repeat permissions
root_permissions() { chmod 0777 /run/vpnrun && chmod 0711 /run/vpnrun; }
race 'the permissions of the runtime root' one "$INSIDE" repeat root_permissions
chmod 0711 /run/vpnrun
again() { "$TUNNEL" release three && "$TUNNEL" prepare three; }
settle
race 'another profile comes and goes' one "$INSIDE" repeat again
is 'another profile comes and goes: every launch was inside' "$((INSIDE_COUNT > 3))" 1

# The directory itself: whole profiles on one file system change places. What is found is one of them.
ln -s one /run/vpnrun/link
mkdir /run/vpnrun/empty
race 'a link and an empty directory change places' empty '' swap /run/vpnrun/link /run/vpnrun/empty
while umount -q -l -R $FOLDER 2>/dev/null; do :; done
