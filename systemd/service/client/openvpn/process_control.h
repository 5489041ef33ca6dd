// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/secret.h"
#include "profiles/openvpn_config.h"
#include "systemd/service/client/openvpn/management.h"

namespace vpnrun::service::openvpn {

/// What a process reports. Each is called from the event loop, never from within a call to the
/// process, and may stop it (not destroy it).
struct ProcessEvents {
  ManagementEvents management;
  /// Each line that OpenVPN prints, without line end. Never contains a secret.
  std::function<void(std::string_view line)> on_output;
  /// The process is gone; `status` as of wait(2).
  std::function<void(int status)> on_exit;
  /// What it sends over its management connection is not OpenVPN's protocol: it is being killed.
  std::function<void(std::string_view reason)> on_refused;
  /// Its management connection ended: it is about to exit, or is not OpenVPN and was killed.
  std::function<void()> on_lost;
};

/// The orders that an OpenVPN process takes.
class ProcessControl {
 public:
  ProcessControl() = default;
  ProcessControl(const ProcessControl&) = delete;
  ProcessControl& operator=(const ProcessControl&) = delete;
  ProcessControl(ProcessControl&&) = delete;
  ProcessControl& operator=(ProcessControl&&) = delete;
  /// The process has ended.
  virtual ~ProcessControl() = default;

  /// Kills the process and waits for its end; no further event comes. May be called from an event
  /// (the destructor may not): the object must stay until the next turn of the loop.
  virtual void stop() noexcept = 0;
  /// Lets it connect; it waits for this at start and after each loss of the connection.
  virtual void release_hold() = 0;
  /// Makes it reconnect, with the credentials that it has; it goes to its hold first, as after each
  /// loss of the connection.
  virtual void reconnect() = 0;
  /// Answers ManagementEvents::on_need_password. User name and password are never logged. Throws
  /// Error, with nothing sent, on what quote() refuses.
  virtual void answer(std::string_view realm, const Secret& user_name, const Secret& password) = 0;
  /// Answers a text that the server asked for an answer to (PendingLogin), which is never logged.
  virtual void respond(const Secret& response) = 0;
};

/// Starts a process that tries `endpoints` in their order. Throws Error, and nothing runs then.
using StartProcess = std::function<std::unique_ptr<ProcessControl>(
    const profile::OpenvpnConfig& config, const std::vector<Endpoint>& endpoints,
    ProcessEvents events)>;

}  // namespace vpnrun::service::openvpn
