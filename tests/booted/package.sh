# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A newcomer: apt installs the package, the README's quick start does the rest.
WEB4=http://203.0.113.10/

is 'the machine has an address of its own' "$(as_user alice curl -sS -m 5 $WEB4)" 203.0.113.1
check 'apt installs the package and what it needs' machine_install
empty 'every file is as it was packed' "$(inside dpkg --verify vpnrun)"
is 'the helper is setuid root' "$(inside stat -c '%a %U:%G' /usr/libexec/vpnrun/vpnrun-helper)" '4711 root:root'
is 'nothing else is setuid or setgid' \
  "$(inside sh -c 'find $(dpkg -L vpnrun) -maxdepth 0 -type f -perm /6000')" /usr/libexec/vpnrun/vpnrun-helper
is 'the user of the VPN client cannot log in' \
  "$(inside getent passwd vpnrun | cut -d : -f 1,7)" vpnrun:/usr/sbin/nologin
check 'the group of the examples is there' inside getent group vpnrun
is 'nothing of it runs' "$(inside systemctl list-units --plain --no-legend --state=active 'vpnrun*')" ''
is 'nothing failed' "$(inside systemctl is-system-running)" running
for file in man/man1/vpnrun.1.gz man/man1/vpnrunctl.1.gz man/man5/vpnrun-profile.5.gz man/man7/vpnrun-control.7.gz \
  man/man8/vpnrun-service.8.gz doc/vpnrun/changelog.gz doc/vpnrun/changelog.Debian.gz; do
  like "$file can be read" "$(inside zcat "/usr/share/$file" | wc -l)" '^[1-9]'
  is "$file says nothing of when and where it was compressed" \
    "$(inside od -A n -t x1 -j 3 -N 5 "/usr/share/$file" | xargs)" '00 00 00 00 00'
done
for file in bash-completion/completions/vpnrun zsh/vendor-completions/_vpnrun fish/vendor_completions.d/vpnrun.fish \
  vpnrun/control.schema.json doc/vpnrun/examples/generic.toml doc/vpnrun/helper/THREAT_MODEL.md doc/vpnrun/copyright; do
  check "$file is there" inside test -s "/usr/share/$file"
done
attempt as_user alice vpnrun true
is 'without a profile nothing is started' "$STATUS" 125
complains 'without a profile' profile

# The profile is the README's own, the provider is server "two", with user name and password.
profile_two
rm "$PROFILES/two.toml"
mv "$PROFILES/two.ovpn" "$PROFILES/provider.ovpn"
mv "$PROFILES/two.auth" "$PROFILES/provider.auth"
sed -n '/^   ```toml/,/^   ```$/ { s/^   //; /^```/d; p; }' "$SOURCE/README.md" >"$LAB/tmp/home.toml"
like 'the README has a profile' "$(cat "$LAB/tmp/home.toml")" 'users = \["alice"\]'
put "$LAB/tmp/home.toml" /etc/vpnrun/profiles/home.toml
capture_start
check 'the tunnel starts, and is up when systemctl returns' inside timeout 30 systemctl start vpnrun@home
is 'alice is behind the VPN' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" 198.51.100.20
is 'with names as well' "$(as_user alice vpnrun curl -sS -4 -m 5 http://web.example/)" 198.51.100.20
capture_stop
empty 'nothing but the tunnel left the machine' "$(capture_stray "$CAPTURE_TWO")"
is 'without vpnrun everything is as before' "$(as_user alice curl -sS -m 5 $WEB4)" 203.0.113.1
attempt as_user bob vpnrun curl -s -m 5 $WEB4
is 'bob is refused' "$STATUS" 125
is 'and gets nothing' "$OUT" ''
complains 'bob' home
