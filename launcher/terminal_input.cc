// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/terminal_input.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <optional>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::size_t kLongestLine = TerminalInput::kLongestLine;
constexpr const char* kNobodyHint =
    "run it in a terminal, or let root put user name and password into a credentials file";

/// The signals that a terminal or a closing session sends.
constexpr std::array<int, 8> kSignals = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                         SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU};

volatile sig_atomic_t caught_signal = 0;  // NOLINT: a handler reaches nothing else

void note_signal(int number) {
  caught_signal = number;
}

/// A failure is not reported: the read(2) that follows fails, too.
void write_to(int fd, std::string_view text) {
  const ssize_t ignored = ::write(fd, text.data(), text.size());
  (void)ignored;
}

/// Has note_signal() called for kSignals, except where a signal is ignored (nohup(1)).
class SignalNotes {
 public:
  SignalNotes() {
    caught_signal = 0;
    struct sigaction note {};
    note.sa_handler = note_signal;  // without SA_RESTART: read(2) has to return
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      (void)::sigaction(kSignals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) {
        (void)::sigaction(kSignals[i], &note, nullptr);
      }
    }
  }
  ~SignalNotes() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      (void)::sigaction(kSignals[i], &before_[i], nullptr);
    }
  }
  SignalNotes(const SignalNotes&) = delete;
  SignalNotes& operator=(const SignalNotes&) = delete;
  SignalNotes(SignalNotes&&) = delete;
  SignalNotes& operator=(SignalNotes&&) = delete;

 private:
  std::array<struct sigaction, kSignals.size()> before_{};
};

/// Switches the terminal's echo off for its lifetime.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd), changed_(::tcgetattr(fd, &before_) == 0) {
    if (changed_) {
      termios silent = before_;
      silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
      (void)::tcsetattr(fd_, TCSAFLUSH, &silent);  // flush: no type-ahead that was echoed
    }
  }
  ~EchoOff() {
    if (changed_) {
      (void)::tcsetattr(fd_, TCSANOW, &before_);
      write_to(fd_, "\n");  // the one that was not echoed
    }
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  EchoOff(EchoOff&&) = delete;
  EchoOff& operator=(EchoOff&&) = delete;

 private:
  int fd_;
  termios before_{};
  bool changed_;
};

/// Reads up to a line end, in any case: what is left would be the next reader's, a shell. nullopt:
/// interrupted by a signal that caught_signal names.
std::optional<Secret> read_until_line_end(int fd) {
  Secret line;
  bool too_long = false;
  for (;;) {
    char character = 0;
    const ssize_t count = ::read(fd, &character, 1);
    if (caught_signal != 0) {
      return std::nullopt;
    }
    if (count < 0 && errno != EINTR) {
      throw_errno("cannot read the answer");
    }
    if (count == 0) {
      throw Error("cannot go on without an answer: the input ended", {}, kNobodyHint);
    }
    if (count == 1 && character == '\n') {
      if (too_long) {
        throw Error(formatted("cannot use the answer: it is longer than {} bytes", kLongestLine),
                    std::make_error_code(std::errc::message_size));
      }
      return line;
    }
    if (count == 1 && line.size() < kLongestLine) {
      line.append({&character, 1});
    } else if (count == 1) {
      too_long = true;
    }
  }
}

}  // namespace

bool TerminalInput::is_there() noexcept {
  return UniqueFd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)).ok();
}

TerminalInput::TerminalInput() : terminal_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
  if (!terminal_.ok()) {
    throw Error("cannot ask for user name and password: there is no terminal",
                std::error_code(errno, std::generic_category()), kNobodyHint);
  }
}

void TerminalInput::say(std::string_view text) {
  write_to(terminal_.get(), text);
}

Secret TerminalInput::read_line(std::string_view prompt, Echo echo) {
  for (;;) {
    std::optional<Secret> line;
    {
      const SignalNotes notes;
      std::optional<EchoOff> silence;
      if (echo == Echo::kOff) {
        silence.emplace(terminal_.get());
      }
      say(prompt);
      line = read_until_line_end(terminal_.get());
    }
    if (line) {
      return *std::move(line);
    }
    // Everything is as it was: now the signal may do what it does.
    (void)::raise(caught_signal);
  }
}

}  // namespace vpnrun
