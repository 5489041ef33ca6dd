// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/control_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "helper/base/open_at.h"
#include "profiles/base/error.h"
#include "profiles/base/secret.h"
#include "profiles/protocol/features.h"
#include "systemd/service/os/unix_listener.h"

namespace vpnrun::service {
namespace {

constexpr std::size_t kCallersMax = 64;
/// The most connections of one user other than root: no user may keep the others, or root, out.
constexpr std::size_t kCallersOfOneMax = 12;
constexpr std::size_t kOutputMax = 65536;
constexpr int kBacklog = 64;
/// The most connections that are accepted in one turn of the loop, and the pause after too many.
constexpr int kAcceptMax = 64;
constexpr std::chrono::milliseconds kCrowdPause{100};
/// How often connected callers are checked for whether they are still admitted. They are also
/// checked before anything is done for them or sent to them, so that nothing depends on this.
constexpr std::chrono::milliseconds kExpelPause{500};

using std::chrono::milliseconds;
/// One hundredth of a core for each user, and in a burst as much as a dozen orders or thousands of
/// queries take. The event loop's own work is not included.
constexpr int kShareOfOne = 100;
constexpr milliseconds kStoreOfOne{600};
/// The same for all users together.
constexpr int kShareOfAll = 20;
constexpr milliseconds kStoreOfAll{1500};
/// What an order that changed something costs later: a look-up, a client, a handshake, hooks.
constexpr milliseconds kOrderCost{40};
/// The shortest wait once a share is used up, so that a few requests are then handled together and
/// not one at a time.
constexpr milliseconds kBreath{20};
/// The cost of a process that closes what a connection held (peer_socket.h).
constexpr milliseconds kProcessCost{1};
constexpr std::size_t kBudgetsMax = 256;

ControlReply refusal(const Error& error) {
  ControlReply reply;
  reply.ok = false;
  reply.error = one_line(error.what());
  reply.hint = error.hint();
  if (const auto* unknown = dynamic_cast<const UnknownInRequest*>(&error)) {
    reply.unknown = unknown->name();
  }
  return reply;
}

std::optional<FileId> socket_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  FileId id;
  return file.ok() && file_id(file.get(), id) ? std::optional(id) : std::nullopt;
}

Error expelled() {
  return Error(
      "it no longer admits you", {},
      "[access] in the profile names who is admitted; 'vpnrunctl list' shows your profiles");
}

UniqueFd listen_at(const std::string& path, std::optional<FileId>& file) {
  UniqueFd listener = listen_unix(path, {.mode = 0666, .backlog = kBacklog});
  file = socket_file(path);
  return listener;
}

}  // namespace

ControlServer::ControlServer(EventLoop& loop, const std::string& path, UniqueFd inherited,
                             Handler handler, Admits admits)
    : loop_(loop),
      path_(path),
      folder_(path.substr(0, path.rfind('/'))),
      admits_(std::move(admits)),
      listener_(inherited.ok() ? std::move(inherited) : listen_at(path, own_file_)),
      handler_(std::move(handler)),
      budget_of_all_(kShareOfAll, kStoreOfAll) {
  if (!admits_) {
    admits_ = [this](const Peer& peer) { return is_admitted(folder_, peer); };
  }
  // If systemd made the socket, its settings are less strict than these.
  refuse_descriptors(listener_.get());
  (void)::listen(listener_.get(), kBacklog);
  listen();
}

ControlServer::~ControlServer() {
  if (own_file_) {
    if (socket_file(path_) == own_file_) {
      (void)::unlink(path_.c_str());
    }
    acceptable_.reset();
    close_listener(std::move(listener_));
  }
  for (auto& caller : callers_) {
    caller.dropped = true;
  }
  reap();
}

bool ControlServer::has_callers() const noexcept {
  return std::any_of(callers_.begin(), callers_.end(),
                     [](const Caller& caller) { return !caller.dropped; });
}

bool ControlServer::is_used() const noexcept {
  return std::any_of(callers_.begin(), callers_.end(), [](const Caller& caller) {
    return !caller.dropped && !caller.only_reads_log;
  });
}

// --- who comes ---

