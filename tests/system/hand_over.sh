# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The application replaces vpnrun: whatever it can ask about itself is as if it had been started
# without vpnrun.

profile_one
snapshot before
tunnel_start one
# `direct COMMAND` and `inside COMMAND` differ in nothing but vpnrun.
direct() { by alice "$@"; }
inside() { by alice vpnrun -- "$@"; }

read -r SHELL_PID APP_PID < <(by alice sh -c 'printf "%s " $$; exec vpnrun sh -c "echo \$\$"')
is 'the pid is the same' "$APP_PID" "$SHELL_PID"

# Every exit status and some signals.
STATUS_WRONG=$(
  trap - ERR
  set +e
  for code in $(seq 0 255); do
    inside sh -c "exit $code"
    [ $? = "$code" ] || echo "$code"
  done
)
empty 'every exit status from 0 to 255 is the application'"'"'s' "$STATUS_WRONG"
for SIGNAL in HUP INT KILL TERM USR1 SEGV; do
  attempt inside sh -c "ulimit -c 0; kill -$SIGNAL \$\$"
  is "death by SIG$SIGNAL is seen" "$STATUS" "$((128 + $(kill -l $SIGNAL)))"
done
attempt inside /nonexistent/command
is 'a command that does not exist gives 127' "$STATUS" 127
complains 'not found' 'nonexistent'
attempt inside nosuchcommand
is 'a name that is not in PATH as well' "$STATUS" 127
attempt inside /etc/passwd
is 'a file that is not executable gives 126' "$STATUS" 126
complains 'not executable' '/etc/passwd'

# Streams and descriptors.
head -c 100000 /dev/urandom >"$LAB/tmp/random"
check 'standard input and output pass binary data' eval 'inside cat <"$LAB/tmp/random" | cmp - "$LAB/tmp/random"'
descriptors() { "$1" find /proc/self/fd -mindepth 1 -printf '%f %l\n' </dev/null | sed 's/pipe:.*/pipe/' | grep -v '/proc/'; }
exec 7<"$LAB/tls/ca.crt" 23>"$LAB/tmp/twenty-three"
is 'the open descriptors are the same' "$(descriptors inside)" "$(descriptors direct)"
# A network socket that was made outside goes its own way: the launcher says so, or refuses.
with_sockets() {
  attempt by alice bash -c 'ulimit -n 4096; exec 8<>/dev/udp/203.0.113.10/9 300<>/dev/tcp/203.0.113.10/80; exec "$@"' - "$@"
}
with_sockets vpnrun true
is 'with network sockets of outside a launch works' "$STATUS" 0
like 'and names the one' "$ERR" 'descriptor 8 is a network socket made outside the tunnel \(UDP from 192\.168\.77\.2:[0-9]+ to 203\.0\.113\.10:9\)'
like 'and the other' "$ERR" 'descriptor 300 is .*\(TCP from 192\.168\.77\.2:[0-9]+ to 203\.0\.113\.10:80\)'
with_sockets vpnrun --strict true
is 'with --strict it is refused' "$STATUS" 125
like 'and both are named' "$ERR" 'descriptor 8 \(UDP .*, 300 \(TCP '
with_sockets bash -c 'exec 2000>&300 300>&- 8>&-; exec vpnrun --strict true'
is 'also far up, where a usual launch does not look' "$STATUS" 125
attempt by alice vpnrun --strict true
is 'without such a socket --strict starts' "$STATUS" 0
empty 'and says nothing' "$ERR"
is 'a descriptor can be read from where it stood' "$(read -r -u 7 line; inside head -n 1 <&7 | head -c 4; echo)" MIIB
exec 7<&- 23>&-
attempt direct sh -c 'exec vpnrun sh -c "ls /proc/self/fd" <&- 2>&-'
like 'a closed standard input is no obstacle' "$OUT" '^1$'

# Directory, mask, signals, limits: read by the application itself.
is 'the working directory is the same' "$(cd "$LAB/home/alice" && inside pwd -P)" "$LAB/home/alice"
is 'the root directory is the same' "$(inside stat -c %i /)" "$(stat -c %i /)"
is 'the umask is the same' "$(umask 0137; inside sh -c umask)" 0137
FIELDS='^(Umask|Uid|Gid|Groups|SigQ|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt|Cap[A-Za-z]*|NoNewPrivs|Cpus_allowed):'
identity() { (trap '' USR2 PIPE; "$1" grep -E "$FIELDS" /proc/self/status); }
is 'ids, groups, capabilities and signals are the same' "$(identity inside)" "$(identity direct)"
for SET in CapInh CapPrm CapEff CapAmb; do
  like "$SET is empty" "$(inside grep $SET /proc/self/status)" '0000000000000000$'
