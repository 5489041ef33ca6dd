// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/os/call_filter.h"
#include "systemd/service/os/rights.h"

namespace vpnrun::service {
namespace {

constexpr char kHintMark = '\x1f';  // between message and hint on the pipe

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot create a pipe");
  }
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      return text;
    }
  }
}

void write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno != EINTR) {
      return;  // the parent is gone; there is nobody left to tell
    }
    text.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
  }
}

void report(int fd, const Error& error) noexcept {
  try {
    write_all(fd, formatted("{}{}{}", error.what(), kHintMark, error.hint()));
  } catch (const std::exception&) {
    write_all(fd, "out of memory");
  }
}

[[noreturn]] void throw_reported(const std::string& text) {
  const auto mark = text.find(kHintMark);
  throw Error(text.substr(0, mark), {},
              mark == std::string::npos ? std::string() : text.substr(mark + 1));
}

/// Runs `body` and reports a failure to `fd`. Returns the exit status.
int run_reporting(const std::function<void()>& body, int fd) noexcept {
  try {
    body();
    return 0;
  } catch (const Error& error) {
    report(fd, error);
  } catch (const std::exception& error) {
    write_all(fd, error.what());
  }
  return 1;
}

int wait_for(pid_t pid) noexcept {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// Our session keyring may be that of a login, with root's keys, and any process that has it may
/// use them, whatever its user (session-keyring(7)). A container may have no keyrings, or refuse
/// every use of them.
void leave_session_keyring() {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS &&
      errno != EPERM) {
    throw_errno("cannot leave the session keyring");
  }
}

void drop_every_privilege(uid_t uid, gid_t gid) {
  for (int cap = 0; cap <= CAP_LAST_CAP; ++cap) {
    // EINVAL: a capability that this kernel does not know cannot be kept either
    if (::prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EINVAL) {
      throw_errno("cannot empty the capability bounding set");
    }
  }
  if (::setgroups(0, nullptr) != 0 || ::setresgid(gid, gid, gid) != 0 ||
      ::setresuid(uid, uid, uid) != 0) {
    throw_errno("cannot change to user {}", uid);
  }
  keep_capabilities({});
  if (::setuid(0) == 0) {
    throw Error(formatted("user {} would have kept root's rights", uid));
  }
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) {
    throw_errno("cannot switch off core dumps");
  }
}

void set_limits(const std::vector<Limit>& limits) {
  for (const Limit& limit : limits) {
    rlimit value{};
    const auto resource = static_cast<__rlimit_resource_t>(limit.resource);
    if (::getrlimit(resource, &value) != 0) {
      throw_errno("cannot read a limit");
    }
    value.rlim_max = std::min(value.rlim_max, limit.most);
    value.rlim_cur = std::min(value.rlim_cur, limit.most);
    if (::setrlimit(resource, &value) != 0) {
      throw_errno("cannot set a limit");
    }
  }
}

void set_up_descriptors(const SpawnOptions& options) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.ok()) {
    throw_errno("cannot open '/dev/null'");
  }
  const int input = options.stdin_fd >= 0 ? options.stdin_fd : null.get();
  const int error = options.error_fd >= 0 ? options.error_fd : options.output_fd;
  if (::dup2(input, STDIN_FILENO) < 0 || (error >= 0 && ::dup2(error, STDERR_FILENO) < 0) ||
      (options.output_fd >= 0 && ::dup2(options.output_fd, STDOUT_FILENO) < 0)) {
    throw_errno("cannot set up standard descriptors");
  }
  if (::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0) {
    throw_errno("cannot close descriptors");
  }
}

void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    (void)::sigaction(signal, &action, nullptr);  // EINVAL for SIGKILL, SIGSTOP and libc's own
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // NOLINT(concurrency-mt-unsafe): one thread
}

/// To be checked after PR_SET_PDEATHSIG, which does not report a parent that died before. Nor does
/// getppid(2): to a child in another pid namespace the parent is 0, dead or alive.
bool has_parent(int report_fd) {
  pollfd reader{report_fd, 0, 0};
  return ::poll(&reader, 1, 0) == 0;  // POLLERR: nobody reads any more
}

void join_namespaces(const SpawnOptions& options) {
  if (options.netns_fd >= 0 && ::setns(options.netns_fd, CLONE_NEWNET) != 0) {
    throw_errno("cannot join the network namespace");
  }
  if (options.mount_namespace_fd >= 0 && ::setns(options.mount_namespace_fd, CLONE_NEWNS) != 0) {
    throw_errno("cannot join the mount namespace");
  }
  if (options.furnish) {
    if (::unshare(CLONE_NEWNS) != 0) {
      throw_errno("cannot create a mount namespace");
    }
    options.furnish();
  }
}

