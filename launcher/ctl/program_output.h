// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace vpnrun {

/// What a program that ended left behind.
struct ProgramOutput {
  int status = 0;   ///< its exit status; 128 + N if signal N ended it
  std::string out;  ///< its standard output; standard error is the caller's own
};

/// Runs the program `words[0]`, a path (the caller's PATH does not matter: he may be root), with
/// `environment` (null-terminated) and without a shell; standard input is empty. Waits until it
/// ends. Throws Error if it cannot be started, or says more than a mebibyte. See posix_spawn(3).
[[nodiscard]] ProgramOutput run_program(const std::vector<std::string>& words,
                                        char* const* environment);

/// Becomes the program `words[0]`, a path. Throws Error if that fails. See execve(2).
[[noreturn]] void become_program(const std::vector<std::string>& words, char* const* environment);

}  // namespace vpnrun
