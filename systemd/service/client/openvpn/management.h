// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "profiles/base/endpoint.h"
#include "systemd/service/client/openvpn/challenge.h"
#include "systemd/service/client/tunnel_client.h"

namespace vpnrun::service::openvpn {

/// Reads what the server assigned from the environment that OpenVPN would hand to an `up` script
/// (openvpn(8), "Environmental Variables"), delivered over the management socket by
/// --management-up-down. Invalid values (an address that does not parse, a mask that is not one)
/// are left out: a hostile server chooses them. This is the one place where they are checked.
/// Throws Error if no usable address is left.
///
/// The endpoint in use is the first of `endpoints` with the address and the port that are reported;
/// nullopt if none has them.
///
/// Resolvers come as `dns server` options (with OpenVPN 2.7 through PushedDns), or as
/// `dhcp-option DNS`. Of the former, the first server by priority is used that answers plain DNS at
/// port 53 and does not demand DNSSEC, as OpenVPN itself does on a machine with nothing but a
/// resolv.conf(5): the applications' name service can do nothing else. If there is none,
/// `dhcp-option DNS` is used, without the addresses that were left out before, because OpenVPN 2.6
/// repeats them there.
[[nodiscard]] TunnelSettings settings_from_environment(
    const std::map<std::string, std::string>& environment, std::span<const Endpoint> endpoints);

/// What a management line can report.
struct ManagementEvents {
  std::function<void(std::uint32_t wait_seconds)> on_hold;
  /// How many bytes have come from the server since the process began.
  std::function<void(std::uint64_t received)> on_bytes;
  /// `name` CONNECTING, WAIT, AUTH, GET_CONFIG, CONNECTED, RECONNECTING, EXITING, …;
  /// `detail` e.g. "SUCCESS", "ping-restart", "auth-failure".
  std::function<void(std::string_view name, std::string_view detail)> on_state;
  std::function<void(const std::map<std::string, std::string>& environment)> on_up;
  std::function<void()> on_down;
  /// `realm` "Auth", "Private Key", …; `wants_user_name` as the name says; `challenge` is that of
  /// the configuration, kNone without one.
  std::function<void(std::string_view realm, bool wants_user_name, const Challenge& challenge)>
      on_need_password;
  /// `reason` in the server's words, empty if it gave none; may be a challenge.
  std::function<void(std::string_view realm, std::string_view reason)> on_password_rejected;
  /// The server gave a token that replaces the password from now on. OpenVPN keeps it.
  std::function<void()> on_auth_token;
  std::function<void(std::string_view text)> on_fatal;
  /// The server's, on a log-in that is not complete yet: pending_login().
  std::function<void(std::string_view message)> on_info_message;
};

/// Parser of OpenVPN's management protocol (management-notes.txt): feed() bytes as they come, get
/// events. Keeps at most kLineMax bytes of an unfinished line, and of an environment only the
/// variables that settings_from_environment() reads: a server that pushes thousands of routes makes
/// OpenVPN report four variables for each, and none of them is kept. A peer that sends a longer
/// line, or an environment of more than kReportMax bytes, is not OpenVPN: feed() throws Error,
/// which says so.
class ManagementParser {
 public:
  static constexpr std::size_t kLineMax = 16384;
  static constexpr std::size_t kReportMax = std::size_t{16} * 1024 * 1024;

  explicit ManagementParser(ManagementEvents events) : events_(std::move(events)) {}

  void feed(std::string_view bytes);
  /// No further event comes, not even from bytes that feed() is working on.
  void stop() noexcept { stopped_ = true; }

 private:
  void line(std::string_view text);
  void updown(std::string_view text);
  void password(std::string_view text) const;
  void bytes(std::string_view text) const;

  ManagementEvents events_;
  std::string pending_;
  std::map<std::string, std::string> environment_;
  std::size_t reported_ = 0;  ///< bytes of the environment so far, kept or not
  bool collecting_up_ = false;
  bool stopped_ = false;
};

/// The longest argument of a management command in bytes. OpenVPN refuses a longer one, and prints
/// it when it does.
constexpr std::size_t kArgumentMax = 255;

/// `text` as an argument of a management command: in double quotes, '"' and '\\' escaped. Throws
/// Error on more than kArgumentMax bytes and on a control character: a line break would end the
/// command, and OpenVPN drops the others silently.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace vpnrun::service::openvpn
