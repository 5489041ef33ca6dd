// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "launcher/control_client.h"
#include "profiles/base/secret.h"
#include "profiles/protocol/status.h"

namespace vpnrun {

/// What a person typed.
struct Answer {
  Secret user_name;
  Secret password;
  Secret response;
};

/// The person in front of the program, as far as a wait needs one.
class Person {
 public:
  Person() = default;
  virtual ~Person() = default;
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;
  Person(Person&&) = delete;
  Person& operator=(Person&&) = delete;

  /// Called at every change and about once a second. `elapsed` since the order was given.
  virtual void show_progress(const Status& status, std::chrono::milliseconds elapsed) = 0;
  /// Called once for each link that the server wants to be opened in a browser. Nothing opens it
  /// but the person.
  virtual void show_link(const std::string& url) = 0;
  /// Called before ask() and at the end: nothing of the progress may remain to be seen.
  virtual void end_progress() = 0;
  /// Who answers questions.
  enum class Answers : std::uint8_t {
    kHere,       ///< ask() works
    kElsewhere,  ///< not here, but the machine's password agents may be asked
    kNowhere,    ///< ask() throws
  };
  [[nodiscard]] virtual Answers answers() const = 0;
  /// Throws Error if nobody can answer.
  [[nodiscard]] virtual Answer ask(const CredentialQuestion& question) = 0;
};

/// One order to a companion, and what counts as its fulfilment.
struct Order {
  Command command = Command::kUp;
  State goal = State::kUp;
  std::chrono::milliseconds patience{0};  ///< 0: the first reply decides
};

/// Gives the order and waits until the tunnel is in the state `goal`; returns the status then.
///
/// Throws Error, with a hint: the tunnel failed or was ordered otherwise meanwhile, the patience is
/// used up, a question that nobody can answer, a refusal. A question that only others can answer is
/// waited for like anything else. The time in which a person types does not
/// count. Command::kStatus orders nothing and decides by the first reply.
[[nodiscard]] Status carry_out(ControlClient& client, const Order& order, Person& person);

}  // namespace vpnrun
