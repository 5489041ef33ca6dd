// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <memory>
#include <sstream>
#include <utility>

#include <fmt/ranges.h>

#include "profiles/base/error.h"
#include "profiles/base/ip_address.h"
#include "profiles/programs.h"

namespace vpnrun::service {
namespace {

constexpr std::chrono::seconds kPatience{15};
constexpr std::size_t kAddressesMax = 16;
constexpr std::size_t kTextMax = 65536;

/// Returns one line for each result: "a NAME ADDRESS" or "e NAME TEXT".
std::string look_up_one(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return fmt::format("e {} {}\n", name, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::string lines;
  std::size_t count = 0;
  for (const addrinfo* entry = list; entry != nullptr && count < kAddressesMax;
       entry = entry->ai_next, ++count) {
    std::array<char, INET_ADDRSTRLEN> text{};
    sockaddr_in address{};
    std::memcpy(&address, entry->ai_addr, sizeof(address));
    if (::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size()) != nullptr) {
      lines += fmt::format("a {} {}\n", name, text.data());
    }
  }
  return lines;
}

Resolver::Result parse(const std::string& text, Resolver::Result result) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string kind;
    std::string name;
    std::string value;
    fields >> kind >> name >> std::ws;
    std::getline(fields, value);
    const auto address = kind == "a" ? IpAddress::parse(value) : std::nullopt;
    if (address) {
      result.addresses[name].push_back(*address);
    } else if (kind == "e") {
      result.errors[name] = value;
    }
  }
  return result;
}

}  // namespace

void Resolver::look_up(const std::vector<std::string>& names, Callback callback) {
  end();
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot create a pipe");
  }
  output_.reset(fds[0]);
  const UniqueFd output_end(fds[1]);
  // The names are not arguments: everybody can read those.
  const UniqueFd input = memory_file("names", fmt::format("{}\n", fmt::join(names, "\n")));
  // Not our own standard error, which may be a terminal or a file.
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!null.ok()) {
    throw_errno("cannot open '/dev/null'");
  }
  SpawnOptions options;
  options.program = program_;
  options.name = "vpnrun-tunnel";
  options.arguments = {"look-up"};
  options.environment = {kChildPath, "LC_ALL=C"};
  options.stdin_fd = input.get();
  options.output_fd = output_end.get();
  options.error_fd = null.get();
  options.drop_privileges = ::geteuid() == 0;
  options.uid = account_.uid;
  options.gid = account_.gid;
  options.alone = options.drop_privileges;
  options.parent_death_signal = SIGKILL;
  callback_ = std::move(callback);
  text_.clear();
  // Done before there is a child: if one of these failed later, nobody would end it.
  watch_ = loop_.watch(output_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
  deadline_ = loop_.after(kPatience, [this] {
    (void)child_.send_signal(SIGKILL);  // end of file follows
  });
  try {
    child_ = spawn(options);
  } catch (const std::exception&) {
    cancel();
    throw;
  }
}

void Resolver::end() noexcept {
  watch_.reset();
  deadline_.reset();
  output_.reset();
  if (child_.ok()) {
    (void)child_.send_signal(SIGKILL);
    try {
      (void)child_.wait();
    } catch (const std::exception&) {
      text_.clear();  // it is no longer our child: nothing to wait for
    }
    child_ = Pidfd();
  }
}

void Resolver::receive() {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
  if (got > 0 && text_.size() < kTextMax) {
    text_.append(buffer.data(), static_cast<std::size_t>(got));
    return;
  }
  if (got < 0 && errno == EINTR) {
    return;
  }
  const auto callback = std::move(callback_);
  const std::string text = std::exchange(text_, {});
  end();
  callback(parse(text, {}));
}

int look_up_main(int input, int output) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = ::read(input, buffer.data(), buffer.size()); got > 0;
       got = ::read(input, buffer.data(), buffer.size())) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  std::istringstream names(text);
  for (std::string name; std::getline(names, name);) {
    const std::string lines = look_up_one(name);
    if (::write(output, lines.data(), lines.size()) < 0) {
      return 1;
    }
  }
  return 0;
}

}  // namespace vpnrun::service
