# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What `cmake --install` leaves: modes, units, desktop entry, into the machine and below DESTDIR.
is 'the helper is setuid root, and nobody else can read it' "$(stat -c '%a %U:%G' /usr/libexec/vpnrun/vpnrun-helper)" \
  '4711 root:root'
attempt by alice cat /usr/libexec/vpnrun/vpnrun-helper
is 'so that its pages are in nobody'"'"'s reach' "$STATUS" 1
attempt by alice cat /usr/bin/vpnrun
is 'control: those of a program without privilege are' "$STATUS" 0
for program in /usr/bin/vpnrun /usr/bin/vpnrunctl /usr/libexec/vpnrun/vpnrun-tunnel; do
  is "$program is not" "$(stat -c '%a %U:%G' "$program")" '755 root:root'
  empty "$program has no capability" "$(getcap "$program")"
done
is 'nothing else is setuid or setgid' \
  "$(find /usr/bin/vpnrun* /usr/libexec/vpnrun -perm /6000)" /usr/libexec/vpnrun/vpnrun-helper

# systemd itself is the judge. Instances, because templates as such are not loaded.
units=/usr/lib/systemd/system
cp "$units/vpnrun-netns@.service" "$LAB/tmp/vpnrun-netns@one.service"
cp "$units/vpnrun@.service" "$LAB/tmp/vpnrun@one.service"
cp "$units/vpnrun@.socket" "$LAB/tmp/vpnrun@one.socket"
attempt systemd-analyze verify --man=no "$LAB/tmp/vpnrun-netns@one.service" \
  "$LAB/tmp/vpnrun@one.service" "$LAB/tmp/vpnrun@one.socket"
is 'systemd-analyze verifies the units' "$STATUS" 0
empty 'and has nothing to say about them' "$(grep vpnrun <<<"$ERR")"
sed 's/^Type=notify$/Type=notyfi/' "$units/vpnrun@.service" >"$LAB/tmp/vpnrun@two.service"
attempt systemd-analyze verify --man=no "$LAB/tmp/vpnrun@two.service"
like 'it would see a mistake' "$ERR" notyfi

examples=/usr/share/doc/vpnrun/examples
check 'the user unit for Kodi is there' test -s "$examples/kodi.service"
check 'the example of a menu entry is valid' desktop-file-validate "$examples/firefox-vpnrun.desktop"
sed 's/^Exec=/Exce=/' "$examples/firefox-vpnrun.desktop" >"$LAB/tmp/broken.desktop"
attempt desktop-file-validate "$LAB/tmp/broken.desktop"
is 'the validator would see a mistake' "$((STATUS != 0))" 1

# completions FILE PATTERN PROGRAM [VERB]: each long option in the program's own help is in FILE, as PATTERN has it.
completions() {
  local file=$1 pattern=$2 option missing=''
  shift 2
  for option in $("$@" --help | grep -oE '(^|[ ,])--[a-z-]+' | tr -d ' ,' | sort -u); do
    grep -qE -e "${pattern/OPTION/${option#--}}" "$file" || missing+=" $option"
  done
  is "${file##*/} knows each option of $*" "$missing" ''
}
# Where Debian's zsh looks; others look into site-functions.
ZSH_FILE=/usr/share/zsh/vendor-completions/_vpnrun
[ -e /etc/debian_version ] || ZSH_FILE=/usr/share/zsh/site-functions/_vpnrun
for command in vpnrun vpnrunctl 'vpnrunctl status' 'vpnrunctl up' 'vpnrunctl log' 'vpnrunctl inbound' 'vpnrunctl attach' 'vpnrunctl detach'; do
  read -ra words <<<"$command"
  completions /usr/share/bash-completion/completions/vpnrun "[ ']--OPTION" "${words[@]}"
  completions "$ZSH_FILE" "--OPTION" "${words[@]}"
  completions "/usr/share/fish/vendor_completions.d/${words[0]}.fish" ' -l OPTION' "${words[@]}"
done

# The shells themselves: what they load by themselves once it is installed, and what they then offer.
if command -v zsh >/dev/null; then
  # shellcheck disable=SC2016
  is 'zsh finds the completions' \
    "$(zsh -fc 'autoload -Uz compinit && compinit -D -u && print $_comps[vpnrun] $_comps[vpnrunctl]')" '_vpnrun _vpnrun'
  # shellcheck disable=SC2016
  check 'and can load them' zsh -fc 'autoload -Uz +X _vpnrun && (( $+functions[_vpnrun] ))'
  check 'and parse them' zsh -n "$ZSH_FILE"
fi
if command -v fish >/dev/null; then
  for word in status restart log; do
    like "fish offers '$word'" "$(HOME=$LAB/tmp fish -c 'complete -C "vpnrunctl "' 2>&1)" "^$word"
  done
fi
# bash-completion(7) loads a file named after the command; without it, somebody sources that.
for command in vpnrun vpnrunctl; do
  # shellcheck disable=SC2016
  like "bash completes $command" "$(bash -c '
    source "/usr/share/bash-completion/completions/$1"
    COMP_WORDS=("$1" --); COMP_CWORD=1; COMP_LINE="$1 --"; COMP_POINT=${#COMP_LINE}
    "$(complete -p "$1" | sed "s/.*-F \\([^ ]*\\).*/\\1/")" && printf "%s\n" "${COMPREPLY[@]}"' bash "$command")" '^--quiet$'
done

# "build" is the lab runner's.
# shellcheck disable=SC2154
DESTDIR=$LAB/tmp/root cmake --install "$build" >/dev/null
is 'below DESTDIR the same files are installed, with the same modes' \
  "$(cd "$LAB/tmp/root" && find usr/bin usr/libexec usr/lib/systemd usr/share/doc/vpnrun -type f -printf '%p %m\n' | sort)" \
  "$(cd / && find usr/bin/vpnrun* usr/libexec/vpnrun usr/lib/systemd/*/*vpnrun* usr/share/doc/vpnrun -type f -printf '%p %m\n' | sort)"
check 'with the folder of the profiles' test -d "$LAB/tmp/root/etc/vpnrun/profiles"
