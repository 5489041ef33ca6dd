# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Names of profiles, and what a name that is refused gives away.

ITEMS=()
long() { printf "%0$1d" 0; }
for name in '' . .. ... .a / // a/b a/ /a ./one ../vpnrun/one one/. one/.. one/netns .one -one - -- -rf _one One ONE \
  oNe 'one ' ' one' $'one\n' $'one\t' $'one\r' $'\none' $'o\x01ne' $'o\x7fne' $'o\e[2Jne' $'o\xc2\x9bne' $'o\xffne' \
  $'\xd0\xbene' 'öne' $'\xef\xbc\x8fone' '%s' '%n%n%n' "\$(id)" '`id`' ';id' '|id' '*' '?ne' '[o]ne' '~' one@two \
  one:two one,two "on'e" 'on"e' "on\\e" one=two one+two '#one' '!one' "$(long 33)" "$(long 255)" "$(long 4096)" \
  "$(long 131000)"; do
  PROFILE=$name
  printf -v shown %q "${name:0:30}"
  launch
  refused "the name $shown, ${#name} long" 'is not a profile name'
  unlike "the name $shown, ${#name} long: the message is clean" \
    "$(head -n 2 <<<"$OUT" | LC_ALL=C tr -d ' -~\n\200-\377' | od -An -c)" '[^ ]'
done
for name in 0 - 9 a "$(long 32)" netns mnt origin self proc vpnrun root one-two one_two 1--; do
  [ "$name" != - ] || continue
  PROFILE=$name
  launch
  refused "the name $name, which nothing has" 'does not exist, is not prepared, or you are not admitted'
done

# --- what alice may not use, and what is not there ---------------------------------------------------
plain_profile theirs bob
answer() { PROFILE=$1 && launch "${@:2}" && echo "$STATUS ${OUT//$1/NAME}"; }
is 'forbidden and absent get the same answer' "$(answer theirs)" "$(answer absent)"
like 'control: it is the refusal' "$(answer theirs)" '^125 vpnrun: profile .NAME. does not exist'
PROFILE=theirs
bounded hostile as "$BOB" -- "$HELPER" vpnrun-helper theirs "$VERDICT"
like 'control: bob may use it' "$OUT" "^$(verdict_of "$(stat -L -c %i /run/vpnrun/theirs/netns)" "$(stat -L -c %i /run/vpnrun/theirs/mnt)" $BOB)$"
calls_of() { inject calls "$ALICE" "$HELPER" vpnrun-helper "$1" /bin/true 2>/dev/null | xargs || true; }
is 'forbidden and absent make the same system calls' "$(calls_of theirs)" "$(calls_of absent)"
unlike 'control: an admitted launch makes others' "$(calls_of one)" "^$(calls_of absent)$"
# And take the same time. Loose, because the machine is not ours alone; the figure is what counts.
cc -O2 -o "$LAB/bin/pace" "$SOURCE/tests/probes/pace.c"
bounded hostile as "$ALICE" -- "$LAB/bin/pace" pace 300 "$HELPER" theirs absent
like 'forbidden and absent take the same time, within a half' "$OUT" \
  '^median [0-9.]+ us and [0-9.]+ us, ratio (0\.(6[7-9]|[7-9])|1\.([0-4]|50))'
PROFILE=one
