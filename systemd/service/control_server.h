// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"
#include "profiles/control_message.h"
#include "profiles/error.h"
#include "systemd/service/event_loop.h"
#include "systemd/service/peer_socket.h"

namespace vpnrun::service {

/// The control socket of one profile (see control_message.h). Who can reach it was decided by the
/// permissions of the directory it is in. Clients are not trusted any further than that: lines and
/// queues are bounded, a client that does not read is dropped, nobody waits for anybody.
class ControlServer {
 public:
  /// Carries out a request and returns the reply. Throws Error for one that is refused.
  using Handler = std::function<Reply(const Request&)>;

  /// Listens at `path`, mode 0666, or takes over `inherited` if it is valid. Throws Error.
  ControlServer(EventLoop& loop, const std::string& path, UniqueFd inherited, Handler handler);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ControlServer(ControlServer&&) = delete;
  ControlServer& operator=(ControlServer&&) = delete;
  /// Removes the socket file, unless it was inherited or is another one by now.
  ~ControlServer();

  /// Whether anybody is connected.
  [[nodiscard]] bool has_clients() const noexcept;

  /// Sends `status` to every client that follows.
  void publish(const Status& status);

  /// Whether a client is connected that follows and can ask a person (Request::asks).
  [[nodiscard]] bool somebody_asks() const noexcept;
  /// `changed` is called after a request and after a client has gone, when that may have changed.
  void on_askers(std::function<void()> changed) { askers_changed_ = std::move(changed); }

 private:
  struct Client {
    PeerSocket fd;
    uid_t uid = 0;  ///< of whoever connected
    std::string input;
    std::string output;
    bool follows = false;
    bool asks = false;
    bool dropped = false;
    EventLoop::Handle readable;
    EventLoop::Handle writable;
  };

  void accept();
  void receive(Client& client);
  void handle_line(Client& client, std::string_view line);
  void send(Client& client, const Reply& reply);
  void flush(Client& client);
  void sweep();

  EventLoop& loop_;
  std::string path_;
  std::optional<FileId> own_file_;  ///< none if the listener was inherited
  UniqueFd listener_;
  Handler handler_;
  EventLoop::Handle acceptable_;
  std::function<void()> askers_changed_ = [] {};
  std::list<Client> clients_;
  EventLoop::Handle sweeping_;
};

/// Answers everybody who waits at `listener` with `error`, and hangs up: who called a companion
/// that cannot start is told why, and systemd has no reason to start it again at once.
///
/// If there was anybody, goes on with who comes within `patience`: each launch would be a start,
/// and after a few of them systemd listens no more. Blocks for as long, or until somebody comes and
/// `is_still_so` says no; that one is left to the next companion.
void refuse_callers(int listener, const Error& error, std::chrono::milliseconds patience,
                    const std::function<bool()>& is_still_so) noexcept;

}  // namespace vpnrun::service
