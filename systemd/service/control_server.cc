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

constexpr std::size_t kClientsMax = 64;
/// Of one user who is not root: one of them must not keep the others out, or root.
constexpr std::size_t kClientsOfOneMax = 12;
constexpr std::size_t kOutputMax = 65536;
constexpr int kBacklog = 64;
/// In one turn of the loop, and how long the others wait behind a crowd.
constexpr int kAcceptMax = 64;
constexpr std::chrono::milliseconds kCrowdPause{100};
/// How soon who is not admitted any more is hung up on. He is asked about before anything is done
/// for him or told him, so that nothing depends on it.
constexpr std::chrono::milliseconds kExpelPause{500};

using std::chrono::milliseconds;
/// One hundredth of a core for a person, and as much at once as a dozen orders or thousands of
/// questions take. What the loop itself takes comes on top.
constexpr int kShareOfOne = 100;
constexpr milliseconds kStoreOfOne{600};
/// And for all of them together.
constexpr int kShareOfAll = 20;
constexpr milliseconds kStoreOfAll{1500};
/// What comes after an order that changed something: a lookup, a client, a handshake, hooks.
constexpr milliseconds kOrderCost{40};
/// A share that is used up is waited for this long at least: a few requests and not one at a time.
constexpr milliseconds kBreath{20};
/// Of a process that ends with what a connection held.
constexpr milliseconds kProcessCost{1};
constexpr std::size_t kBudgetsMax = 256;

Reply refusal(const Error& error) {
  Reply reply;
  reply.ok = false;
  reply.error = error.what();
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
      "it does not admit you any more", {},
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
  // For one that systemd made: its own settings are wider.
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
  for (auto& client : clients_) {
    client.dropped = true;
  }
  bury();
}

bool ControlServer::has_clients() const noexcept {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return !client.dropped; });
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
      pause = pause || errno != EAGAIN;  // no descriptor left, say: it would be so again at once
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

/// Then it is closed at once: better than to let the crowd wait without an answer.
bool ControlServer::is_crowded(uid_t uid) const {
  const auto of_peer = std::count_if(clients_.begin(), clients_.end(), [uid](const Client& client) {
    return client.peer.uid == uid && !client.dropped;
  });
  const std::size_t limit = uid == 0 ? kClientsMax : kClientsOfOneMax;
  return static_cast<std::size_t>(of_peer) >= limit ||
         (uid != 0 && clients_.size() >= 2 * kClientsMax);
}

void ControlServer::take_in(PeerSocket connection, uid_t uid) {
  Client& client = clients_.emplace_back();
  client.peer = {uid, groups_of_peer(connection.get())};
  client.fd = std::move(connection);
  watch(client);
  if (!expelling_.active()) {
    look_at_admission();
  }
}

// --- who is admitted ---

/// Says so and hangs up if not.
bool ControlServer::still_admits(Client& client) {
  if (admits_(client.peer)) {
    return true;
  }
  client.input.clear();
  send(client, refusal(expelled()));
  client.dropped = true;
  watch(client);
  sweep();
  return false;
}

