# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A newcomer's day: what the package says, each mistake of a first profile, and that it counts no longer once it
# is mended, to the next launch of a user, however often there was one; who is admitted; the log; units of what does not exist.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.20
HOME_TOML=$PROFILES/home.toml
launch() { as_user alice timeout 40 vpnrun curl -s -m 5 $WEB4; }
works() { [ "$(launch)" = $THROUGH ]; }
journal_has() { [[ $(journal -u vpnrun@home -o cat) =~ $1 ]]; }

check 'the package is installed' machine_install
like 'its installation says what comes next' "$(cat "$LAB/log/apt")" 'as root: vpnrunctl up NAME'
attempt inside vpnrunctl list
is 'without a profile the list is empty' "$STATUS$OUT" 0
like 'and says what to do' "$ERR" 'hint: as root, write /etc/vpnrun/profiles/NAME\.toml'
attempt as_user alice vpnrun true
complains 'a launch' 'cannot choose a profile: there are none'
attempt inside vpnrunctl start home
like 'a command of another name is named' "$ERR" "no command 'start'; did you mean 'up'\?"

# --- a mistake in the profile ---
profile_two 'wrong horse'
mv "$PROFILES/two.ovpn" "$PROFILES/provider.ovpn"
mv "$PROFILES/two.auth" "$PROFILES/provider.auth"
rm "$PROFILES/two.toml"
printf '%s\n' '[tunnel]' 'type = "openvpn"' 'confg = "provider.ovpn"' 'credentials = "provider.auth"' \
  '[access]' 'users = ["alcie"]' >"$HOME_TOML"
for _ in 1 2 3 4 5 6 7; do
  attempt inside timeout 40 vpnrunctl up home
done
is 'a mistake in the profile is a failure, however often' "$STATUS" 1
complains 'with the place' "home\.toml:3:1: unknown key 'confg' in \[tunnel\]; did you mean 'config'"
for _ in 1 2 3 4 5 6 7; do
  attempt inside timeout 40 systemctl start vpnrun@home.socket
done
is 'systemctl fails as well' "$((STATUS != 0))" 1
sed -i 's/^confg/config/' "$HOME_TOML"

# --- a mistake in the provider's file ---
echo 'remtoe 198.51.100.20 443' >>"$PROFILES/provider.ovpn"
attempt inside timeout 40 vpnrunctl up home
is 'mended: the next mistake' "$STATUS" 1
complains 'in the other file' "provider\.ovpn:[0-9]+: .*remtoe"
check 'the log has it at once' journal_has 'provider.ovpn:[0-9]+: .*remtoe'
sed -i '/^remtoe/d' "$PROFILES/provider.ovpn"

# --- a wrong password, and a user who does not exist ---
attempt inside timeout 40 vpnrunctl up home
is 'mended: the next one' "$STATUS" 1
like 'is a password' "$ERR" 'the server refuses the user name or password'
like 'the log has the user who does not exist, and where' "$(journal -u vpnrun@home -u vpnrun-netns@home -o cat)" \
  "home\.toml:6:[0-9]+: \[access\] users names 'alcie', which does not exist"
attempt launch
is 'alice is not admitted' "$STATUS" 125
like 'and told what to do' "$ERR" 'hint: as root: name the user under \[access\] in /etc/vpnrun/profiles/home\.toml, then: vpnrunctl restart home'
sed -i 's/alcie/alice/' "$HOME_TOML"
attempt inside timeout 40 vpnrunctl restart home
is 'the password is still wrong' "$STATUS" 1
for _ in 1 2 3 4 5 6 7 8; do
  attempt launch
done
is 'named, she is told of the password, however often she tries' "$STATUS" 125
like 'in the words of the tunnel' "$ERR" 'password'
check 'and the socket is still there' unit_is active vpnrun@home.socket
printf '%s\n' subscriber 'correct horse' >"$PROFILES/provider.auth"
check 'mended, the next launch works at once' works
is 'without any order of root' "$(inside systemctl is-active vpnrun@home.service)" active

