// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "helper/base/unique_fd.h"
#include "launcher/places.h"
#include "profiles/base/error.h"
#include "profiles/protocol/control_message.h"

namespace vpnrun {

using SteadyClock = std::chrono::steady_clock;

/// How long a companion may take for the first reply.
constexpr std::chrono::milliseconds kReplyPatience{10'000};

/// There is no companion to talk to: no runtime directory, or none that the caller may enter, …
class Unreachable : public Error {
 public:
  using Error::Error;
};

/// … or nobody serves the control socket in it.
class NotRunning : public Unreachable {
 public:
  NotRunning(const std::string& text, std::error_code code, std::string hint,
             std::string last_words)
      : Unreachable(text, code, std::move(hint)), last_words_(std::move(last_words)) {}
  /// Why the last companion ended, as far as it could say; one line, printable.
  [[nodiscard]] const std::string& last_words() const noexcept { return last_words_; }

 private:
  std::string last_words_;
};

/// The companion ended the connection.
class HungUp : public Error {
 public:
  using Error::Error;
};

/// Throws Unreachable for a profile that is absent or closed to the caller: one text for both.
[[noreturn]] void throw_unusable(const Places& places, const std::string& profile);

/// One connection to a companion's control socket (see profiles/protocol/control_message.h). The
/// descriptor is close-on-exec and never 0, 1 or 2; nothing raises SIGPIPE.
class ControlClient {
 public:
  /// Takes over a connected stream socket. `profile` is for messages.
  ControlClient(UniqueFd socket, std::string profile)
      : socket_(std::move(socket)), profile_(std::move(profile)) {}

  /// Connects to the companion of `profile`. Throws Unreachable, with one text for a profile that
  /// is absent and for one that does not admit the caller, or NotRunning. Under systemd this can
  /// start the companion, by socket activation.
  [[nodiscard]] static ControlClient connect(const Places& places, const std::string& profile);

  /// Like connect(), but throws NotRunning rather than have the companion started: whoever only
  /// looks, or wants it down, must not bring a tunnel up.
  [[nodiscard]] static ControlClient connect_if_running(const Places& places,
                                                        const std::string& profile);

  [[nodiscard]] const std::string& profile() const noexcept { return profile_; }

  /// Sends one request; what it held is wiped from our buffer. A companion that has closed the
  /// connection is not an error yet: it may have said why, for receive(). The first request has a
  /// `hello` in front, in the same write; receive() does not return the answer to that. Throws
  /// Error, also for a request that needs a feature which the companion lacks: nothing of it is
  /// sent then. For one that 0.1.0 could not have carried out, waits for features() first.
  void send(const ControlRequest& request);

  /// What the companion can be asked for (features.h). Says `hello` if that has not been done, and
  /// waits for the answer for kReplyPatience. Throws HungUp, or Error.
  [[nodiscard]] const std::vector<std::string>& features();

  /// The next reply, or nullopt at `deadline`. Throws HungUp, or Error if the companion sends
  /// something that is not a reply; a reply that is not ok is returned like any other. One that
  /// refuses what the companion does not know says so in `error`, and in `hint` what to do if the
  /// companion is of another version.
  [[nodiscard]] std::optional<ControlReply> receive(SteadyClock::time_point deadline);

 private:
  enum class Greeting : std::uint8_t { kNotSaid, kSaid, kAnswered };

  void transmit(std::string_view line);
  [[nodiscard]] std::optional<ControlReply> next_reply(SteadyClock::time_point deadline);
  [[nodiscard]] bool take_greeting(const ControlReply& reply);
  [[nodiscard]] std::string age_hint() const;
  void require_features(const ControlRequest& request) const;

  UniqueFd socket_;
  std::string profile_;
  std::string buffer_;  ///< received, and not yet returned
  Greeting greeting_ = Greeting::kNotSaid;
  std::string version_;                ///< the companion's; empty: 0.1.0, or not known yet
  std::vector<std::string> features_;  ///< what it can be asked for, once kAnswered
};

}  // namespace vpnrun
