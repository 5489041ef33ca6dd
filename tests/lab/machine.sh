# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The private machine: mounts, devices, users. Everything that it writes is in memory.

# A folder that every Debian has and that holds neither the sources nor the build.
machine_folder() {
  local folder
  for folder in /srv /mnt /media; do
    case "$SOURCE/:$1/" in
      *"$folder"/*) ;;
      *)
        echo "$folder"
        return
        ;;
    esac
  done
  lab_die "no free folder for the lab"
}

machine_mounts() {
  local build=$1
  mount --make-rprivate /
  export LAB
  LAB=$(machine_folder "$build")
  mount -t tmpfs -o mode=0755,size=512m lab "$LAB"
  mkdir "$LAB"/{bin,ns,log,tmp,tls,home,cgroup,dev,etc,usr,usr/upper,usr/work,build,build/upper,build/work}
  chmod 1777 "$LAB/tmp"
  # /etc is a copy: vpnrun lays its own overlay over it, and the kernel stacks two at most.
  cp -a /etc/. "$LAB/etc/"
  mount --bind "$LAB/etc" /etc
  local usr=/usr
  if [ -d "$SOURCE/build/daemons/usr" ]; then
    usr=$SOURCE/build/daemons/usr:/usr
    cp -an "$SOURCE/build/daemons/etc/." "$LAB/etc/"
  fi
  mount -t overlay lab-usr -o "lowerdir=$usr,upperdir=$LAB/usr/upper,workdir=$LAB/usr/work" /usr
  # `cmake --install` writes into the build tree, and several labs may use the same.
  if [ "$build" != - ]; then
    mount -t overlay lab-build -o "lowerdir=$build,upperdir=$LAB/build/upper,workdir=$LAB/build/work" "$build"
  fi
  mount -t tmpfs -o mode=0755 lab-run /run
  mount --rbind /sys/fs/cgroup "$LAB/cgroup"
  mount -t sysfs sysfs /sys
  mount --move "$LAB/cgroup" /sys/fs/cgroup
  # Where every user may be.
  cd "$LAB/tmp" || return
}

# Nodes of our own: the machine's /dev/net/tun may be root's, or missing.
machine_devices() {
  local node
  mount -t tmpfs -o mode=0755 lab-dev "$LAB/dev"
  mkdir "$LAB"/dev/{pts,shm,net}
  for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0' 'net/tun 10 200'; do
    # shellcheck disable=SC2086  # three words
    mknod -m 0666 "$LAB/dev/"${node% * *} c ${node#* }
  done
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$LAB/dev/pts"
  mount -t tmpfs -o mode=1777 lab-shm "$LAB/dev/shm"
  ln -s pts/ptmx "$LAB/dev/ptmx"
  ln -s /proc/self/fd "$LAB/dev/fd"
  ln -s /proc/self/fd/0 "$LAB/dev/stdin"
  ln -s /proc/self/fd/1 "$LAB/dev/stdout"
  ln -s /proc/self/fd/2 "$LAB/dev/stderr"
  mount --rbind "$LAB/dev" /dev
}

# alice is admitted by the profiles, bob is not; vpnrun is the system user that looks up names.
machine_users() {
  local entry name id shell
  sed -i -E '/^(alice|bob|vpnrun|labfriends):/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
  for entry in alice:64101:/bin/bash bob:64102:/bin/bash vpnrun:64103:/usr/sbin/nologin; do
    IFS=: read -r name id shell <<<"$entry"
    echo "$name:x:$id:$id::$LAB/home/$name:$shell" >>/etc/passwd
    echo "$name:x:$id:" >>/etc/group
    echo "$name:*:19000:0:99999:7:::" >>/etc/shadow
    install -d -o "$id" -g "$id" -m 0755 "$LAB/home/$name"
  done
  echo 'labfriends:x:64110:alice' >>/etc/group
  rm -f /etc/resolv.conf /etc/nsswitch.conf
  echo 'nameserver 192.168.77.1' >/etc/resolv.conf
  printf '%s\n' 'passwd: files' 'group: files' 'shadow: files' 'hosts: files dns' >/etc/nsswitch.conf
}

# by USER COMMAND…: what a login of USER would run: ids, groups, a plain environment. A program, so
# that it becomes COMMAND.
machine_by() {
  cat >"$LAB/bin/by" <<END
#!/bin/bash
user=\$1
shift
exec setpriv --reuid="\$user" --regid="\$user" --init-groups -- env -i "HOME=$LAB/home/\$user" \\
  "USER=\$user" "LOGNAME=\$user" SHELL=/bin/bash "PATH=$LAB/bin:/usr/local/bin:/usr/bin:/bin" LANG=C.UTF-8 "\$@"
END
  chmod 0755 "$LAB/bin/by"
  export PATH=$LAB/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

# Debian's AppArmor profile of tcpdump lets it open captures by these names only. Where AppArmor is off the
# lab keeps to that as well: a test that would fail on other machines fails on this one.
machine_tcpdump() {
  local program
  program=$(command -v tcpdump)
  cat >"$LAB/bin/tcpdump" <<END
#!/bin/bash
before=
for word; do
  if [[ \$before == -[rw] && \$word != *.pcap ]]; then
    echo "tcpdump: '\$word' is not called *.pcap: where AppArmor is on, it may not be opened" >&2
    exit 1
  fi
  before=\$word
done
exec $program "\$@"
END
  chmod 0755 "$LAB/bin/tcpdump"
}

# machine_raise BUILD: BUILD is absolute, or '-'.
machine_raise() {
  machine_mounts "$1"
  machine_devices
  machine_users
  machine_by
  machine_tcpdump
  # As systemd leaves it: what is mounted later reaches other mount namespaces.
  mount --make-rshared /
}
