// SPDX-License-Identifier: GPL-2.0-or-later
//
// Why not by iptables-legacy: whoever has made the tables may have brought his own, in a container;
// and the companion would have to give a program that loads plugins the right to raw sockets. The
// kernel checks each table that is loaded (jumps, chains, loops), and loads all of it or nothing.
#include "systemd/service/link/legacy_tables.h"

#include <fcntl.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <thread>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

/// For what ends with an array of no size, which an initializer may not have in ISO C++.
template <typename T>
T zeroed() {
  T value;  // NOLINT(cppcoreguidelines-pro-type-member-init): the next line does it
  std::memset(&value, 0, sizeof value);
  return value;
}

using std::chrono::milliseconds;

/// XTABLES_LOCKFILE of iptables(8). Not made here: if nobody has, nobody takes it.
constexpr const char* kLock = "/run/xtables.lock";
constexpr milliseconds kLockPatience{1000};
constexpr milliseconds kLockPause{20};
/// How often another program's change between reading and loading is put up with.
constexpr int kTries = 5;
/// A hundred times the table of a machine with a thousand containers.
constexpr std::uint32_t kSizeMax = 64U << 20U;

UniqueFd open_socket(const Netns& netns) {
  return netns.run([] {
    UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.ok()) {
      throw_errno("cannot look for iptables rules");
    }
    return socket;
  });
}

void set_name(std::span<char> field, const std::string& name) {
  if (name.size() >= field.size()) {
    throw_error(ENAMETOOLONG, "cannot read the iptables table '{}'", printable(name));
  }
  std::copy(name.begin(), name.end(), field.begin());
}

/// nullopt: it was changed in between.
std::optional<LegacyTable> try_to_read(int socket, const std::string& name) {
  ::ipt_getinfo info{};
  set_name(info.name, name);
  ::socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) != 0 || size != sizeof info) {
    throw_errno("cannot read the iptables table '{}'", printable(name));
  }
  if (info.size > kSizeMax) {
    throw_error(EFBIG, "cannot read the iptables table '{}'", printable(name));
  }
  constexpr std::size_t kHead = offsetof(::ipt_get_entries, entrytable);
  auto head = zeroed<::ipt_get_entries>();
  set_name(head.name, name);
  head.size = info.size;
  std::vector<unsigned char> buffer(kHead + info.size);
  std::memcpy(buffer.data(), &head, kHead);
  size = static_cast<::socklen_t>(buffer.size());
  if (::getsockopt(socket, IPPROTO_IP, IPT_SO_GET_ENTRIES, buffer.data(), &size) != 0) {
    if (errno == EAGAIN) {
      return std::nullopt;
    }
    throw_errno("cannot read the iptables table '{}'", printable(name));
  }
  LegacyTable table;
  table.name = name;
  table.valid_hooks = info.valid_hooks;
  std::copy(std::begin(info.hook_entry), std::end(info.hook_entry), table.hook_entry.begin());
  std::copy(std::begin(info.underflow), std::end(info.underflow), table.underflow.begin());
  table.count = info.num_entries;
  table.entries.assign(buffer.begin() + kHead, buffer.end());
  return table;
}

LegacyTable read_table(int socket, const std::string& name) {
  for (int tries = 0; tries < kTries; ++tries) {
    if (auto table = try_to_read(socket, name)) {
      return std::move(*table);
    }
  }
  throw_error(EAGAIN, "cannot read the iptables table '{}'", printable(name));
}

/// The counters of the rules that stay: a table that has just been loaded begins at zero.
void add_counters(int socket, const LegacyEdit& edit, const std::vector<::xt_counters>& former) {
  constexpr std::size_t kHead = offsetof(::xt_counters_info, counters);
  auto head = zeroed<::xt_counters_info>();
  set_name(head.name, edit.table.name);
  head.num_counters = edit.table.count;
  std::vector<::xt_counters> counters;
  for (const auto& entry : edit.former) {
    counters.push_back(entry ? former.at(*entry) : ::xt_counters{});
  }
  std::vector<unsigned char> buffer(kHead + counters.size() * sizeof(::xt_counters));
  std::memcpy(buffer.data(), &head, kHead);
  std::memcpy(buffer.data() + kHead, counters.data(), buffer.size() - kHead);
  // What is counted is nobody's protection.
  (void)::setsockopt(socket, IPPROTO_IP, IPT_SO_SET_ADD_COUNTERS, buffer.data(),
                     static_cast<::socklen_t>(buffer.size()));
}

/// false: somebody else has changed it since it was read.
bool load(int socket, const LegacyTable& former, const LegacyEdit& edit) {
  constexpr std::size_t kHead = offsetof(::ipt_replace, entries);
  std::vector<::xt_counters> counters(former.count);
  auto head = zeroed<::ipt_replace>();
  const LegacyTable& table = edit.table;
  set_name(head.name, table.name);
  head.valid_hooks = table.valid_hooks;
  head.num_entries = table.count;
  head.size = static_cast<unsigned>(table.entries.size());
  std::copy(table.hook_entry.begin(), table.hook_entry.end(), std::begin(head.hook_entry));
  std::copy(table.underflow.begin(), table.underflow.end(), std::begin(head.underflow));
  head.num_counters = former.count;
  head.counters = counters.data();
  std::vector<unsigned char> buffer(kHead + table.entries.size());
  std::memcpy(buffer.data(), &head, kHead);
  std::copy(table.entries.begin(), table.entries.end(), buffer.begin() + kHead);
  if (::setsockopt(socket, IPPROTO_IP, IPT_SO_SET_REPLACE, buffer.data(),
                   static_cast<::socklen_t>(buffer.size())) != 0) {
    if (errno == EAGAIN) {
      return false;
    }
    throw_errno("cannot change the iptables table '{}'", printable(table.name));
  }
  add_counters(socket, edit, counters);
  return true;
}

/// Held until it is closed. Invalid: there is none.
UniqueFd take_lock() {
  UniqueFd lock(::open(kLock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  for (milliseconds waited{0}; lock.ok() && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
       waited += kLockPause) {
    if (errno != EWOULDBLOCK || waited >= kLockPatience) {
      throw_errno("cannot lock '{}'", kLock);
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return lock;
}

}  // namespace

std::vector<std::string> KernelLegacyTables::names() {
  return netns_.run([] {
    std::vector<std::string> names;
    std::ifstream file("/proc/thread-self/net/ip_tables_names");
    for (std::string name; std::getline(file, name);) {
      names.push_back(name);
    }
    return names;
  });
}

LegacyTable KernelLegacyTables::read(const std::string& name) {
  return read_table(open_socket(netns_).get(), name);
}

void KernelLegacyTables::change(const std::string& name, const Change& change) {
  const UniqueFd socket = open_socket(netns_);
  const UniqueFd lock = take_lock();
  for (int tries = 0; tries < kTries; ++tries) {
    const LegacyTable table = read_table(socket.get(), name);
    LegacyEdit edit = edit_of(table);
    if (!change(edit) || load(socket.get(), table, edit)) {
      return;
    }
  }
  throw_error(EAGAIN, "cannot change the iptables table '{}'", printable(name));
}

}  // namespace vpnrun::service