void ControlServer::listen() {
  acceptable_ = loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

void ControlServer::accept() {
  std::vector<PeerSocket> refused;
  bool pause = false;
  for (int count = 0; count < kAcceptMax; ++count) {
    const Budget::Cost begin = thread_time();
    uid_t uid = 0;
    PeerSocket connection = accept_peer(listener_.get(), uid);
    if (!connection.ok()) {
      pause =
          pause ||
          errno != EAGAIN;  // for example, no descriptor left: the same would happen again at once
      break;
    }
    if (is_crowded(uid)) {
      refused.push_back(std::move(connection));
      pause = pause || wait_of(uid) > Budget::Cost::zero();
    } else {
      take_in(std::move(connection), uid);
    }
    charge(uid, thread_time() - begin);
  }
  (void)hang_up_on(refused);
  if (pause) {
    acceptable_.reset();
    listening_again_ = loop_.after(kCrowdPause, [this] {
      listening_again_.reset();
      listen();
    });
  }
  sweep();
}

/// If so, a new connection is closed at once, which is better than to leave its caller without an
/// answer.
bool ControlServer::is_crowded(uid_t uid) const {
  const auto of_peer = std::count_if(callers_.begin(), callers_.end(), [uid](const Caller& caller) {
    return caller.peer.uid == uid && !caller.dropped;
  });
  const std::size_t limit = uid == 0 ? kCallersMax : kCallersOfOneMax;
  return static_cast<std::size_t>(of_peer) >= limit ||
         (uid != 0 && callers_.size() >= 2 * kCallersMax);
}

void ControlServer::take_in(PeerSocket connection, uid_t uid) {
  Caller& caller = callers_.emplace_back();
  caller.peer = {uid, groups_of_peer(connection.get())};
  caller.fd = std::move(connection);
  watch(caller);
  if (!expelling_.active()) {
    look_at_admission();
  }
}

// --- who is admitted ---

/// If not, tells the caller so and hangs up.
bool ControlServer::still_admits(Caller& caller) {
  if (admits_(caller.peer)) {
    return true;
  }
  caller.input.clear();
  send(caller, refusal(expelled()));
  caller.dropped = true;
  watch(caller);
  sweep();
  return false;
}

/// Not with inotify(7): see folder_watch.h. Stops while no caller is connected.
void ControlServer::look_at_admission() {
  expelling_ = loop_.after(kExpelPause, [this] {
    expelling_.reset();
    if (has_callers()) {
      look_at_admission();
    }
    for (auto& caller : callers_) {
      if (!caller.dropped) {
        (void)still_admits(caller);
      }
    }
  });
}

// --- what they cost ---

void ControlServer::charge(uid_t uid, Budget::Cost cost) {
  if (uid == 0) {
    return;
  }
  const auto now = Budget::Clock::now();
  if (budgets_.size() >= kBudgetsMax) {
    std::erase_if(budgets_, [now](const auto& entry) { return entry.second.is_full(now); });
  }
  budgets_.try_emplace(uid, kShareOfOne, kStoreOfOne).first->second.charge(now, cost);
  budget_of_all_.charge(now, cost);
}

Budget::Cost ControlServer::wait_of(uid_t uid) const {
  if (uid == 0) {
    return Budget::Cost::zero();
  }
  const auto now = Budget::Clock::now();
  const auto own = budgets_.find(uid);
  return std::max(budget_of_all_.wait(now),
                  own == budgets_.end() ? Budget::Cost::zero() : own->second.wait(now));
}

/// Goes on with callers that wait for their share, after `wait` or a little more.
void ControlServer::resume_within(Budget::Cost wait) {
  const auto delay = std::max(std::chrono::ceil<milliseconds>(wait), kBreath);
  const auto due = Budget::Clock::now() + delay;
  if (resuming_.active() && resume_at_ <= due) {
    return;
  }
  resume_at_ = due;
  resuming_ = loop_.after(delay, [this] {
    resuming_.reset();
    for (auto& caller : callers_) {
      work_off(caller);
      tell_log(caller);
    }
    sweep();
  });
}

// --- what they say ---

/// Does not read from a caller whose share is spent, or whose last requests are not yet handled.
void ControlServer::watch(Caller& caller) {
  std::uint32_t wanted = 0;
  if (!caller.dropped) {
    wanted |= caller.output.empty() ? 0U : EPOLLOUT;
    if (const auto wait = wait_of(caller.peer.uid); wait > Budget::Cost::zero()) {
      resume_within(wait);
    } else if (caller.input.find('\n') == std::string::npos) {
      wanted |= EPOLLIN;
    }
  }
  if (wanted == caller.watched_for) {
    return;
  }
  caller.ready.reset();  // epoll accepts a descriptor only once
  caller.watched_for = wanted;
  if (wanted != 0) {
    caller.ready = loop_.watch(caller.fd.get(), wanted,
                               [this, &caller](std::uint32_t events) { serve(caller, events); });
  }
}

void ControlServer::serve(Caller& caller, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    flush(caller);
    tell_log(caller);
  }
  if ((caller.watched_for & EPOLLIN) != 0) {
    receive(caller);
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    caller.dropped = true;  // epoll would report it again and again
  }
  watch(caller);
  sweep();
}

