# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Who is behind the names of [access]: two names of one user, a group too large for a small buffer, a
# directory service that does not answer.
DIRECTORY=$LAB/tmp/directory-answers
cc -shared -fPIC -O2 -DLAB_DIRECTORY="\"$DIRECTORY\"" -o "$LAB/tmp/libnss_lab.so.2" "$SOURCE/tests/probes/nss_lab.c"
cp "$LAB/tmp/libnss_lab.so.2" "$(dirname "$(ldd /bin/sh | awk '/libc\.so/ { print $3 }')")/"
sed -i 's/^\(passwd\|group\): files/& lab/' /etc/nsswitch.conf
touch "$DIRECTORY"
is 'control: the directory service knows carol' "$(getent passwd carol | cut -d : -f 3)" 64102

# access USERS GROUPS: as lists of TOML; then prepares.
access() {
  sed -i "s/^users = .*/users = [$1]/; /^groups = /d" "$PROFILES/one.toml"
  echo "groups = [$2]" >>"$PROFILES/one.toml"
  attempt "$TUNNEL" prepare one
}
admitted() { getfacl -cnE /run/vpnrun/one 2>/dev/null | sed -n 's/^\(user\|group\):\([0-9]\+\):.*/\1:\2/p' | sort | xargs; }
profile_one

# --- a name that is listed twice, and two names of one user ---
access '"alice", "bob", "alice"' ''
is 'a user who is listed twice is refused' "$STATUS" 78
like 'with the place and the name' "$ERR" "one\.toml:[0-9]+:26: 'users' in \[access\]: 'alice' is listed twice"
check 'nothing is prepared' test ! -e /run/vpnrun/one
echo "alice2:x:64101:64101::$LAB/home/alice:/bin/bash" >>/etc/passwd
echo 'labfriends2:x:64110:' >>/etc/group
access '"alice2", "alice"' '"labfriends", "labfriends2"'
is 'two names of one user are not a mistake' "$STATUS$ERR" 0
is 'he is admitted once' "$(admitted)" 'group:64110 user:64101'

# --- a user and a group of a directory service ---
access '"alice", "carol"' '"crowd"'
is 'who is in the directory is admitted, however large the group' "$STATUS$ERR" 0
is 'control: all three' "$(admitted)" 'group:64102 user:64101 user:64102'
access '"alice", "nobody-of-all"' ''
is 'a user who does not exist is no obstacle' "$STATUS" 0
like 'and is named' "$ERR" "users names 'nobody-of-all', which does not exist"
"$TUNNEL" release one

# --- as at boot: it does not answer yet ---
rm "$DIRECTORY"
access '"carol", "alice"' '"crowd"'
is 'a directory service that does not answer is no obstacle' "$STATUS" 0
like 'it is said of whom' "$ERR" "does not admit 'carol' for now: cannot look up the user 'carol': Connection refused"
like 'of a group as well' "$ERR" "does not admit 'crowd' for now: cannot look up the group 'crowd': Connection refused"
like 'and what to do' "$ERR" '^hint: once the directory service answers: .*prepare one'
unlike 'nobody says that there is no such user' "$ERR" 'does not exist'
is "the machine's own users are admitted" "$(admitted)" user:64101
touch "$DIRECTORY"
check 'when it answers, prepare' "$TUNNEL" prepare one
is 'admits them all' "$(admitted)" 'group:64102 user:64101 user:64102'
