# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A profile that vpnrun 0.1.0 prepared, with applications in it: this version's `prepare` and `run` each
# take it over where it is.
FOLDER=/run/vpnrun/one
# Writes the record as 0.1.0 had it: without the host's network namespace, from_namespaces and i386.
make_old() {
  python3 - "$FOLDER/origin" <<'END'
import os, struct, sys
path = sys.argv[1]
new = open(path, "rb").read()
assert new[:8] == b"VRNPRIN4" and len(new) == 8 + 88 + 32 + 24, len(new)
host, rest = new[8:96], new[96:]
open(path + ".old", "wb").write(b"VRNPRIN2" + host[:48] + host[64:] + rest[:40])
os.chmod(path + ".old", 0o444)
os.rename(path + ".old", path)
END
}
version() { head -c 8 "$FOLDER/origin"; }
view() { stat -L -c %i "$FOLDER/mnt"; }
address() { by alice vpnrun curl -s -m 5 http://203.0.113.10/; }

profile_one
tunnel_start one
background "$LAB/log/app-old" by alice vpnrun sleep 300
APP=$BACKGROUND
BEFORE=$(view)
NETNS=$(stat -L -c %i "$FOLDER/netns")
is_inside() { [ "$(stat -L -c %i "/proc/$APP/ns/net" 2>/dev/null)" = "$NETNS" ]; }
within 5 'an application runs' is_inside
RECORD=$(sha256sum <"$FOLDER/origin")
is 'control: the record is of this version' "$(version)" VRNPRIN4

make_old
attempt by alice env -i "$HELPER" one /bin/echo inside
is 'the helper takes no record without the host'"'"'s network' "$STATUS" 125
complains 'an old record' 'its record of the host is damaged or of another version'
like 'it says what to do' "$ERR" 'systemctl reload-or-restart vpnrun-netns@one'

tunnel_prepare one
is 'prepare: the record is as before, the view the same' "$(sha256sum <"$FOLDER/origin") $(view)" "$RECORD $BEFORE"
is 'prepare: applications start' "$(address)" 198.51.100.10

make_old
tunnel_stop one
tunnel_run one
within 15 'run: the tunnel comes up' tunnel_up one
is 'run: the record is as before, the view the same' "$(sha256sum <"$FOLDER/origin") $(view)" "$RECORD $BEFORE"
is 'run: applications start' "$(address)" 198.51.100.10
attempt unshare -n by alice vpnrun true
is 'who has no network is refused from then on' "$STATUS" 125

# As the unit is: with mounts of its own, where the view has no name. The flags are the profile's.
sed -i '/^\[access\]/a from_namespaces = true' "$PROFILES/one.toml"
make_old
tunnel_stop one
unshare --mount --propagation slave "$TUNNEL" run one >>"$LAB/log/tunnel-one" 2>&1 </dev/null &
TUNNEL_PID["one"]=$!
within 15 'run, in a mount namespace of its own: the tunnel comes up' tunnel_up one
is 'the view is the same' "$(version) $(view)" "VRNPRIN4 $BEFORE"
is 'applications start' "$(address)" 198.51.100.10
is 'also from other networks, as the profile says' "$(unshare -n by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10

check 'the application runs all the time' eval "! gone $APP"
is 'in the same network and view' "$(stat -L -c %i "/proc/$APP/ns/net" "/proc/$APP/ns/mnt" | xargs)" "$NETNS $BEFORE"
# Neither our own nor an old record that is not root's word.
for damage in 'chmod 0666' 'chown alice' 'truncate -s 100'; do
  make_old
  $damage "$FOLDER/origin"
  attempt by alice env -i "$HELPER" one /bin/echo inside
  is "an old record, $damage: refused" "$STATUS" 125
  tunnel_stop one
  attempt timeout 10 "$TUNNEL" run one
  like "an old record, $damage: not taken over" "$ERR" 'is not prepared'
  rm "$FOLDER/origin"
  tunnel_prepare one
done
printf '\0' | dd of="$FOLDER/origin" conv=notrunc status=none
attempt by alice env -i "$HELPER" one /bin/echo inside
is 'a record of no version: refused' "$STATUS" 125
kill "$APP"
tunnel_release one