void ControlServer::receive(Caller& caller) {
  const Budget::Cost begin = thread_time();
  std::array<char, kControlLineMax> buffer{};
  const ssize_t got = caller.fd.receive(buffer);
  if (got > 0) {
    caller.input.append(buffer.data(), static_cast<std::size_t>(got));
    ::explicit_bzero(buffer.data(), static_cast<std::size_t>(got));
  } else {
    caller.dropped = caller.dropped || got == 0 || (errno != EAGAIN && errno != EINTR);
  }
  charge(caller.peer.uid, thread_time() - begin);
  if (got > 0) {
    work_off(caller);
  }
}

/// Handles the requests that have arrived, as far as the share lasts.
void ControlServer::work_off(Caller& caller) {
  while (!caller.dropped && wait_of(caller.peer.uid) == Budget::Cost::zero()) {
    const auto end = caller.input.find('\n');
    if (end == std::string::npos) {
      caller.dropped = caller.input.size() >= kControlLineMax;
      break;
    }
    const Budget::Cost begin = thread_time();
    const auto published = published_;
    const std::string_view input = caller.input;
    const Secret line(input.substr(0, end));  // it may hold a password
    std::fill_n(caller.input.begin(), end, '\0');
    caller.input.erase(0, end + 1);
    if (still_admits(caller)) {
      handle_line(caller, line.view());
    }
    charge(caller.peer.uid,
           thread_time() - begin + (published_ == published ? milliseconds(0) : kOrderCost));
  }
  watch(caller);
  sweep();
}

void ControlServer::handle_line(Caller& caller, std::string_view line) {
  try {
    if (line.size() >= kControlLineMax) {
      throw Error("the request is too long");
    }
    const ControlRequest request = parse_request(line);
    if (request.command == Command::kHello) {
      caller.audience = Audience::kTolerant;
    }
    if (is_for_root(request) && caller.peer.uid != 0) {
      throw Error("only root may order that", std::make_error_code(std::errc::permission_denied),
                  "with sudo, or as root");
    }
    ControlReply reply = handler_(request);
    if (request.command == Command::kLog) {
      add_log(caller, request, reply);
    } else {
      caller.follows = caller.follows || request.follow;
      caller.asks = caller.asks || (request.follow && request.asks);
      caller.only_reads_log =
          caller.only_reads_log && !request.follow &&
          (request.command == Command::kStatus || request.command == Command::kHello);
    }
    send(caller, std::move(reply));
    tell_log(caller);
    askers_changed_();
  } catch (const Error& error) {
    send(caller, refusal(error));
  } catch (const std::exception& error) {
    send(caller, refusal(Error(printable(error.what()))));
  }
}

void ControlServer::send(Caller& caller, ControlReply reply) {
  reply.status.version = VPNRUN_VERSION;
  reply.status.features = feature::own();
  caller.output += encode(reply, caller.audience);
  flush(caller);
}

