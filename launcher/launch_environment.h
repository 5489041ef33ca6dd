// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/resource.h>

#include <string>
#include <string_view>
#include <vector>

namespace vpnrun {

/// The arguments and the environment with which the helper is called; see
/// helper/base/request_format.h.
class HelperCall {
 public:
  /// `command` and `environment` are null-terminated and outlive this object. Environment strings
  /// are taken in their order, each marked; one that is not "NAME=value" is passed like the rest.
  /// `stack_limit` is the soft RLIMIT_STACK in bytes (RLIM_INFINITY: none); it is sent along if the
  /// kernel would cut it at the setuid step.
  HelperCall(std::string profile, char* const* command, char* const* environment,
             ::rlim_t stack_limit);

  // The arrays point into the object itself.
  HelperCall(const HelperCall&) = delete;
  HelperCall& operator=(const HelperCall&) = delete;
  HelperCall(HelperCall&&) = delete;
  HelperCall& operator=(HelperCall&&) = delete;
  ~HelperCall() = default;

  [[nodiscard]] char* const* arguments() noexcept { return arguments_.data(); }
  [[nodiscard]] char* const* environment() noexcept { return environment_.data(); }

 private:
  std::string helper_name_;
  std::string profile_;
  std::string marked_;  ///< all environment strings, each with its end
  std::vector<char*> arguments_;
  std::vector<char*> environment_;
};

/// The value of `name` in the null-terminated `environment`, or null. The first of several, as with
/// getenv(3).
[[nodiscard]] const char* environment_value(char* const* environment, std::string_view name);

}  // namespace vpnrun
