# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The administrator's commands run at each way up and at each way down: an order, a loss, a failure for
# good, the end; and for a profile without a tunnel as well.
HOOKS=$LAB/tmp/hooks
hook() { echo "echo $1-\$VPNRUN_PROFILE >>$HOOKS"; }
ran() { tr '\n' ' ' <"$HOOKS"; }
has_run() { [ "$(ran)" = "$1" ]; }
is_state() { grep -q "\"state\": *\"$2\"" "/run/vpnrun/$1/state.json"; }
HOOK_LINES=('[hooks]' "up_outside = ['$(hook uo)']" "up_inside = ['$(hook ui)']" \
  "down_inside = ['$(hook di)']" "down_outside = ['$(hook 'do')']")

# --- an order, a loss, the end ---
ovpn_one "$PROFILES/one.ovpn"
profile one "${HOOK_LINES[@]}"
: >"$HOOKS"
tunnel_start one
within 5 'up: the up hooks, outside first' has_run 'uo-one ui-one '
by alice vpnrunctl down one
within 5 'down: the down hooks, inside first' has_run 'uo-one ui-one di-one do-one '
: >"$HOOKS"
by alice vpnrunctl up one
within 5 'up again' has_run 'uo-one ui-one '
kill_hard "$(client_pid one)"
within 15 'a loss is a down and an up' has_run 'uo-one ui-one di-one do-one uo-one ui-one '
: >"$HOOKS"
tunnel_stop one
is 'at the end the down hooks have run' "$(ran)" 'di-one do-one '
tunnel_release one

# --- without a tunnel ---
printf '%s\n' '[tunnel]' 'type = "none"' "${HOOK_LINES[@]}" '[access]' 'users = ["alice"]' >"$PROFILES/none.toml"
chmod 0644 "$PROFILES/none.toml"
: >"$HOOKS"
tunnel_prepare none
tunnel_run none
within 5 'a profile without a tunnel has up hooks, too' has_run 'uo-none ui-none '
by alice vpnrunctl down none
within 5 'and down hooks' has_run 'uo-none ui-none di-none do-none '
tunnel_stop none
is 'once' "$(ran)" 'uo-none ui-none di-none do-none '
tunnel_release none

# --- up, then failed for good: the credentials cannot be read when they are asked for again ---
profile_two
sed -i '/^auth-user-pass/a auth-nocache\nreneg-sec 4' "$PROFILES/two.ovpn"
profile two 'credentials = "two.auth"' "${HOOK_LINES[@]}"
: >"$HOOKS"
tunnel_start two
within 5 'up: the up hooks' has_run 'uo-two ui-two '
rm "$PROFILES/two.auth"
within 40 'the next renegotiation cannot have them: failed' is_state two failed
empty 'the way out is gone' "$(ip -n two route show default)"
within 5 'and the down hooks have run' has_run 'uo-two ui-two di-two do-two '
tunnel_stop two
is 'once' "$(ran)" 'uo-two ui-two di-two do-two '
tunnel_release two
