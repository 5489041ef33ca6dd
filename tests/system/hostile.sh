# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# Hostile callers of vpnrun-helper: hostile.sh setuid|capability GROUP. Whatever they do, the command
# runs inside without any privilege, or not at all. Each group is a file hostile_GROUP.sh.
KIND=$1
GROUP=$2
ALICE=64101
BOB=64102

for probe in verdict hostile inject intruder; do
  cc -O2 -static -pthread -o "$LAB/bin/$probe" "$SOURCE/tests/probes/$probe.c"
done
if [ "$KIND" = capability ]; then
  chmod 0711 "$HELPER"
  setcap cap_sys_admin,cap_sys_chroot+ep "$HELPER"
fi

# The installed one can be read by root alone, but is no secret: it is in the package.
READABLE=$LAB/bin/readable-helper
install -m 0755 "$HELPER" "$READABLE"

# plain_profile NAME [USER]: a profile without a tunnel, prepared.
plain_profile() {
  printf '%s\n' '[tunnel]' 'type = "none"' '[access]' "users = [\"${2:-alice}\"]" >"$PROFILES/$1.toml"
  tunnel_prepare "$1"
}
plain_profile one
NET=$(stat -L -c %i /run/vpnrun/one/netns)
VIEW=$(stat -L -c %i /run/vpnrun/one/mnt)

# verdict_of NET VIEW UID: what the application prints where it belongs.
verdict_of() { echo "verdict net=$1 mnt=$2 uid=$3,$3,$3 gid=$3,$3,$3 caps=0,0,0,0 nnp=0 seccomp=2"; }
INSIDE=$(verdict_of "$NET" "$VIEW" $ALICE)
VERDICT=$LAB/bin/verdict
ITEMS=()       # what the application is asked for
PROFILE=one

# bounded COMMAND…: sets STATUS and OUT, which is both outputs. By a pipe: a limit on files does not
# count there.
bounded() {
  STATUS=0
  OUT=$(timeout -k 1 10 "$@" 2>&1 </dev/null | tr -d '\0'; exit "${PIPESTATUS[0]}") || STATUS=$?
}

# launch ACTION…: as alice, after the actions of probes/hostile.c.
launch() { launch_root as "$ALICE" "$@"; }
# The same, but the actions are root's until "as".
launch_root() {
  bounded env -i PATH=/usr/bin:/bin "$LAB/bin/hostile" "$@" -- "$HELPER" vpnrun-helper "$PROFILE" "$VERDICT" "${ITEMS[@]}"
}

# The three outcomes of the last launch.
inside() {
  if [ "$STATUS" = 0 ] && [[ $'\n'$OUT$'\n' == *$'\n'$INSIDE$'\n'* ]] && [ "$(grep -c '^verdict ' <<<"$OUT")" = 1 ]; then
    pass "$1: runs inside"
  else
    fail "$1: runs inside" "status $STATUS" "$OUT"
  fi
}
# refused WHAT REGEX [STATUS]: with a message and a hint; nothing ran.
refused() {
  if [ "$STATUS" = "${3:-125}" ] && [[ $OUT != *verdict\ * ]] &&
    LC_ALL=C grep -Eaq -- "^vpnrun: .*($2)" <<<"$OUT" && grep -aq '^hint: [^ ]' <<<"$OUT"; then
    pass "$1: refused" "$(grep -Ea -m 1 '^vpnrun: ' <<<"$OUT" | head -c 110)"
  else
    fail "$1: refused with /$2/, status ${3:-125}" "status $STATUS" "$OUT"
  fi
}
# stopped WHAT: nothing ran, whoever ended it: the kernel refused the exec, or killed the helper.
stopped() {
  if [ "$STATUS" != 0 ] && [ "$STATUS" != 124 ] && [[ $OUT != *verdict\ * ]]; then
    pass "$1: does not run" "status $STATUS $(head -n 1 <<<"$OUT" | head -c 90)"
  else
    fail "$1: does not run" "status $STATUS" "$OUT"
  fi
}
# harmless WHAT: inside, or nothing ran.
harmless() { if [ "$STATUS" = 0 ]; then inside "$1"; else stopped "$1"; fi; }

launch
inside 'control: an ordinary launch'
# The judge is able to say no: the same program outside.
bounded "$LAB/bin/hostile" as "$ALICE" -- "$VERDICT" verdict
unlike 'control: the verdict outside is another one' "$OUT" "^$INSIDE$"
like 'control: but it is one' "$OUT" '^verdict net='

# shellcheck source=/dev/null
source "$SOURCE/tests/system/hostile_$GROUP.sh"

launch
inside 'control: an ordinary launch, afterwards'
