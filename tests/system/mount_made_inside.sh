# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a user mounts inside (sshfs over the tunnel, gocryptfs) is seen inside only, as vpnrun(1) says: by the next
# command of the same profile too, and until it is unmounted there. What is mounted outside is seen inside, also later.
if ! command -v gocryptfs >/dev/null; then
  echo 'skipped: no gocryptfs here; tests/run unpacks one'
  exit 77
fi
# As its package has it after the installation.
chmod u+s "$(command -v fusermount3)"
mknod -m 0666 "$LAB/dev/fuse" c 10 229
if ! (exec 3<>/dev/fuse) 2>/dev/null; then
  echo 'skipped: this kernel has no FUSE; try: modprobe fuse'
  exit 77
fi
FAR=$LAB/home/alice/far
# mounts [COMMAND…]: mounts the file system by it. A process of its own stays, with this output.
mounts() { by alice "$@" gocryptfs -q -nosyslog -extpass 'echo word' "$FAR.store" "$FAR" >>"$LAB/log/mounts" 2>&1; }
by alice mkdir "$FAR" "$FAR.store"
by alice gocryptfs -q -nosyslog -init -extpass 'echo word' "$FAR.store" || lab_die 'gocryptfs makes no store'

profile_one
tunnel_start one
check 'an ordinary user mounts outside (control)' mounts
by alice sh -c "echo there >$FAR/file"
is 'which is seen inside, although the profile was there before' "$(by alice vpnrun cat "$FAR/file")" there
by alice fusermount3 -u "$FAR"
check 'and so is its end' by alice vpnrun test ! -e "$FAR/file"

check 'an ordinary user mounts inside' mounts vpnrun
is 'the next command inside sees it' "$(by alice vpnrun cat "$FAR/file")" there
check 'nobody outside does' by alice test ! -e "$FAR/file"
by alice vpnrun fusermount3 -u "$FAR"
check 'it is unmounted there' by alice vpnrun test ! -e "$FAR/file"

check 'mounted inside once more' mounts vpnrun
tunnel_stop one
tunnel_release one
tunnel_start one
check 'it goes with the profile' by alice vpnrun test ! -e "$FAR/file"
tunnel_stop one
tunnel_release one