done
like 'the supplementary groups are alice'"'"'s' "$(inside id -Gn)" '^alice labfriends$'
is 'the resource limits are the same' \
  "$(ulimit -S -n 333; inside cat /proc/self/limits)" "$(ulimit -S -n 333; direct cat /proc/self/limits)"
is 'the priority is the same' "$(inside nice)" "$(direct nice)"
is 'an unprivileged nice value is kept' "$(nice -n $((7 - $(nice))) setpriv --reuid=alice --regid=alice --init-groups vpnrun -p one nice)" 7
is 'the process is dumpable, its own' "$(inside stat -c %U /proc/self/mem)" alice
is 'the cgroup is the same' "$(inside cat /proc/self/cgroup)" "$(direct cat /proc/self/cgroup)"
is 'the name of the process is the application'"'"'s' "$(inside cat /proc/self/comm)" cat
is 'argv arrives as it was' "$(inside printf '[%s]' '' ' two  words ' '--profile' '*' $'tab\tnewline\n' | od -c)" \
  "$(printf '[%s]' '' ' two  words ' '--profile' '*' $'tab\tnewline\n' | od -c)"

# Process group, session, terminal.
GROUP='ps -o pgid=,sid= -p $$'
is 'the process group and session stay' "$(direct sh -c "$GROUP; exec vpnrun sh -c '$GROUP'" | sort -u | wc -l)" 1
TERMINAL=$(script -qec "setpriv --reuid=alice --regid=alice --init-groups vpnrun -p one -- sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && echo terminal; stty size >/dev/null && echo controls; ps -o tpgid=,pgid= -p \$\$'" /dev/null </dev/null | tr -d '\r')
like 'on a terminal the application has it' "$TERMINAL" '^/dev/pts/[0-9]+$'
like 'on all three streams' "$TERMINAL" '^terminal$'
like 'and can control it' "$TERMINAL" '^controls$'
like 'in the foreground' "$(tail -n 1 <<<"$TERMINAL" | awk '$1 == $2 { print "foreground" }')" foreground

# The environment, byte for byte.
LIBRARY=$(ldconfig -p | awk '$1 == "libm.so.6" && !found++ { print $NF }')
printf '%s\0' "PATH=/usr/local/bin:/usr/bin:/bin" "HOME=$LAB/home/alice" "LD_PRELOAD=$LIBRARY" \
  "LD_LIBRARY_PATH=/nonexistent:$LAB/tmp" "TMPDIR=$LAB/tmp" 'GLIBC_TUNABLES=glibc.malloc.check=0' \
  'MALLOC_CHECK_=0' 'LD_DEBUG=' 'RESOLV_HOST_CONF=/x' 'LOCALDOMAIN=y' 'NLSPATH=z' 'GCONV_PATH=/x' \
  'DUPLICATE=first' 'DUPLICATE=second' 'no equals sign' '=starts with it' 'EMPTY=' "$(printf 'BYTES=\001\377\n\t ')" \
  '+plus=1' 'A=1' 'HOSTALIASES=/x' "LONG=$(head -c 60000 /dev/zero | tr '\0' x)" >"$LAB/tmp/environment"
chmod 0644 "$LAB/tmp/environment"
setpriv --reuid=alice --regid=alice --init-groups exec_with_environment "$LAB/tmp/environment" \
  "$(command -v vpnrun)" -p one -- /usr/bin/cat /proc/self/environ >"$LAB/tmp/environment.seen" 2>"$LAB/tmp/err" || :
check 'the environment arrives byte for byte' cmp "$LAB/tmp/environment" "$LAB/tmp/environment.seen"
like 'LD_PRELOAD acts in the application' "$(setpriv --reuid=alice --regid=alice --init-groups exec_with_environment \
  "$LAB/tmp/environment" "$(command -v vpnrun)" -p one -- /usr/bin/cat /proc/self/maps 2>&1)" 'libm\.so\.6'
printf '' >"$LAB/tmp/environment"
is 'an empty environment stays empty' "$(setpriv --reuid=alice --regid=alice --init-groups exec_with_environment \
  "$LAB/tmp/environment" "$(command -v vpnrun)" -p one -- /usr/bin/cat /proc/self/environ | wc -c)" 0

tunnel_release one
rm -f "$LAB/tmp/environment"
unchanged_since before 'after release'
