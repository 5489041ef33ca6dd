// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/log.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace vpnrun::service::log {
namespace {

/// "%*": the level as sd-daemon(3) numbers it.
class JournalLevel : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& destination) override {
    std::string_view prefix = "<7>";
    if (message.level == spdlog::level::info) {
      prefix = "<6>";
    } else if (message.level == spdlog::level::warn) {
      prefix = "<4>";
    } else if (message.level >= spdlog::level::err) {
      prefix = "<3>";
    }
    destination.append(prefix.data(), prefix.data() + prefix.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JournalLevel>();
  }
};

LogRing& ring() {
  static LogRing lines;
  return lines;
}

/// Who is told of a new line, and in which process: a child that was forked shares the event loop's
/// descriptors with us.
struct Listener {
  std::function<void()> grew;
  pid_t process = 0;
};
Listener& listener() {
  static Listener who;
  return who;
}

/// One thread: no lock.
class RingSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string_view level = "info";
    if (message.level == spdlog::level::warn) {
      level = "warning";
    } else if (message.level >= spdlog::level::err) {
      level = "error";
    }
    const auto time =
        std::chrono::duration_cast<std::chrono::seconds>(message.time.time_since_epoch());
    ring().add(time.count(), level, {message.payload.data(), message.payload.size()});
    if (listener().grew && listener().process == ::getpid()) {
      listener().grew();
    }
  }
  void flush_() override {}
};

/// sd_journal_stream_fd(3): standard error is the journal's.
bool for_journal() {
  return ::secure_getenv("JOURNAL_STREAM") != nullptr;
}

/// `text` may have several lines, one for each finding.
void write_with_hint(spdlog::level::level_enum level, std::string_view text,
                     std::string_view hint) {
  if (for_journal()) {  // an entry for each line, each with its level
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      spdlog::log(level, "{}", line);
    }
    if (!hint.empty()) {
      spdlog::log(level, "hint: {}", hint);
    }
  } else if (hint.empty()) {
    spdlog::log(level, "{}", text);
  } else {
    spdlog::log(level, "{}\nhint: {}", text, hint);
  }
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      break;
  }
  return spdlog::level::warn;
}

}  // namespace

void set_up(Level least) {
  const auto logger = spdlog::stderr_logger_st("vpnrun-tunnel");
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  if (for_journal()) {
    formatter->add_flag<JournalLevel>('*').set_pattern("%*%v");
  } else {
    formatter->set_pattern("vpnrun-tunnel: %v");
  }
  logger->set_formatter(std::move(formatter));
  logger->sinks().push_back(std::make_shared<RingSink>());
  logger->sinks().back()->set_level(spdlog::level::info);
  logger->set_level(level_of(least));
  spdlog::set_default_logger(logger);
}

const LogRing& recent() {
  return ring();
}

void on_line(std::function<void()> grew) {
  listener() = {std::move(grew), ::getpid()};
}

void write(Level level, fmt::string_view format, fmt::format_args args) {
  spdlog::logger& logger = *spdlog::default_logger_raw();
  if (logger.should_log(level_of(level))) {
    logger.log(level_of(level), "{}", formatted_with(format, args));
  }
}

void failure(const Error& error) {
  write_with_hint(spdlog::level::err, error.what(), error.hint());
}

void ignored(const std::exception& error) noexcept {
  try {
    const auto* ours = dynamic_cast<const Error*>(&error);
    write_with_hint(spdlog::level::warn, formatted("{}, ignoring", error.what()),
                    ours == nullptr ? std::string() : ours->hint());
  } catch (const std::exception&) {
    return;  // no memory left to report it
  }
}

}  // namespace vpnrun::service::log
