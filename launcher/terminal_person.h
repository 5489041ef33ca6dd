// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>

#include "launcher/cli.h"
#include "launcher/tunnel_wait.h"

namespace vpnrun {

/// The person at the terminal: progress on standard error, questions on the controlling terminal.
///
/// Progress is one line that is written over again; there is none if standard error is no terminal,
/// the terminal cannot go back in a line (TERM unset or "dumb"), or the person wants quiet.
class TerminalPerson final : public Person {
 public:
  /// `term` is $TERM, or null. `agents` is a folder that exists if the machine has password agents.
  TerminalPerson(Verbosity verbosity, const char* term, std::string agents);

  void show_progress(const Status& status, std::chrono::milliseconds elapsed) override;
  /// On standard error, whatever the verbosity: without it nothing goes on.
  void show_link(const std::string& url) override;
  void end_progress() override;
  [[nodiscard]] Answers answers() const override;
  /// Throws Error, with a hint, if there is no controlling terminal, and if the input ends before
  /// the first line.
  [[nodiscard]] Answer ask(const CredentialQuestion& question) override;

 private:
  bool shows_progress_;
  bool line_open_ = false;
  std::string agents_;
};

/// The progress line without line end, at most `columns` bytes long and cut between characters.
[[nodiscard]] std::string progress_line(const Status& status, std::chrono::milliseconds elapsed,
                                        std::size_t columns);

}  // namespace vpnrun
