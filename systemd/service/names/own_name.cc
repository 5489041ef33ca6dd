// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/own_name.h"

#include <fcntl.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <cstdint>
#include <utility>

#include "profiles/base/format.h"

namespace vpnrun::service {
namespace {

constexpr const char* kModule = "libnss_myhostname.so.2";
constexpr const char* kLocalhost = "localhost";
constexpr std::string_view kBlanks = " \t\r";

bool is_same(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

/// Takes the first word off `text`; empty if there is none.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

bool names_it(std::string_view line, std::string_view name) {
  line = line.substr(0, line.find('#'));
  (void)take_word(line);  // the address
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    if (is_same(word, name)) {
      return true;
    }
  }
  return false;
}

bool has_name(std::string_view hosts, std::string_view name) {
  while (!hosts.empty()) {
    const std::string_view line = hosts.substr(0, hosts.find('\n'));
    hosts.remove_prefix(std::min(line.size() + 1, hosts.size()));
    if (names_it(line, name)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool has_myhostname_module() {
  constexpr std::array<const char*, 4> kFolders = {"/lib", "/usr/lib", "/lib64", "/usr/lib64"};
  return std::any_of(kFolders.begin(), kFolders.end(), [](const char* folder) {
    const std::string plain = formatted("{}/{}", folder, kModule);
    const std::string by_machine = formatted("{}/{}/{}", folder, VPNRUN_LIBRARY_MACHINE, kModule);
    return ::access(plain.c_str(), R_OK) == 0 || ::access(by_machine.c_str(), R_OK) == 0;
  });
}

std::string own_name() {
  std::array<char, HOST_NAME_MAX + 1> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) {
    return {};
  }
  std::string name(buffer.data());
  const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
  });
  return is_name && !is_same(name, kLocalhost) ? name : std::string();
}

std::string hosts_text(std::string_view host_text, std::string_view own_name) {
  std::string lines;
  if (!has_name(host_text, kLocalhost)) {
    lines += formatted("127.0.0.1 {0}\n::1 {0}\n", kLocalhost);
  }
  if (!own_name.empty() && !has_name(host_text, own_name)) {
    // Both families: a program that asks for one only would ask the resolver for the other.
    lines += formatted("127.0.1.1 {0}\n::1 {0}\n", own_name);
  }
  std::string text(host_text);
  if (!lines.empty()) {
    text += text.empty() || text.ends_with('\n') ? "" : "\n";
    text += "# Added by vpnrun: this machine, which no resolver is asked for.\n" + lines;
  }
  return text;
}

OwnNameWatch::OwnNameWatch(EventLoop& loop, std::function<void()> on_change)
    : name_(::open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC)) {
  if (name_.ok()) {
    // Each look at its readiness takes the news away; it is an error and a priority event in one.
    watch_ = loop.watch(name_.get(), EPOLLPRI,
                        [changed = std::move(on_change)](std::uint32_t) { changed(); });
  }
}

}  // namespace vpnrun::service
