// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/terminal_person.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What a person saw who typed `lines`, each once a prompt (": ") stood there; at its end the three
/// parts of the answer, as the program had it.
std::string typed(const CredentialQuestion& question, const std::vector<std::string>& lines) {
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    TerminalPerson person(Verbosity::kNormal, nullptr, "/nonexistent");
    std::string text;
    try {
      const Answer answer = person.ask(question);
      text = formatted("[{}|{}|{}]\n", answer.user_name.view(), answer.password.size(),
                       answer.response.size());
    } catch (const Error& error) {
      text = formatted("<{}>\n", error.what());
    }
    const bool shown = ::write(STDOUT_FILENO, text.data(), text.size()) > 0;
    ::_exit(shown ? 0 : 1);
  }
  const UniqueFd fd(terminal);
  std::string seen;
  std::size_t looked = 0;
  std::size_t next = 0;
  std::array<char, 1024> buffer{};
  pollfd ready{.fd = terminal, .events = POLLIN, .revents = 0};
  while (::poll(&ready, 1, 20'000) > 0) {
    const ssize_t got = ::read(terminal, buffer.data(), buffer.size());
    if (got <= 0) {
      break;
    }
    seen.append(buffer.data(), static_cast<std::size_t>(got));
    if (next < lines.size() && seen.size() > looked + 1 && seen.ends_with(": ")) {
      looked = seen.size();
      const std::string line = lines[next++] + "\n";
      EXPECT_GT(::write(terminal, line.data(), line.size()), 0);
    }
  }
  int status = 0;
  (void)::waitpid(child, &status, 0);
  return seen;
}

TEST(TerminalPerson, AsksForTheResponseInTheServersWords) {
  CredentialQuestion question{.text = "one-time password for 'work'",
                              .wants_password = false,
                              .wants_response = true,
                              .challenge = "PIN\x1b[2J",
                              .echo = true};
  const std::string seen = typed(question, {"8675309"});
  EXPECT_THAT(seen, HasSubstr("one-time password for 'work'"));
  EXPECT_THAT(seen, HasSubstr("The server asks: PIN?[2J: 8675309"));
  EXPECT_THAT(seen, HasSubstr("[|0|7]"));
  question.echo = false;
  EXPECT_THAT(typed(question, {"8675309"}), Not(HasSubstr("8675309")));
}

TEST(TerminalPerson, AsksForAllThree) {
  const CredentialQuestion question{
      .wants_user_name = true, .wants_password = true, .wants_response = true, .challenge = "PIN"};
  const std::string seen = typed(question, {"foo", "hunter2", "42"});
  EXPECT_THAT(seen, HasSubstr("User name: foo"));
  EXPECT_THAT(seen, HasSubstr("[foo|7|2]"));
  EXPECT_THAT(seen, Not(HasSubstr("hunter2")));
}

TEST(TerminalPerson, AnAnswerThatIsTooLongIsRefusedAndNotCut) {
  const CredentialQuestion question{.wants_user_name = false, .wants_password = true};
  EXPECT_THAT(typed(question, {std::string(1024, 'a')}), HasSubstr("[|1024|0]"));
  EXPECT_THAT(typed(question, {std::string(1025, 'a')}),
              HasSubstr("<cannot use the answer: it is longer than 1024 bytes>"));
}

TEST(TerminalPerson, KnowsWhoElseAnswers) {
  const test::ScratchFolder folder;
  std::filesystem::create_directory(folder / "agents");
  // In a session of its own, and so without a terminal; the exit status is the result.
  const auto answers = [&folder](const std::string& name) {
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::setsid();
      const TerminalPerson person(Verbosity::kNormal, nullptr, (folder / name).string());
      ::_exit(static_cast<int>(person.answers()));
    }
    int status = 0;
    (void)::waitpid(child, &status, 0);
    return static_cast<Person::Answers>(WEXITSTATUS(status));
  };
  EXPECT_EQ(answers("agents"), Person::Answers::kElsewhere);
  EXPECT_EQ(answers("nothing"), Person::Answers::kNowhere);
}

}  // namespace
}  // namespace vpnrun
