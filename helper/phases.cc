// SPDX-License-Identifier: GPL-2.0-or-later
//
// Theory of operation
//
// vpnrun-helper starts with the privilege to join namespaces and ends as an ordinary process of its
// caller. It is a straight line of phases; main() shows their order, each header says what a phase
// should and must not do, and every failure ends in die().
//
//   1. sanitise_process    arguments, descriptors, not dumpable         as installed
//   2. check_privilege     exactly the privilege of a known install
//      become_caller       all ids are the caller's for good; two capabilities left, asleep
//   3. read_request        profile name, marked environment             as the caller
//   4. remember_directory
//   5. open_profile        the kernel decides whether the caller may    as the caller
//      check_standpoint    the caller stands where the view was made
//      open_namespaces     and they are the recorded ones
//   6. raise_capabilities  -- the only privileged stretch begins --
//      join_namespaces     two setns(2)
//      load_application_filter
//   7. drop_privileges     -- and ends: nothing left, read back --
//      forbid_new_privileges  if the profile says so                    as the caller
//   8. return_to           the same directory                           as the caller
//      restore_…           environment, stack limit
//   9. run_command
//
// Between 6 and 7 nothing is opened, no path is looked up and no string of the caller is read.
#include "helper/phases.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "helper/die.h"

namespace vpnrun {
namespace {

constexpr int kFewestArguments = 3;  // vpnrun-helper PROFILE COMMAND

// In a privileged process libc itself opens something on a closed 0, 1 or 2, before main(): for 0
// /dev/full to write, for the others /dev/null to read (glibc, csu/check_fds.c). O_NOFOLLOW, which
// stays visible, tells them from the caller's.
bool is_placeholder_of_libc(int fd) noexcept {
  constexpr unsigned kMemoryMajor = 1;
  const unsigned minor_number = fd == STDIN_FILENO ? 7 : 3;
  const int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
  struct stat status {};
  return ::getauxval(AT_SECURE) != 0 &&
         (::fcntl(fd, F_GETFL) & (O_ACCMODE | O_NOFOLLOW)) == (mode | O_NOFOLLOW) &&
         ::fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
         status.st_rdev == makedev(kMemoryMajor, minor_number);
}

void occupy(int fd) noexcept {
  if (::fcntl(fd, F_GETFD) >= 0) {
    if (is_placeholder_of_libc(fd) && ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      ::_exit(kExitOwnFailure);
    }
    return;
  }
  // The lowest free descriptor is this one, because the lower ones are taken already.
  if (::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) != fd) {
    ::_exit(kExitOwnFailure);  // nowhere to complain
  }
}

// Unlike stat("."), works where the caller may not search.
bool stat_here(struct stat& status) noexcept {
  return ::fstatat(AT_FDCWD, "", &status, AT_EMPTY_PATH) == 0;
}

const char* find_path(char** environment) noexcept {
  constexpr std::string_view kName = "PATH=";
  for (; *environment != nullptr; ++environment) {
    if (std::strncmp(*environment, kName.data(), kName.size()) == 0) {
      return *environment + kName.size();
    }
  }
  return "/bin:/usr/bin";  // what execvp(3) does without a PATH
}

// Returns errno; returns only on failure.
int try_file(const char* file, const Request& request) noexcept {
  ::execve(file, request.command, request.environment);
  if (errno == ENOEXEC) {
    // "/bin/sh FILE ARG…" takes one slot more; PROFILE's is free by now. execve(2) changes nothing.
    request.command[-1] = const_cast<char*>("/bin/sh");
    request.command[0] = const_cast<char*>(file);
    ::execve("/bin/sh", request.command - 1, request.environment);
  }
  return errno;
}

// Whether execvp(3) goes on to the next folder after this error.
bool goes_on_after(int error) noexcept {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ESTALE ||
         error == ENODEV || error == ETIMEDOUT;
}

int search(std::string_view name, const Request& request) noexcept {
  std::array<char, PATH_MAX> file{};
  bool denied = false;
  std::string_view rest = find_path(request.environment);
  for (bool more = true; more;) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string_view folder(rest.data(), end);
    more = end < rest.size();
    rest.remove_prefix(more ? end + 1 : end);
    if (folder.size() + 1 + name.size() + 1 > file.size()) {
      continue;
    }
    char* at = std::copy(folder.begin(), folder.end(), file.data());
    if (!folder.empty()) {  // an empty element is the current directory
      *at++ = '/';
    }
    at = std::copy(name.begin(), name.end(), at);
    *at = '\0';
    const int error = try_file(file.data(), request);
    if (!goes_on_after(error)) {
      return error;
    }
    // Where the caller may not search, nothing was found. (execvp(3) takes that for a find.)
    denied = denied || (error == EACCES && ::access(file.data(), F_OK) == 0);
  }
  return denied ? EACCES : ENOENT;
}

}  // namespace

void sanitise_process(int argc) noexcept {
  if (argc < kFewestArguments) {
    die(Text("vpnrun-helper was not started by vpnrun"), Text("call 'vpnrun COMMAND' instead"));
  }
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    occupy(fd);
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    die(Text("cannot protect itself from ptrace", Errno{errno}), Text("see prctl(2)"));
  }
}

void remember_directory(Directory& out) noexcept {
  // Not getcwd(3), which climbs through directories by itself when the kernel has no answer.
  struct stat status {};
  if (::syscall(SYS_getcwd, out.path.data(), out.path.size()) < 0 || !stat_here(status)) {
    die(Text("cannot remember the current directory", Errno{errno}),
        Text("cd to a directory that still exists and start again"));
  }
  if (out.path[0] != '/') {
    die(Text("the current directory lies outside the root directory"),
        Text("cd to a directory below / and start again"));
  }
  out.id = {status.st_dev, status.st_ino};
}

void return_to(const Directory& directory) noexcept {
  struct stat status {};
  const Untrusted path{directory.path.data()};
  if (::chdir(path.text) != 0 || !stat_here(status)) {
    die(Text("cannot enter the current directory '", path, "' again", Errno{errno}),
        Text("cd elsewhere, for example to your home directory, and start again"));
  }
  if (FileId{status.st_dev, status.st_ino} != directory.id) {
    die(Text("the current directory '", path, "' is a different one inside the profile"),
        Text("cd elsewhere, for example to your home directory, and start again"));
  }
}

void run_command(const Request& request) noexcept {
  // The slot in argv is overwritten when a script goes to /bin/sh; the string stays.
  const char* const name = request.command[0];
  const bool is_path = std::strchr(name, '/') != nullptr;
  int error = ENOENT;  // the empty name is never found
  if (is_path) {
    error = try_file(name, request);
  } else if (*name != '\0') {
    error = search(name, request);
  }
  if (error != ENOENT) {
    die(Text("cannot run '", Untrusted{name}, "'", Errno{error}),
        Text("it was found, but does not start; check its permissions and its format"),
        kExitNotExecutable);
  }
  if (is_path && ::access(name, F_OK) == 0) {
    die(Text("cannot run '", Untrusted{name}, "': its interpreter or loader is missing"),
        Text("check the first line of a script, or the architecture of a program"), kExitNotFound);
  }
  die(Text("cannot run '", Untrusted{name}, "': not found"),
      is_path ? Text("check the path") : Text("check the spelling and PATH"), kExitNotFound);
}

}  // namespace vpnrun
