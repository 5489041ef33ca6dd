// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/waiting_units.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/programs.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/child.h"

namespace vpnrun::service {
namespace {

/// Units that wait for a namespace are few; a file that is longer is not ours.
constexpr std::size_t kMaxText = 1U << 16U;

std::string entry_of(const std::string& profile_name) {
  return formatted(".{}.waiting", profile_name);
}

std::string_view next_name(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

std::string read_output(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t count = 0;
  while (text.size() < kMaxText &&
         ((count = ::read(fd, buffer.data(), buffer.size())) > 0 || errno == EINTR)) {
    text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    errno = 0;
  }
  return text;
}

/// What systemctl(1) prints; empty if it fails. In a file, not a pipe: nobody has to read
/// meanwhile.
std::string systemctl_output(std::vector<std::string> arguments) {
  const UniqueFd output(::memfd_create("systemctl", MFD_CLOEXEC));
  const UniqueFd errors(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!output.ok() || !errors.ok()) {
    throw_errno("cannot ask systemd");
  }
  SpawnOptions options;
  options.program = kSystemctl;
  options.arguments = std::move(arguments);
  options.output_fd = output.get();
  options.error_fd = errors.get();
  const bool is_done = spawn(options).wait() == 0;
  (void)::lseek(output.get(), 0, SEEK_SET);
  return is_done ? read_output(output.get()) : std::string();
}

/// Those of `waiting` that need `unit`, or one that does.
std::set<std::string> waiting_for(const std::string& unit,
                                  const std::vector<std::string>& waiting) {
  std::set<std::string> found;
  std::vector<std::string> asked{unit};
  while (!asked.empty()) {
    std::vector<std::string> arguments{"show", "--property=RequiredBy,RequisiteOf,BoundBy", "--"};
    arguments.insert(arguments.end(), asked.begin(), asked.end());
    asked.clear();
    const auto shown = shown_units(systemctl_output(std::move(arguments)));
    for (const std::string& name : shown) {
      if (std::find(waiting.begin(), waiting.end(), name) != waiting.end() &&
          found.insert(name).second) {
        asked.push_back(name);
      }
    }
  }
  return found;
}

/// Invalid if it is absent.
UniqueFd open_root() {
  UniqueFd root(::open(kRuntimeRoot, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root.ok() && errno != ENOENT) {
    throw_errno("cannot open '{}'", kRuntimeRoot);
  }
  return root;
}

std::vector<std::string> remembered(int root, const std::string& profile_name) {
  const UniqueFd file(
      ::openat(root, entry_of(profile_name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return file.ok() ? shown_units("=" + read_output(file.get())) : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> waiting_starts(std::string_view jobs) {
  std::vector<std::string> units;
  while (!jobs.empty()) {
    std::string_view line = jobs.substr(0, jobs.find('\n'));
    jobs.remove_prefix(std::min(line.size() + 1, jobs.size()));
    (void)next_name(line);  // the job's number
    const std::string_view unit = next_name(line);
    const std::string_view type = next_name(line);
    const std::string_view state = next_name(line);
    if ((type == "start" || type == "restart") && state == "waiting") {
      units.emplace_back(unit);
    }
  }
  return units;
}

std::vector<std::string> shown_units(std::string_view properties) {
  std::vector<std::string> units;
  while (!properties.empty()) {
    std::string_view line = properties.substr(0, properties.find('\n'));
    properties.remove_prefix(std::min(line.size() + 1, properties.size()));
    const std::size_t sign = line.find('=');
    line.remove_prefix(sign == std::string_view::npos ? 0 : sign + 1);
    for (std::string_view word = next_name(line); !word.empty(); word = next_name(line)) {
      const bool is_quoted = word.front() == '"';
      std::string name;
      for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] == '"') {
          continue;
        }
        if (is_quoted && word[i] == '\\' && i + 1 < word.size()) {
          ++i;  // printed as "a\\x2db.service"
        }
        name += word[i];
      }
      units.push_back(name);
    }
  }
  return units;
}

void remember_waiting_units(const std::string& profile_name) {
  if (::access(kSystemctl, X_OK) != 0) {
    return;
  }
  const std::vector<std::string> waiting = waiting_starts(
      systemctl_output({"list-jobs", "--plain", "--no-legend", "--no-pager", "--full"}));
  std::set<std::string> units =
      waiting_for(formatted("vpnrun-netns@{}.service", profile_name), waiting);
  if (units.empty()) {
    return;
  }
  constexpr mode_t kRootMode = 0711;
  // A start that failed at its beginning leaves none.
  if (::mkdir(kRuntimeRoot, kRootMode) != 0 && errno != EEXIST) {
    throw_errno("cannot create '{}'", kRuntimeRoot);
  }
  const UniqueFd root = open_root();
  for (const std::string& unit : remembered(root.get(), profile_name)) {
    units.insert(unit);
  }
  std::string text;
  for (const std::string& unit : units) {
    text += unit + "\n";
  }
  replace_file(root.get(), entry_of(profile_name), text);
}

void start_waiting_units(const std::string& profile_name) {
  const UniqueFd root = open_root();
  const std::vector<std::string> units =
      root.ok() ? remembered(root.get(), profile_name) : std::vector<std::string>();
  if (units.empty()) {
    return;
  }
  std::vector<std::string> arguments{"--no-block", "start", "--"};
  arguments.insert(arguments.end(), units.begin(), units.end());
  (void)systemctl_output(std::move(arguments));
  forget_waiting_units(profile_name);
}

void forget_waiting_units(const std::string& profile_name) noexcept {
  (void)::unlink(formatted("{}/{}", kRuntimeRoot, entry_of(profile_name)).c_str());
}

}  // namespace vpnrun::service
