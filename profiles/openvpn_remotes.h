// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "profiles/remote.h"

// `remote`, `proto`, `port` and the <connection> blocks around them. Private to openvpn_config.cc.
namespace vpnrun::profile {

/// Gathers the servers of a file in its order. In a <connection> block the last setting counts,
/// whether in `remote` or in a line of its own, then what comes before that block. A `remote`
/// outside any block takes what it leaves out from anywhere in the file, and counts only if the
/// file has no such block. Every function throws Error without a place.
class RemoteList {
 public:
  using Arguments = std::span<const std::string>;

  /// `remote HOST [PORT [PROTOCOL]]` in line `place`.
  void add(Arguments arguments, std::size_t place);
  void set_port(Arguments arguments);
  void set_protocol(Arguments arguments);
  /// `proto-force`: servers of the other protocol are left out.
  void force_protocol(Arguments arguments);

  void begin_connection();
  /// The line of its server: of several the last one counts. 0: it has none.
  std::size_t end_connection();
  /// The server of line `place` does not count.
  void leave_out(std::size_t place);
  /// Whether there was a `remote`, usable or not.
  [[nodiscard]] bool names_any() const noexcept { return names_any_; }
  [[nodiscard]] bool in_connection() const noexcept { return in_connection_; }
  /// Whether there was a block, so that servers outside blocks are left out.
  [[nodiscard]] bool has_connection() const noexcept { return has_connection_; }

  /// Throws Error if no server is left.
  [[nodiscard]] std::vector<Remote> finish() const;

 private:
  struct Settings {
    std::optional<std::uint16_t> port;
    std::optional<Transport> transport;
    /// Takes from `other` what is not set here.
    void fill_from(const Settings& other);
  };
  struct Line {
    std::string host;
    Settings settings;
    bool in_connection = false;
    std::size_t line = 0;
    bool left_out = false;
  };

  Settings& current() { return in_connection_ ? connection_ : defaults_; }

  std::vector<Line> lines_;
  Settings defaults_;
  Settings connection_;
  std::size_t first_of_connection_ = 0;
  bool in_connection_ = false;
  bool has_connection_ = false;
  bool names_any_ = false;
  std::optional<Transport> forced_transport_;
};

/// Whether `text` is an IPv4 or IPv6 literal, with or without "/PREFIX".
[[nodiscard]] bool is_address_literal(const std::string& text);

}  // namespace vpnrun::profile
