// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/ask_password.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/secret.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

/// Until then a launcher that starts the tunnel has connected, and can ask: no agent's prompt has
/// to appear on the screen.
constexpr std::chrono::milliseconds kGrace{500};
/// How long systemd-ask-password has to remove its question and end. It takes longer only if it is
/// broken.
constexpr std::chrono::milliseconds kEndPatience{1000};
/// The same limit as the launcher's for what is typed at a terminal.
constexpr std::size_t kAnswerMax = 1024;

/// What the program wrote before it ended: one line, returned without its line end.
Secret first_line(int fd) {
  std::array<char, kAnswerMax + 1> buffer{};
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(fd, buffer.data() + size, buffer.size() - size);
    if (got <= 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  const std::string_view text(buffer.data(), size);
  const std::size_t end = text.find('\n');
  Secret line(text.substr(0, end));
  ::explicit_bzero(buffer.data(), buffer.size());
  if (end == std::string_view::npos && size > kAnswerMax) {
    throw Error("what was typed is too long");
  }
  return line;
}

}  // namespace

AskPassword::AskPassword(EventLoop& loop, std::string profile_name, Answered answered,
                         std::string program, std::string folder)
    : loop_(loop),
      profile_name_(std::move(profile_name)),
      answered_(std::move(answered)),
      program_(std::move(program)),
      folder_(std::move(folder)) {}

void AskPassword::follow(const std::optional<CredentialQuestion>& question, bool somebody_asks) {
  if (!question || somebody_asks) {
    stop();
    return;
  }
  if ((question_ && question_->id == question->id) || declined_ == question->id) {
    return;
  }
  stop();
  if (::access(folder_.c_str(), F_OK) != 0 || ::access(program_.c_str(), X_OK) != 0) {
    return;
  }
  question_ = question;
  delay_ = loop_.after(kGrace, [this] { begin(); });
}

void AskPassword::begin() {
  delay_.reset();
  forget();
  parts_ = parts_of(*question_);
  next_part_ = 0;
  answer_.command = Command::kAnswer;
  answer_.question_id = question_->id;
  log::info("'{}': asking the password agents: {}", profile_name_, printable(question_->text));
  ask_next();
}

std::vector<AskPassword::Part> AskPassword::parts_of(const CredentialQuestion& question) const {
  const std::string context = " (" + printable(question.text) + "):";
  std::vector<Part> parts;
  if (question.wants_user_name) {
    parts.push_back({"User name" + context, true, &ControlRequest::user_name});
  }
  if (question.wants_password) {
    parts.push_back({"Password" + context, false, &ControlRequest::password});
  }
  if (question.wants_response) {
    // The prompt says whose words they are: a server must not seem to speak for the machine.
    parts.push_back({formatted("The server of '{}' asks: {}{}", profile_name_,
                               printable(question.challenge), context),
                     question.echo, &ControlRequest::response});
  }
  return parts;
}

void AskPassword::ask_next() {
  if (next_part_ == parts_.size()) {
    const auto question = question_;
    ControlRequest answer = std::exchange(answer_, {});
    question_.reset();  // the answer changes the status, which calls follow()
    std::optional<Error> refusal;
    try {
      answered_(answer);
    } catch (const Error& error) {
      refusal = error;
    }
    if (refusal) {
      log::warn("'{}': the password agents' answer cannot be used: {}", profile_name_,
                refusal->what());
      if (!question_) {
        follow(question, false);
      }
    }
    return;
  }
  const Part& part = parts_[next_part_];
  try {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      throw_errno("cannot create a pipe");
    }
    output_.reset(pipe[0]);
    const UniqueFd output_end(pipe[1]);
    SpawnOptions options;
    options.program = program_;
    options.arguments = {"--no-tty",
                         "--timeout=0",
                         "--icon=network-vpn",
                         "--id=vpnrun:" + profile_name_,
                         part.echo ? "--echo=yes" : "--echo=masked",
                         part.message};
    // Not our own environment: the program would look for a credential "password" in it
    // (systemd-ask-password(1)).
    options.environment = {kChildPath, "LC_ALL=C.UTF-8"};
    options.output_fd = output_end.get();
    options.error_fd = STDERR_FILENO;  // its messages are not part of an answer
    options.drop_capabilities = true;
    options.parent_death_signal = SIGTERM;
    process_ = spawn(options);
    exit_watch_ = loop_.watch(process_.fd(), EPOLLIN, [this](std::uint32_t) { on_exit(); });
  } catch (const std::exception& error) {
    log::ignored(error);  // a launcher with a terminal can still ask
    declined_ = question_->id;
    stop();
  }
}

void AskPassword::on_exit() {
  exit_watch_.reset();
  const Pidfd process = std::move(process_);
  process_ = {};
  try {
    take(process.wait());
  } catch (const std::exception& error) {
    log::ignored(error);
    declined_ = question_->id;
    stop();
  }
}

void AskPassword::take(int status) {
  if (status != 0) {
    log::info("'{}': the password agents gave no answer; 'vpnrunctl up {}' asks", profile_name_,
              profile_name_);
    declined_ = question_->id;
    stop();
    return;
  }
  answer_.*parts_[next_part_].field = first_line(output_.get());
  output_.reset();
  ++next_part_;
  ask_next();
}

void AskPassword::stop() noexcept {
  delay_.reset();
  question_.reset();
  end_process();
  forget();
}

/// Sends SIGTERM, on which the program withdraws its question. Does not wait for its end.
void AskPassword::end_process() noexcept {
  exit_watch_.reset();
  output_.reset();
  if (!process_.ok()) {
    return;
  }
  (void)process_.send_signal(SIGTERM);
  try {
    Ending& ending = endings_.emplace_back();
    ending.process = std::exchange(process_, {});
    const int fd = ending.process.fd();
    ending.limit = loop_.after(kEndPatience, [&ending] {
      (void)ending.process.send_signal(SIGKILL);  // the watch below then sees its end
    });
    ending.watch = loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t) {
      endings_.remove_if([fd](Ending& ended) {
        if (ended.process.fd() != fd) {
          return false;
        }
        reap(ended.process);
        return true;
      });
    });
  } catch (const std::exception& error) {
    log::ignored(error);
    end_all();
  }
}

/// Waits for those that were told to end: only for the destructor.
void AskPassword::end_all() noexcept {
  for (auto& ending : endings_) {
    pollfd wait{ending.process.fd(), POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(kEndPatience.count())) <= 0) {
      (void)ending.process.send_signal(SIGKILL);
    }
    reap(ending.process);
  }
  endings_.clear();
}

void AskPassword::reap(const Pidfd& process) noexcept {
  try {
    (void)process.wait();
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

void AskPassword::forget() noexcept {
  answer_ = {};
}

}  // namespace vpnrun::service
