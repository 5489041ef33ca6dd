// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"

namespace vpnrun::service {

/// Which of the administrator's commands is next. Pure; starts nothing.
///
/// It follows the tunnel's state and does not queue all that happened: it holds the hooks of the
/// connection whose hooks have begun, and of at most one more. It guarantees, whatever happens:
///   - the commands of a connection run in the order up_outside, up_inside, down_inside,
///     down_outside, with the environment of that connection;
///   - a connection whose up hooks have begun gets its down hooks, all of them, exactly once, and
///     before the next connection's up hooks begin;
///   - a connection that ended before its turn came gets neither;
///   - up hooks that have not begun when their connection ends are skipped.
/// A connection without up hooks also counts as begun when its turn comes.
class HookQueue {
 public:
  enum class Place : std::uint8_t { kOutside, kInside };
  struct Job {
    std::string command;
    Place place = Place::kOutside;
    std::vector<std::string> environment;
  };

  /// A connection with these hooks is up. If one is up already, it is taken down first.
  void up(const profile::Hooks& hooks, std::vector<std::string> environment);
  /// It is no longer up. Does nothing if none is.
  void down();
  /// The command to start now, if none is running; nullopt: nothing to do until up() or down().
  [[nodiscard]] std::optional<Job> next();
  /// How many commands it holds, including those that may be skipped: at most those of two
  /// connections.
  [[nodiscard]] std::size_t left() const noexcept;

 private:
  struct Step {
    std::string command;
    Place place;
  };
  struct Connection {
    std::deque<Step> ups;
    std::deque<Step> downs;
    std::vector<std::string> environment;
    bool ended = false;
  };

  [[nodiscard]] static Connection connection(const profile::Hooks& hooks);

  std::optional<Connection> begun_;
  std::optional<Connection> waiting_;
};

}  // namespace vpnrun::service
