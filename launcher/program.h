// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vpnrun {

/// The file that a command is.
struct Program {
  std::string path;       ///< without symbolic links on the way; empty if there is none
  std::string beginning;  ///< of its content, at most 4096 bytes; empty if it cannot be read
};

/// What execvp(3) would find for `command` by the PATH in `environment`: a file that the caller may
/// execute, or what stands at a path. Only a look: the file may be another one later.
[[nodiscard]] Program find_program(const std::string& command, char* const* environment);

/// Whether a folder of the PATH in `environment` has a file called `command` that the caller can
/// see, whether he may execute it or not. A folder that he may not search has none.
[[nodiscard]] bool is_in_path(const std::string& command, char* const* environment);

/// The program that runs `script`, by its first line (#!); behind env(1) what that starts. nullopt
/// if `script` has no such line. One step only.
[[nodiscard]] std::optional<Program> interpreter_of(const Program& script,
                                                    char* const* environment);

/// The last component of `command`: "/usr/bin/ssh" is "ssh".
[[nodiscard]] std::string_view command_name(std::string_view command) noexcept;

}  // namespace vpnrun
