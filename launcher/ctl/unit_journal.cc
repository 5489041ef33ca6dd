// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/unit_journal.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "launcher/ctl/program_output.h"
#include "profiles/base/error.h"

namespace vpnrun {

bool may_read_journal(const UnitPlaces& units) {
  if (::geteuid() == 0) {
    return true;
  }
  return std::any_of(units.journals.begin(), units.journals.end(), [](const std::string& folder) {
    std::error_code unreadable;  // or absent
    std::filesystem::directory_iterator machines(folder, unreadable);
    return std::any_of(begin(machines), end(machines), [](const auto& machine) {
      return ::access((machine.path() / "system.journal").c_str(), R_OK) == 0;
    });
  });
}

void show_journal(const LogOrder& order, const UnitPlaces& units, char* const* environment) {
  // Otherwise it pages on a terminal, and its pager cuts lines.
  std::vector<std::string> words = {units.journalctl, "--no-pager", "--full",
                                    "--lines=" + order.lines};
  for (const char* unit : {"vpnrun@{}.service", "vpnrun-netns@{}.service", "vpnrun@{}.socket"}) {
    words.push_back("--unit=" + formatted(fmt::runtime(unit), order.profile));
  }
  if (order.follow) {
    words.emplace_back("--follow");
  }
  words.emplace_back(order.json ? "--output=json" : "--output=short-iso");
  become_program(words, environment);
}

}  // namespace vpnrun
