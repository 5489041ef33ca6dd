// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/tunnel_log.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "launcher/control_client.h"
#include "launcher/ctl/show.h"
#include "launcher/ctl/unit_journal.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

/// How soon a companion that has ended is looked for again.
constexpr std::chrono::seconds kAgain{1};
/// A reply may be long in coming: the next line is.
constexpr std::chrono::hours kForever{24 * 365};

std::size_t number_of(const std::string& lines) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(lines.data(), lines.data() + lines.size(), number);
  return error == std::errc{} && end == lines.data() + lines.size()
             ? number
             : std::numeric_limits<std::size_t>::max();  // "all", or more than there can be
}

/// One connection, and how far it has read.
class Reading {
 public:
  explicit Reading(ControlClient client) : client_(std::move(client)) {}

  /// All that is kept. Throws Error, HungUp.
  [[nodiscard]] std::vector<LogLine> all() {
    std::vector<LogLine> lines;
    for (;;) {
      ask(false);
      const auto page = receive(SteadyClock::now() + kReplyPatience);
      if (page.empty()) {
        return lines;
      }
      lines.insert(lines.end(), page.begin(), page.end());
    }
  }

  /// Hands on each line that comes from now on. Throws HungUp, or Error.
  template <class Print>
  [[noreturn]] void follow(const Print& print) {
    ask(true);
    for (;;) {
      print(receive(SteadyClock::now() + kForever));
    }
  }

 private:
  void ask(bool follow) {
    ControlRequest request;
    request.command = Command::kLog;
    request.after = last_;
    request.follow = follow;
    client_.send(request);
  }

  std::vector<LogLine> receive(SteadyClock::time_point deadline) {
    auto reply = client_.receive(deadline);
    if (!reply) {
      throw Error(formatted("cannot reach the tunnel of profile '{}': it does not answer",
                            client_.profile()),
                  std::make_error_code(std::errc::timed_out));
    }
    if (!reply->ok) {
      throw Error(formatted("cannot show the log of profile '{}': {}", client_.profile(),
                            printable(reply->error)),
                  {}, printable(reply->hint));
    }
    auto lines = std::move(reply->log).value_or(std::vector<LogLine>());
    // Whatever the other end sends: all() comes to an end.
    std::erase_if(lines, [this](const LogLine& line) { return line.number <= last_; });
    for (const LogLine& line : lines) {
      last_ = std::max(last_, line.number);
    }
    return lines;
  }

  ControlClient client_;
  std::uint64_t last_ = 0;
};

[[noreturn]] void throw_no_companion(const LogOrder& order, const Places& places,
                                     const NotRunning& error) {
  const std::string reason =
      error.last_words().empty() ? std::string() : "; it ended: " + error.last_words();
  throw NotRunning(
      formatted("cannot show the log of profile '{}': its companion is not running{}{}",
                order.profile,
                has_systemd(places) ? ", and you may not read the system's journal" : "", reason),
      error.code(),
      has_systemd(places)
          ? formatted("as root: vpnrunctl log {}; members of the groups systemd-journal and adm "
                      "may read it, too",
                      order.profile)
          : std::string("'vpnrun-tunnel run' wrote to its standard error; look where that went"),
      error.last_words());
}

/// Throws NotRunning, with what to do about the log, Unreachable, or Error.
Reading open_reading(const LogOrder& order, const Places& places) {
  try {
    return Reading(ControlClient::connect_if_running(places, order.profile));
  } catch (const NotRunning& error) {
    throw_no_companion(order, places, error);
  }
}

void show_companions_log(const LogOrder& order, const Places& places, const Printer& print,
                         const Teller& tell) {
  const auto print_all = [&](const std::vector<LogLine>& lines) {
    std::string text;
    for (const LogLine& line : lines) {
      text += order.json ? log_line_to_json(line) : show_log_line(line);
    }
    print(text);
  };
  bool is_first = true;
  for (;;) {
    try {
      Reading reading = open_reading(order, places);
      std::vector<LogLine> lines = reading.all();
      const std::size_t most = is_first ? number_of(order.lines) : lines.size();
      if (lines.size() > most) {
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
      }
      print_all(lines);
      is_first = false;
      if (!order.follow) {
        return;
      }
      reading.follow(print_all);
    } catch (const HungUp&) {
      if (!order.follow) {
        throw;
      }
      tell("its companion has ended; waiting for the next one");
    } catch (const NotRunning&) {
      if (!order.follow || is_first) {
        throw;
      }
    }
    std::this_thread::sleep_for(kAgain);
  }
}

}  // namespace

void show_log(const LogOrder& order, const Places& places, const UnitPlaces& units,
              char* const* environment, const Printer& print, const Teller& tell) {
  if (has_systemd(places) && may_read_journal(units)) {
    show_journal(order, units, environment);
  }
  show_companions_log(order, places, print, tell);
}

}  // namespace vpnrun
