// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

// The text of unit files, as systemd.syntax(7) and systemd.service(5) have it. What systemctl(1)
// shows of a command is not fit to be written into a file again: its quotes are gone, its
// specifiers are replaced.
namespace vpnrun {

/// One line `NAME=VALUE` of a section, continuation lines joined.
struct UnitSetting {
  std::string section;
  std::string name;
  std::string value;  ///< without blanks around it; quotes and specifiers as written
};

/// The settings in `text` in their order. Other lines are left out, as systemd does.
[[nodiscard]] std::vector<UnitSetting> parse_unit_text(std::string_view text);

/// What the lines `NAME=` of [Service] add up to: an empty value forgets those before it.
[[nodiscard]] std::vector<std::string> service_values(const std::vector<UnitSetting>& settings,
                                                      std::string_view name);

/// One command of an `ExecStart=` value.
struct UnitCommand {
  std::string prefixes;  ///< of "@-:+!|"
  std::string line;      ///< command and arguments, textually; not empty
};

/// The commands in the value of an `ExecStart=`; more than one if ";" separates them.
[[nodiscard]] std::vector<UnitCommand> split_commands(std::string_view value);

/// The words in a list of values, without their quotes and escapes; for lists of names and paths.
[[nodiscard]] std::vector<std::string> words_of(const std::vector<std::string>& values);

/// `command`, made to be started by `launcher` in `profile`. Throws Error for a command that cannot
/// be: with the prefix "@" (its name for itself would be lost) or "|" (a shell starts it).
[[nodiscard]] std::string command_in_profile(const UnitCommand& command,
                                             const std::string& launcher,
                                             const std::string& profile);

/// `text` as one word of a unit file: specifiers, quotes and blanks are no longer special.
[[nodiscard]] std::string unit_word(std::string_view text);

/// `text` as a path in settings such as BindPaths=: its colons are not special either.
[[nodiscard]] std::string unit_path(std::string_view text);

}  // namespace vpnrun