void ControlServer::flush(Caller& caller) {
  while (!caller.output.empty()) {
    const ssize_t put = ::send(caller.fd.get(), caller.output.data(), caller.output.size(),
                               MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put >= 0) {
      caller.output.erase(0, static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      caller.dropped = true;
      return;
    }
  }
  caller.dropped = caller.dropped || caller.output.size() > kOutputMax;  // it does not read
  watch(caller);
}

void ControlServer::publish(const Status& status) {
  ++published_;
  ControlReply reply;
  reply.status = status;
  for (auto& caller : callers_) {
    if (caller.follows && !caller.dropped && still_admits(caller)) {
      send(caller, reply);
    }
  }
  sweep();
}

// --- the log ---

/// The handler has answered with the status.
void ControlServer::add_log(Caller& caller, const ControlRequest& request, ControlReply& reply) {
  if (caller.audience == Audience::kStrict) {
    throw Error("'log' comes after 'hello'", {}, R"(say {"command":"hello"} first)");
  }
  if (!read_log_) {
    throw Error("there is no log");
  }
  reply.log = read_log_(request.after);
  caller.only_reads_log = !caller.follows;
  caller.follows_log = request.follow;
  caller.log_told = reply.log->empty() ? request.after : reply.log->back().number;
}

void ControlServer::log_grew() {
  if (telling_log_.active() ||
      std::none_of(callers_.begin(), callers_.end(),
                   [](const Caller& caller) { return caller.follows_log; })) {
    return;
  }
  telling_log_ = loop_.after(milliseconds(0), [this] {
    telling_log_.reset();
    for (auto& caller : callers_) {
      tell_log(caller);
    }
    sweep();
  });
}

/// As long as he reads and his share lasts.
void ControlServer::tell_log(Caller& caller) {
  while (caller.follows_log && !caller.dropped && caller.output.empty() &&
         wait_of(caller.peer.uid) == Budget::Cost::zero()) {
    const Budget::Cost begin = thread_time();
    auto lines = read_log_(caller.log_told);
    if (lines.empty() || !still_admits(caller)) {
      break;
    }
    caller.log_told = lines.back().number;
    ControlReply reply = handler_(ControlRequest{});
    reply.log = std::move(lines);
    send(caller, std::move(reply));
    charge(caller.peer.uid, thread_time() - begin);
  }
  watch(caller);
}

bool ControlServer::somebody_asks() const noexcept {
  return std::any_of(callers_.begin(), callers_.end(),
                     [](const Caller& caller) { return caller.asks && !caller.dropped; });
}

/// Removes dropped callers in the next turn of the loop: a callback of one of them may be running.
void ControlServer::sweep() {
  bool any = false;
  for (const auto& caller : callers_) {
    any = any || caller.dropped;
  }
  if (any && !sweeping_.active()) {
    sweeping_ = loop_.after(std::chrono::milliseconds(0), [this] {
      sweeping_.reset();
      reap();
      askers_changed_();
    });
  }
}

void ControlServer::reap() {
  std::vector<PeerSocket> connections;
  std::vector<uid_t> owners;
  for (auto& caller : callers_) {
    if (caller.dropped) {
      caller.ready.reset();
      connections.push_back(std::move(caller.fd));
      owners.push_back(caller.peer.uid);
    }
  }
  callers_.remove_if([](const Caller& caller) { return caller.dropped; });
  if (hang_up_on(connections)) {
    for (const uid_t owner : owners) {
      charge(owner, kProcessCost);
    }
  }
}

void refuse_callers(int listener, const Error& error, std::chrono::milliseconds patience,
                    const std::function<bool()>& is_still_so, Called called) noexcept {
  try {
    const std::string text = encode(refusal(error), Audience::kStrict);
    const auto end = EventLoop::Clock::now() + patience;
    const auto refuse_all = [listener, &text] {
      std::vector<PeerSocket> callers;
      while (callers.size() < static_cast<std::size_t>(kBacklog)) {
        uid_t uid = 0;
        PeerSocket caller = accept_peer(listener, uid);
        if (!caller.ok()) {
          break;
        }
        // A caller that does not read it learns nothing.
        (void)::send(caller.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        callers.push_back(std::move(caller));
      }
      (void)hang_up_on(callers);
      return !callers.empty();
    };
    if (called == Called::kBefore) {
      pollfd waiting{listener, POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0 || !is_still_so()) {
        return;
      }
    }
    while (refuse_all()) {
      std::this_thread::sleep_for(kCrowdPause);
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - EventLoop::Clock::now());
      pollfd waiting{listener, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0 ||
          !is_still_so()) {
        return;
      }
    }
  } catch (const std::exception&) {
    return;  // no memory left to report it
  }
}

}  // namespace vpnrun::service