# --- the log ---
like 'alice, who may not read the journal, is shown the log' "$(as_user alice vpnrunctl log home)" "'home' is up"
attempt as_user alice journalctl --no-pager -q -u vpnrun@home -o cat
unlike 'control: she may not read the journal' "$OUT" "'home' is up"
like 'root is shown the journal' "$(inside vpnrunctl log home)" "vpnrun-tunnel\[[0-9]+\]: 'home' is up"

# --- a file in a home folder ---
inside systemctl stop vpnrun@home.service
install -m 600 "$PROFILES/provider.ovpn" "$MACHINE/root/provider.ovpn"
sed -i 's,^config.*,config = "/root/provider.ovpn",' "$HOME_TOML"
attempt launch
is 'a file in a home folder cannot be used' "$STATUS" 125
complains 'with what hides it' "cannot read '/root/provider\.ovpn': '/root' is hidden from the companion by its unit"
like 'and where to put it' "$ERR" "put the file into /etc/vpnrun/profiles: install -m 600 '/root/provider.ovpn' /etc/vpnrun/profiles/"
sed -i 's,^config.*,config = "provider.ovpn",' "$HOME_TOML"
check 'mended, the next launch works at once' works
# Mistakes in the profile and in the provider's file in turns, each told once: the companion is started twice
# each time, by launches alone, more often than systemd would have it by default.
for round in 1 2 3 4; do
  inside systemctl stop vpnrun@home.service
  if [ $((round % 2)) = 1 ]; then
    sed -i 's,^config.*,config = "/home/alice/provider.ovpn",' "$HOME_TOML"
    attempt launch
    sed -i 's,^config.*,config = "provider.ovpn",' "$HOME_TOML"
  else
    mv "$PROFILES/provider.ovpn" "$MACHINE/home/alice/provider.ovpn"
    attempt launch
    mv "$MACHINE/home/alice/provider.ovpn" "$PROFILES/provider.ovpn"
  fi
  is "mistake $round is told" "$STATUS" 125
  check "mended, the launch after $round works at once" works
done

# --- who is admitted ---
attempt as_user bob vpnrun true
is 'bob is not' "$STATUS" 125
sed -i 's/^users.*/users = ["alice", "bob"]/' "$HOME_TOML"
check 'systemctl reload of the tunnel' inside systemctl reload vpnrun@home
within 15 'admits him' eval '[ "$(as_user bob vpnrun curl -s -m 5 $WEB4)" = $THROUGH ]'
sed -i 's/^users.*/users = ["alice"]/' "$HOME_TOML"
check 'so does a restart' inside timeout 40 systemctl restart vpnrun@home
within 15 'take him out again' eval '! as_user bob test -x /run/vpnrun/home/'

# --- the same mistake, however often ---
sed -i 's/^remote .*/remote 198.51.100.20 443 tcpp/' "$PROFILES/provider.ovpn"
for _ in 1 2 3 4 5 6 7; do
  inside timeout 40 systemctl restart vpnrun@home >/dev/null 2>&1 || :
done
within 20 'started with a mistake again and again, it has failed' unit_is failed vpnrun@home.service
sed -i 's/^remote .*/remote 198.51.100.20 443/' "$PROFILES/provider.ovpn"
check 'mended, the next launch works at once all the same' works
inside systemctl stop vpnrun@home.socket vpnrun@home.service
check 'and if even the socket is gone, vpnrunctl up brings all of it back' inside timeout 40 vpnrunctl up home
check 'and it works' works

# --- a unit of what does not exist ---
user_manager alice
attempt as_user alice systemctl --user start vpnrun-app@no-such-program
is 'a unit of a program that is not there does not start' "$((STATUS != 0))" 1
is 'and has failed' "$(as_user alice systemctl --user is-failed vpnrun-app@no-such-program)" failed
like 'with the reason in its log' "$(journal _UID="$(inside id -u alice)" -o cat)" 'there is no command no-such-program'
attempt as_user alice systemctl --user start vpnrun-app@home:no-such-program
is 'nor does one with a profile' "$((STATUS != 0))" 1
check 'control: one of a program that is there does' as_user alice systemctl --user start vpnrun-app@home:sleep
