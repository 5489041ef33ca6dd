// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace vpnrun::differential {

/// Moves this process into a network namespace of its own in which nothing is up; without root,
/// into a user namespace as well. Throws Error.
void enter_own_network();

/// Throws Error.
void write_file(const std::string& path, const std::string& text);

/// A folder that goes with it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_ = "/tmp/vpnrun-differential-XXXXXX";
};

}  // namespace vpnrun::differential
