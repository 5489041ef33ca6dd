// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "profiles/protocol/status.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/os/timers.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {

/// What everybody may know about the tunnel, and where it is made known: the mark of a tunnel that
/// is up and state.json (Recorder), the control socket and systemd (Publisher), the log.
class StatusBoard {
 public:
  /// Writes mark and file. False: not all could be written; it is then called again a little later.
  using Recorder = std::function<bool(const Status&)>;
  using Publisher = std::function<void(const Status&)>;

  /// `timers` must outlive it. Nothing is published before the first call.
  StatusBoard(Timers& timers, std::string profile_name, Recorder record, Publisher publish);

  [[nodiscard]] const Status& status() const noexcept { return status_; }
  /// For changes; publish() makes them known.
  [[nodiscard]] Status& edit() noexcept { return status_; }

  /// Sets the state: logs it if it has changed, and publishes it. If that is not kUp, removes what
  /// only a tunnel that is up has (addresses, MTU).
  void enter(State state);
  /// Sets why the tunnel is not up; no log-in is waited for any longer. Does not publish it.
  void explain(const std::string& error, const std::string& hint);
  /// Sets what a tunnel that is about to be up has. `own`: the resolvers are the profile's own.
  /// Reports what is wrong with those that the server named. Does not publish it.
  void tell(const TunnelSettings& settings, const std::vector<IpAddress>& resolvers, bool own);
  /// Sets the question that a person is asked now; nullopt: there is none. Does not publish it.
  void tell(const std::optional<CredentialQuestion>& question);
  /// Sets what the server waits for, until explain() is called again. Does not publish it.
  void tell(const BrowserLogin& login);
  void publish();
  /// For the companion's end: publishes a status without its process number, which another process
  /// may soon have.
  void leave();

 private:
  void tell_of_resolvers(const TunnelSettings& settings, bool are_none, bool own);

  Timers& timers_;
  Recorder record_;
  Publisher publish_;
  Status status_;
  Timers::Handle again_;
};

/// The recorder of a companion: UpLock and state.json, both below `directory`, the profile's own.
class StatusFiles {
 public:
  /// `directory` is borrowed. Throws Error.
  explicit StatusFiles(int directory) : directory_(directory), up_lock_(directory) {}
  /// Writes the mark first. Failures are only logged: the control socket still reports the state.
  [[nodiscard]] bool write(const Status& status);

 private:
  int directory_;
  UpLock up_lock_;
};

}  // namespace vpnrun::service
