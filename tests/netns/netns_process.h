// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"

namespace vpnrun::test {

/// Thrown by a body that cannot show anything here: the test is skipped with this reason.
class Skipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Runs `body` in a child process with a user and a network namespace of its own, in which it is
/// root. The test fails if an assertion of the body does or if it throws; it is skipped, with the
/// reason, where such namespaces are refused.
void run_isolated(const std::function<void()>& body);

/// Another network namespace, empty. Lives as long as this object or a descriptor in it.
class Netns {
 public:
  Netns();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Runs `body` inside.
  void run(const std::function<void()>& body) const;

 private:
  UniqueFd fd_;
};

}  // namespace vpnrun::test

/// A test case whose body runs in namespaces of its own.
#define NETNS_TEST(suite, name)                          \
  static void suite##_##name##_body();                   \
  TEST(suite, name) {                                    \
    ::vpnrun::test::run_isolated(suite##_##name##_body); \
  }                                                      \
  static void suite##_##name##_body()