[[noreturn]] void execute(const SpawnOptions& options) {
  std::vector<char*> argv;
  std::vector<char*> envp;
  const std::string& name = options.name.empty() ? options.program : options.name;
  argv.push_back(const_cast<char*>(name.c_str()));
  for (const auto& argument : options.arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  for (const auto& variable : options.environment) {
    envp.push_back(const_cast<char*>(variable.c_str()));
  }
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  ::execve(options.program.c_str(), argv.data(), envp.data());
  throw_errno("cannot execute '{}'", options.program);
}

/// In the child: everything up to execve. Returns only by throwing.
[[noreturn]] void become(const SpawnOptions& options, int report_fd) {
  // First, so that /dev/null is ours and not what the profile's view has there.
  set_up_descriptors(options);
  join_namespaces(options);
  reset_signals();
  if (options.own_session || options.alone) {
    (void)::setsid();  // away from our terminal; cannot fail: it leads no process group
  }
  if (::chdir("/") != 0) {
    throw_errno("cannot change to '/'");
  }
  if (options.drop_privileges || options.drop_capabilities) {
    leave_session_keyring();
  }
  if (options.drop_privileges) {
    drop_every_privilege(options.uid, options.gid);
  } else if (options.drop_capabilities) {
    keep_capabilities({});
  }
  if (options.parent_death_signal != 0) {
    // After the change of user, which clears it.
    ::prctl(PR_SET_PDEATHSIG, options.parent_death_signal, 0, 0, 0);
    if (!has_parent(report_fd)) {
      throw Error("the companion died");
    }
  }
  if (options.refuse_calls) {
    refuse_calls();
  }
  set_limits(options.limits);  // last: this copy of us may have more memory than allowed
  execute(options);
}

/// fork(2), into new namespaces if `flags` says so. Not unshare(2): that would apply to our later
/// children as well.
pid_t fork_into(unsigned long flags) {
  const pid_t pid =
      flags == 0 ? ::fork() : static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0));
  if (pid < 0) {
    throw_errno("cannot create a process");
  }
  return pid;
}

void keep(const Kept& kept, int report_fd) {
  std::vector<int> descriptors = kept.descriptors;
  descriptors.push_back(report_fd);
  close_all_but(descriptors);
  keep_capabilities(kept.capabilities);
}

}  // namespace

Pidfd Pidfd::of_child(pid_t pid) {
  Pidfd result;
  result.pid_ = pid;
  result.fd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!result.fd_.ok()) {
    const int error = errno;
    (void)::kill(pid, SIGKILL);
    (void)wait_for(pid);
    throw_error(error, "cannot hold on to process {}", pid);
  }
  return result;
}

bool Pidfd::send_signal(int signal) const noexcept {
  return ::syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0) == 0;
}

void Pidfd::kill_group() const noexcept {
  (void)send_signal(SIGKILL);
  if (pid_ > 1) {
    (void)::kill(-pid_, SIGKILL);
  }
}

int Pidfd::wait() const {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(fd_.get()), &info, WEXITED) != 0) {
    if (errno != EINTR) {
      throw_errno("cannot wait for a child");
    }
  }
  return info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status & 0x7f;
}

void run_in_child(const Kept& kept, const std::function<void()>& body) {
  Pipe errors = make_pipe();
  const pid_t pid = fork_into(0);
  if (pid == 0) {
    const int report_fd = errors.write.get();
    ::_exit(run_reporting(
        [&kept, &body, report_fd] {
          keep(kept, report_fd);
          body();
        },
        report_fd));
  }
  errors.write.reset();
  const std::string text = read_all(errors.read.get());
  const int status = wait_for(pid);
  if (!text.empty()) {
    throw_reported(text);
  }
  if (status != 0) {
    throw Error(formatted("a child process ended with status {}", status));
  }
}

UniqueFd memory_file(const char* name, std::string_view text) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.ok()) {
    throw_errno("cannot create a memory file");
  }
  while (!text.empty()) {
    const ssize_t put = ::write(fd.get(), text.data(), text.size());
    if (put < 0) {
      throw_errno("cannot write a memory file");
    }
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::lseek(fd.get(), 0, SEEK_SET) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
          0) {
    throw_errno("cannot seal a memory file");
  }
  return fd;
}

HeldChild::HeldChild(const std::function<void()>& body) {
  Pipe errors = make_pipe();
  Pipe release = make_pipe();
  pid_ = ::fork();
  if (pid_ < 0) {
    throw_errno("cannot create a process");
  }
  if (pid_ == 0) {
    release.write.reset();
    const int status = run_reporting(body, errors.write.get());
    errors.write.reset();
    if (status == 0) {
      (void)read_all(release.read.get());  // until the parent closes its end, or dies
    }
    ::_exit(status);
  }
  errors.write.reset();
  release_ = std::move(release.write);
  if (const std::string text = read_all(errors.read.get()); !text.empty()) {
    wait_for(pid_);
    pid_ = -1;
    throw_reported(text);
  }
}

HeldChild::~HeldChild() {
  release_.reset();
  if (pid_ > 0) {
    wait_for(pid_);
  }
}

std::string HeldChild::proc_path() const {
  return formatted("/proc/{}", pid_);
}

Pidfd spawn(const SpawnOptions& options) {
  Pipe errors = make_pipe();
  const pid_t pid = fork_into(options.alone ? CLONE_NEWPID | CLONE_NEWIPC : 0);
  if (pid == 0) {
    errors.read.reset();  // or has_parent() would count us as its reader
    const int report_fd = errors.write.get();
    ::_exit(run_reporting([&options, report_fd] { become(options, report_fd); }, report_fd));
  }
  errors.write.reset();
  const std::string text = read_all(errors.read.get());
  if (!text.empty()) {
    wait_for(pid);
    throw_reported(text);
  }
  return Pidfd::of_child(pid);
}

}  // namespace vpnrun::service
