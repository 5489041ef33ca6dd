// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {

/// A process that we started, referred to by its pidfd: a signal reaches this process or none
/// (pidfd_open(2)).
class Pidfd {
 public:
  Pidfd() noexcept = default;
  /// Takes a child of ours that has not been waited for. Throws Error (pidfd_open(2)); then the
  /// child has been killed and waited for, as nobody else could do it.
  static Pidfd of_child(pid_t pid);

  [[nodiscard]] bool ok() const noexcept { return fd_.ok(); }
  /// Refers to this process and no other until wait() has returned.
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
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

/// What a forked child keeps of this process, besides a copy of its memory. Like this process it is
/// not dumpable (prctl(2)); it ends by _exit(2).
struct Kept {
  std::vector<int> capabilities;  ///< CAP_*, with no way to gain others
  std::vector<int> descriptors;   ///< besides 0 to 2
};

/// Runs `body` in a forked child and waits for it. An exception that it throws is thrown here again
/// as Error, with its hint.
void run_in_child(const Kept& kept, const std::function<void()>& body);

/// A file that exists in memory only, positioned at its beginning, and sealed: nobody can change it
/// (memfd_create(2)). Throws Error.
[[nodiscard]] UniqueFd memory_file(const char* name, std::string_view text);

/// A child that runs `body` and then stays until it is told to end: for namespaces that exist only
/// as long as a process is in them, until they have been bound to a file.
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

/// A limit of setrlimit(2), hard and soft; one that is already lower stays.
struct Limit {
  int resource;  ///< RLIMIT_*
  rlim_t most;
};

/// How to start a program.
struct SpawnOptions {
  std::string program;                 ///< absolute path
  std::string name;                    ///< argv[0]; empty: the path
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
  bool own_session = false;        ///< setsid(2): Pidfd::kill_group() reaches it and what it starts
  bool drop_capabilities = false;  ///< root's files, but no capability; sets no_new_privs
  /// It is the first process of a pid namespace: it can signal and trace only what it starts
  /// itself, and that dies with it in any case. It also has an IPC namespace of its own, and no
  /// controlling terminal.
  bool alone = false;
  /// Called in the child, in a mount namespace of its own and with all rights, as the last step
  /// before they are dropped; `program` is looked for after it.
  std::function<void()> furnish;
  int parent_death_signal = 0;  ///< prctl(2) PR_SET_PDEATHSIG; 0: none
  bool refuse_calls = false;    ///< refuse_calls() of call_filter.h; sets no_new_privs
  /// Set after the change of user: other processes of that user do not keep it from starting.
  std::vector<Limit> limits;
};

/// fork + execve. In the child, signals are at their defaults and only descriptors 0-2 are open.
/// Throws Error if any step up to and including execve failed (reported over a close-on-exec pipe).
[[nodiscard]] Pidfd spawn(const SpawnOptions& options);

}  // namespace vpnrun::service
