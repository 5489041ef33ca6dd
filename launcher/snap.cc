// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/snap.h"

#include <system_error>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::string_view kSnapFolder = "/snap/bin/";

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

void refuse_snap(const std::string& command, const Program& program) {
  if (!is_snap(program.path) && !becomes_snap(program.beginning)) {
    return;
  }
  throw Error(
      formatted("cannot start '{}': it is a snap, which snapd starts with the machine's own /run: "
                "its names would be looked up outside the tunnel",
                printable(command)),
      std::make_error_code(std::errc::not_supported),
      "install the program as a package of the distribution, a Flatpak or an archive instead");
}

}  // namespace vpnrun
