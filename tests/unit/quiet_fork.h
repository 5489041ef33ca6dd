// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <mutex>

namespace vpnrun::test {

/// Whoever forks holds it, and so does each thread of a fake but while it waits: the child would
/// take over a lock of the allocator that a thread holds, and nobody there would ever open it (the
/// address sanitizer's is one).
inline std::mutex& work() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace vpnrun::test
