// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/snap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "helper/base/unique_fd.h"
#include "launcher/launch_environment.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::string_view kSnapFolder = "/snap/bin/";

bool is_program(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

/// Empty if there is none.
std::string find_program(const std::string& command, char* const* environment) {
  if (command.find('/') != std::string::npos) {
    return command;
  }
  const char* variable = environment_value(environment, "PATH");
  std::string_view folders = variable == nullptr ? "/bin:/usr/bin" : variable;
  for (bool more = !command.empty(); more;) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    std::string path(folders.substr(0, end));
    more = end < folders.size();
    folders.remove_prefix(more ? end + 1 : end);
    path += (path.empty() ? "" : "/") + command;
    if (is_program(path)) {
      return path;
    }
  }
  return {};
}

std::string without_links(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  return real ? std::string(real.get()) : std::string();
}

/// Empty if it cannot be read.
std::string beginning_of(const std::string& path) {
  constexpr std::size_t kEnough = 4096;
  std::array<char, kEnough> text{};
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const ssize_t size = fd.ok() ? ::read(fd.get(), text.data(), text.size()) : 0;
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

bool is_snap(std::string_view path) {
  return path == "/usr/bin/snap" || path == "/bin/snap" || path.starts_with("/snap/") ||
         path.starts_with("/var/lib/snapd/") || path.starts_with("/usr/lib/snapd/") ||
         path.starts_with("/usr/libexec/snapd/");
}

bool becomes_snap(std::string_view text) {
  if (!text.starts_with("#!")) {
    return false;
  }
  for (std::size_t at = text.find(kSnapFolder); at != std::string_view::npos;
       at = text.find(kSnapFolder, at + 1)) {
    const std::string_view before = text.substr(0, at);
    const std::size_t last = before.find_last_not_of(" \t\"'");
    if (last != std::string_view::npos && before.substr(0, last + 1).ends_with("exec")) {
      return true;
    }
  }
  return false;
}

void refuse_snap(const std::string& command, char* const* environment) {
  const std::string found = find_program(command, environment);
  const std::string path = found.empty() ? std::string() : without_links(found);
  if (path.empty() || !(is_snap(path) || becomes_snap(beginning_of(path)))) {
    return;
  }
  throw Error(
      fmt::format(
          "cannot start '{}': it is a snap, which snapd starts with the machine's own /run: "
          "its names would be looked up outside the tunnel",
          printable(command)),
      std::make_error_code(std::errc::not_supported),
      "install the program as a package of the distribution, a Flatpak or an archive instead");
}

}  // namespace vpnrun
