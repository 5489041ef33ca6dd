// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "profiles/openvpn_config.h"

namespace vpnrun::differential {

using Words = std::vector<std::string>;

constexpr const char* kProgram = "/usr/sbin/openvpn";
constexpr int kPatienceMs = 30000;  ///< only to end at all if OpenVPN hangs

/// What OpenVPN made of a file, in its own words.
struct Seen {
  /// Why it took nothing of the file: its message, without numbers of lines. Empty: it took it.
  std::string refusal;
  /// Why it ended before it showed `environment`: it had to ask something, for example.
  std::string ending;
  std::vector<Words> plugins;                      ///< the words of each `plugin` line
  std::map<std::string, std::string> environment;  ///< `setenv` and what else scripts would get
  /// "Current Parameter Settings" of --verb 4, each name made unique.
  std::map<std::string, std::string> settings;
  std::vector<profile::Remote> remotes;  ///< its connection profiles
};

/// The installed openvpn(8). It is given a file on standard input, as the companion does, and ends
/// in the last option of its command line, a plugin that does not start: no device, no socket.
class OpenvpnProgram {
 public:
  /// `folder` is where it looks for files; `login` a file with two lines, for whatever asks.
  OpenvpnProgram(std::string plugin, std::string folder, std::string login);

  /// Throws Error if OpenVPN could not be run or did not end.
  [[nodiscard]] Seen read(std::string_view text);

  [[nodiscard]] const std::string& plugin() const noexcept { return plugin_; }
  [[nodiscard]] std::size_t runs() const noexcept { return runs_; }

 private:
  [[nodiscard]] std::string output_for(std::string_view text);

  std::string plugin_;
  std::string folder_;
  std::string login_;
  std::size_t runs_ = 0;
};

}  // namespace vpnrun::differential
