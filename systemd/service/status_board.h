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

/// What everybody may know of the tunnel, and the places where it stands: the mark of a tunnel that
/// is up and state.json (Recorder), the control socket and systemd (Publisher), the log.
class StatusBoard {
 public:
  /// Writes mark and file. False: not all could be written; it is called again a little later.
  using Recorder = std::function<bool(const Status&)>;
  using Publisher = std::function<void(const Status&)>;

  /// `timers` must outlive it. Nothing is published before the first call.
  StatusBoard(Timers& timers, std::string profile_name, Recorder record, Publisher publish);

  [[nodiscard]] const Status& status() const noexcept { return status_; }
  /// For changes; publish() makes them known.
  [[nodiscard]] Status& edit() noexcept { return status_; }

  /// The state is this one from now on: logged if it is another one than before, and published.
  /// What only a tunnel that is up has (addresses, MTU) is gone with it.
  void enter(State state);
  /// Why it is not up. Not published.
  void explain(const std::string& error, const std::string& hint);
  /// What a tunnel that is about to be up has. `own`: the resolvers are the profile's. A person is
  /// told what is wrong with those that the server named. Not published.
  void tell(const TunnelSettings& settings, const std::vector<IpAddress>& resolvers, bool own);
  /// A question that a person is asked now; nullopt: it is answered. Not published.
  void tell(const std::optional<CredentialQuestion>& question);
  void publish();
  /// The companion ends: what is published names no process any more, whose number may soon be
  /// another's.
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
  /// The mark first. What fails is logged: the control socket still tells.
  [[nodiscard]] bool write(const Status& status);

 private:
  int directory_;
  UpLock up_lock_;
};

}  // namespace vpnrun::service
