# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Limits, signals and timers of the caller.

NAMES=(cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime)
number_of() {
  local i
  for i in "${!NAMES[@]}"; do [ "${NAMES[i]}" != "$1" ] || echo "$i"; done
}

# These do not matter to the helper, not even at 0.
for name in fsize core rss nproc memlock locks sigpending msgqueue nice rtprio rttime; do
  launch limit "$(number_of $name)" 0 hard
  inside "limit $name at 0"
done
launch limit 0 0 hard
harmless 'limit cpu at 0'
# These do: what fails, fails closed.
for name in data stack nofile as; do
  launch limit "$(number_of $name)" 0 hard
  stopped "limit $name at 0"
done
for value in 1 2 3 4 5 6; do
  launch limit 7 $value hard
  harmless "limit nofile at $value"
done
launch limit 7 16
inside 'limit nofile at 16'
launch limit 7 40 files 0
refused 'every descriptor is taken' 'cannot|Too many open files'
for value in 1 4096 16384 65536 131072 262144 1048576; do
  launch limit 3 $value hard
  harmless "limit stack at $value"
done
for value in 4096 716800 1000000 1048576 1500000 2097152 4194304; do
  launch limit 9 $value hard
  harmless "limit as at $value"
done
for value in 1 4096 65536 131072 1048576; do
  launch limit 2 $value hard
  harmless "limit data at $value"
done
for name in "${NAMES[@]}"; do
  launch limit "$(number_of "$name")" -
  inside "limit $name as far as the hard one"
done

# With no file to be written a message ends in a signal, or in nothing; never in a launch.
PROFILE=nosuch
to_file() {
  bounded bash -c 'exec "$@" 2>"$0"' "$LAB/tmp/message" hostile as "$ALICE" limit 1 0 "$@" -- "$HELPER" vpnrun-helper nosuch "$VERDICT"
}
to_file
stopped 'limit fsize at 0, standard error a file'
is 'and that by SIGXFSZ' "$STATUS" 153
to_file ignore
stopped 'the same with SIGXFSZ ignored'
is 'and that with the exit status of the helper' "$STATUS" 125
to_file block
stopped 'the same with SIGXFSZ blocked'
PROFILE=one

ITEMS=(state)
launch block
inside 'all signals blocked'
like 'they are blocked inside' "$OUT" '^blocked fffffffe7ffbfeff$'
launch ignore
inside 'all signals ignored'
like 'they are ignored inside' "$OUT" '^ignored fffffffe7ffbfeff$'
launch block pend
inside 'all signals blocked and pending'
like 'they are pending inside' "$OUT" '^pending fffffffe7f[0-9a-f]*$'
launch ignore pend
inside 'all signals sent while ignored and blocked'
launch alarm 3600
inside 'an alarm'
# alarm(2) and setitimer(2) survive execve(2), timer_create(2) does not: not the helper's doing.
like 'it is still set inside' "$OUT" '^itimer 1$'
launch
like 'control: otherwise it is not set' "$OUT" '^itimer 0$'
launch posix_timer
inside 'a timer of timer_create'
like 'execve took it' "$OUT" '^posix_timers $'
launch ignore storm 50
inside 'a storm of ignored alarms'
ITEMS=()
ENDS=
for us in 50 100 200 300 400 500 600 700 800 1000 1200 1500 2000 3000; do
  launch storm $us
  case $STATUS.$OUT in 0."$INSIDE" | 142."$INSIDE") ENDS+=i ;; 142.) ENDS+=k ;; *) ENDS+="($STATUS $OUT)" ;; esac
done
like 'an alarm at any time: killed before, or inside' "$ENDS" '^[ik]+$'
for mask in 0 777 7777; do
  launch umask $mask
  inside "umask $mask"
done
