// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/resolver.h"

#include <netdb.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <sstream>
#include <utility>

#include <fmt/ranges.h>

#include "profiles/base/error.h"
#include "profiles/base/ip_address.h"

namespace vpnrun::service {
namespace {

constexpr std::chrono::seconds kPatience{15};
constexpr std::chrono::seconds kQuickAnswer{1};
constexpr std::size_t kAddressesMax = 16;

/// The same for one family. `lines` gets what is found; returns the error of getaddrinfo(3).
int look_up_family(const std::string& name, int family, std::string& lines) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return error;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::size_t count = 0;
  for (const addrinfo* entry = list; entry != nullptr && count < kAddressesMax;
       entry = entry->ai_next, ++count) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      lines += formatted("a {} {}\n", name, text.data());
    }
  }
  return 0;
}

/// One line for each finding: "a NAME ADDRESS" or "e NAME TEXT". IPv6 only of a name that has
/// nothing else: then that is what is wrong with it.
std::string look_up_one(const std::string& name) {
  std::string lines;
  const auto start = std::chrono::steady_clock::now();
  const int error = look_up_family(name, AF_INET, lines);
  const auto taken = std::chrono::steady_clock::now() - start;
  // A resolver that does not know the name may refuse it, which counts as temporary, although
  // /etc/hosts has an address of the other family; one that does not answer is not asked again.
  const bool has_no_ipv4 = error == EAI_NODATA || error == EAI_NONAME || error == EAI_ADDRFAMILY ||
                           (error == EAI_AGAIN && taken < kQuickAnswer);
  if (error == 0 || (has_no_ipv4 && look_up_family(name, AF_INET6, lines) == 0)) {
    return lines;
  }
  return formatted("e {} {}\n", name, ::gai_strerror(error));
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
  inquiry_.ask(
      {.command = "look-up",
       .input = formatted("{}\n", fmt::join(names, "\n")),
       .patience = kPatience,
       .account = account_},
      [callback = std::move(callback)](const std::string& text) { callback(parse(text, {})); });
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
