// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/listeners.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

#include "helper/base/runtime_layout.h"
#include "launcher/read_file.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

/// More than the sockets of all users together, as a rule: who makes very many hides nobody else's.
constexpr std::size_t kMaxTable = 512U << 20U;
constexpr int kHex = 16;

std::string read_or_nothing(const std::string& path) {
  try {
    return read_file(path, kMaxTable).value_or(std::string());
  } catch (const Error&) {
    return {};  // gone, or not for us
  }
}

std::string_view next_field(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number number{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && stop == text.data() + text.size() ? std::optional(number)
                                                                   : std::nullopt;
}

/// An address as those tables have it: words of 32 bits, each in the order of this machine.
std::string address_of(std::string_view digits) {
  constexpr std::size_t kDigits = 8;  // of a word
  std::array<std::uint32_t, 4> words{};
  if (digits.size() != kDigits && digits.size() != kDigits * words.size()) {
    return {};
  }
  for (std::size_t i = 0; i < digits.size() / kDigits; ++i) {
    const auto word = number_in<std::uint32_t>(digits.substr(i * kDigits, kDigits), kHex);
    if (!word) {
      return {};
    }
    words.at(i) = *word;
  }
  const bool is_v4 = digits.size() == kDigits;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(is_v4 ? AF_INET : AF_INET6, words.data(), text.data(), text.size()) == nullptr) {
    return {};
  }
  return is_v4 ? std::string(text.data()) : formatted("[{}]", text.data());
}

bool same_file(const std::string& left, const std::string& right) {
  struct stat one {};
  struct stat other {};
  return ::stat(left.c_str(), &one) == 0 && ::stat(right.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Whether /proc/PID/cgroup names the group or one below it, in whichever hierarchy.
bool is_in_group(std::string_view groups, const std::string& wanted) {
  while (!groups.empty()) {
    std::string_view line = groups.substr(0, groups.find('\n'));
    groups.remove_prefix(std::min(line.size() + 1, groups.size()));
    line.remove_prefix(std::min(line.find(':') + 1, line.size()));
    line.remove_prefix(std::min(line.find(':') + 1, line.size()));
    if (line.starts_with(wanted) && (line.size() == wanted.size() || line[wanted.size()] == '/')) {
      return true;
    }
  }
  return false;
}

/// The entries of a folder of procfs, which may go while it is read.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code gone;
  std::filesystem::directory_iterator entry(folder, gone);
  for (; !gone && entry != std::filesystem::directory_iterator(); entry.increment(gone)) {
    names.push_back(entry->path().filename());
  }
  return names;
}

void add_sockets(const std::string& process, std::set<ino_t>& sockets) {
  constexpr std::string_view kStart = "socket:[";
  for (const std::string& name : names_in(process + "/fd")) {
    std::error_code closed;
    const std::string target =
        std::filesystem::read_symlink(std::filesystem::path(process) / "fd" / name, closed);
    if (target.starts_with(kStart) && target.ends_with(']')) {
      const auto inode = number_in<ino_t>(
          std::string_view{target}.substr(kStart.size(), target.size() - kStart.size() - 1), 10);
      if (inode) {
        sockets.insert(*inode);
      }
    }
  }
}

PortRange chosen_ports(const std::string& proc) {
  std::string text = read_or_nothing(proc + "/sys/net/ipv4/ip_local_port_range");
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return letter == '\t' || letter == '\n'; }, ' ');
  std::string_view rest = text;
  const auto first = number_in<std::uint16_t>(next_field(rest), 10);
  const auto last = number_in<std::uint16_t>(next_field(rest), 10);
  return first && last ? PortRange{*first, *last} : PortRange{};
}

}  // namespace

std::vector<Listener> listeners_in(std::string_view table, const std::string& protocol,
                                   const std::set<ino_t>& sockets, PortRange chosen) {
  constexpr std::string_view kListens = "0A";
  constexpr std::string_view kUnconnected = "07";
  std::vector<Listener> listeners;
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    // sl local remote st tx:rx tr:when retransmits uid timeout inode
    std::array<std::string_view, 10> fields;
    std::generate(fields.begin(), fields.end(), [&line] { return next_field(line); });
    const std::size_t colon = fields[1].find(':');
    const auto inode = number_in<ino_t>(fields[9], 10);
    if (colon == std::string_view::npos || !inode || !sockets.contains(*inode)) {
      continue;
    }
    const auto port = number_in<std::uint16_t>(fields[1].substr(colon + 1), kHex).value_or(0);
    const bool waits = protocol == "tcp" ? fields[3] == kListens
                                         : fields[3] == kUnconnected &&
                                               (port < chosen.first || port > chosen.last);
    const std::string address = address_of(fields[1].substr(0, colon));
    if (waits && port != 0 && !address.empty()) {
      listeners.push_back({protocol, address, port});
    }
  }
  return listeners;
}

std::vector<Listener> listeners_of(const std::string& control_group, const std::string& proc) {
  std::set<ino_t> sockets;
  if (control_group.size() > 1) {  // "/" would be everything
    for (const std::string& name : names_in(proc)) {
      const std::string process = std::filesystem::path(proc) / name;
      if (name.find_first_not_of("0123456789") == std::string::npos &&
          is_in_group(read_or_nothing(process + "/cgroup"), control_group) &&
          same_file(process + "/ns/net", proc + "/self/ns/net")) {
        add_sockets(process, sockets);
      }
    }
  }
  std::set<Listener> listeners;
  for (const char* name : {"tcp", "tcp6", "udp", "udp6"}) {
    for (const Listener& one : listeners_in(read_or_nothing(proc + "/self/net/" + name),
                                            std::string(name, 3), sockets, chosen_ports(proc))) {
      listeners.insert(one);
    }
  }
  return {listeners.begin(), listeners.end()};
}

}  // namespace vpnrun
