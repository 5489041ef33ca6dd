// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"
#include "profiles/protocol/control_message.h"
#include "profiles/remote.h"
#include "systemd/service/client/failure.h"

namespace vpnrun::service {

/// The settings of a working tunnel. The client parses and checks them: a hostile server chose the
/// values.
struct TunnelSettings {
  std::vector<Prefix> addresses;     ///< of the device; empty only if there is none
  std::vector<IpAddress> resolvers;  ///< in the server's order; they answer plain DNS at port 53
  std::vector<std::string> search_domains;
  std::string resolvers_left_out;    ///< why resolvers of the server are left out; empty: none is
  bool resolvers_are_split = false;  ///< meant for some domains only; they are asked for all names
  std::uint32_t mtu = 0;             ///< bytes; 0: not reported
  std::optional<Endpoint> endpoint;  ///< the one in use; nullopt: not reported
  friend bool operator==(const TunnelSettings&, const TunnelSettings&) = default;
};

/// What a server that keeps the attempt waiting wants of a person, out of vpnrun's sight.
struct BrowserLogin {
  std::string url;                   ///< checked; empty: none that may be shown
  std::string what;                  ///< "the server waits for …"
  std::chrono::seconds patience{0};  ///< how long the server waits
};

/// What a client tells. Each is called from the event loop, never from within a call to the client,
/// and may call the client (not destroy it).
struct TunnelEvents {
  /// The tunnel works, with these settings: at most once for each connect(), and never after
  /// `ended`.
  std::function<void(const TunnelSettings&)> connected;
  /// What connect() began is over: the attempt failed, or the connection ended. Once for each
  /// connect(); nothing follows until the next one. This failure is the explanation: what was
  /// noticed before no longer counts, even if it seems to explain more. Its kind says what is to be
  /// done about it, connected or not.
  std::function<void(const Failure&)> ended;
  /// The attempt goes on; this will probably be the reason if it fails.
  std::function<void(const Failure&)> noticed;
  /// A question that only a person can answer, also while connected; nullopt: it is no longer
  /// asked. That is reported before `connected`, but not before `ended`, which implies it: a route
  /// may have to be removed first.
  std::function<void(const std::optional<CredentialQuestion>&)> asks;
  /// The attempt goes on, once a person has logged in elsewhere. Also while connected.
  std::function<void(const BrowserLogin&)> waits_for_login;
};

/// What speaks a tunnel's protocol: a process of OpenVPN, a WireGuard device, nothing at all. It
/// knows neither links nor routes; its packets go where a Link lets them.
///
/// Destroying it ends what it runs, and removes the device that it made.
class TunnelClient {
 public:
  TunnelClient() = default;
  TunnelClient(const TunnelClient&) = delete;
  TunnelClient& operator=(const TunnelClient&) = delete;
  TunnelClient(TunnelClient&&) = delete;
  TunnelClient& operator=(TunnelClient&&) = delete;
  virtual ~TunnelClient() = default;

  /// The servers, in the configuration's order; their names are looked up outside before each
  /// attempt. Empty: the client needs none, and connect() gets none.
  [[nodiscard]] virtual std::span<const profile::Remote> servers() const noexcept = 0;

  /// How many endpoints an attempt is for at most: a link is open for no more.
  static constexpr std::size_t kEndpointsMost = 32;

  /// Which of `endpoints`, in the configuration's order, the next attempt is for: connect() gets
  /// these. If there are too many, each attempt takes over where the one before it ended.
  [[nodiscard]] virtual std::vector<Endpoint> choose(const std::vector<Endpoint>& endpoints) {
    return endpoints;
  }

  /// Begins one attempt. What an earlier one left is used if possible (a process at its hold, with
  /// what somebody typed), otherwise ended. Returns the endpoint that is tried first; nullopt if
  /// there is none. Throws Error, and nothing runs then.
  virtual std::optional<Endpoint> connect(const std::vector<Endpoint>& endpoints) = 0;
  /// Gives up a connection that only seems to be alive (the machine slept). What somebody typed is
  /// kept for the next attempt if possible. No event until connect(). False: there is no connection
  /// that could be lost that way, and nothing was done.
  [[nodiscard]] virtual bool drop() noexcept = 0;
  /// Ends what runs. What the server asked for last is kept: the next attempt may ask a person. No
  /// event until connect().
  virtual void stop() noexcept = 0;
  /// The same, and nothing is kept: a person is no longer to be asked about it.
  virtual void forget() noexcept = 0;

  /// A person's answer to the question that was asked last; `asks` does not follow. Throws Error if
  /// it cannot be used, and may then be called again.
  virtual void answer(const ControlRequest& request) = 0;
};

}  // namespace vpnrun::service
