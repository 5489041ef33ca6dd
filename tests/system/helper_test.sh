#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# helper_test.sh BUILD [CHECK…]: checks the vpnrun-helper of a build folder alone, without launcher and
# companion; all of it, or what the functions check_CHECK look at. Needs root (exit status 77 without). Makes its own mount, pid and network namespace,
# prepares profiles there by hand, and runs everything twice: installed setuid root, and with file
# capabilities. Prints "ok - WHAT" or "not ok - WHAT" a check; exit status 1 if any failed.
# With VPNRUN_HELPER_BINARY in the environment that file is checked in place of the build's.
set -u
shopt -s extglob
# shellcheck disable=SC2317  # the functions are called by name
if [[ ${1-} != --inside ]]; then
  [[ $# -ge 1 ]] || { echo "usage: $0 BUILD [CHECK…]" >&2; exit 2; }
  [[ $EUID -eq 0 ]] || { echo "skipped: needs root; try: sudo $0 $1"; exit 77; }
  exec unshare -n -m -p -f --kill-child --mount-proc "$0" --inside \
    "${VPNRUN_HELPER_BINARY:-$(realpath "$1")/helper/vpnrun-helper}" "$(realpath "$1")/tests/probes" "${@:2}"
fi
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
built=$2
probes=$3
checks=("${@:4}")
[ "${#checks[@]}" -gt 0 ] || checks=(identity namespaces state environment exit_codes path_search directory
  requests access damage standpoint attacks filter order installs)
[ -x "$probes/call_helper" ] || { echo "no probes in '$probes': build them first" >&2; exit 1; }
lab=/run/lab            # a tmpfs that belongs to this test
helper=$lab/libexec/vpnrun-helper
home=$lab/home
failures=0
install_kind=
absent="does not exist, is not prepared, or you are not admitted to it"

ok() { echo "ok - $install_kind: $1"; }
not_ok() { echo "not ok - $install_kind: $1"; failures=$((failures + 1)); }

# expect WHAT WANTED FOUND
expect() {
  if [[ $3 == "$2" ]]; then ok "$1"; else not_ok "$1"; printf '  wanted: %s\n  found:  %s\n' "$2" "$3"; fi
}

# shellcheck disable=SC2054  # the commas belong to setpriv
alice=(setpriv --reuid 4001 --regid 4001 --groups 4002,4003)
bob=(setpriv --reuid 4009 --regid 4009 --clear-groups)
nobody_in_staff=(setpriv --reuid 4010 --regid 4010 --groups 4020)

# as USER_ARRAY call_helper ARGUMENTS…
as() { local -n user=$1; shift; "${user[@]}" "$probes/call_helper" "$@"; }
# The usual call: as alice, in profile office.
run() { as alice -- "$helper" vpnrun-helper office "$@"; }

# refused WHAT CODE PATTERN COMMAND…: the command must fail with CODE, print a message with PATTERN
# and a hint, and the application (a state probe, which prints "uid …") must not have run.
refused() {
  local what=$1 code=$2 pattern=$3 output status
  shift 3
  output=$("$@" 2>&1)
  status=$?
  if [[ $status -eq $code && $output == vpnrun:*$pattern*$'\n'hint:* && $output != *"uid 4"* ]]; then
    ok "$what"
  else
    not_ok "$what"
    printf '  wanted %s with "%s"\n  got %s: %s\n' "$code" "$pattern" "$status" "$output"
  fi
}

# --- the lab -----------------------------------------------------------------------------------

prepare_profile() {  # NAME ACL…: what vpnrun-tunnel prepare makes, by hand
  local directory=/run/vpnrun/$1
  shift
  mkdir -m 0750 "$directory"
  for entry in "$@"; do setfacl -m "$entry" "$directory"; done
  touch "$directory/netns" "$directory/mnt"
  unshare --net="$directory/netns" ip link set lo up
  # Linux 6.18 numbers namespaces by CPU, and binds a mount namespace only where its number is
  # greater than that of the one it is bound in: one of the CPUs gives such a number.
  for ((cpu = 0; cpu < $(nproc); ++cpu)); do
    taskset -c $cpu unshare --mount="$directory/mnt" --propagation slave true 2>/dev/null && break
  done
  "$probes/make_origin" "$directory"
}

make_lab() {
  mount --make-rprivate /
  mount -t tmpfs -o mode=0755 tmpfs /run
  mkdir -p "$lab" "$lab/libexec" "$home" "$lab/differs" "$lab/bin" "$lab/noexec"
  chmod 0755 "$lab" "$lab/libexec" "$home" "$lab/differs" "$lab/bin" "$lab/noexec"
  mkdir -m 0711 /run/vpnrun
  mount --bind /run/vpnrun /run/vpnrun
  mount --make-private /run/vpnrun
  chown 4001:4001 "$home"
  prepare_profile office u:4001:rx
  prepare_profile other u:4001:rx
  prepare_profile staff g:4020:rx
  prepare_profile private u:4009:rx
  prepare_profile locked u:4001:rx
  prepare_profile lenient u:4001:rx
  "$probes/make_origin" /run/vpnrun/lenient from_namespaces
  "$probes/make_origin" /run/vpnrun/locked no_new_privs
  prepare_profile games u:4001:rx
  "$probes/make_origin" /run/vpnrun/games i386
  nsenter --mount=/run/vpnrun/office/mnt mount -t tmpfs -o mode=0755 tmpfs "$lab/differs"
  nsenter --mount=/run/vpnrun/office/mnt touch "$lab/differs/only-in-the-view"
  printf '#!/no/such/interpreter\n' >"$lab/bin/orphan"
  printf 'echo script "$@"\n' >"$lab/bin/plain_script"
  printf 'exit 0\n' >"$lab/bin/not_executable"
  printf 'x' >"$lab/noexec/plain_script"
  mkdir -m 0700 "$lab/closed_path"
  chmod 0755 "$lab/bin/orphan" "$lab/bin/plain_script"
  chmod 0644 "$lab/bin/not_executable" "$lab/noexec/plain_script"
  cd "$home" || exit 1
}

install_setuid() {
  rm -f "$helper"
  install -o root -g root -m 4711 "$built" "$helper"
}

install_capability() {
  rm -f "$helper"
  install -o root -g root -m 0711 "$built" "$helper"
  setcap cap_sys_admin,cap_sys_chroot+ep "$helper"
}

# --- what is handed over ------------------------------------------------------------------------

check_identity() {
  local found
  found=$(run "$probes/state" uid gid groups)
  expect "ids and supplementary groups are the caller's" \
    $'uid 4001 4001 4001\ngid 4001 4001 4001\ngroups 4002 4003' "$found"
  found=$(run "$probes/state" CapInh CapPrm CapEff CapAmb | sort -u -k2 | cut -d' ' -f2)
  expect "capability sets are empty" 0000000000000000 "$found"
  found=$(setpriv --reuid 4001 --regid 4001 --groups 4002,4003 --inh-caps +net_raw,+sys_admin \
    --ambient-caps +net_raw,+sys_admin "$probes/call_helper" -- "$helper" vpnrun-helper office \
    "$probes/state" CapInh CapPrm CapEff CapAmb | sort -u -k2 | cut -d' ' -f2)
  expect "ambient and inheritable capabilities of the caller do not survive" 0000000000000000 "$found"
  expect "no_new_privs is not set, a filter is" $'NoNewPrivs 0\nSeccomp 2' \
    "$(run "$probes/state" NoNewPrivs Seccomp)"
  found=$(as alice -- "$helper" vpnrun-helper locked "$probes/state" uid CapPrm NoNewPrivs Seccomp)
  expect "no_new_privs is set where the profile says so, and the rest is the same" \
    $'uid 4001 4001 4001\nCapPrm 0000000000000000\nNoNewPrivs 1\nSeccomp 2' "$found"
  expect "also for root" "NoNewPrivs 1" \
    "$(as root_user -- "$helper" vpnrun-helper locked "$probes/state" NoNewPrivs)"
  expect "the application is dumpable again and keeps no capabilities" \
    $'dumpable 1\nkeepcaps 0 securebits 0' "$(run "$probes/state" dumpable keepcaps)"
  found=$("${alice[@]}" sh -c 'echo pid $$; exec "$0" -- "$@"' "$probes/call_helper" "$helper" \
    vpnrun-helper office "$probes/state" pid | uniq | wc -l)
  expect "the application has the pid of the caller" 1 "$found"
  found=$(as root_user -- "$helper" vpnrun-helper office "$probes/state" uid CapEff NoNewPrivs)
  expect "root stays root" "$(setpriv --reuid 0 "$probes/state" uid CapEff NoNewPrivs)" "$found"
}
root_user=(env)

check_namespaces() {
  expect "the network namespace is the profile's" "net:[$(stat -L -c %i /run/vpnrun/office/netns)]" \
    "$(run "$probes/state" ns_net | cut -d' ' -f2)"
  expect "the mount namespace is the profile's" "mnt:[$(stat -L -c %i /run/vpnrun/office/mnt)]" \
    "$(run "$probes/state" ns_mnt | cut -d' ' -f2)"
  expect "the view is what the application sees" "$lab/differs/only-in-the-view" \
    "$(run ls "$lab/differs/only-in-the-view" 2>&1)"
  expect "a group of the caller admits too" "gid 4010 4010 4010" \
    "$(as nobody_in_staff -- "$helper" vpnrun-helper staff "$probes/state" gid)"
}

# The inherited state, with and without the helper in between.
check_state() {
  local keys=(cwd umask session fd SigBlk SigIgn SigCgt SigPnd argv ns_cgroup ns_ipc ns_uts ns_user ns_pid)
  local limits=(cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime)
  local direct through closed
  keys+=("${limits[@]/#/limit_}")
  prepared() {
    (umask 027; ulimit -S -n 77; ulimit -c 0; exec 7</dev/null 9>>"$lab/append"
      exec env --ignore-signal=INT --block-signal=USR1 "${alice[@]}" "$probes/call_helper" "$@")
  }
  direct=$(prepared -- "$probes/state" "$probes/state" "${keys[@]}")
  through=$(prepared -- "$helper" vpnrun-helper office "$probes/state" "${keys[@]}")
  # argv[0] is the command as given in both; pids of the sessions are the same shell's.
  expect "umask, limits, signals, session, descriptors, cwd, argv pass unchanged" \
    "${direct//pipe:\[*([0-9])]/pipe}" "${through//pipe:\[*([0-9])]/pipe}"
  for closed in '-x 0' '-x 1' '-x 2' '-x 0 -x 1' '-x 1 -x 2' '-x 0 -x 1 -x 2'; do
    # shellcheck disable=SC2086  # options
    as alice $closed -- "$probes/state" state -o "$home/direct" fd </dev/null 2>/dev/null
    # shellcheck disable=SC2086
    as alice $closed -- "$helper" vpnrun-helper office "$probes/state" -o "$home/through" fd </dev/null 2>/dev/null
    expect "closed descriptors stay closed ($closed)" "$(<"$home/direct")" "$(<"$home/through")"
    # For root libc opens nothing in their place.
    # shellcheck disable=SC2086
    as root_user $closed -- "$probes/state" state -o "$lab/direct" fd </dev/null 2>/dev/null
    # shellcheck disable=SC2086
    as root_user $closed -- "$helper" vpnrun-helper office "$probes/state" -o "$lab/through" fd </dev/null 2>/dev/null
    expect "also root's ($closed)" "$(<"$lab/direct")" "$(<"$lab/through")"
  done
  expect "an unlimited stack is cut by the kernel, as documented" "limit_stack 8388608" \
    "$(ulimit -H -s unlimited; as alice -S -1 -- "$helper" vpnrun-helper office "$probes/state" limit_stack | cut -d' ' -f1,2)"
  expect "an unlimited stack is restored when the launcher says so" "limit_stack -1" \
    "$(as alice -S -1 -R -RLIMIT_STACK=unlimited -- "$helper" vpnrun-helper office "$probes/state" limit_stack | cut -d' ' -f1,2)"
  expect "a greater stack limit is restored" "limit_stack 16777216" \
    "$(as alice -S 16777216 -R -RLIMIT_STACK=16777216 -- "$helper" vpnrun-helper office "$probes/state" limit_stack | cut -d' ' -f1,2)"
  refused "a stack limit above the hard limit" 125 "cannot restore the stack limit" \
    bash -c 'ulimit -H -s 20000; exec "$@"' - "${alice[@]}" "$probes/call_helper" \
    -R -RLIMIT_STACK=99999999 -- "$helper" vpnrun-helper office "$probes/state"
  for value in '' 1x -1 18446744073709551616 ' 1'; do
    refused "the stack limit '$value'" 125 "is not a stack limit" \
      as alice -R "-RLIMIT_STACK=$value" -- "$helper" vpnrun-helper office "$probes/state"
  done
}

check_environment() {
  local odd=(-i -e LD_PRELOAD=/no/such.so -e TMPDIR=/somewhere -e TWICE=1 -e TWICE=2 -e ''
    -e without_equals -e '=odd' -e 'PATH=/usr/bin:/bin' -e LD_LIBRARY_PATH=/no -e '+PLUS=+'
    -e GLIBC_TUNABLES=glibc.malloc.check=3 -e MALLOC_TRACE=/run/lab/home/trace
    -e $'NEWLINE=a\nb\x01\xff' -e GCONV_PATH=/no -e LANG=xx_XX -e '-RLIMIT_STACK=1')
  as alice -r "${odd[@]}" -- "$probes/environment" environment >"$lab/direct"
  as alice "${odd[@]}" -- "$helper" vpnrun-helper office "$probes/environment" >"$lab/through"
  expect "the environment passes byte for byte" "$(sha256sum <"$lab/direct")" "$(sha256sum <"$lab/through")"
  expect "and it is not empty (control)" 16 "$(tr -cd '\0' <"$lab/direct" | wc -c)"
  expect "an empty environment passes" 0 \
    "$(as alice -i -- "$helper" vpnrun-helper office "$probes/environment" | wc -c)"
  expect "no variable acts on the helper" absent "$([[ -e $home/trace ]] && echo present || echo absent)"
}

check_exit_codes() {
  local status found
  for status in 0 1 7 125 126 127 128 255; do
    run /bin/sh -c "exit $status"
    expect "exit status $status is the application's" "$status" $?
  done
  found=$(run /bin/sh -c 'kill -TERM $$' 2>&1; echo $?)
  expect "death by a signal is seen by the caller" 143 "${found##*$'\n'}"
  refused "an unknown command" 127 "not found" run no-such-command-here
  refused "an unknown path" 127 "not found" run /no/such/command
  refused "the empty command" 127 "not found" run ''
  refused "a file that is not executable" 126 "Permission denied" run "$lab/bin/not_executable"
  refused "a folder" 126 "Permission denied" run "$lab/bin"
  refused "a folder as a command's folder that is a file" 126 "Not a directory" run "$lab/bin/orphan/x"
  refused "a script without its interpreter" 127 "interpreter" run "$lab/bin/orphan"
  refused "control characters are masked" 127 "cannot run 'a?b?c?d'" run $'a\nb\x1b\x63\xc2\x9bd'
}

check_path_search() {
  local call=(as alice -i)
  expect "PATH is searched after the restore" "script a b" \
    "$("${call[@]}" -e "PATH=/no:$lab/bin" -- "$helper" vpnrun-helper office plain_script a b)"
  expect "a script without '#!' goes to sh" "script a b" "$(run "$lab/bin/plain_script" a b)"
  expect "the search goes on after a file without permission" "script c" \
    "$("${call[@]}" -e "PATH=$lab/noexec:$lab/bin" -- "$helper" vpnrun-helper office plain_script c)"
  refused "a folder of PATH that the caller may not search has nothing to find" 127 "not found" \
    "${call[@]}" -e "PATH=$lab/closed_path:/no" -- "$helper" vpnrun-helper office no-such-command-here
  expect "and the search goes on after it" "script c" \
    "$("${call[@]}" -e "PATH=$lab/closed_path:$lab/bin" -- "$helper" vpnrun-helper office plain_script c)"
  refused "only a file without permission" 126 "Permission denied" \
    "${call[@]}" -e "PATH=$lab/noexec:" -- "$helper" vpnrun-helper office plain_script
  expect "an empty element of PATH is the current directory" "script d" \
    "$(cd "$lab/bin" && "${call[@]}" -e PATH=/no: -- "$helper" vpnrun-helper office plain_script d)"
  expect "without PATH the default is searched" 0 \
    "$("${call[@]}" -- "$helper" vpnrun-helper office true; echo $?)"
  expect "the first PATH counts" "script e" \
    "$("${call[@]}" -e "PATH=$lab/bin" -e PATH=/no -- "$helper" vpnrun-helper office plain_script e)"
  refused "a PATH element longer than any path is stepped over" 127 "not found" \
    "${call[@]}" -e "PATH=/$(printf 'x%.0s' {1..5000})" -- "$helper" vpnrun-helper office plain_script
}

check_directory() {
  expect "the current directory stays" "cwd $lab" "$(cd "$lab" && run "$probes/state" cwd)"
  refused "a current directory that is another one in the view" 125 "is a different one inside" \
    bash -c 'cd "$0" && exec "$@"' "$lab/differs" "${alice[@]}" "$probes/call_helper" -- "$helper" vpnrun-helper office "$probes/state"
  mkdir -p "$lab/closed"
  chmod 0700 "$lab/closed"
  refused "a current directory that the caller may not enter" 125 "again: Permission denied" \
    bash -c 'cd "$0" && exec "$@"' "$lab/closed" "${alice[@]}" "$probes/call_helper" -- "$helper" vpnrun-helper office "$probes/state"
  "${alice[@]}" mkdir -p "$home/gone"
  refused "a deleted current directory" 125 "cannot remember the current directory" \
    as alice -d "$home/gone" -- "$helper" vpnrun-helper office "$probes/state"
  local odd_folder=$home/$'new\nline'
  "${alice[@]}" mkdir -p "$odd_folder"
  expect "a directory name with a newline" "cwd $odd_folder" "$(cd "$odd_folder" && run "$probes/state" cwd)"
}

# --- what is refused ------------------------------------------------------------------------------

check_requests() {
  for name in '' . .. ../office office/ office/../other Work -office _work 'office ' .hidden $'wo\nrk' \
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa wörk /run/vpnrun/office; do
    refused "the profile name '${name//$'\n'/?}'" 125 "is not a profile name" \
      as alice -- "$helper" vpnrun-helper "$name" "$probes/state"
  done
  refused "no argument at all" 125 "was not started by vpnrun" as alice -- "$helper"
  refused "no profile" 125 "was not started by vpnrun" as alice -- "$helper" vpnrun-helper
  refused "no command" 125 "was not started by vpnrun" as alice -- "$helper" vpnrun-helper office
  refused "an environment without marks" 125 "was not started by vpnrun" \
    as alice -r -- "$helper" vpnrun-helper office "$probes/state"
  refused "one string without a mark" 125 "was not started by vpnrun" \
    as alice -i -r -e +A=1 -e B=2 -- "$helper" vpnrun-helper office "$probes/state"
  refused "an empty string without a mark" 125 "was not started by vpnrun" \
    as alice -i -r -e '' -- "$helper" vpnrun-helper office "$probes/state"
}

check_access() {
  refused "a profile that does not exist" 125 "$absent" \
    as alice -- "$helper" vpnrun-helper nosuch "$probes/state"
  refused "a profile that does not admit the caller" 125 "$absent" \
    as alice -- "$helper" vpnrun-helper private "$probes/state"
  expect "absent and forbidden get the same answer" \
    "$(as alice -- "$helper" vpnrun-helper absence "$probes/state" 2>&1)" \
    "$(as alice -- "$helper" vpnrun-helper private "$probes/state" 2>&1 | sed s/private/absence/)"
  refused "a stranger" 125 "$absent" as bob -- "$helper" vpnrun-helper office "$probes/state"
  refused "a caller without the admitting group" 125 "$absent" \
    as alice -- "$helper" vpnrun-helper staff "$probes/state"
  # The saved or effective group of a setgid caller must not open what his own would not.
  cp "$probes/call_helper" "$lab/libexec/setgid_caller"
  chgrp 4020 "$lab/libexec/setgid_caller"
  chmod 2755 "$lab/libexec/setgid_caller"
  refused "an effective group that is not the caller's own" 125 "$absent" \
    "${alice[@]}" "$lab/libexec/setgid_caller" -- "$helper" vpnrun-helper staff "$probes/state"
  # Uncapped uid changes would keep CAP_DAC_OVERRIDE while the directory is opened.
  refused "a caller with SECBIT_NO_SETUID_FIXUP" 125 "$absent" \
    setpriv --securebits +no_setuid_fixup --reuid 4001 --regid 4001 --clear-groups \
    --inh-caps=-all "$probes/call_helper" -- "$helper" vpnrun-helper private "$probes/state"
  expect "nor does it leave a capability" "CapEff 0000000000000000" \
    "$(setpriv --securebits +no_setuid_fixup --reuid 4001 --regid 4001 --clear-groups \
      --inh-caps=-all "$probes/call_helper" -- "$helper" vpnrun-helper office "$probes/state" CapEff)"
}

check_damage() {
  local call=("${alice[@]}" "$probes/call_helper" -- "$helper" vpnrun-helper broken "$probes/state") d=/run/vpnrun/broken
  anew() { [[ ! -L "$d/netns" ]] || rm "$d/netns"; umount "$d/netns" "$d/mnt" 2>/dev/null; rm -rf "$d"; prepare_profile broken u:4001:rx; }
  anew
  expect "the broken profile works before it is broken (control)" 0 "$("${call[@]}" >/dev/null; echo $?)"
  chmod 0770 "$d"
  refused "a directory that a group may write to" 125 "cannot trust" "${call[@]}"
  chmod 0750 "$d"
  chown 4009 "$d"
  refused "a directory that does not belong to root" 125 "cannot trust" "${call[@]}"
  anew; chown 4001 "$d"
  refused "a directory that belongs to the caller" 125 "cannot trust" "${call[@]}"
  anew; chmod 0777 /run/vpnrun
  refused "a runtime root that others may write to" 125 "cannot trust" "${call[@]}"
  chmod 0711 /run/vpnrun
  chmod 0446 "$d/origin"
  refused "a record that others may write to" 125 "damaged" "${call[@]}"
  anew; chown 4001 "$d/origin"
  refused "a record that does not belong to root" 125 "damaged" "${call[@]}"
  anew; printf x >>"$d/origin"
  refused "a record that is too long" 125 "damaged" "${call[@]}"
  anew; truncate -s -1 "$d/origin"
  refused "a record that is too short" 125 "damaged" "${call[@]}"
  anew; printf '\0' | dd of="$d/origin" conv=notrunc status=none
  refused "a record of another version" 125 "damaged" "${call[@]}"
  anew; rm "$d/origin"; mkfifo "$d/origin"
  refused "a pipe as the record" 125 "damaged" timeout 5 "${call[@]}"
  anew; rm "$d/origin"; ln -s ../office/origin "$d/origin"
  refused "a symbolic link as the record" 125 "cannot open" "${call[@]}"
  anew; cp /run/vpnrun/other/origin "$d/origin"
  refused "another profile's record" 125 "not the recorded one" "${call[@]}"
  anew; umount "$d/netns"
  refused "a file where the namespace should be" 125 "not the namespace" "${call[@]}"
  anew; umount "$d/mnt"; mount --bind "$d/netns" "$d/mnt"
  refused "a namespace of another kind" 125 "not the namespace" "${call[@]}"
  anew; umount "$d/netns"; rm "$d/netns"; ln -s ../office/netns "$d/netns"
  refused "a symbolic link as the namespace" 125 "cannot open" "${call[@]}"
  anew; umount "$d/netns"; mount --bind /run/vpnrun/other/netns "$d/netns"
  refused "another profile's namespace" 125 "not the recorded one" "${call[@]}"
  anew; rm -f "$d/origin"
  refused "a half-prepared profile" 125 "$absent" "${call[@]}"
  umount "$d/netns" "$d/mnt"; rm -rf "$d"
  ln -s office /run/vpnrun/linked
  refused "a symbolic link as the profile" 125 "cannot open" \
    as alice -- "$helper" vpnrun-helper linked "$probes/state"
  rm /run/vpnrun/linked
}

check_standpoint() {
  local call=("${alice[@]}" "$probes/call_helper" -- "$helper" vpnrun-helper office "$probes/state")
  refused "a caller in another mount namespace" 125 "another mount namespace" unshare -m "${call[@]}"
  refused "a caller in another pid namespace" 125 "another pid namespace" \
    unshare -p -f "${call[@]}"
  refused "a caller in another network namespace" 125 "another network namespace" unshare -n "${call[@]}"
  refused "in the profile's own network, but not in its view" 125 "another network namespace" \
    nsenter --net=/run/vpnrun/office/netns "${call[@]}"
  refused "in another profile's network alone" 125 "another network namespace" \
    nsenter --net=/run/vpnrun/other/netns "${call[@]}"
  refused "in no network and another mount namespace" 125 "another mount namespace" unshare -n -m "${call[@]}"
  local lenient=("${alice[@]}" "$probes/call_helper" -- "$helper" vpnrun-helper lenient "$probes/state")
  expect "a profile may admit callers in another network namespace: they are in its own then" \
    "net:[$(stat -L -c %i /run/vpnrun/lenient/netns)]" "$(unshare -n "${lenient[@]}" ns_net | cut -d' ' -f2)"
  expect "and who is not" "net:[$(stat -L -c %i /run/vpnrun/lenient/netns)]" "$("${lenient[@]}" ns_net | cut -d' ' -f2)"
  refused "it admits no other mount namespace by that" 125 "another mount namespace" unshare -m "${lenient[@]}"
  refused "nor a pid namespace" 125 "another pid namespace" unshare -n -p -f "${lenient[@]}"
  refused "nor a user namespace" 125 "" "${alice[@]}" unshare -U -r -n "$probes/call_helper" -- "$helper" \
    vpnrun-helper lenient "$probes/state"
  # The calls of a jail: the root directory of the host, mounted once more.
  in_jail() {
    local status
    mkdir -p "$lab/jail"
    # With all that is mounted: the tree may be on another file system.
    mount --rbind / "$lab/jail"
    [[ $1 == proc ]] || while umount -l "$lab/jail/proc" 2>/dev/null; do :; done
    [[ $1 != faked ]] || { mount -t tmpfs tmpfs "$lab/jail/proc" && mkdir -p "$lab/jail/proc/self/ns"; }
    chroot "$lab/jail" "${call[@]}"
    status=$?
    umount -l "$lab/jail"
    return "$status"
  }
  refused "a caller in a chroot" 125 "another root directory" in_jail proc
  refused "a caller in a chroot without /proc" 125 "cannot tell from where" in_jail none
  refused "a caller in a chroot with a faked /proc" 125 "cannot tell from where" in_jail faked
  refused "a caller who is inside already" 125 "already inside profile 'office'" \
    run "$probes/call_helper" -- "$helper" vpnrun-helper office "$probes/state"
  refused "from one profile into another" 125 "from here" \
    run "$probes/call_helper" -- "$helper" vpnrun-helper other "$probes/state"
}

# An ordinary user's own attempts: everything that he can make himself.
check_attacks() {
  local out
  refused "a user namespace of the caller's own" 125 "" \
    "${alice[@]}" unshare -U -r "$probes/call_helper" -- "$helper" vpnrun-helper office "$probes/state"
  refused "a faked runtime directory in his own mount namespace" 125 "" \
    "${alice[@]}" unshare -U -r -m bash -c '
      mount -t tmpfs tmpfs /run/vpnrun && mkdir -p -m 0750 /run/vpnrun/private && cd /run/vpnrun/private &&
      touch netns mnt && mount --bind /proc/self/ns/net netns && '"$probes"'/make_origin . 2>/dev/null
      cd / && exec "$@"' - "$probes/call_helper" -- "$helper" vpnrun-helper private "$probes/state"
  refused "the helper under a tracer" 125 "not privileged" \
    as alice -t -- "$helper" vpnrun-helper office "$probes/state"
  refused "shared file system state" 125 "not privileged" \
    as alice -s -- "$helper" vpnrun-helper office "$probes/state"
  refused "no_new_privs" 125 "NoNewPrivileges" as alice -n -- "$helper" vpnrun-helper office "$probes/state"
  refused "a hard link keeps no more power than the helper" 125 "$absent" \
    bash -c 'ln "$0" /run/lab/libexec/link; "$@"; s=$?; rm /run/lab/libexec/link; exit $s' "$helper" \
    "${alice[@]}" "$probes/call_helper" -- "$lab/libexec/link" vpnrun-helper private "$probes/state"
  for limit in -n\ 3 -n\ 4 -n\ 5 -f\ 0 -v\ 700 -s\ 16; do
    out=$(bash -c "ulimit $limit; exec \"\$@\"" - "${alice[@]}" "$probes/call_helper" -i -- \
      "$helper" vpnrun-helper private "$probes/state" 2>&1)
    expect "ulimit $limit opens nothing" "" "$(grep "uid 4001" <<<"$out")"
  done
  out=$(run "$probes/seize" 1 /bin/true true 2>&1) # the probe itself works inside
  out=$("${alice[@]}" "$probes/seize" 1200 "$helper" vpnrun-helper office /bin/sleep 0.1)
  expect "tracing at 1200 instants never gets a privileged process" "privileged 0" "${out##*$'\n'}"
  expect "and did get unprivileged ones (control)" "" "$(grep -x "caught 0" <<<"$out")"
  refused "a message to a full disk still fails" 125 "" \
    bash -c '"$@" 2>/dev/full; s=$?; printf "vpnrun: \nhint: \n"; exit $s' - "${alice[@]}" \
    "$probes/call_helper" -- "$helper" vpnrun-helper nosuch "$probes/state"
}

check_filter() {
  local out
  out=$(run "$probes/refusals")
  for line in "inet ok" "unix ok" "netlink ok" "pair_unix ok" \
    "vsock EAFNOSUPPORT" "bluetooth EAFNOSUPPORT" "qipcrtr EAFNOSUPPORT" "tipc EAFNOSUPPORT" \
    "unheard EAFNOSUPPORT" "smc_protocol EPROTONOSUPPORT" "smc_ulp ENOPROTOOPT" "vsock_high_bits EAFNOSUPPORT" \
    "pair_tipc EAFNOSUPPORT" "pidfd_getfd EPERM" "io_uring ENOSYS" "setuid0 EPERM" "setgid0 EPERM" \
    "setns EPERM" "mount EPERM"; do
    if [[ $'\n'$out$'\n' == *$'\n'$line$'\n'* ]]; then ok "the application finds: $line"; else
      not_ok "the application finds: $line"; grep "^${line%% *} " <<<"$out"; fi
  done
  if [[ $(uname -m) == x86_64 ]]; then
    for line in "i386_socket_vsock EAFNOSUPPORT" "i386_socketcall_vsock EAFNOSUPPORT" \
      "x32_socket_vsock ENOSYS" "i386_socket_inet ok"; do
      if [[ $'\n'$out$'\n' == *$'\n'$line$'\n'* ]]; then ok "the application finds: $line"; else
        not_ok "the application finds: $line"; grep "^${line%% *} " <<<"$out"; fi
    done
  fi
  if [[ $(uname -m) == x86_64 ]]; then
    out=$(as alice -- "$helper" vpnrun-helper games "$probes/refusals")
    for line in "i386_socketcall_vsock ok" "i386_socket_inet ok" "inet ok" "vsock EAFNOSUPPORT" "qipcrtr EAFNOSUPPORT" \
      "smc_protocol EPROTONOSUPPORT" "smc_ulp ENOPROTOOPT" "vsock_high_bits EAFNOSUPPORT" "pair_tipc EAFNOSUPPORT" \
      "pidfd_getfd EPERM" "io_uring ENOSYS" "x32_socket_vsock ENOSYS" "setuid0 EPERM" "mount EPERM"; do
      if [[ $'\n'$out$'\n' == *$'\n'$line$'\n'* ]]; then ok "with i386 the application finds: $line"; else
        not_ok "with i386 the application finds: $line"; grep "^${line%% *} " <<<"$out"; fi
    done
  fi
  expect "outside, vsock is there (control)" "vsock ok" "$("${alice[@]}" "$probes/refusals" | grep '^vsock ')"
}

# What the helper did, as the kernel saw it: its part of a trace. Root may trace a setuid program.
trace_of() {  # PROFILE
  strace -o "$lab/trace" "${alice[@]}" "$probes/call_helper" -- "$helper" vpnrun-helper "$1" \
    "$probes/state" uid >/dev/null
  sed -n '/^execve("[^"]*\/vpnrun-helper"/,/^execve("[^"]*\/state"/p' "$lab/trace"
}

check_order() {
  local trace raised
  if ! command -v strace >/dev/null; then
    echo "ok - $install_kind: order of the phases # SKIP apt-get install strace"
    return
  fi
  trace=$(trace_of locked)
  expect "no_new_privs is set after the drop, read back, and before a path of the view is touched" \
    "setns setns seccomp capset setuid PR_SET_NO_NEW_PRIVS PR_GET_NO_NEW_PRIVS chdir execve" \
    "$(sed -n '/^setns(/,$p' <<<"$trace" | sed -n -E 's/^prctl\((PR_[SG]ET_NO_NEW_PRIVS).*/\1/p
      s/^(setns|seccomp|capset|setuid|chdir|execve)\(.*/\1/p' | xargs)"
  trace=$(trace_of office)
  expect "and is not touched where the profile does not say so" "" "$(grep NO_NEW_PRIVS <<<"$trace")"
  for step in 'prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE' 'setresgid(4001, 4001, 4001) *= 0' \
    'prctl(PR_SET_KEEPCAPS, 1' 'setresuid(4001, 4001, 4001) *= 0' 'prctl(PR_SET_KEEPCAPS, 0' \
    'capget(' 'getresuid(' 'getresgid(' 'prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE' 'getcwd(' 'open.*"/run/vpnrun"' 'openat2(.*"office"' \
    'openat(.*"origin"' 'openat2(.*"netns"' 'openat2(.*"mnt"' 'capset(' 'setns(' 'setns(' 'seccomp(' \
    'prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL' 'capset(.*effective=0, permitted=0, inheritable=0' \
    'capget(' 'setuid(0) *= -1 EPERM' 'getresuid(' 'getresgid(' 'chdir(' 'execve('; do
    if ! grep -q "^$step" <<<"$trace"; then
      not_ok "order of the phases"
      printf '  missing, or too early: %s\n' "$step"
      return
    fi
    trace=$(sed "0,/^${step//\//\\/}/d" <<<"$trace")
  done
  ok "order of the phases"
  raised=$(sed -n '/^capset(.*effective=1<<CAP_SYS_CHROOT|1<<CAP_SYS_ADMIN/,/^capset(.*effective=0/p' \
    "$lab/trace" | sed 's/(.*//' | xargs)
  expect "nothing but the joins and the filter while privileged" \
    "capset setns setns seccomp prctl capset" "$raised"
  # (Before main() libc looks for /etc/suid-debug and reads /proc/self/exe.)
  expect "no path is looked up before the ids are given back" "" \
    "$(sed -n '/^prctl(PR_SET_DUMPABLE/,/^setresuid(/{p;/^setresuid(/q}' "$lab/trace" | grep -E '^(open|stat|chdir|access|readlink)')"
}

check_installs() {
  local call=("${alice[@]}" "$probes/call_helper" -- "$helper" vpnrun-helper office "$probes/state")
  chmod 0755 "$helper"; setcap -r "$helper" 2>/dev/null
  refused "a helper without any privilege" 125 "not setuid root" "${call[@]}"
  setcap cap_sys_admin,cap_sys_chroot,cap_net_admin+ep "$helper"
  refused "a helper with one capability more" 125 "installed incorrectly" "${call[@]}"
  setcap cap_sys_admin+ep "$helper"
  refused "a helper with one capability less" 125 "has only one of" "${call[@]}"
  setcap cap_sys_admin,cap_sys_chroot+ep "$helper"; chmod 4755 "$helper"
  refused "a setuid helper with capabilities" 125 "installed incorrectly" "${call[@]}"
  setcap -r "$helper"; chown 4009 "$helper"; chmod 4755 "$helper"
  refused "a helper setuid to somebody else" 125 "installed incorrectly" "${call[@]}"
  chown 0 "$helper"; setcap cap_sys_admin,cap_sys_chroot+ep "$helper"; chown 4009 "$helper"
  setcap cap_sys_admin,cap_sys_chroot+ep "$helper"; chmod 4755 "$helper"
  refused "a helper setuid to somebody else, with capabilities" 125 "installed incorrectly" "${call[@]}"
  chown 0 "$helper"
  "install_$install_kind"
  mount --bind "$lab/libexec" "$lab/libexec"; mount -o remount,bind,nosuid "$lab/libexec"
  refused "a helper on a nosuid mount" 125 "nosuid" "${call[@]}"
  umount "$lab/libexec"
}

make_lab
for install_kind in setuid capability; do
  "install_$install_kind"
  for check in "${checks[@]}"; do
    "check_$check"
  done
done
echo "$failures failed"
exit $((failures > 0))
