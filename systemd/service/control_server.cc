// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/control_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "helper/base/open_at.h"
#include "profiles/error.h"
#include "systemd/service/unix_listener.h"
#include "systemd/service/wipe.h"

namespace vpnrun::service {
namespace {

constexpr std::size_t kClientsMax = 64;
/// Of one user who is not root: one of them must not keep the others out, or root.
constexpr std::size_t kClientsOfOneMax = 12;
constexpr std::size_t kOutputMax = 65536;
constexpr int kBacklog = 64;

/// A request whose answer is overwritten when it goes.
struct WipedRequest : Request {
  explicit WipedRequest(Request request) : Request(std::move(request)) {}
  WipedRequest(const WipedRequest&) = delete;
  WipedRequest& operator=(const WipedRequest&) = delete;
  WipedRequest(WipedRequest&&) = delete;
  WipedRequest& operator=(WipedRequest&&) = delete;
  ~WipedRequest() {
    for (std::string* secret : {&user_name, &password, &response}) {
      wipe(*secret);
    }
  }
};

Reply refusal(const Error& error) {
  Reply reply;
  reply.ok = false;
  reply.error = error.what();
  reply.hint = error.hint();
  return reply;
}

std::optional<FileId> socket_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  FileId id;
  return file.ok() && file_id(file.get(), id) ? std::optional(id) : std::nullopt;
}

UniqueFd listen_at(const std::string& path, std::optional<FileId>& file) {
  UniqueFd listener = listen_unix(path, {.mode = 0666, .backlog = kBacklog});
  file = socket_file(path);
  return listener;
}

}  // namespace

ControlServer::ControlServer(EventLoop& loop, const std::string& path, UniqueFd inherited,
                             Handler handler)
    : loop_(loop),
      path_(path),
      listener_(inherited.ok() ? std::move(inherited) : listen_at(path, own_file_)),
      handler_(std::move(handler)),
      acceptable_(loop.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); })) {
  refuse_descriptors(listener_.get());  // for one that systemd made
}

ControlServer::~ControlServer() {
  if (own_file_) {
    if (socket_file(path_) == own_file_) {
      (void)::unlink(path_.c_str());
    }
    acceptable_.reset();
    close_listener(std::move(listener_));
  }
}

bool ControlServer::has_clients() const noexcept {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return !client.dropped; });
}

void ControlServer::accept() {
  uid_t uid = 0;
  PeerSocket fd = accept_peer(listener_.get(), uid);
  if (!fd.ok()) {
    return;
  }
  const auto of_peer = std::count_if(clients_.begin(), clients_.end(), [uid](const Client& client) {
    return client.uid == uid && !client.dropped;
  });
  const std::size_t limit = uid == 0 ? kClientsMax : kClientsOfOneMax;
  if (static_cast<std::size_t>(of_peer) >= limit ||
      (uid != 0 && clients_.size() >= 2 * kClientsMax)) {
    return;  // closed at once: better than to let the crowd wait without an answer
  }
  Client& client = clients_.emplace_back();
  client.uid = uid;
  client.fd = std::move(fd);
  client.readable =
      loop_.watch(client.fd.get(), EPOLLIN, [this, &client](std::uint32_t) { receive(client); });
}

void ControlServer::receive(Client& client) {
  std::array<char, kControlLineMax> buffer{};
  const ssize_t got = client.fd.receive(buffer);
  if (got <= 0) {
    client.dropped = got == 0 || (errno != EAGAIN && errno != EINTR);
    sweep();
    return;
  }
  client.input.append(buffer.data(), static_cast<std::size_t>(got));
  ::explicit_bzero(buffer.data(), static_cast<std::size_t>(got));
  for (auto end = client.input.find('\n'); end != std::string::npos && !client.dropped;
       end = client.input.find('\n')) {
    const Wiped line(client.input.substr(0, end));  // it may hold a password
    std::fill_n(client.input.begin(), end, '\0');
    client.input.erase(0, end + 1);
    handle_line(client, line.text);
  }
  if (client.input.size() >= kControlLineMax) {
    client.dropped = true;
  }
  sweep();
}

void ControlServer::handle_line(Client& client, std::string_view line) {
  try {
    if (line.size() >= kControlLineMax) {
      throw Error("the request is too long");
    }
    const WipedRequest request(parse_request(line));
    Reply reply = handler_(request);
    client.follows = client.follows || request.follow;
    client.asks = client.asks || (request.follow && request.asks);
    send(client, reply);
    askers_changed_();
  } catch (const Error& error) {
    send(client, refusal(error));
  } catch (const std::exception& error) {
    send(client, refusal(Error(printable(error.what()))));
  }
}

void ControlServer::send(Client& client, const Reply& reply) {
  client.output += encode(reply);
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
  if (client.output.size() > kOutputMax) {
    client.dropped = true;  // it follows but does not read
  } else if (client.output.empty()) {
    client.writable.reset();
  } else if (!client.writable.active()) {
    // epoll takes a descriptor once; a duplicate is another entry
    client.readable.reset();
    client.writable =
        loop_.watch(client.fd.get(), EPOLLIN | EPOLLOUT, [this, &client](std::uint32_t events) {
          if ((events & EPOLLOUT) != 0) {
            flush(client);
          }
          if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
            receive(client);
          }
          sweep();
        });
  }
  if (client.output.empty() && !client.readable.active() && !client.dropped) {
    client.readable =
        loop_.watch(client.fd.get(), EPOLLIN, [this, &client](std::uint32_t) { receive(client); });
  }
}

void ControlServer::publish(const Status& status) {
  Reply reply;
  reply.status = status;
  for (auto& client : clients_) {
    if (client.follows && !client.dropped) {
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
      clients_.remove_if([](const Client& client) { return client.dropped; });
      askers_changed_();
    });
  }
}

void refuse_callers(int listener, const Error& error, std::chrono::milliseconds patience,
                    const std::function<bool()>& is_still_so) noexcept {
  try {
    const std::string text = encode(refusal(error));
    const auto end = EventLoop::Clock::now() + patience;
    const auto refuse_all = [listener, &text] {
      bool any = false;
      for (int count = 0; count < kBacklog; ++count) {
        uid_t uid = 0;
        const PeerSocket client = accept_peer(listener, uid);
        if (!client.ok()) {
          break;
        }
        any = true;
        // One that does not take it in is none the wiser.
        (void)::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      }
      return any;
    };
    while (refuse_all()) {
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
