# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Each system call of the helper fails, one at a time. By a seccomp filter all of one number do: one that
# root installed, because an ordinary user needs no_new_privs for it, and then the kernel gives the
# helper no privilege. By a tracer that is root one alone does, also the second or third of its kind.
#
# Each letter is an outcome: i inside, r refused by the helper, m ended in another way without a launch,
# o not inside, but without privilege, ? anything else.
ERRORS=(1 5 38 4 12 24)
NAMES='EPERM EIO ENOSYS EINTR ENOMEM EMFILE'
name_of() {
  printf '#include <sys/syscall.h>\n' | cc -E -dM - | awk -v n="$1" '$2 ~ /^__NR_/ && $3 == n { sub("__NR_", "", $2); print $2 }'
}
letter() {
  case $STATUS.$OUT in
    0."$INSIDE") echo -n i ;;
    *verdict\ *" uid=$ALICE,$ALICE,$ALICE gid=$ALICE,$ALICE,$ALICE caps=0,0,0,0 "*) echo -n o ;;
    *verdict\ *) echo -n '?' ;;
    0.*) echo -n '?' ;;
    124.*) echo -n '?' ;;
    125.vpnrun:*hint:*) echo -n r ;;
    *) echo -n m ;;
  esac
}

launch nnp seccomp 39 1
refused 'a user'"'"'s own filter' 'NoNewPrivileges'
launch seccomp 39 1
stopped 'a user'"'"'s own filter without no_new_privs'
launch_root keep as "$ALICE" allow
inside 'control: a filter of root'"'"'s that allows everything'

CALLS=$(env -i "$LAB/bin/inject" calls "$ALICE" "$HELPER" vpnrun-helper one "$VERDICT" | grep -x '[0-9]*')
like 'control: the calls of the helper are known' "$(xargs <<<"$CALLS")" '^([0-9]+ ){30,}'
# What the helper cannot do without.
VITAL=' setns seccomp setresuid setresgid capset capget getresuid getresgid getcwd openat2 statx fstatfs chdir prctl '
declare -A NAME_OF=()
for number in $(sort -nu <<<"$CALLS"); do
  name=$(name_of "$number")
  NAME_OF[$number]=$name
  seen=
  for error in "${ERRORS[@]}"; do
    launch_root keep as "$ALICE" seccomp "$number" "$error"
    seen+=$(letter)
  done
  [[ $VITAL == *" $name "* ]] && wanted='^r{6}$' || wanted='^[irm]{6}$'
  like "$name fails ($NAMES)" "$seen" "$wanted"
done

# With [application] no_new_privs the last two of prctl are the helper's order and its proof.
plain_profile locked
printf '[application]\nno_new_privs = true\n' >>"$PROFILES/locked.toml"
tunnel_prepare locked

if [ "$(uname -m)" = x86_64 ]; then
  injected() { bounded env -i "$LAB/bin/inject" "$1" "$2" "$ALICE" "$HELPER" vpnrun-helper one "$VERDICT"; }
  injected 100000 1
  inside 'control: under the tracer, nothing fails'
  declare -A COUNT=()
  position=0
  for number in $CALLS; do
    position=$((position + 1))
    name=${NAME_OF[$number]}
    COUNT[$name]=$((${COUNT[$name]:-0} + 1))
    seen=
    for error in "${ERRORS[@]}"; do
      injected $position "$error"
      seen+=$(letter)
    done
    wanted='^[irm]{6}$'
    case $name in setns | seccomp | setresuid | setresgid | capset | capget | openat2 | statx | chdir) wanted='^r{6}$' ;; esac
    like "call $position, $name number ${COUNT[$name]}, fails ($NAMES)" "$seen" "$wanted"
    # Made to look as if it had worked. No caller can do this, only root; but what is read back holds.
    injected $position 0
    # These two do their work in the kernel alone, and root who lies about it is no attacker.
    wanted='^[irm]$'
    case $name in setns | seccomp) wanted='^[irmo]$' ;; esac
    like "call $position, $name number ${COUNT[$name]}, pretends success" "$(letter)" "$wanted"
  done

  injected_locked() { bounded env -i "$LAB/bin/inject" "$1" "$2" "$ALICE" "$HELPER" vpnrun-helper locked "$VERDICT"; }
  mapfile -t positions < <(env -i "$LAB/bin/inject" calls "$ALICE" "$HELPER" vpnrun-helper locked "$VERDICT" |
    grep -x '[0-9]*' | awk -v calls="$(declare -p NAME_OF)" 'index(calls, "[" $1 "]=\"prctl\"") { print NR }' | tail -n 2)
  is 'control: the helper calls prctl at two places at its end' ${#positions[@]} 2
  injected_locked 100000 1
  like 'control: under the tracer no_new_privs is set' "$OUT" '^verdict .* nnp=1 '
  for position in "${positions[@]}"; do
    seen=
    for error in "${ERRORS[@]}" 0; do
      injected_locked "$position" "$error"
      seen+=$(letter)
    done
    like "no_new_privs, call $position, fails ($NAMES) or pretends success" "$seen" '^r{7}$'
  done
fi
