// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/report.h"

#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace vpnrun {

Reporter::Reporter(std::string program, Verbosity verbosity)
    : program_(std::move(program)), verbosity_(verbosity) {}

Reporter::~Reporter() = default;

spdlog::logger& Reporter::logger() {
  if (!logger_) {
    // Not registered: the registry would build a second, coloured logger for standard output.
    logger_ = std::make_unique<spdlog::logger>(program_,
                                               std::make_shared<spdlog::sinks::stderr_sink_st>());
    logger_->set_pattern("%n: %v");
    logger_->set_level(spdlog::level::debug);
  }
  return *logger_;
}

void Reporter::error(const Error& error) {
  if (error.hint().empty()) {
    logger().error("{}", error.what());
  } else {
    logger().error("{}\nhint: {}", error.what(), error.hint());
  }
}

void Reporter::warn(std::string_view text) {
  if (verbosity_ != Verbosity::kQuiet) {
    logger().warn("warning: {}", text);
  }
}

void Reporter::warn(const Warning& warning) {
  warn(warning.hint.empty() ? warning.text : warning.text + "\nhint: " + warning.hint);
}

void Reporter::info(std::string_view text) {
  if (verbosity_ != Verbosity::kQuiet) {
    logger().info("{}", text);
  }
}

void Reporter::debug(std::string_view text) {
  if (verbosity_ == Verbosity::kVerbose) {
    logger().debug("{}", text);
  }
}

}  // namespace vpnrun
