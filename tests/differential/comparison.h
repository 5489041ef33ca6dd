// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/openvpn_config.h"
#include "tests/differential/management_client.h"
#include "tests/differential/openvpn_program.h"

namespace vpnrun::differential {

/// Throws Error if it cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

/// How a text is split into lines and words; nullopt if it is refused.
using Splitter = std::optional<std::vector<Words>> (*)(std::string_view text);

/// Ours.
[[nodiscard]] std::optional<std::vector<Words>> split_text(std::string_view text);
/// One that is wrong: ' is a character like any other. The check has to find it.
[[nodiscard]] std::optional<std::vector<Words>> split_text_wrongly(std::string_view text);

/// What came of one text.
struct Verdict {
  enum class Kind {
    kRefused,     ///< ours refuses it: nothing to compare
    kSame,        ///< the same to both
    kBothRefuse,  ///< OpenVPN takes neither the file nor what is handed on of it
    kLenient,     ///< OpenVPN refuses a line that ours leaves out or mends on purpose
    kStrict,      ///< OpenVPN takes what ours refuses: asked for in compare_strictness() only
    kDifferent,
  };
  Kind kind = Kind::kRefused;
  std::string what;  ///< for kLenient and kDifferent
};

/// A password as an argument of a management command; throws Error to refuse it.
using Quote = std::string (*)(std::string_view text);
/// One that is wrong: it leaves backslashes as they are.
[[nodiscard]] std::string quote_wrongly(std::string_view text);

/// Never kBothRefuse or kLenient.
[[nodiscard]] Verdict compare_password(ManagementClient& openvpn, std::string_view text,
                                       Quote quote);

/// A file of `plugin` lines: the words of each.
[[nodiscard]] Verdict compare_words(OpenvpnProgram& openvpn, std::string_view text,
                                    Splitter splitter);

/// A whole file, against what the companion would hand on of it. `spoil` is for the control: it may
/// change what is handed on.
[[nodiscard]] Verdict compare_file(OpenvpnProgram& openvpn, std::string_view text,
                                   const std::string& folder,
                                   void (*spoil)(profile::OpenvpnConfig&) = nullptr);

/// Whether ours refuses a file that OpenVPN takes; kStrict or kSame, kBothRefuse if OpenVPN does
/// not take it either.
[[nodiscard]] Verdict compare_strictness(OpenvpnProgram& openvpn, std::string_view text,
                                         const std::string& folder);

}  // namespace vpnrun::differential
