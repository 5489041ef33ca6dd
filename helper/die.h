// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "helper/base/request_format.h"

namespace vpnrun {

/// A string that came from the caller: control characters become '?', long ones are cut.
struct Untrusted {
  const char* text;
};

/// An errno value, shown as ": <description>" in C, whatever the locale.
struct Errno {
  int value;
};

/// One line of a message, built on the stack; what does not fit is cut. Allocates nothing and
/// consults no locale, so that it works after the filter is loaded and inside any view.
class Text {
 public:
  template <class... Part>
  explicit Text(const Part&... parts) noexcept {
    (add(parts), ...);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {buffer_.data(), size_}; }

 private:
  void add(std::string_view trusted) noexcept;
  void add(Untrusted user) noexcept;
  void add(Errno error) noexcept;

  std::array<char, 480> buffer_{};
  std::size_t size_ = 0;
};

/// Writes "vpnrun: WHAT\nhint: HINT\n" to standard error by one write(2) and leaves with
/// `exit_code` through _exit(2): no handler and no destructor runs. Every failure of the helper
/// ends here, so that no failed step is ever followed by a started application.
[[noreturn]] void die(const Text& what, const Text& hint, int exit_code = kExitOwnFailure) noexcept;

}  // namespace vpnrun
