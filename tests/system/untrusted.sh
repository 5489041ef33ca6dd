# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Whatever of a profile another user could have written is refused, by the first command that reads it:
# exit code 78, a line that names the file or folder, a hint with the cure. And it works again after that.
# Of files that are not vpnrun's own the hint never tells to change owner or mode.
CONFIGURATION=78
FOLDER=${PROFILES%/*}
ELSEWHERE="keep what root acts upon where only root can write, as in $FOLDER"

profile_two
mkdir -m 0755 "$FOLDER/hooks"
printf '#!/bin/sh\n' >"$FOLDER/hooks/up"
chmod 0755 "$FOLDER/hooks/up"
{
  sed '/^\[access\]/,$d' "$PROFILES/two.toml"
  printf '%s\n' '[access]' 'users = ["alice"]' '[hooks]' "up_outside = [\"$FOLDER/hooks/up once; exit 0\"]"
} >"$LAB/tmp/two.toml"
cat "$LAB/tmp/two.toml" >"$PROFILES/two.toml"
cp -a "$FOLDER" "$LAB/tmp/good"
# restored: everything as it was, whatever a case made of it.
restored() {
  rm -rf "$FOLDER"
  cp -a "$LAB/tmp/good" "$FOLDER"
  chown root:root /etc
  chmod 0755 /etc
}

# command VERB CODE REGEX HINT: the last two lines that it says.
command_refuses() {
  attempt timeout 8 "$TUNNEL" "$1" two
  ERR=$(tail -n 2 <<<"$ERR")
  is "$WHAT: $1 refuses" "$STATUS" $CONFIGURATION
  complains "$WHAT: $1" "$2"
  like "$WHAT: $1 has the cure" "$(tail -n 1 <<<"$ERR")" "^hint: .*($3)"
  [ "$3" != "$ELSEWHERE" ] || unlike "$WHAT: $1 tells nobody to change it" "$(tail -n 1 <<<"$ERR")" 'chmod|chown'
}
# untrusted WHAT WHO REGEX HINT SHELL: WHO is "both", or "run" for what prepare does not read.
untrusted() {
  WHAT=$1
  eval "$5"
  if [ "$2" = both ]; then
    command_refuses prepare "$3" "$4"
  else
    attempt "$TUNNEL" prepare two
    is "$WHAT: prepare does not read it" "$STATUS" 0
  fi
  command_refuses run "$3" "$4"
  restored
}

tunnel_prepare two
# target NAME PATH WHO: mode, owner and link, for a file or folder.
target() {
  local name=$1 path=$2 who=$3
  untrusted "$name: its group may write" "$who" "$path': users other than its owner can write.*mode 0[0-7]7" "chmod go-w '$path'" \
    "chmod g+rwx '$path'"
  untrusted "$name: all may write" "$who" "$path': users other than its owner can write" "chmod go-w '$path'" \
    "chmod o+w '$path'"
  untrusted "$name: alice's" "$who" "$path': .*belongs to uid $(id -u alice), not to root" "chown root '$path'" \
    "chown alice '$path'"
  [ "${4:-}" = follows ] || untrusted "$name: a symbolic link" "$who" "$path': it is a symbolic link" '[a-z]' \
    "mv '$path' '$path.away'; ln -s '$path.away' '$path'"
}
target 'the profile' "$PROFILES/two.toml" both
target 'the folder' "$PROFILES" both
target 'the folder above' "$FOLDER" both
target 'the hook' "$FOLDER/hooks/up" both follows
target "the hook's folder" "$FOLDER/hooks" both follows
target 'the configuration' "$PROFILES/two.ovpn" run
target 'the credentials' "$PROFILES/two.auth" run
untrusted 'the folder: sticky' both "$PROFILES': users other than its owner can write to the folder .mode 1777" "chmod go-w" \
  "chmod 1777 '$PROFILES'"
untrusted '/etc: all may write' both "'/etc': users other than its owner can write" "$ELSEWHERE" 'chmod o+w /etc'
untrusted 'the credentials: others may read' run "two.auth': users other than its owner can read" 'chmod 0600' \
  "chmod 0644 '$PROFILES/two.auth'"
untrusted 'the credentials: the group may read' run "two.auth': users other than its owner can read" 'chmod 0600' \
  "chmod 0640 '$PROFILES/two.auth'"
install -m 0644 "$PROFILES/two.auth" /etc/elsewhere
untrusted 'the credentials: a second name of a file elsewhere' run "two.auth': users other than its owner can read" "$ELSEWHERE" \
  "ln -f /etc/elsewhere '$PROFILES/two.auth'"
mkdir -m 0755 "$LAB/tmp/programs"
untrusted 'a hook behind a link, which is alice'"'"'s' both "$LAB/tmp/programs/hers': .*the hook's program belongs to uid" "$ELSEWHERE" \
  "install -o alice -m 0755 /dev/null '$LAB/tmp/programs/hers'; ln -sf '$LAB/tmp/programs/hers' '$FOLDER/hooks/up'"
untrusted 'a link to a hook in a folder of alice'"'"'s' both "$LAB/home/alice': .*the folder belongs to uid" "$ELSEWHERE" \
  "ln -s '$FOLDER/hooks/up' '$LAB/home/alice/up'; sed -i 's#$FOLDER/hooks/up#$LAB/home/alice/up#' '$PROFILES/two.toml'"
untrusted 'a link of root'"'"'s to a link of alice'"'"'s to a program of root'"'"'s' both "$LAB/home/alice/?': .*the folder belongs to uid" "$ELSEWHERE" \
  "ln -s /bin/true '$LAB/home/alice/chosen'; ln -sf '$LAB/home/alice/chosen' '$FOLDER/hooks/up'"
untrusted 'a folder of root'"'"'s that is a link of alice'"'"'s on the way' both "$LAB/home/alice/?': .*the folder belongs to uid" "$ELSEWHERE" \
  "ln -s /bin '$LAB/home/alice/programs'; ln -sfn '$LAB/home/alice/programs/true' '$FOLDER/hooks/up'"
untrusted 'a configuration in a folder of alice'"'"'s' run "$LAB/home/alice': the folder belongs to uid" "$ELSEWHERE" \
  "cp -a '$PROFILES/two.ovpn' '$LAB/home/alice/two.ovpn'; sed -i 's#\"two.ovpn\"#\"$LAB/home/alice/two.ovpn\"#' '$PROFILES/two.toml'"
untrusted 'a configuration below a folder of alice'"'"'s' run "$LAB/home/alice': the folder belongs to uid" "$ELSEWHERE" \
  "mkdir '$LAB/home/alice/roots'; mv '$LAB/home/alice/two.ovpn' '$LAB/home/alice/roots'; sed -i 's#\"two.ovpn\"#\"$LAB/home/alice/roots/two.ovpn\"#' '$PROFILES/two.toml'"

# Controls: nothing of that is refused without its fault, and a hook may be behind links that are root's.
sed -i "s#$FOLDER/hooks/up once#/bin/true#" "$PROFILES/two.toml"
tunnel_start two
pass 'control: the same profile, its hook behind a link of root'"'"'s, brings its tunnel up'
tunnel_stop two
restored
tunnel_start two
pass 'control: and as it was'
tunnel_release two
