// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/own_network.h"

#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "profiles/base/error.h"

namespace vpnrun::differential {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) {
    throw_errno("cannot write '{}'", path);
  }
}

void enter_own_network() {
  const uid_t uid = ::getuid();
  const gid_t gid = ::getgid();
  if (::unshare(CLONE_NEWNET | (uid == 0 ? 0 : CLONE_NEWUSER)) != 0) {
    throw_errno("cannot enter a network namespace of its own");
  }
  if (uid != 0) {
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", formatted("{0} {0} 1", uid));
    write_file("/proc/self/gid_map", formatted("{0} {0} 1", gid));
  }
}

TemporaryFolder::TemporaryFolder() {
  if (::mkdtemp(path_.data()) == nullptr) {
    throw_errno("cannot make a folder");
  }
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace vpnrun::differential