/// Not by inotify(7): see folder_watch.h. Nobody connected, nothing to look at.
void ControlServer::look_at_admission() {
  expelling_ = loop_.after(kExpelPause, [this] {
    expelling_.reset();
    if (has_clients()) {
      look_at_admission();
    }
    for (auto& client : clients_) {
      if (!client.dropped) {
        (void)still_admits(client);
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

/// Turns to those who wait for their share, in `wait` or a little later.
void ControlServer::resume_within(Budget::Cost wait) {
  const auto delay = std::max(std::chrono::ceil<milliseconds>(wait), kBreath);
  const auto due = Budget::Clock::now() + delay;
  if (resuming_.active() && resume_at_ <= due) {
    return;
  }
  resume_at_ = due;
  resuming_ = loop_.after(delay, [this] {
    resuming_.reset();
    for (auto& client : clients_) {
      work_off(client);
    }
    sweep();
  });
}

// --- what they say ---

/// Reads from nobody who has spent his share, or whose last requests are not worked off.
void ControlServer::watch(Client& client) {
  std::uint32_t wanted = 0;
  if (!client.dropped) {
    wanted |= client.output.empty() ? 0U : EPOLLOUT;
    if (const auto wait = wait_of(client.peer.uid); wait > Budget::Cost::zero()) {
      resume_within(wait);
    } else if (client.input.find('\n') == std::string::npos) {
      wanted |= EPOLLIN;
    }
  }
  if (wanted == client.watched_for) {
    return;
  }
  client.ready.reset();  // epoll takes a descriptor once
  client.watched_for = wanted;
  if (wanted != 0) {
    client.ready = loop_.watch(client.fd.get(), wanted,
                               [this, &client](std::uint32_t events) { serve(client, events); });
  }
}

void ControlServer::serve(Client& client, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    flush(client);
  }
  if ((client.watched_for & EPOLLIN) != 0) {
    receive(client);
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    client.dropped = true;  // it would be said again and again
  }
  watch(client);
  sweep();
}

void ControlServer::receive(Client& client) {
  const Budget::Cost begin = thread_time();
  std::array<char, kControlLineMax> buffer{};
  const ssize_t got = client.fd.receive(buffer);
  if (got > 0) {
    client.input.append(buffer.data(), static_cast<std::size_t>(got));
    ::explicit_bzero(buffer.data(), static_cast<std::size_t>(got));
  } else {
    client.dropped = client.dropped || got == 0 || (errno != EAGAIN && errno != EINTR);
  }
  charge(client.peer.uid, thread_time() - begin);
  if (got > 0) {
    work_off(client);
  }
}

/// As far as the share goes.
void ControlServer::work_off(Client& client) {
  while (!client.dropped && wait_of(client.peer.uid) == Budget::Cost::zero()) {
    const auto end = client.input.find('\n');
    if (end == std::string::npos) {
      client.dropped = client.input.size() >= kControlLineMax;
      break;
    }
    const Budget::Cost begin = thread_time();
    const auto published = published_;
    const Secret line(std::string_view(client.input).substr(0, end));  // it may hold a password
    std::fill_n(client.input.begin(), end, '\0');
    client.input.erase(0, end + 1);
    if (still_admits(client)) {
      handle_line(client, line.view());
    }
    charge(client.peer.uid,
           thread_time() - begin + (published_ == published ? milliseconds(0) : kOrderCost));
  }
  watch(client);
  sweep();
}

void ControlServer::handle_line(Client& client, std::string_view line) {
  try {
    if (line.size() >= kControlLineMax) {
      throw Error("the request is too long");
    }
    const Request request = parse_request(line);
    if (request.command == Command::kHello) {
      client.audience = Audience::kTolerant;
    }
    Reply reply = handler_(request);
    client.follows = client.follows || request.follow;
    client.asks = client.asks || (request.follow && request.asks);
    send(client, std::move(reply));
    askers_changed_();
  } catch (const Error& error) {
    send(client, refusal(error));
  } catch (const std::exception& error) {
    send(client, refusal(Error(printable(error.what()))));
  }
}

void ControlServer::send(Client& client, Reply reply) {
  reply.status.version = VPNRUN_VERSION;
  reply.status.features = feature::own();
  client.output += encode(reply, client.audience);
  flush(client);
}

void ControlServer::flush(Client& client) {
  while (!client.output.empty()) {
    const ssize_t put = ::send(client.fd.get(), client.output.data(), client.output.size(),
                               MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put >= 0) {
      client.output.erase(0, static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      client.dropped = true;
      return;
    }
  }
  client.dropped = client.dropped || client.output.size() > kOutputMax;  // it does not read
  watch(client);
}

void ControlServer::publish(const Status& status) {
  ++published_;
  Reply reply;
  reply.status = status;
  for (auto& client : clients_) {
    if (client.follows && !client.dropped && still_admits(client)) {
      send(client, reply);
    }
  }
  sweep();
}

bool ControlServer::somebody_asks() const noexcept {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return client.asks && !client.dropped; });
}

/// Removes dropped clients in the next turn: a callback of one of them may be running.
void ControlServer::sweep() {
  bool any = false;
  for (const auto& client : clients_) {
    any = any || client.dropped;
  }
  if (any && !sweeping_.active()) {
    sweeping_ = loop_.after(std::chrono::milliseconds(0), [this] {
      sweeping_.reset();
      bury();
      askers_changed_();
    });
  }
}

void ControlServer::bury() {
  std::vector<PeerSocket> connections;
  std::vector<uid_t> owners;
  for (auto& client : clients_) {
    if (client.dropped) {
      client.ready.reset();
      connections.push_back(std::move(client.fd));
      owners.push_back(client.peer.uid);
    }
  }
  clients_.remove_if([](const Client& client) { return client.dropped; });
  if (hang_up_on(connections)) {
    for (const uid_t owner : owners) {
      charge(owner, kProcessCost);
    }
  }
}

void refuse_callers(int listener, const Error& error, std::chrono::milliseconds patience,
                    const std::function<bool()>& is_still_so) noexcept {
  try {
    const std::string text = encode(refusal(error), Audience::kStrict);
    const auto end = EventLoop::Clock::now() + patience;
    const auto refuse_all = [listener, &text] {
      std::vector<PeerSocket> callers;
      while (callers.size() < static_cast<std::size_t>(kBacklog)) {
        uid_t uid = 0;
        PeerSocket client = accept_peer(listener, uid);
        if (!client.ok()) {
          break;
        }
        // One that does not take it in is none the wiser.
        (void)::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        callers.push_back(std::move(client));
      }
      (void)hang_up_on(callers);
      return !callers.empty();
    };
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
    return;  // no memory to say so
  }
}

}  // namespace vpnrun::service
