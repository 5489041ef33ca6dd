// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "helper/base/unique_fd.h"
#include "profiles/protocol/control_message.h"
#include "profiles/protocol/features.h"
#include "tests/unit/quiet_fork.h"

namespace vpnrun::test {

inline Status status_in(State state) {
  Status status;
  status.profile = "office";
  status.state = state;
  return status;
}

inline ControlReply reply_in(State state) {
  ControlReply reply;
  reply.status = status_in(state);
  return reply;
}

/// What a companion of this version answers to `hello`.
inline ControlReply greeting_in(State state) {
  ControlReply reply = reply_in(state);
  reply.status.version = VPNRUN_VERSION;
  reply.status.features = feature::own();
  return reply;
}

/// And what 0.1.0 does.
inline ControlReply greeting_of_first() {
  ControlReply reply;
  reply.ok = false;
  reply.error = "cannot parse request: unknown command 'hello'";
  reply.hint = "commands are status, up, down, restart and answer";
  return reply;
}

/// A companion that answers every request with what `script` makes of it: the lines of several
/// replies at once, as if the state had changed in between. `hello` is answered with `greeting`.
class FakeCompanion {
 public:
  using Script = std::function<std::vector<ControlReply>(const ControlRequest&)>;

  FakeCompanion(const std::string& path, Script script,
                ControlReply greeting = greeting_in(State::kStarting))
      : script_(std::move(script)), greeting_(std::move(greeting)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
    (void)::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    (void)::listen(listener_.get(), 4);
    thread_ = std::thread([this] { serve(); });
    ready_.get_future().wait();
  }
  FakeCompanion(const FakeCompanion&) = delete;
  FakeCompanion& operator=(const FakeCompanion&) = delete;
  FakeCompanion(FakeCompanion&&) = delete;
  FakeCompanion& operator=(FakeCompanion&&) = delete;
  ~FakeCompanion() {
    (void)::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  [[nodiscard]] std::vector<ControlRequest> requests() const {
    const std::lock_guard lock(mutex_);
    std::vector<ControlRequest> requests;
    for (const std::string& line : lines_) {
      requests.push_back(parse_request(line));
    }
    return requests;
  }

 private:
  void serve() {
    std::unique_lock working(work());
    ready_.set_value();
    for (;;) {
      working.unlock();
      const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      working.lock();
      if (!client.ok()) {
        return;
      }
      talk(client.get(), working);
    }
  }

  [[nodiscard]] static bool read_one(int fd, char& character,
                                     std::unique_lock<std::mutex>& working) {
    working.unlock();
    const bool is_there = ::read(fd, &character, 1) == 1;
    working.lock();
    return is_there;
  }

  void talk(int fd, std::unique_lock<std::mutex>& working) {
    std::string line;
    char character = 0;
    while (read_one(fd, character, working)) {
      if (character != '\n') {
        line += character;
        continue;
      }
      const ControlRequest request = parse_request(line);
      for (const ControlReply& reply : answers_to(request, line)) {
        const std::string text = encode(reply, Audience::kTolerant);
        (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      }
      line.clear();
    }
  }

  std::vector<ControlReply> answers_to(const ControlRequest& request, const std::string& line) {
    if (request.command == Command::kHello) {
      return {greeting_};
    }
    {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    }
    return script_(request);
  }

  Script script_;
  ControlReply greeting_;
  UniqueFd listener_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::promise<void> ready_;
  std::thread thread_;
};

}  // namespace vpnrun::test
