// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "launcher/program.h"
#include "launcher/report.h"

// 32-bit x86 programs make sockets by socketcall(2), which the applications' filter refuses unless
// the profile says [application] i386 = true; see helper/filter/main.cc.
namespace vpnrun {

enum class Is32Bit : std::uint8_t { kNo, kMayStartSome, kYes };

/// Whether `text`, the beginning of a file, is that of a program for 32-bit x86.
[[nodiscard]] bool is_i386_program(std::string_view text) noexcept;

/// Whether `program`, which is called `command`, is a 32-bit program, runs by one as its
/// interpreter, or is known to start some (Steam, Wine).
[[nodiscard]] Is32Bit look_for_i386(std::string_view command, const Program& program,
                                    char* const* environment);

/// What a person is told before `command` starts in `profile`; nullopt: nothing. `opens`: the
/// profile says i386 = true, which is told at each launch, whatever the command.
[[nodiscard]] std::optional<Warning> i386_warning(const std::string& profile, bool opens,
                                                  std::string_view command, Is32Bit is_32_bit);

}  // namespace vpnrun
