// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/as_root.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <vector>

#include "helper/base/unique_fd.h"
#include "launcher/read_file.h"

namespace vpnrun {
namespace {

/// Takes what stands before the next `separator` off `text`.
std::string_view take(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

bool has_terminal() {
  return UniqueFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)).ok();
}

bool may_use_sudo() {
  constexpr std::size_t kLongestGroupFile = std::size_t{1} << 20U;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, count)));
  groups.push_back(::getgid());
  try {
    const auto text = read_file("/etc/group", kLongestGroupFile);
    return text && is_administrator(*text, groups);
  } catch (const std::exception&) {
    return false;  // only a hint depends on it
  }
}

}  // namespace

bool is_administrator(std::string_view text, std::span<const gid_t> groups) {
  constexpr std::array<std::string_view, 3> kNames = {"sudo", "wheel", "admin"};
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    const std::string_view name = take(line, ':');
    (void)take(line, ':');  // the password
    const std::string_view number = take(line, ':');
    gid_t group = 0;
    const char* const end = number.data() + number.size();
    if (std::find(kNames.begin(), kNames.end(), name) != kNames.end() && !number.empty() &&
        std::from_chars(number.data(), end, group).ptr == end &&
        std::find(groups.begin(), groups.end(), group) != groups.end()) {
      return true;
    }
  }
  return false;
}

std::string as_root(const std::string& command) {
  if (::geteuid() == 0 || !has_terminal() || ::access("/usr/bin/sudo", X_OK) != 0 ||
      !may_use_sudo()) {
    return "as root: " + command;
  }
  constexpr std::string_view kBetween = "; ";
  std::string text = "sudo " + command;
  for (std::size_t at = text.find(kBetween); at != std::string::npos;
       at = text.find(kBetween, at + 1)) {
    text.insert(at + kBetween.size(), "sudo ");
  }
  return text;
}

}  // namespace vpnrun
