// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {

/// A process that we started, held by its pidfd: signals reach it or nobody (pidfd_open(2)).
class Pidfd {
 public:
  Pidfd() noexcept = default;
  /// Takes a child of ours that has not been waited for. Throws Error (pidfd_open(2)).
  static Pidfd of_child(pid_t pid);

  [[nodiscard]] bool ok() const noexcept { return fd_.ok(); }
  /// Readable (EPOLLIN) once the process has ended.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// False if the process has ended.
  [[nodiscard]] bool send_signal(int signal) const noexcept;
  /// Sends SIGKILL to the process and to all that it has started in its group. Only for one that
  /// was started with SpawnOptions::own_session and has not been waited for: its number is its
  /// group's.
  void kill_group() const noexcept;
  /// Waits for the end and returns the status of wait(2). Throws Error.
  [[nodiscard]] int wait() const;

 private:
  UniqueFd fd_;
  pid_t pid_ = -1;
};

/// Runs `body` in a forked child and waits. An exception of it is thrown here again as Error, with
/// its hint. The child has our descriptors and nothing else of note; it ends by _exit(2).
void run_in_child(const std::function<void()>& body);

/// A child that runs `body` and then stays until its end is asked for: for namespaces that exist
/// only as long as a process is in them, until they have been bound to a file.
class HeldChild {
 public:
  /// Returns once `body` has finished in the child. Throws Error as run_in_child does.
  explicit HeldChild(const std::function<void()>& body);
  HeldChild(const HeldChild&) = delete;
  HeldChild& operator=(const HeldChild&) = delete;
  HeldChild(HeldChild&&) = delete;
  HeldChild& operator=(HeldChild&&) = delete;
  ~HeldChild();
  /// "/proc/PID" of the child, valid while this object lives.
  [[nodiscard]] std::string proc_path() const;

 private:
  pid_t pid_ = -1;
  UniqueFd release_;
};

/// How to start a program that is not to be trusted with anything.
struct SpawnOptions {
  std::string program;                 ///< absolute path
  std::vector<std::string> arguments;  ///< argv without argv[0]
  std::vector<std::string> environment;
  int stdin_fd = -1;             ///< -1: /dev/null
  int output_fd = -1;            ///< standard output and error; -1: inherited
  int error_fd = -1;             ///< standard error; -1: where output_fd says
  int netns_fd = -1;             ///< joined if not -1
  int mount_namespace_fd = -1;   ///< joined if not -1
  bool drop_privileges = false;  ///< to `uid`:`gid`, no groups, no capability, no_new_privs
  uid_t uid = 0;
  gid_t gid = 0;
  bool own_session = false;     ///< setsid(2): Pidfd::kill_group() reaches it and what it starts
  int parent_death_signal = 0;  ///< prctl(2) PR_SET_PDEATHSIG; 0: none
};

/// fork + execve. Signals are at their defaults there and only descriptors 0-2 are open. Throws
/// Error if any step up to execve itself failed (reported over a close-on-exec pipe).
[[nodiscard]] Pidfd spawn(const SpawnOptions& options);

}  // namespace vpnrun::service
