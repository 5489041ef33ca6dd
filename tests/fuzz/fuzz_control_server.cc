// SPDX-License-Identifier: GPL-2.0-or-later
// The control socket itself: a real listener and real connections.
//
// Held: nothing a client sends ends the companion, keeps the loop waiting or reaches another
// client; each whole line is answered by one line that the launcher can read; too long a line, or
// one without end, is not carried out; a client that is gone is forgotten.
//
// Input: a byte that says how to cut, then what the client sends. Its connection is half closed
// then; the server is done with it when it closes the other half.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/control_server.h"
#include "systemd/service/os/event_loop.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using namespace vpnrun::service;
using fuzz::hold;

/// The companion of one profile; a new one for each input: nobody has spent anything yet.
struct Companion {
  /// The kernel chooses a name without a file: a fuzzer that aborts leaves nothing behind.
  UniqueFd listener() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    auto* name = reinterpret_cast<sockaddr*>(&address);
    hold(::bind(fd.get(), name, sizeof(sa_family_t)) == 0 && ::listen(fd.get(), 8) == 0 &&
             ::getsockname(fd.get(), name, &address_size) == 0,
         "a listener");
    return fd;
  }

  [[nodiscard]] UniqueFd connect() const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    hold(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), address_size) == 0,
         "the server takes connections");
    return fd;
  }

  ControlReply carry_out(const ControlRequest& request) {
    ++carried_out;
    if (request.command == Command::kDown) {
      throw Error("not now", {}, "later");
    }
    ControlReply reply;
    reply.status.profile = "work";
    // No more of them than anybody may have at once: the next ones would wait for their time.
    if (request.command == Command::kRestart && published < 10) {
      ++published;
      server.publish(reply.status);
    }
    return reply;
  }

  sockaddr_un address{AF_UNIX, {}};
  socklen_t address_size = sizeof address;
  EventLoop loop;
  std::ptrdiff_t carried_out = 0;
  std::ptrdiff_t published = 0;
  ControlServer server{loop, "/tmp/control", listener(),
                       [this](const ControlRequest& request) { return carry_out(request); }};
  UniqueFd bystander = connect();  ///< asks nothing, and is to hear nothing
};

/// One client that sends `bytes` in pieces of up to `cut` bytes, each as long as its first byte
/// says, and reads until the server closes.
std::string answers_to(Companion& companion, std::string_view bytes, unsigned cut) {
  const UniqueFd client = companion.connect();
  std::string answers;
  EventLoop::Handle writable;
  EventLoop::Handle readable;
  const auto read = [&] {
    std::array<char, 16384> buffer{};
    const ssize_t got = ::recv(client.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      answers.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EAGAIN) {
      companion.loop.stop();
    }
  };
  const auto write = [&] {
    const std::size_t size = cut == 0 || bytes.empty()
                                 ? bytes.size()
                                 : 1 + static_cast<unsigned char>(bytes.front()) % cut;
    const std::string_view piece = bytes.substr(0, size);
    if (piece.empty() ||
        ::send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
      (void)::shutdown(client.get(), SHUT_WR);
      writable.reset();
      readable = companion.loop.watch(client.get(), EPOLLIN, [&](std::uint32_t) { read(); });
      return;
    }
    bytes.remove_prefix(piece.size());
    read();
  };
  writable = companion.loop.watch(client.get(), EPOLLOUT, [&](std::uint32_t) { write(); });
  companion.loop.run();
  return answers;
}

void hold_answers(std::string_view answers) {
  while (!answers.empty()) {
    const std::size_t end = answers.find('\n');
    if (end == std::string_view::npos) {
      return;  // dropped in the middle of one
    }
    (void)parse_reply(answers.substr(0, end));  // an Error ends the fuzzer
    answers.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  Companion companion;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Inputs are short: a line at its limit is begun for them.
  constexpr unsigned kLongLine = 0x80;
  if ((data[0] & kLongLine) != 0) {
    bytes.insert(0, kControlLineMax - 64, ' ');
  }
  const std::string answers = answers_to(companion, bytes, data[0] % kLongLine);
  hold_answers(answers);

  std::size_t longest = 0;
  std::ptrdiff_t lines = 0;
  for (std::string_view rest = bytes; !rest.empty(); ++lines) {
    const std::size_t end = rest.find('\n');
    longest = std::max(longest, std::min(end, rest.size()));
    if (end == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(end + 1);
  }
  const auto answered = std::count(answers.begin(), answers.end(), '\n');
  hold(companion.carried_out <= lines, "no line is carried out twice");
  hold(answered <= lines + companion.published, "one answer a line");
  if (longest < kControlLineMax && bytes.size() < kControlLineMax) {
    hold(answered >= lines, "every line is answered");
  }
  hold(answers.empty() || answers.back() == '\n' || bytes.size() >= kControlLineMax,
       "answers are whole");

  char byte = 0;
  hold(::recv(companion.bystander.get(), &byte, 1, 0) < 0 && errno == EAGAIN,
       "another client hears nothing");
  return 0;
}
