// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/terminal_person.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "launcher/terminal_input.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::size_t kUsualColumns = 80;

bool can_rewrite(const char* term) {
  const std::string_view name = term == nullptr ? "" : term;
  return !name.empty() && name != "dumb" && ::isatty(STDERR_FILENO) == 1;
}

std::size_t terminal_columns() {
  winsize size{};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kUsualColumns;
  }
  return size.ws_col;
}

void write_to_terminal(std::string_view text) {
  // One write, so that another program's output does not come in between; losing one does no harm.
  const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
  (void)ignored;
}

}  // namespace

std::string progress_line(const Status& status, std::chrono::milliseconds elapsed,
                          std::size_t columns) {
  std::string line = formatted("vpnrun: tunnel of profile '{}': {}, {} s", status.profile,
                               printable(state_word(status)), elapsed.count() / 1000);
  if (status.attempt > 1) {
    line += formatted(", attempt {}", status.attempt);
  }
  if (!status.error.empty()) {
    line += " (" + printable(status.error) + ")";
  }
  std::size_t end = std::min(line.size(), columns);
  while (end > 0 && end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  line.resize(end);
  return line;
}

TerminalPerson::TerminalPerson(Verbosity verbosity, const char* term, std::string agents)
    : shows_progress_(verbosity != Verbosity::kQuiet && can_rewrite(term)),
      agents_(std::move(agents)) {}

Person::Answers TerminalPerson::answers() const {
  if (TerminalInput::is_there()) {
    return Answers::kHere;
  }
  return ::access(agents_.c_str(), F_OK) == 0 ? Answers::kElsewhere : Answers::kNowhere;
}

void TerminalPerson::show_progress(const Status& status, std::chrono::milliseconds elapsed) {
  if (!shows_progress_) {
    return;
  }
  // The last column stays free: a terminal that wraps there could not take the line back.
  const std::size_t columns = std::max<std::size_t>(terminal_columns(), 2) - 1;
  write_to_terminal(std::string(kClearLine) + progress_line(status, elapsed, columns));
  line_open_ = true;
}

void TerminalPerson::show_link(const std::string& url) {
  end_progress();
  write_to_terminal("vpnrun: the server wants you to log in with a browser: " + url + "\n");
}

void TerminalPerson::end_progress() {
  if (line_open_) {
    write_to_terminal(kClearLine);
    line_open_ = false;
  }
}

Answer TerminalPerson::ask(const CredentialQuestion& question) {
  TerminalInput input;
  Answer answer;
  input.say(printable(question.text) + "\n");
  if (question.wants_user_name) {
    answer.user_name = input.read_line("User name: ", TerminalInput::Echo::kOn);
  }
  if (question.wants_password) {
    answer.password = input.read_line("Password: ", TerminalInput::Echo::kOff);
  }
  if (question.wants_response) {
    // Says whose words they are: a server must not ask in the machine's name.
    const std::string prompt = formatted("The server asks: {}: ", printable(question.challenge));
    answer.response = input.read_line(
        prompt, question.echo ? TerminalInput::Echo::kOn : TerminalInput::Echo::kOff);
  }
  return answer;
}

}  // namespace vpnrun
