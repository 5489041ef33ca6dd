// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "helper/base/unique_fd.h"
#include "profiles/base/secret.h"

namespace vpnrun {

/// The controlling terminal, for questions; standard input belongs to the application.
class TerminalInput {
 public:
  static constexpr std::size_t kLongestLine = 1024;

  enum class Echo : std::uint8_t { kOff, kOn };

  /// Throws Error with a hint if there is no controlling terminal.
  TerminalInput();
  /// Whether there is one.
  [[nodiscard]] static bool is_there() noexcept;

  void say(std::string_view text);

  /// Shows `prompt` and reads one line, returned without its end. A signal that would end or stop
  /// the process first gets the terminal's settings and the signal's own disposition back; after a
  /// stop the prompt comes again. Throws Error if the input ends before a line does, and on a line
  /// of more than kLongestLine bytes, read to its end: cut off, it would be a different password.
  [[nodiscard]] Secret read_line(std::string_view prompt, Echo echo);

 private:
  UniqueFd terminal_;
};

}  // namespace vpnrun
