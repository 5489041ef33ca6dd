// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/attempts.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/configuration.h"
#include "systemd/service/diagnosis.h"
#include "systemd/service/hooks.h"
#include "systemd/service/inside_network.h"
#include "systemd/service/link/endpoints.h"
#include "systemd/service/link/link.h"
#include "systemd/service/os/timers.h"
#include "systemd/service/status_board.h"

namespace vpnrun::service {

/// What a session works with under one configuration. Destroyed in the opposite order: the client
/// first.
struct TunnelParts {
  std::string type;    ///< Status::tunnel_type
  std::string device;  ///< Status::device
  std::unique_ptr<InsideNetwork> inside;
  std::unique_ptr<Link> link;
  std::unique_ptr<TunnelClient> client;
};

struct PartEvents {
  TunnelEvents client;
  LinkEvents link;
  /// The device of a tunnel that is up has lost its carrier, or is gone.
  std::function<void()> device_lost;
};

/// What a session needs from the companion around it. All is borrowed.
struct Surroundings {
  Timers& timers;
  NameLookup& names;
  Hooks& hooks;
  StatusBoard& board;
  /// Reads the configuration. Throws Error.
  std::function<Configuration()> load;
  /// Makes the parts for a configuration, closed and offline; they replace what a killed companion
  /// left. Throws Error, with nothing left behind.
  std::function<TunnelParts(const Configuration&, PartEvents)> build;
  /// Sets the resolvers that applications ask from now on.
  std::function<void(const std::vector<IpAddress>& resolvers,
                     const std::vector<std::string>& search_domains)>
      write_resolvers;
  /// The companion is to end: final_failure() says why.
  std::function<void()> gave_up;
  /// Whether what the configuration was read from has changed since. Empty: it never does.
  std::function<bool(const Configuration&)> is_outdated{};
};

/// One profile's tunnel: decides what happens and when, and has it done by its Surroundings and
/// parts, the only things that it touches. All calls and events come from one thread. Theory of
/// operation: session.cc.
class Session {
 public:
  /// Makes the parts; the tunnel is down. Throws Error, with nothing left behind.
  explicit Session(Surroundings surroundings);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  /// Leaves the namespace offline and sealed, and has the down hooks run.
  ~Session();

  /// Throws Error if an earlier restart() could not build the parts, and they still cannot be
  /// built.
  void up();
  void down();
  /// Reads the configuration again. Throws Error if it cannot be read, and then goes on as before,
  /// or is `failed` if it was at rest; or if its parts cannot be built, and is then `failed`. The
  /// status says why.
  void restart();
  /// Whether an order to come up is to be a restart(): the tunnel is not up, and the configuration
  /// has changed. Somebody may have mended what keeps it down.
  [[nodiscard]] bool is_outdated() const;
  /// Throws Error if it is not an answer to the question that is asked now.
  void answer(const ControlRequest& request);
  /// Opens and closes ports from the tunnel to applications, both or nothing; what is closed and
  /// opened is open. It holds until restart(): a profile that is read again says what is open.
  /// Connections that exist go on. Throws Error.
  void change_inbound(const std::vector<profile::Port>& add,
                      const std::vector<profile::Port>& remove);
  /// The machine slept for that long: the server may have forgotten us.
  void resumed(std::chrono::seconds asleep);
  /// The machine's clock was set: what was not yet valid, or no longer, may be now.
  void clock_set();

  [[nodiscard]] const profile::Profile& profile() const noexcept { return configuration_.profile; }
  [[nodiscard]] const std::vector<FileMark>& files() const noexcept { return configuration_.files; }
  /// Why the companion is to end: the first connection failed for good. nullopt: it is not.
  [[nodiscard]] const std::optional<Failure>& final_failure() const noexcept { return final_; }

 private:
  void tell_configuration();
  void build();
  void rebuild();
  void tell_inbound();
  [[noreturn]] void fail_with(std::exception_ptr reason);
  [[nodiscard]] Configuration load_again();
  [[nodiscard]] PartEvents events();

  void plan(const Attempts::Next& next);
  void enter(State state);

  // the phases of an attempt, in order
  void begin();
  void found(const Endpoints::Found& found);
  void connect(std::vector<Endpoint> endpoints);
  void connected(const TunnelSettings& settings);
  void ended(const Failure& failure);

  // during an attempt or a connection
  void give_up(const Failure& failure);
  void noticed(const Failure& failure);
  void blocked(const Failure& failure);
  void asks(const std::optional<CredentialQuestion>& question);
  void sent_to_browser(const BrowserLogin& login);
  void retry_soon();

  void limit_attempt();
  void end_of_patience();
  [[nodiscard]] std::string endpoint_text() const;
  [[nodiscard]] bool waits_for_login() const noexcept;
  [[nodiscard]] bool is_trying() const noexcept;

  Surroundings around_;
  Configuration configuration_;
  TunnelParts parts_;  ///< empty if they could not be built
  Attempts attempts_;
  Endpoints lookup_;
  bool at_work_ = false;                ///< connect() was called: the client's events count
  std::vector<Endpoint> endpoints_;     ///< what the link is open for
  std::vector<profile::Port> inbound_;  ///< what is open from the tunnel
  Diagnosis diagnosis_;                 ///< of this attempt
  std::optional<Failure> final_;
  Timers::Handle retry_;
  Timers::Handle limit_;  ///< ends an attempt; inactive while a person is asked
};

}  // namespace vpnrun::service
