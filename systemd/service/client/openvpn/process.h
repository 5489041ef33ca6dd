// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "helper/base/unique_fd.h"
#include "profiles/base/endpoint.h"
#include "profiles/base/secret.h"
#include "profiles/openvpn_config.h"
#include "systemd/service/client/openvpn/management.h"
#include "systemd/service/client/openvpn/process_control.h"
#include "systemd/service/client/openvpn/pushed_dns.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/os/peer_socket.h"

namespace vpnrun::service::openvpn {

/// The configuration that OpenVPN gets on standard input: `config`, completed (completion.h), with
/// our own directives in front and `endpoints` in their order in place of its remotes. With it
/// OpenVPN opens no file, runs no program and changes neither address nor route; it reports
/// everything over `management_path`. Pure.
[[nodiscard]] std::string client_options(const profile::OpenvpnConfig& config,
                                         const std::vector<Endpoint>& endpoints,
                                         const std::string& device,
                                         const std::string& management_path);

/// Absolute path of the openvpn program. Throws Error with a hint if it is not installed.
[[nodiscard]] std::string find_program();

/// Removes what a client of this profile left behind when it was killed together with its
/// companion.
void remove_client_folder(const std::string& profile_name) noexcept;

/// Counts how much has been read from one descriptor without a pause. A client that its server has
/// taken over may write as fast as it can: it gets the companion's attention piece by piece, and
/// has to wait in between. Pure.
class Flow {
 public:
  /// More than a pipe holds (pipe(7)), and more than OpenVPN reports about a few hundred routes.
  static constexpr std::size_t kPiece = std::size_t{128} * 1024;
  /// What counts as a pause, and how long nothing is read after a piece that had none.
  static constexpr std::chrono::milliseconds kPause{100};

  /// `bytes` more have been read. True: enough for now; read on after kPause.
  [[nodiscard]] bool is_enough(EventLoop::Clock::time_point now, std::size_t bytes) noexcept;

 private:
  EventLoop::Clock::time_point last_;
  std::size_t bytes_ = 0;
};

/// Where the client runs, and as which user.
struct ProcessPlace {
  std::string profile_name;
  int netns_fd = -1;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// One OpenVPN process. It runs as this profile's own user without any capability, inside the
/// network namespace, alone in a root directory (client_root.h) and a pid namespace, and is
/// controlled by this object alone, over its management socket only. It dies with this object, and
/// with the companion (PR_SET_PDEATHSIG, and OpenVPN ends when its management client goes away).
class Process final : public ProcessControl {
 public:
  /// Starts it. Throws Error.
  Process(EventLoop& loop, const ProcessPlace& place, const profile::OpenvpnConfig& config,
          const std::vector<Endpoint>& endpoints, const std::string& device, ProcessEvents events);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(Process&&) = delete;
  ~Process() override { stop(); }

  void stop() noexcept override;
  void release_hold() override;
  void reconnect() override;
  void answer(std::string_view realm, const Secret& user_name, const Secret& password) override;
  void respond(const Secret& response) override;

 private:
  [[nodiscard]] ManagementEvents with_pushed_dns(ManagementEvents events);
  void watch();
  void accept();
  void watch_connection();
  void receive();
  void watch_output();
  void read_output();
  void read_ahead();
  std::size_t tell_lines();
  void end_it(std::string_view reason);
  void send(std::string_view command);

  EventLoop& loop_;
  ProcessEvents events_;
  PushedDns pushed_dns_;
  ManagementParser parser_;
  std::string profile_name_;
  UniqueFd listener_;
  PeerSocket connection_;
  UniqueFd output_;
  std::string pending_output_;
  Pidfd process_;
  std::vector<EventLoop::Handle> watches_;
  /// Each is the watch of the descriptor, or the timer after which it is watched again.
  EventLoop::Handle connection_watch_;
  EventLoop::Handle output_watch_;
  Flow connection_flow_;
  Flow output_flow_;
  EventLoop::Handle exit_watch_;
  EventLoop::Handle refusal_;
  bool is_ahead_ = false;  ///< read_ahead() has read since the output's own turn
  bool reaped_ = false;
  bool stopped_ = false;
};

/// Starts processes in `place`, with the tunnel device `device`. `loop` is borrowed.
[[nodiscard]] StartProcess process_starter(EventLoop& loop, ProcessPlace place, std::string device);

}  // namespace vpnrun::service::openvpn
