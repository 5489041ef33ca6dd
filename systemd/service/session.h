// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "profiles/openvpn_config.h"
#include "profiles/profile.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/attempts.h"
#include "systemd/service/client/failure.h"
#include "systemd/service/client/openvpn/login.h"
#include "systemd/service/client/openvpn/process.h"
#include "systemd/service/client/openvpn/tries.h"
#include "systemd/service/hooks.h"
#include "systemd/service/inside_network.h"
#include "systemd/service/link/resolver.h"
#include "systemd/service/link/veth_link.h"
#include "systemd/service/names/automount_watch.h"
#include "systemd/service/names/view_watch.h"
#include "systemd/service/namespace.h"
#include "systemd/service/netns.h"
#include "systemd/service/netns_inside.h"
#include "systemd/service/os/accounts.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/runtime_dir.h"
#include "systemd/service/tun_device.h"

namespace vpnrun::service {

/// What the companion was configured with, read anew at each `restart`.
struct Configuration {
  profile::Profile profile;
  profile::OpenvpnConfig openvpn;  ///< only for tunnel type openvpn
};

/// One profile's tunnel: decides what happens when. Theory of operation: session.cc.
class Session {
 public:
  using Loader = std::function<Configuration()>;
  using Publisher = std::function<void(const Status&)>;

  /// `load` reads the configuration (throws Error); `publish` is called at each change of the
  /// status. Throws Error, with nothing left behind.
  Session(EventLoop& loop, Loader load, PreparedNamespaces namespaces, Publisher publish);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  /// Offline and sealed. Hooks that are left run within kHooksAtEnd, blocking.
  ~Session();

  /// What the hooks have, all together, when the companion ends.
  static constexpr std::chrono::seconds kHooksAtEnd{30};

  void up();
  void down();
  /// The companion ends: what is published from now on names no process.
  void leave();
  /// Reads the configuration anew; if it is wrong, throws Error and goes on as before.
  void restart();
  void answer(const Request& request);
  /// The machine slept for so long: the server may have forgotten us.
  void resumed(std::chrono::seconds asleep);

  /// The profile's network namespace; borrowed.
  [[nodiscard]] int netns() const noexcept { return namespaces_.netns.get(); }
  [[nodiscard]] const profile::Profile& profile() const noexcept { return configuration_.profile; }
  [[nodiscard]] const Status& status() const noexcept { return status_; }
  /// Why the companion is to end: the first connection failed for good. nullopt: it is not.
  [[nodiscard]] const std::optional<Failure>& final_failure() const noexcept { return final_; }

 private:
  // the phases of an attempt, in order
  void begin_attempt();
  void resolved(const Resolver::Result& result);
  std::vector<Endpoint> usable_endpoints(const Resolver::Result& result,
                                         std::optional<Failure>& refused);
  void connect(const std::vector<Endpoint>& endpoints);
  void connected();
  [[nodiscard]] TunnelSettings checked_settings() const;
  // what ends one
  void lost(const Failure& failure);
  void attempt_failed(const Failure& failure);
  void give_up(const Failure& failure);

  // the client's events
  void start_client(const std::vector<Endpoint>& endpoints);
  openvpn::ProcessEvents client_events();
  void expect_refusal();
  void on_hold();
  void let_client_go();
  void on_state(std::string_view name, std::string_view detail);
  void on_need_password(std::string_view realm, bool wants_user_name,
                        const openvpn::Challenge& challenge);
  [[nodiscard]] bool asks_too_often();
  void on_auth_failure();
  void on_exit(int status);

  void build_networks();
  LinkEvents link_events();
  [[nodiscard]] bool is_attempting() const;
  void renew_view();

  void set_state(State state);
  void publish();
  void stop_client();
  [[nodiscard]] std::chrono::milliseconds pause();
  void retry_in(std::chrono::milliseconds delay);
  void tell_of_resolvers(bool are_none);
  void write_resolvers(const std::vector<std::string>& search_domains) const;
  [[nodiscard]] std::vector<IpAddress> dns_servers() const;
  [[nodiscard]] std::vector<std::string> hook_environment() const;
  [[nodiscard]] std::string endpoint_text() const;

  EventLoop& loop_;
  Loader load_;
  Publisher publish_;
  PreparedNamespaces namespaces_;
  Configuration configuration_;
  Account account_;  ///< of the profile's client
  Status status_;

  Netns host_;
  Netns inside_netns_;
  std::unique_ptr<TunDevice> tun_;
  std::unique_ptr<InsideNetwork> inside_;
  std::unique_ptr<Link> link_;
  Resolver resolver_;
  Hooks hooks_;
  UpLock up_lock_;
  ViewWatch view_watch_;
  AutomountWatch automount_watch_;
  EventLoop::Handle overlay_settle_;

  std::unique_ptr<openvpn::Process> client_;
  /// Stopped, but kept until the event that they may be in has returned.
  std::vector<std::unique_ptr<openvpn::Process>> stopped_clients_;
  EventLoop::Handle bury_;
  bool client_holds_ = false;  ///< it waits for release_hold()
  bool was_let_go_ = false;    ///< this client, once: from then on it hears the network
  std::deque<EventLoop::Clock::time_point> questions_;  ///< this client's latest
  std::vector<Endpoint> client_endpoints_;
  std::vector<Endpoint> client_order_;  ///< the same, as it tries them
  std::vector<Endpoint> endpoints_;
  TunnelSettings settings_;
  std::optional<Failure> observed_;  ///< the best explanation the client has given so far
  std::optional<Failure> final_;
  Login login_;
  EventLoop::Handle attempt_limit_;
  EventLoop::Handle retry_;
  EventLoop::Handle republish_;
  Attempts attempts_;
  openvpn::Tries tries_;   ///< of this attempt
  unsigned rotation_ = 0;  ///< which remote comes first
  bool was_up_ = false;    ///< ever, since this process began
};

}  // namespace vpnrun::service
