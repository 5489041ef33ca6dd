// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "launcher/cli.h"
#include "profiles/base/error.h"

namespace spdlog {
class logger;
}

namespace vpnrun {

/// Something that a person is told before a command starts anyway. One line each, no control
/// characters in them.
struct Warning {
  std::string text;
  std::string hint;  ///< what to do about it; empty if nothing is known
  friend bool operator==(const Warning&, const Warning&) = default;
};

/// A program's own words on standard error: "PROGRAM: text", without time or colour.
///
/// The logger behind it is made by the first message that is shown: a launch without one does not
/// pay for it. Each message is one write(2), also with its hint.
class Reporter {
 public:
  Reporter(std::string program, Verbosity verbosity);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  Reporter(Reporter&&) = delete;
  Reporter& operator=(Reporter&&) = delete;

  /// Always shown, with the hint in a second line ("hint: …").
  void error(const Error& error);
  /// Shown unless quiet.
  void warn(std::string_view text);
  void warn(const Warning& warning);
  void info(std::string_view text);
  /// Shown if verbose.
  void debug(std::string_view text);

  [[nodiscard]] Verbosity verbosity() const noexcept { return verbosity_; }

 private:
  spdlog::logger& logger();

  std::string program_;
  Verbosity verbosity_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace vpnrun
