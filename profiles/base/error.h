// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "profiles/base/format.h"

namespace vpnrun {

/// The one exception of launcher and companion: a finished sentence ("cannot <verb> '<object>':
/// <reason>"), the error code behind it, and what the user can do about it.
///
/// Context is put in front on the way up (with_context); main prints it once.
class Error : public std::system_error {
 public:
  /// `message` is complete: the code's own text is not appended.
  explicit Error(std::string message, std::error_code code = {}, std::string hint = {})
      : std::system_error(code), message_(std::move(message)), hint_(std::move(hint)) {}

  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  /// Empty if no cure is known.
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

  Error& set_hint(std::string hint) {
    hint_ = std::move(hint);
    return *this;
  }

  /// The same error with "`context`: " in front.
  [[nodiscard]] Error with_context(const std::string& context) const {
    return Error(context + ": " + message_, code(), hint_);
  }

 private:
  std::string message_;
  std::string hint_;
};

/// throw_error, compiled once: formatting is what costs every other source file its compile time.
[[noreturn]] void throw_formatted(int error_number, fmt::string_view format, fmt::format_args args);

/// Throws Error "<text>: <strerror>" for `error_number`.
template <class... Args>
[[noreturn]] void throw_error(int error_number, fmt::format_string<Args...> format,
                              const Args&... args) {
  throw_formatted(error_number, format, fmt::make_format_args(args...));
}

/// Throws Error "<text>: <strerror(errno)>". errno is read before anything is formatted.
template <class... Args>
[[noreturn]] void throw_errno(fmt::format_string<Args...> format, const Args&... args) {
  const int saved = errno;
  throw_formatted(saved, format, fmt::make_format_args(args...));
}

/// `text` made fit for a terminal and a log line: control characters replaced by '?'. Every string
/// that a user, a file or a server chose passes through here before it is shown.
[[nodiscard]] std::string printable(std::string_view text);

/// The lines of `text`, which may be those of several findings, as one: for what holds one line,
/// such as a status or a reply.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace vpnrun
