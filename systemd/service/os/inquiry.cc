// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/inquiry.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/programs.h"

namespace vpnrun::service {

void Inquiry::ask(const Question& question, Callback callback) {
  cancel();
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot create a pipe");
  }
  output_.reset(fds[0]);
  const UniqueFd output_end(fds[1]);
  const UniqueFd input = memory_file("question", question.input);
  // Not our own standard error, which may be a terminal or a file.
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!null.ok()) {
    throw_errno("cannot open '/dev/null'");
  }
  const bool is_root = ::geteuid() == 0;
  SpawnOptions options;
  options.program = program_;
  options.name = "vpnrun-tunnel";
  options.arguments = {question.command};
  options.environment = {kChildPath, "LC_ALL=C"};
  options.stdin_fd = input.get();
  options.output_fd = output_end.get();
  options.error_fd = null.get();
  options.drop_privileges = is_root && question.account;
  options.drop_capabilities = is_root && !question.account;
  if (question.account) {
    options.uid = question.account->uid;
    options.gid = question.account->gid;
  }
  options.alone = is_root;
  options.parent_death_signal = SIGKILL;
  callback_ = std::move(callback);
  text_.clear();
  // Before there is a child: if this failed, nobody would end it.
  watch_ = loop_.watch(output_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
  deadline_ = loop_.after(question.patience, [this] {
    (void)child_.send_signal(SIGKILL);  // end of file follows
  });
  try {
    child_ = spawn(options);
  } catch (const std::exception&) {
    cancel();
    throw;
  }
}

void Inquiry::cancel() noexcept {
  watch_.reset();
  deadline_.reset();
  output_.reset();
  if (child_.ok()) {
    (void)child_.send_signal(SIGKILL);
    try {
      (void)child_.wait();
    } catch (const std::exception&) {
      text_.clear();  // it is no longer our child: nothing to wait for
    }
    child_ = Pidfd();
  }
}

void Inquiry::receive() {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
  if (got > 0 && text_.size() < kTextMax) {
    text_.append(buffer.data(), static_cast<std::size_t>(got));
    return;
  }
  if (got < 0 && errno == EINTR) {
    return;
  }
  const auto callback = std::move(callback_);
  std::string text = std::exchange(text_, {});
  text.resize(text.rfind('\n') + 1);  // to nothing, if there is none
  cancel();
  callback(text);
}

}  // namespace vpnrun::service
