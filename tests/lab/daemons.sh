# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The name daemons of a desktop, on the lab's host: the system bus, avahi, systemd-resolved with its
# stub, nscd. As their units do, each start makes the daemon's folder in /run, each stop removes it.

declare -gA DAEMON_PID=()

daemons_accounts() {
  local name id=64120
  for name in messagebus avahi systemd-resolve; do
    id=$((id + 1))
    sed -i "/^$name:/d" /etc/passwd /etc/group
    echo "$name:x:$id:$id::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
    echo "$name:x:$id:" >>/etc/group
  done
}

daemons_available() { [ -x /usr/sbin/nscd ] && [ -x /lib/systemd/systemd-resolved ] && [ -x /usr/sbin/avahi-daemon ]; }

# daemon_start nscd|resolved|avahi|bus
daemon_start() {
  local name=$1
  case $name in
    bus)
      mkdir -p /run/dbus
      rm -f /run/dbus/pid
      background "$LAB/log/daemon-bus" dbus-daemon --system --nofork --nopidfile
      wait_until 5 test -S /run/dbus/system_bus_socket
      ;;
    avahi)
      mkdir -p /run/avahi-daemon
      background "$LAB/log/daemon-avahi" avahi-daemon --no-drop-root --no-chroot --no-rlimits
      wait_until 5 test -S /run/avahi-daemon/socket
      ;;
    resolved)
      install -d -o systemd-resolve -g systemd-resolve -m 0755 /run/systemd/resolve
      printf '%s\n' '[Resolve]' 'DNS=192.168.77.1' 'LLMNR=no' 'DNSSEC=no' >/etc/systemd/resolved.conf
      background "$LAB/log/daemon-resolved" /lib/systemd/systemd-resolved
      wait_until 5 test -S /run/systemd/resolve/io.systemd.Resolve
      ;;
    nscd)
      mkdir -p /run/nscd
      background "$LAB/log/daemon-nscd" nscd -F
      wait_until 5 test -S /run/nscd/socket
      ;;
  esac || {
    cat "$LAB/log/daemon-$name" >&2
    lab_die "cannot start $name"
  }
  DAEMON_PID[$name]=$BACKGROUND
}

# daemon_stop NAME: with its folder, as RuntimeDirectory= does.
daemon_stop() {
  local -A folder=([nscd]=nscd [resolved]=systemd/resolve [avahi]=avahi-daemon [bus]=dbus)
  # avahi ends by itself when the bus goes.
  gone "${DAEMON_PID[$1]}" || kill_hard "${DAEMON_PID[$1]}"
  unset "DAEMON_PID[$1]"
  rm -rf "/run/${folder[$1]}"
}
daemon_restart() {
  daemon_stop "$1"
  daemon_start "$1"
}
