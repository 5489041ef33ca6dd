// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun {

/// What the caller asks for, as request_format.h lays it down. All of it is the caller's own data:
/// pointers into the stack that execve(2) filled.
struct Request {
  const char* profile;  ///< a valid profile name
  char** command;       ///< COMMAND, ARG…, NULL; command[-1] and command[0] may be overwritten
  char** environment;   ///< every string starts with kEnvironmentMark
  const char* stack_limit;  ///< decimal bytes or kUnlimited; NULL: leave RLIMIT_STACK as it is
};

/// Reads the request. Dies unless the profile's name is valid and every string of the environment
/// carries the mark, that is, unless `vpnrun` made the call.
///
/// Should: look at the form only.
/// Must not: act on a value, or look a variable up by name.
[[nodiscard]] Request read_request(char** argv, char** envp) noexcept;

/// Takes the marks off: afterwards `request.environment` is the application's, byte for byte.
///
/// Should: run after the drop, because from here on the names in it mean something.
void restore_environment(const Request& request) noexcept;

/// Sets the soft RLIMIT_STACK that the kernel cut at the setuid step (see request_format.h).
///
/// Should: run after the drop, so that the kernel holds the caller to his hard limit. Dies if the
/// value is malformed or refused.
void restore_stack_limit(const Request& request) noexcept;

}  // namespace vpnrun
