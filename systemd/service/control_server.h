// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/admission.h"
#include "systemd/service/os/budget.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/os/peer_socket.h"

namespace vpnrun::service {

/// The control socket of one profile (see control_message.h). The permissions of its directory
/// decide who can connect, and who may stay connected: they are checked at each request and before
/// each status that is sent. A caller that is no longer admitted is told so and disconnected,
/// within a second if it sends nothing.
///
/// What is_for_root() is refused to everybody else who is admitted; the kernel says who he is.
///
/// Callers are trusted no further than that: lines and queues are bounded, a caller that does not
/// read is dropped, and none has to wait for another. What one user may cost is bounded as well:
/// that is the processor time that his connections and requests take, plus a fixed amount for an
/// order that changed something, since most of its work comes later. If a user has spent his share
/// (kShareOfOne), his requests are not refused, but they are not read until the share has grown
/// again.
///
/// In each status, a caller that has sent `hello` also gets what this companion can be asked for;
/// any other caller may be of vpnrun 0.1.0, and gets only what that version can read.
class ControlServer {
 public:
  /// Whether somebody is admitted now.
  using Admits = std::function<bool(const Peer&)>;
  /// Carries out a request and returns the reply. Throws Error for one that is refused.
  using Handler = std::function<ControlReply(const ControlRequest&)>;

  /// Listens at `path`, mode 0666, or takes over `inherited` if it is valid. Without `admits` the
  /// folder of `path` decides (is_admitted). Throws Error.
  ControlServer(EventLoop& loop, const std::string& path, UniqueFd inherited, Handler handler,
                Admits admits = {});
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ControlServer(ControlServer&&) = delete;
  ControlServer& operator=(ControlServer&&) = delete;
  /// Removes the socket file, unless it was inherited or has been replaced.
  ~ControlServer();

  /// Whether anybody is connected.
  [[nodiscard]] bool has_callers() const noexcept;

  /// Whether anybody is connected who has not asked for the log alone: to read it is no use of the
  /// tunnel.
  [[nodiscard]] bool is_used() const noexcept;

  /// Sends `status` to every caller that follows.
  void publish(const Status& status);

  /// The lines of the log after the one with that number, as many as fit into one reply. Without
  /// it `log` is refused.
  using LogReader = std::function<std::vector<LogLine>(std::uint64_t after)>;
  void serve_log(LogReader read) { read_log_ = std::move(read); }
  /// There are new lines: those who follow the log get them in the next turn of the loop. Whoever
  /// does not read gets them once he does, as far as they are still kept; nothing is queued for
  /// him.
  void log_grew();

  /// Whether a caller is connected that follows and can ask a person (ControlRequest::asks).
  [[nodiscard]] bool somebody_asks() const noexcept;
  /// `changed` is called when that may have changed: after a request, and after a caller has gone.
  void on_askers(std::function<void()> changed) { askers_changed_ = std::move(changed); }

 private:
  struct Caller {
    PeerSocket fd;
    Peer peer;
    std::string input;
    std::string output;
    bool follows = false;
    bool asks = false;
    bool only_reads_log = false;
    bool follows_log = false;
    std::uint64_t log_told = 0;  ///< the number of the last line that was sent
    Audience audience = Audience::kStrict;
    bool dropped = false;
    std::uint32_t watched_for = 0;  ///< EPOLLIN, EPOLLOUT
    EventLoop::Handle ready;
  };

  void listen();
  void accept();
  void take_in(PeerSocket connection, uid_t uid);
  [[nodiscard]] bool is_crowded(uid_t uid) const;
  void serve(Caller& caller, std::uint32_t events);
  void receive(Caller& caller);
  void work_off(Caller& caller);
  void handle_line(Caller& caller, std::string_view line);
  void add_log(Caller& caller, const ControlRequest& request, ControlReply& reply);
  void tell_log(Caller& caller);
  void send(Caller& caller, ControlReply reply);
  void flush(Caller& caller);
  void watch(Caller& caller);
  void sweep();
  void reap();
  [[nodiscard]] bool still_admits(Caller& caller);
  void look_at_admission();

  void charge(uid_t uid, Budget::Cost cost);
  [[nodiscard]] Budget::Cost wait_of(uid_t uid) const;
  void resume_within(Budget::Cost wait);

  EventLoop& loop_;
  std::string path_;
  std::string folder_;
  Admits admits_;
  std::optional<FileId> own_file_;  ///< none if the listener was inherited
  UniqueFd listener_;
  Handler handler_;
  EventLoop::Handle acceptable_;
  std::function<void()> askers_changed_ = [] {};
  LogReader read_log_;
  EventLoop::Handle telling_log_;
  std::list<Caller> callers_;
  EventLoop::Handle sweeping_;
  EventLoop::Handle listening_again_;
  EventLoop::Handle expelling_;
  std::map<uid_t, Budget> budgets_;
  Budget budget_of_all_;  ///< of all users but root: a person may have many ids (subuid(5))
  EventLoop::Handle resuming_;
  Budget::Clock::time_point resume_at_;
  std::uint64_t published_ = 0;
};

/// Whether anybody called the companion that ends: those who wait at its socket, or, even if nobody
/// does, somebody whom it has answered.
enum class Called : std::uint8_t { kByThoseWhoWait, kBefore };

/// Answers everybody who waits at `listener` with `error`, and hangs up: whoever called a companion
/// that cannot start is told why, and systemd has no reason to start it again at once.
///
/// If there was any caller, does the same for those that come within `patience`: otherwise each
/// launch would start the companion again, and after a few starts systemd stops listening. Blocks
/// for that long, or until a caller comes and `is_still_so` returns false; that caller is left to
/// the next companion. Looks for callers a few times a second.
void refuse_callers(int listener, const Error& error, std::chrono::milliseconds patience,
                    const std::function<bool()>& is_still_so,
                    Called called = Called::kByThoseWhoWait) noexcept;

}  // namespace vpnrun::service
