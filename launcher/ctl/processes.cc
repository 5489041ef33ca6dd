// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <memory>
#include <optional>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"
#include "launcher/control_client.h"
#include "launcher/read_file.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::size_t kLongestProcFile = 4U << 20U;  // the longest argument list, and more

/// Empty if the process is gone.
std::string read_proc_file(const std::string& path) {
  try {
    return read_file(path, kLongestProcFile).value_or(std::string());
  } catch (const Error&) {
    return {};  // ESRCH: gone between open and read
  }
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stop == text.data() + text.size() ? std::optional(number)
                                                                   : std::nullopt;
}

/// The value after "`label`:" in /proc/PID/status; empty if there is none.
std::string_view status_field(std::string_view status, std::string_view label) {
  std::size_t begin = status.find(label);
  if (begin == std::string_view::npos) {
    return {};
  }
  begin = status.find_first_not_of("\t ", begin + label.size());
  const std::string_view rest = status.substr(std::min(begin, status.size()));
  return rest.substr(0, rest.find('\n'));
}

/// "Uid:" holds the real, the effective, the saved and the file system's.
std::optional<uid_t> effective_uid(std::string_view status) {
  const std::string_view ids = status_field(status, "\nUid:");
  const std::size_t begin = ids.find('\t');
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = ids.substr(begin + 1);
  return parse_number<uid_t>(rest.substr(0, rest.find('\t')));
}

std::string command_of(const std::string& directory, std::string_view status) {
  std::string command = read_proc_file(directory + "/cmdline");
  while (!command.empty() && command.back() == '\0') {
    command.pop_back();
  }
  std::replace(command.begin(), command.end(), '\0', ' ');
  return command.empty() ? formatted("[{}]", status_field(status, "Name:")) : command;
}

/// User names, each looked up once.
class Users {
 public:
  const std::string& name(uid_t uid) {
    const auto [entry, is_new] = names_.try_emplace(uid);
    if (is_new) {
      const passwd* user = ::getpwuid(uid);  // NOLINT(concurrency-mt-unsafe): one thread
      entry->second = user == nullptr ? std::to_string(uid) : user->pw_name;
    }
    return entry->second;
  }

 private:
  std::map<uid_t, std::string> names_;
};

}  // namespace

FileId netns_of(const Places& places, const std::string& profile) {
  // By the record, not by the entry "netns": from inside, that is an empty file.
  const UniqueFd directory(
      ::open(runtime_directory(places, profile).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Origin origin;
  if (directory.ok() && read_origin(directory.get(), origin)) {
    return origin.netns;
  }
  if (errno == ENOENT || errno == EACCES || errno == ENOTDIR) {
    throw_unusable(places, profile);
  }
  throw_errno("cannot look at the namespace of profile '{}'", profile);
}

ProcessList processes_in(const FileId& netns, const std::string& proc) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc.c_str()), ::closedir);
  if (!directory) {
    throw_errno("cannot read '{}'", proc);
  }
  ProcessList list;
  Users users;
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    const auto pid = parse_number<pid_t>(entry->d_name);
    if (!pid) {
      continue;
    }
    const std::string path = proc + "/" + entry->d_name;
    struct stat info {};
    if (::stat((path + "/ns/net").c_str(), &info) != 0) {
      list.hidden += errno == EACCES || errno == EPERM ? 1 : 0;
      continue;
    }
    if (FileId{.dev = info.st_dev, .ino = info.st_ino} != netns) {
      continue;
    }
    const std::string status = read_proc_file(path + "/status");
    if (const auto uid = effective_uid(status)) {
      list.processes.push_back({*pid, *uid, users.name(*uid), command_of(path, status)});
    }
  }
  std::sort(
      list.processes.begin(), list.processes.end(),
      [](const ProcessFacts& left, const ProcessFacts& right) { return left.pid < right.pid; });
  return list;
}

}  // namespace vpnrun
