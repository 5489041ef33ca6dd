# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Who was given no network, or another one, gets none by vpnrun either, unless the profile says so:
# [access] from_namespaces.
REFUSAL='cannot enter profile .one. from here: the caller is in another network namespace than the host'
profile_one
tunnel_start one
capture_start

# confined HOW…: alice, confined by HOW, asks for her address by vpnrun, and by the helper alone.
confined() { attempt "$@" by alice vpnrun curl -s -m 5 http://203.0.113.10/; }
HELPER_CALL=(by alice env -i -- "$HELPER" one /bin/echo inside)
confined env
is 'control: who is not confined has the tunnel' "$OUT" 198.51.100.10
ip netns add jail
JAIL=(nsenter --net=/run/netns/jail)
KINDS=('unshare -n' "${JAIL[*]}" 'nsenter --net=/run/vpnrun/one/netns')
for how in "${KINDS[@]}"; do
  read -ra words <<<"$how"
  attempt "${words[@]}" by alice curl -s -m 5 http://203.0.113.10/
  is "$how: control: without vpnrun there is no network" "$OUT" "$([[ $how != *vpnrun* ]] || echo 198.51.100.10)"
  confined "${words[@]}"
  is "$how: refused" "$STATUS" 125
  complains "$how" "$REFUSAL"
  empty "$how: nothing ran" "$OUT"
  attempt "${words[@]}" "${HELPER_CALL[@]}"
  is "$how: the helper refuses by itself" "$STATUS" 125
  complains "$how: the helper" "$REFUSAL"
done
attempt by alice unshare --user --map-current-user --net vpnrun true
is 'in a network and user namespace of her own: refused' "$STATUS" 125
attempt by alice vpnrun vpnrun curl -s -m 5 http://203.0.113.10/
is 'inside, vpnrun changes nothing' "$OUT" 198.51.100.10

tunnel_stop one
confined unshare -n
is 'with the tunnel down: refused' "$STATUS" 125
complains 'with the tunnel down' "$REFUSAL"

# Root may allow it.
sed -i '/^\[access\]/a from_namespaces = true' "$PROFILES/one.toml"
tunnel_start one
for how in "${KINDS[@]}"; do
  read -ra words <<<"$how"
  confined "${words[@]}"
  is "$how: where the profile says so, the caller is behind the tunnel" "$OUT" 198.51.100.10
done
attempt unshare -n -m by alice vpnrun true
is 'another mount namespace is refused as before' "$STATUS" 125
sed -i '/^from_namespaces/d' "$PROFILES/one.toml"
tunnel_prepare one
confined unshare -n
is 'and no longer when it no longer says so' "$STATUS" 125
capture_stop
# (An answer of the server's that comes when the link is gone is refused by the host.)
empty 'nothing went past the tunnel' \
  "$(capture_stray "$CAPTURE_ONE")"
ip netns del jail
tunnel_release one
