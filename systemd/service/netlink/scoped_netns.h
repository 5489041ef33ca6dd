// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "helper/base/unique_fd.h"

namespace vpnrun::netlink {

/// The calling thread is in another network namespace for as long as this object lives.
///
/// What is opened meanwhile (sockets, /proc/sys/net, nftables contexts) belongs to that namespace
/// for good. Objects may be nested. See setns(2).
class ScopedNetns {
 public:
  /// Opens the way back first. Throws Error if the process has more than one thread (the others
  /// would stay behind), or if the namespace cannot be entered; the thread is then where it was.
  explicit ScopedNetns(int netns_fd);
  /// Goes back, or ends the process with a message: going on in the wrong namespace is the one
  /// thing that must not happen.
  ~ScopedNetns();

  ScopedNetns(ScopedNetns&&) = delete;
  ScopedNetns& operator=(ScopedNetns&&) = delete;
  ScopedNetns(const ScopedNetns&) = delete;
  ScopedNetns& operator=(const ScopedNetns&) = delete;

 private:
  UniqueFd home_;
};

}  // namespace vpnrun::netlink
