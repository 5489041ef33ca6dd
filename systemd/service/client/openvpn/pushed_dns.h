// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vpnrun::service::openvpn {

/// The `dns` options that a server pushes and those of the configuration, for OpenVPN 2.7: it hands
/// them only to its `dns-updown` program, which is not run here, and with --management-up-down it
/// reports neither them nor the `dhcp-option` that they replace. What the server pushed is in
/// OpenVPN's output at `verb 3`. The server writes these lines: what is not an option is left out,
/// and no more is kept than a server can push at all.
class PushedDns {
 public:
  /// `config` is OpenvpnConfig::text: its `dns` and `pull-filter` lines count.
  explicit PushedDns(std::string_view config);

  /// Takes a line of OpenVPN's output. A `PUSH_REPLY` adds to those before it (a long one comes in
  /// parts), until add_to() or forget().
  void read(std::string_view line);

  /// The connection is gone: what was pushed does not apply to the next one, which may be another
  /// server's.
  void forget() noexcept;

  /// Adds the variables that OpenVPN 2.6 reports for these options (dns_server_1_address_1, …,
  /// servers in the order of their numbers), unless there are such variables already. What is
  /// pushed after that belongs to another connection.
  void add_to(std::map<std::string, std::string>& environment);

 private:
  struct Server {
    std::vector<std::string> addresses;  ///< as pushed: "10.8.0.1", "10.8.0.1:53", "[fd00::1]:53"
    std::string transport;
    std::string dnssec;
    std::string resolve_domain;  ///< only the first one
  };
  struct Options {
    std::map<int, Server> servers;
    std::vector<std::string> search_domains;
  };

  [[nodiscard]] bool is_filtered(std::string_view option) const;
  /// `lowest`: the lowest number of a server.
  static void take(const std::vector<std::string>& words, int lowest, Options& options);

  /// `pull-filter` lines: the beginning of an option, and whether it is accepted.
  std::vector<std::pair<std::string, bool>> filters_;
  Options own_;
  Options pushed_;
  bool is_told_ = false;
};

}  // namespace vpnrun::service::openvpn
