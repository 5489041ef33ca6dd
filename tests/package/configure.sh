#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/package/configure.sh BUILD: what a configuration refuses, what it says, and that templates follow the places
# that it is given. Nothing is compiled but probes, and of these only what BUILD has not tried.
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vpnrun-configure.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
# check WHAT COMMAND…
check() {
  local what=$1
  shift
  if "$@"; then
    echo "ok - $what"
  else
    echo "not ok - $what"
    tail -n 30 "$work/log"
    failures=$((failures + 1))
  fi
}
said() { tr -s ' \n' ' ' <"$work/log" | grep -qF -- "$1"; }

# The same compiler, and what BUILD knows of it.
{
  sed -nE 's/^(HAVE_[A-Za-z0-9_]+):INTERNAL=(.*)$/set(\1 "\2" CACHE INTERNAL "")/p' "$build/CMakeCache.txt"
  sed -nE 's/^(CMAKE_CXX_COMPILER|CMAKE_C_COMPILER):[A-Z]+=(.*)$/set(\1 "\2" CACHE FILEPATH "")/p' "$build/CMakeCache.txt"
} >"$work/known.cmake"
# configure OPTION…: into a folder that is not there yet.
configure() {
  rm -rf "$work/build"
  cmake -S "$SOURCE" -B "$work/build" -G Ninja -C "$work/known.cmake" -DVPNRUN_TESTS=OFF "$@" >"$work/log" 2>&1
}
# programs OPTION…: that part alone, which needs no compiler.
programs() { cmake "$@" -P "$SOURCE/systemd/cmake/programs.cmake" >"$work/log" 2>&1; }
refused() { ! "$@"; }

check 'control: the defaults will do' programs
check 'so do several absolute paths of openvpn' programs '-DVPNRUN_OPENVPN=/nix/store/a-b.c/bin/openvpn;/opt/o/openvpn'
for value in openvpn bin/openvpn '' '/usr/sbin/openvpn;openvpn' '/usr/../bin/x' '/a b' "/a'b" '/a%b' "/a\$b" '/a"b' /; do
  check "refused: VPNRUN_OPENVPN='$value'" refused programs "-DVPNRUN_OPENVPN=$value"
done
check 'with the reason' said 'never looked for in PATH'
check 'refused: systemctl by name' refused programs -DVPNRUN_SYSTEMCTL=systemctl
check 'refused: two of them' refused programs '-DVPNRUN_GETENT=/a;/b'
for value in '' . /usr/bin: :/usr/bin /usr/bin::/bin /usr/bin:bin '/usr/bin;/bin'; do
  check "refused: VPNRUN_PATH='$value'" refused programs "-DVPNRUN_PATH=$value"
done

check 'another prefix can be configured' configure -DCMAKE_INSTALL_PREFIX=/opt/a_b -DCMAKE_INSTALL_LIBEXECDIR=lib/vp \
  -DCMAKE_INSTALL_SYSCONFDIR=/opt/a_b/etc -DVPNRUN_STATIC_HELPER=OFF -DVPNRUN_STATIC_LAUNCHER=OFF \
  -DVPNRUN_STATIC_LIBSTDCXX=OFF -DVPNRUN_KILL=/opt/tools/kill -DVPNRUN_NOLOGIN=/opt/tools/nologin \
  -DVPNRUN_SYSTEMCTL=/opt/tools/systemctl
for line in 'vpnrun-helper setuid, static: no (OFF)' 'vpnrun static: no (OFF)' 'libstdc++ static: no (OFF)' \
  '/opt/a_b/bin, /opt/a_b/lib/vp/vpnrun' '/opt/a_b/etc/vpnrun' /opt/tools/systemctl; do
  check "it says: $line" said "$line"
done
check 'and that systemd reads nothing there' said 'systemd and udev read nothing below /opt/a_b'
made() { find "$work/build/systemd" "$work/build/desktop" "$work/build/profiles/examples" -type f \
  \( -name '*vpnrun*' -o -name '*.toml' -o -name kodi.service \) -not -path '*/CMakeFiles/*' -print0; }
check 'its units, examples and completions are made' test "$(made | tr '\0' '\n' | grep -c .)" -ge 13
# /usr/share/doc/RARE and the like would be the machine's; none of it is wanted here.
check 'none of them names the default places' refused \
  sh -c "xargs -0 grep -nE '/usr/(bin/vpnrun|libexec|lib/|share|sbin)|/etc/vpnrun|/bin/kill|@[A-Z_]+@' | grep -vE '/opt/a.{1,3}b/etc/vpnrun|/usr/lib/snapd'" \
  < <(made)
check 'the unit starts what is installed' grep -qx 'ExecStart=/opt/a_b/lib/vp/vpnrun/vpnrun-tunnel run %i' \
  "$work/build/systemd/vpnrun@.service"
check 'and reloads by what it is told' grep -qx "ExecReload=/opt/tools/kill -HUP \$MAINPID" "$work/build/systemd/vpnrun@.service"
check 'the man page has it, as scdoc writes it' grep -qF '/opt/a\_b/etc/vpnrun/config.toml' "$work/build/launcher/vpnrun.1.scd"

check 'refused: a prefix that a unit cannot name' refused configure '-DCMAKE_INSTALL_PREFIX=/opt/a b'
check 'refused: another word for a static option' refused configure -DVPNRUN_STATIC_HELPER=yes
# As if there were no static libraries.
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
printf '#!/bin/sh\ncase " $* " in *" -static"*) exit 1 ;; esac\nexec "%s" "$@"\n' "$compiler" >"$work/c++"
chmod +x "$work/c++"
sed -i '/CMAKE_CXX_COMPILER/d' "$work/known.cmake"
check 'where nothing is linked statically, nothing is' configure "-DCMAKE_CXX_COMPILER=$work/c++"
for line in 'setuid, static: no (AUTO)' 'vpnrun static: no (AUTO)' 'libstdc++ static: no (AUTO)'; do
  check "and it says: $line" said "$line"
done
for part in HELPER LAUNCHER LIBSTDCXX; do
  check "refused there: VPNRUN_STATIC_$part=ON" refused configure "-DCMAKE_CXX_COMPILER=$work/c++" "-DVPNRUN_STATIC_$part=ON"
  check 'with what to install' said "VPNRUN_STATIC_$part=ON, but"
done
if [ "$(uname -m)" = x86_64 ]; then
  # Without the libraries of that word size nothing can be linked, which is not asked for either.
  check 'refused: 32 bits' refused configure -DCMAKE_CXX_FLAGS=-m32 -DCMAKE_C_FLAGS=-m32 \
    -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY
  check 'with the reason' said 'for 64-bit machines only'
fi

echo "$failures failed"
exit $((failures > 0))
