// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "profiles/openvpn_directives.h"

// What single words of an OpenVPN configuration are. Private to openvpn_config.cc.
namespace vpnrun::profile {

/// Whether a message may repeat a first word: a line of a key whose tags are broken arrives as one,
/// too.
[[nodiscard]] bool can_be_shown(const std::string& word);

/// The directive that `word` is, or was most likely meant to be; nullptr if there is none.
[[nodiscard]] const Directive* meant_directive(const std::string& word);

/// "; did you mean BEFORE…AFTER?" with the nearest known directive; empty if there is none.
[[nodiscard]] std::string did_you_mean(const std::string& word, std::string_view before,
                                       std::string_view after);

/// "name" of "<name>" or "</name>" if `word` is nothing else; empty otherwise.
[[nodiscard]] std::string_view name_of_tag(std::string_view word);

/// Whether `command` is a program of a distribution, or of OpenVPN, that hands names on to the
/// machine's resolver, or one that does nothing: vpnrun does the same without it.
[[nodiscard]] bool is_resolver_script(std::string_view command);

/// As atoi(3) reads it, but never negative: what OpenVPN makes of "3;". Large numbers are cut.
[[nodiscard]] int number_of(std::string_view text);

/// Whether `name` is a variable that OpenVPN itself reads: sent to the server (UV_*, IV_*), or
/// about its own behaviour.
[[nodiscard]] bool is_harmless_variable(std::string_view name);

}  // namespace vpnrun::profile
