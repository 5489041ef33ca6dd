# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# own_name with|without: the machine's own name is known inside as it is outside, and neither the VPN's resolver
# nor the provider's is asked for it. With nss-myhostname (Debian: libnss-myhostname), or without.
MODULE=$1
VPN_RESOLVER=dns-one
source "$SOURCE/tests/system/names.sh"
OWN=$(hostname)
modules() { find -L /lib /usr/lib /lib64 /usr/lib64 -maxdepth 2 -name 'libnss_myhostname.so.2' 2>/dev/null || :; }
if [ "$MODULE" = with ]; then
  if [ -z "$(modules)" ]; then
    echo 'skipped: no libnss_myhostname here'
    exit 77
  fi
else
  modules | xargs -r rm -f
  empty 'there is no such module' "$(modules)"
fi
asked_for() { grep -Eq "query\[[A-Z0-9]+\] ${1//./\\.} " "$LAB/log/dns-one" "$LAB/log/dns-isp"; }
# known WHAT NAME: inside, in each way that programs ask; nobody is asked for it.
known() {
  local how
  for how in 'getent hosts' 'getent ahosts' 'getent ahostsv4' 'getent ahostsv6'; do
    # shellcheck disable=SC2086  # two words
    check "$1: '$how' knows it inside" by alice vpnrun $how "$2"
  done
  check "$1: no resolver was asked for it" eval "! asked_for $2"
}

# As on Fedora or Arch: no line for the machine itself.
printf '127.0.0.1 localhost\n' >/etc/hosts
sed -i 's/^hosts:.*/hosts: files myhostname dns/' /etc/nsswitch.conf
profile_one
tunnel_start one
fresh_name
check 'control: a name that is looked up' by alice vpnrun getent hosts "$NAME"
check 'control: is seen by the resolver' asked_for "$NAME"
known 'the own name' "$OWN"
if [ "$MODULE" = with ]; then
  known 'localhost' localhost
  known 'a name below localhost' app.localhost
  like 'nsswitch.conf inside has the module' "$(by alice vpnrun cat /etc/nsswitch.conf)" '^hosts: files myhostname dns$'
  is 'hosts inside is the machine'"'"'s' "$(by alice vpnrun cat /etc/hosts)" "$(cat /etc/hosts)"
else
  like 'nsswitch.conf inside has no module' "$(by alice vpnrun cat /etc/nsswitch.conf)" '^hosts: files dns$'
  like 'hosts inside has the name' "$(by alice vpnrun cat /etc/hosts)" "^127\.0\.1\.1 $OWN$"
  is 'the machine'"'"'s has not' "$(cat /etc/hosts)" '127.0.0.1 localhost'
  # The machine's file changes, by rewriting and by rename; and gets the name itself.
  echo '192.0.2.61 written.example' >>/etc/hosts
  within 5 'what the machine writes into its own arrives' eval 'by alice vpnrun grep -q written.example /etc/hosts'
  known 'and still the own name' "$OWN"
  printf '%s\n' '127.0.0.1 localhost' '192.0.2.62 renamed.example' >/etc/hosts.new
  mv /etc/hosts.new /etc/hosts
  within 5 'so does what it renames' eval 'by alice vpnrun grep -q renamed.example /etc/hosts'
  known 'and the own name then' "$OWN"
  printf '%s\n' '127.0.0.1 localhost' "192.0.2.63 $OWN.lan $OWN" >/etc/hosts
  within 5 'a machine that has the name itself is believed' eval \
    'by alice vpnrun getent hosts "$OWN" | grep -q "^192\.0\.2\.63 "'
  is 'with its own file' "$(by alice vpnrun cat /etc/hosts)" "$(cat /etc/hosts)"
  printf '127.0.0.1 localhost\n' >/etc/hosts
  within 5 'which it takes back' eval 'by alice vpnrun grep -q "^127\.0\.1\.1 $OWN$" /etc/hosts'
fi

# --- another name, as by DHCP ---
hostname "$OWN-dhcp" # of the lab, which has a UTS namespace
[ "$MODULE" = with ] ||
  within 5 'a name that the machine gets later arrives' eval 'by alice vpnrun grep -q "^127\.0\.1\.1 $OWN-dhcp$" /etc/hosts'
known 'a later name' "$OWN-dhcp"
hostname "$OWN"
[ "$MODULE" = with ] ||
  within 5 'and the first one again' eval 'by alice vpnrun grep -q "^127\.0\.1\.1 $OWN$" /etc/hosts'

# --- the administrator's own file wins ---
if [ "$MODULE" = without ]; then
  mkdir -p /etc/netns/one
  printf '%s\n' '127.0.0.1 localhost' "192.0.2.64 $OWN" >/etc/netns/one/hosts
  within 5 'a hosts of the profile'"'"'s own wins' eval 'by alice vpnrun getent hosts "$OWN" | grep -q "^192\.0\.2\.64 "'
  rm -r /etc/netns/one
  within 5 'and without it' eval 'by alice vpnrun grep -q "^127\.0\.1\.1 $OWN$" /etc/hosts'
fi

# --- with a resolver that says nothing, sudo and others do not wait for it ---
server_silent
within 20 'the tunnel is lost' eval '! tunnel_has_route one'
check 'the own name without a tunnel' inside by alice getent hosts "$OWN"
server_talks
tunnel_release one
