// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/scoped_netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "profiles/base/error.h"

namespace vpnrun::netlink {
namespace {

/// procfs counts the threads of a process as the links of its task folder.
bool has_one_thread() {
  struct ::stat status {};
  constexpr ::nlink_t kLinksOfAnEmptyFolder = 2;
  return ::stat("/proc/self/task", &status) == 0 && status.st_nlink == kLinksOfAnEmptyFolder + 1;
}

}  // namespace

ScopedNetns::ScopedNetns(int netns_fd)
    : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  if (!home_.ok()) {
    throw_errno("cannot open the network namespace of this process");
  }
  if (!has_one_thread()) {
    throw Error("cannot enter a network namespace: this process has more than one thread");
  }
  if (::setns(netns_fd, CLONE_NEWNET) != 0) {
    throw_errno("cannot enter the network namespace");
  }
}

ScopedNetns::~ScopedNetns() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0) {
    // Whatever came next would be done to the wrong network.
    constexpr std::string_view kLast =
        "vpnrun-tunnel: cannot return to the machine's own network namespace\n";
    [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, kLast.data(), kLast.size());
    ::_exit(EXIT_FAILURE);
  }
}

}  // namespace vpnrun::netlink
