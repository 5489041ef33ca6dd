// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/i386.h"

#include <algorithm>
#include <array>

#include "launcher/as_root.h"
#include "profiles/base/error.h"
#include "profiles/exceptions.h"

namespace vpnrun {
namespace {

/// Programs for 64 bits, or scripts, that start programs for 32 bits sooner or later.
constexpr std::array<std::string_view, 12> kStarters = {
    "steam",      "steam-runtime", "wine",   "wine-stable", "wine-staging", "wine-development",
    "wine-devel", "winetricks",    "lutris", "playonlinux", "proton",       "umu-run"};

/// A Windows program, which the kernel hands to Wine if it is told to (binfmt_misc).
constexpr std::string_view kWindowsProgram = "MZ";

}  // namespace

bool is_i386_program(std::string_view text) noexcept {
  // elf(5): the class is 32 bits, little endian; e_machine is EM_386.
  constexpr std::string_view kHead(
      "\x7f"
      "ELF\x01\x01",
      6);
  constexpr std::size_t kMachine = 18;
  constexpr std::string_view kEm386("\x03\x00", 2);
  return text.starts_with(kHead) && text.size() >= kMachine + kEm386.size() &&
         text.substr(kMachine, kEm386.size()) == kEm386;
}

Is32Bit look_for_i386(std::string_view command, const Program& program, char* const* environment) {
  if (is_i386_program(program.beginning)) {
    return Is32Bit::kYes;
  }
  const auto starts_some = [](std::string_view path) {
    return std::find(kStarters.begin(), kStarters.end(), command_name(path)) != kStarters.end();
  };
  if (starts_some(command) || starts_some(program.path) ||
      program.beginning.starts_with(kWindowsProgram)) {
    return Is32Bit::kMayStartSome;
  }
  if (const auto interpreter = interpreter_of(program, environment)) {
    if (is_i386_program(interpreter->beginning)) {
      return Is32Bit::kYes;
    }
    if (starts_some(interpreter->path)) {
      return Is32Bit::kMayStartSome;
    }
  }
  return Is32Bit::kNo;
}

std::optional<Warning> i386_warning(const std::string& profile, bool opens,
                                    std::string_view command, Is32Bit is_32_bit) {
  if (opens) {
    return Warning{formatted("profile '{}' has [application] i386 = true: its programs can {}",
                             profile, kOpenedByI386),
                   "keep such a profile for the programs that need it"};
  }
  if (is_32_bit == Is32Bit::kNo) {
    return std::nullopt;
  }
  return Warning{
      formatted("'{}' {} in profile '{}' most of these get no sockets, and so no network",
                printable(command_name(command)),
                is_32_bit == Is32Bit::kYes ? "is a 32-bit x86 program:"
                                           : "may start 32-bit x86 programs:",
                profile),
      formatted("as root: i386 = true in [application] of the profile lets them make sockets; "
                "vpnrun-profile(5) says what else that opens. Then {}",
                as_root("systemctl reload vpnrun-netns@" + profile))};
}

}  // namespace vpnrun
