// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vpnrun {

/// Whether a person has to know.
enum class Severity : std::uint8_t {
  kInfo,     ///< nobody will miss it: vpnrun does the same, or it does nothing
  kNotice,   ///< somebody has written it for a reason: said once
  kWarning,  ///< something that was wanted does not happen
};

[[nodiscard]] std::string_view to_string(Severity severity) noexcept;
/// A word that came after this version is a notice.
[[nodiscard]] Severity severity_from_string(std::string_view word) noexcept;

/// What a configuration says and the VPN client does not get to hear.
struct LeftOut {
  std::string directive{};             ///< with the variable of `setenv`; printable
  std::vector<std::uint32_t> lines{};  ///< of the file; empty: it is no line of the file
  std::string reason{};                ///< for people
  Severity severity = Severity::kInfo;
  std::string file{};  ///< the name of the configuration, without its folder
  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

inline constexpr std::size_t kMostLinesLeftOut = 32;

/// The same directive for the same reason as one, in the order of the file. At most `most`, those
/// of the greatest severity; of each, the first kMostLinesLeftOut lines.
[[nodiscard]] std::vector<LeftOut> merged(std::span<const LeftOut> entries, std::size_t most);

/// "up, down (lines 9, 10): vpnrun sets names itself; cd (line 4): …": one line, by reasons, each
/// directive between two `quote`. Printable, whoever wrote the entries. Empty if there are none.
[[nodiscard]] std::string describe(std::span<const LeftOut> entries, std::string_view quote = "");

}  // namespace vpnrun
