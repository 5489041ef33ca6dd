# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A machine with a booted systemd as the lab's host: a container whose PID 1 is systemd, with D-Bus,
# logind and polkit, on a clean Debian root. Its network is the lab's own namespace, the one with up0;
# so router, VPN servers, resolvers, web server and the captures of up0 are those of every lab.
#
#   machine_boot                 boots; returns when everything that boots has started
#   machine_poweroff             shuts down as a person does; machine_boot starts it again
#   machine_reboot               both: the disk stays, /run, /tmp and the kernel's state do not
#   machine_crash                ends it without a shutdown, as a power failure does
#
#   inside COMMAND…              as root, at once, no unit and no session
#   as_user USER COMMAND…        in a new login session of USER, home folder, XDG_RUNTIME_DIR, D-Bus;
#                                `as_user alice systemctl --user …` reaches alice's manager
#   user_manager USER            USER's service manager runs from now on, logged in or not (linger)
#   put FILE PATH [MODE]         copies FILE of the lab to PATH inside, root's, 0644
#   journal [OPTION…]            journalctl
#   unit_is STATE UNIT           for wait_until: 'active', 'failed', … of UNIT
#   machine_install [FILE.deb]   the package, by apt, without any network: what a newcomer types
#   machine_profile NAME         profile one or two (product.sh) inside, alice admitted
#   machine_tunnel_up NAME       for wait_until: the companion says up and the default route is there
#
# $MACHINE is the root as the running machine sees it, /run included (valid while it runs), $DISK the
# part of it that survives a reboot (valid always), $PACKAGE the package under test.
#
# /proc/sys but net and all of /sys are read-only inside, /sys/power is not there, clock and modules are
# out of reach: nothing inside can change the real machine. MemoryMax= and TasksMax= are not enforced.

MACHINE_PID=

# The disk: the clean root below, what the machine writes above, in memory.
machine_disk() {
  local folder=$LAB/machine
  mkdir "$folder"
  mount -t tmpfs -o mode=0755,size=1g lab-disk "$folder"
  mkdir "$folder"/{disk,upper,work}
  mount -t overlay lab-disk -o "lowerdir=$ROOTFS,upperdir=$folder/upper,workdir=$folder/work" "$folder/disk"
  DISK=$folder/disk
  export PROFILES=$DISK/etc/vpnrun/profiles
  tr -d - </proc/sys/kernel/random/uuid >"$DISK/etc/machine-id"
}

# Becomes the container. tests/lab/group.sh made the group; seen from a mount namespace of its own it is
# that of a machine which has nothing but cgroup2, whatever this machine has.
machine_container() {
  # shellcheck disable=SC2016  # expanded inside
  exec env -i PATH="$PATH" LANG=C.UTF-8 \
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_LOCK=0 \
    unshare -m -- bash -euc 'mount -t cgroup2 lab-group /sys/fs/cgroup
      echo 0 >/sys/fs/cgroup/machine/cgroup.procs
      exec systemd-nspawn "$@"' nspawn \
    --quiet --boot --register=no --keep-unit --settings=no --machine=lab --directory="$DISK" \
    --network-namespace-path=/proc/self/ns/net --resolv-conf=off --timezone=off --link-journal=no \
    --console=pipe --capability=all --drop-capability=CAP_SYS_MODULE,CAP_SYS_TIME,CAP_SYS_RAWIO \
    --system-call-filter='@keyring bpf' --bind=/dev/net/tun \
    systemd.log_level=info
}

machine_leader() {
  local pid
  pid=$(tr -d ' ' <"/proc/$NSPAWN_PID/task/$NSPAWN_PID/children") || return 1
  [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm")" = systemd ] && [ -S "/proc/$pid/root/run/systemd/private" ] || return 1
  MACHINE_PID=$pid
}

machine_boot() {
  local state
  [ -n "${DISK:-}" ] || machine_disk
  background "$LAB/log/machine-console" machine_container
  NSPAWN_PID=$BACKGROUND
  # Until it is there, or will never be.
  wait_until 20 eval 'machine_leader || gone $NSPAWN_PID'
  [ -n "$MACHINE_PID" ] || {
    cat "$LAB/log/machine-console" >&2
    lab_die "the machine does not boot"
  }
  export MACHINE=/proc/$MACHINE_PID/root
  state=$(inside timeout 60 systemctl is-system-running --wait) || {
    inside systemctl --failed --no-legend --plain >&2
    echo "lab: the machine is '$state'" >&2
  }
}

# What a kernel that has just been started has nothing of. The network namespace is the lab's and stays.
machine_forget() {
  local link
  MACHINE_PID='' MACHINE=''
  nft flush ruleset
  for link in $(ip -o link show | awk -F '[:@ ]+' '{ print $2 }'); do
    # The other end of a pair has gone with the first.
    [[ $link == lo || $link == up0 || ! -e /sys/class/net/$link ]] || ip link delete "$link"
  done
  sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
}

# machine_ends: waits until the container has gone.
machine_ends() {
  wait_until 60 gone "$NSPAWN_PID" || lab_die "the machine does not go down"
  # nspawn's status: 133 for a reboot.
  wait "$NSPAWN_PID" || MACHINE_STATUS=$?
}

# machine_told ACTION: the bus may go before it has answered; whether it was heard, machine_ends finds out.
machine_told() { inside systemctl --no-block "$1" || echo "# no answer to '$1'"; }

machine_poweroff() {
  machine_told poweroff
  machine_ends
  machine_forget
}

machine_reboot() {
  machine_told reboot
  machine_ends
  machine_forget
  machine_boot
}

machine_crash() {
  kill -9 "$MACHINE_PID"
  machine_ends
  machine_forget
}

inside() {
  nsenter -t "$MACHINE_PID" -a -- /usr/bin/env -i HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 TERM=dumb \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

as_user() {
  local user=$1
  shift
  # The service manager expands $NAME in a command line; '$$' is a '$'.
  inside systemd-run --quiet --pipe --wait --collect --service-type=exec -p "User=$user" -p PAMName=login \
    -p WorkingDirectory='~' -p Environment=LANG=C.UTF-8 -- "${@//\$/\$\$}"
}

user_manager() {
  # Of a process that comes from outside, logind (systemd 257) does not find the control group.
  inside systemd-run --quiet --wait --collect loginctl enable-linger "$1"
  wait_until 10 unit_is active "user@$(inside id -u "$1").service" || lab_die "the manager of '$1' does not start"
}

put() {
  install -D -m "${3:-0644}" "$1" "$MACHINE/$2"
}

journal() { inside journalctl --no-pager --quiet "$@"; }

unit_is() { [ "$(inside systemctl show --property=ActiveState --value "$2")" = "$1" ]; }

machine_install() {
  local package=${1:-$PACKAGE}
  put "$package" "/tmp/${package##*/}"
  inside env DEBIAN_FRONTEND=noninteractive timeout 60 apt-get -qq install --yes "/tmp/${package##*/}" >"$LAB/log/apt" 2>&1 </dev/null || {
    cat "$LAB/log/apt" >&2
    return 1
  }
}

machine_profile() { "profile_$1"; }

machine_tunnel_up() {
  grep -q '"state": *"up"' "$MACHINE/run/vpnrun/$1/state.json" &&
    [ -n "$(inside ip -n "$1" route show default)" ]
}
