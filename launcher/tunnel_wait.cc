// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/tunnel_wait.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1000};
/// What ends sooner needs no progress: text that only flashes up is noise.
constexpr milliseconds kFirstTick{400};

std::string_view verb(Command command) {
  switch (command) {
    case Command::kDown:
      return "stop";
    case Command::kRestart:
      return "restart";
    default:
      return "start";
  }
}

class Wait {
 public:
  Wait(ControlClient& client, const Order& order, Person& person)
      : client_(client), order_(order), person_(person), begin_(SteadyClock::now()) {}

  Status run() {
    ControlRequest request;
    request.command = order_.command;
    request.follow = order_.command != Command::kStatus;
    request.asks = request.follow && person_.answers() == Person::Answers::kHere;
    client_.send(request);
    const std::optional<ControlReply> first = client_.receive(begin_ + kReplyPatience);
    if (!first) {
      throw Error(formatted("cannot reach the tunnel of profile '{}': it does not answer",
                            client_.profile()),
                  std::make_error_code(std::errc::timed_out), hint());
    }
    take(*first);
    milliseconds tick = kFirstTick;
    while (!reached()) {
      if (elapsed() >= order_.patience) {
        throw_too_late();
      }
      answer_question();
      const milliseconds pause = std::min(order_.patience - elapsed(), tick);
      if (const auto reply = client_.receive(SteadyClock::now() + pause)) {
        take(*reply);
      }
      tick = kTick;
      if (!reached() && elapsed() >= kFirstTick) {
        person_.show_progress(status_, elapsed());
      }
    }
    return status_;
  }

 private:
  [[nodiscard]] milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(SteadyClock::now() - begin_ - typing_);
  }

  [[nodiscard]] Error failure(const std::string& reason, std::errc code) const {
    return Error(formatted("cannot {} the tunnel of profile '{}': {}", verb(order_.command),
                           client_.profile(), reason),
                 std::make_error_code(code), hint());
  }

  [[nodiscard]] std::string hint() const {
    if (!status_.hint.empty()) {
      return printable(status_.hint);
    }
    return formatted("'vpnrunctl status {0}' shows its state, 'vpnrunctl log {0}' its log",
                     client_.profile());
  }

  /// Checks what does not depend on the goal: a refusal, a failure, an order that overtook ours.
  void take(const ControlReply& reply) {
    if (!reply.ok) {
      if (is_belated_answer()) {
        return;
      }
      status_.hint = reply.hint;
      throw failure(printable(reply.error), std::errc::operation_not_permitted);
    }
    status_ = reply.status;
    if (reached()) {
      return;
    }
    if (!status_.login_url.empty() && status_.login_url != shown_link_ &&
        order_.command != Command::kStatus) {
      shown_link_ = status_.login_url;
      person_.show_link(printable(shown_link_));
    }
    if (order_.command == Command::kStatus) {
      throw_not_up();
    }
    if (status_.state == State::kFailed) {
      throw failure(status_.error.empty() ? "it failed" : printable(status_.error),
                    std::errc::io_error);
    }
    const bool was_on_its_way = std::exchange(on_its_way_, status_.state != State::kDown);
    if (was_on_its_way && status_.state == State::kDown) {
      throw failure("somebody ordered it down", std::errc::operation_canceled);
    }
  }

  /// Whether what was refused is our answer to a question that somebody else had answered by then:
  /// the state without the question comes before the refusal.
  [[nodiscard]] bool is_belated_answer() const {
    return answered_ && (!status_.question || status_.question->id != *answered_);
  }

  [[nodiscard]] bool reached() const { return status_.state == order_.goal; }

  [[noreturn]] void throw_not_up() const {
    const std::string reason =
        status_.error.empty() ? "" : formatted(" ({})", printable(status_.error));
    throw Error(formatted("cannot use the tunnel of profile '{}': it {}{}", client_.profile(),
                          printable(state_phrase(status_)), reason),
                std::make_error_code(std::errc::network_down),
                formatted("'vpnrunctl up {}' starts it, and so does vpnrun without --no-start",
                          client_.profile()));
  }

  [[noreturn]] void throw_too_late() const {
    const double seconds = static_cast<double>(order_.patience.count()) / 1000;
    const std::string reason =
        status_.error.empty() ? "" : formatted(" ({})", printable(status_.error));
    throw failure(
        formatted("still {} after {:g} s{}", printable(state_word(status_)), seconds, reason),
        std::errc::timed_out);
  }

  void answer_question() {
    if (!status_.question || status_.question->id == answered_ ||
        person_.answers() == Person::Answers::kElsewhere) {
      return;
    }
    if (!status_.question->can_be_answered()) {
      throw failure(
          formatted("it asks for '{}', which this program cannot answer: its companion is newer",
                    printable(status_.question->text)),
          std::errc::not_supported);
    }
    person_.end_progress();
    const SteadyClock::time_point start = SteadyClock::now();
    ControlRequest request;
    request.command = Command::kAnswer;
    request.question_id = status_.question->id;
    Answer answer = person_.ask(*status_.question);
    request.user_name = std::move(answer.user_name);
    request.password = std::move(answer.password);
    request.response = std::move(answer.response);
    client_.send(request);
    answered_ = status_.question->id;
    typing_ += SteadyClock::now() - start;
  }

  ControlClient& client_;
  const Order& order_;
  Person& person_;
  SteadyClock::time_point begin_;
  SteadyClock::duration typing_{0};
  Status status_;
  bool on_its_way_ = false;
  std::string shown_link_;
  std::optional<std::uint64_t> answered_;
};

/// Removes the progress line on every way out.
class ProgressEnd {
 public:
  explicit ProgressEnd(Person& person) : person_(person) {}
  ~ProgressEnd() { person_.end_progress(); }
  ProgressEnd(const ProgressEnd&) = delete;
  ProgressEnd& operator=(const ProgressEnd&) = delete;
  ProgressEnd(ProgressEnd&&) = delete;
  ProgressEnd& operator=(ProgressEnd&&) = delete;

 private:
  Person& person_;
};

}  // namespace

Status carry_out(ControlClient& client, const Order& order, Person& person) {
  const ProgressEnd end(person);
  return Wait(client, order, person).run();
}

}  // namespace vpnrun
