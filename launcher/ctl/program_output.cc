// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/program_output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::size_t kMaxOutput = 1U << 20U;

/// Pointers into `words`, as exec wants them.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

class FileActions {
 public:
  FileActions() {
    if (::posix_spawn_file_actions_init(&actions_) != 0) {
      throw_error(ENOMEM, "cannot start a program");
    }
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  FileActions(FileActions&&) = delete;
  FileActions& operator=(FileActions&&) = delete;
  ~FileActions() { (void)::posix_spawn_file_actions_destroy(&actions_); }  // cannot fail in glibc

  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// `program` with its standard output at `out_fd`.
pid_t spawn(const std::vector<char*>& words, char* const* environment, int out_fd) {
  FileActions actions;
  pid_t child = -1;
  int failure = ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null",
                                                   O_RDONLY | O_CLOEXEC, 0);
  if (failure == 0) {
    failure = ::posix_spawn_file_actions_adddup2(actions.get(), out_fd, STDOUT_FILENO);
  }
  if (failure == 0) {
    failure = ::posix_spawn(&child, words[0], actions.get(), nullptr, words.data(), environment);
  }
  if (failure != 0) {
    throw_error(failure, "cannot execute '{}'", words[0]);
  }
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      throw_errno("cannot wait for a program");
    }
  }
  constexpr int kSignalBase = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
}

/// All that comes until the other end is closed. Any excess is read and forgotten.
std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) {
      return text;
    }
    if (count > 0 && text.size() <= kMaxOutput) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    if (count < 0 && errno != EINTR) {
      return text;  // the exit status tells more
    }
  }
}

}  // namespace

ProgramOutput run_program(const std::vector<std::string>& words, char* const* environment) {
  std::vector<std::string> copies = words;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot make a pipe");
  }
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t child = spawn(pointers_to(copies), environment, writer.get());
  writer.reset();
  ProgramOutput output;
  output.out = read_all(reader.get());
  output.status = wait_for(child);
  if (output.out.size() > kMaxOutput) {
    throw_error(EFBIG, "cannot read all that '{}' prints", words.front());
  }
  return output;
}

void become_program(const std::vector<std::string>& words, char* const* environment) {
  std::vector<std::string> copies = words;
  const std::vector<char*> pointers = pointers_to(copies);
  ::execve(pointers[0], pointers.data(), environment);
  throw_errno("cannot execute '{}'", words.front());
}

}  // namespace vpnrun
