// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "helper/base/unique_fd.h"

namespace vpnrun::differential {

/// A running openvpn(8), held, with its management interface connected to us as it is to the
/// companion. It is killed with the object.
class ManagementClient {
 public:
  /// The socket is made in `folder`. Throws Error.
  explicit ManagementClient(const std::string& folder);
  ~ManagementClient();
  ManagementClient(const ManagementClient&) = delete;
  ManagementClient& operator=(const ManagementClient&) = delete;
  ManagementClient(ManagementClient&&) = delete;
  ManagementClient& operator=(ManagementClient&&) = delete;

  /// The one argument that OpenVPN sees in "signal `quoted`", which it repeats because there is no
  /// such signal; nullopt if it sees something else. Throws Error if it does not answer.
  [[nodiscard]] std::optional<std::string> argument(std::string_view quoted);

 private:
  [[nodiscard]] std::string line();

  UniqueFd connection_;
  std::string pending_;
  pid_t process_ = -1;
};

}  // namespace vpnrun::differential
