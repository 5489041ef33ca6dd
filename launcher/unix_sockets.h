// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vpnrun {

/// The Unix sockets on which somebody listens in the network namespace in which they were bound:
/// abstract ones ("@name") cannot be reached from another one; those with a path can, and whoever
/// answers is where they were bound. Read from /proc/net/unix when first asked for.
class UnixSockets {
 public:
  explicit UnixSockets(std::string file = "/proc/net/unix") : file_(std::move(file)) {}

  /// In the order of the file; none if it cannot be read.
  [[nodiscard]] const std::vector<std::string>& listening();
  /// Whether somebody listens at `name`: a path, or '@' and an abstract name.
  [[nodiscard]] bool listens(std::string_view name);

 private:
  std::string file_;
  std::optional<std::vector<std::string>> names_;
};

}  // namespace vpnrun
