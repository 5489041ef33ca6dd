// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/unit_journal.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "launcher/ctl/program_output.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

/// Whether the caller may read what the system wrote. journalctl(1) shows everybody what their own
/// services wrote, which is not what was asked for, and says nothing if there is none.
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

}  // namespace

void show_journal(const JournalOrder& order, const Places& places, const UnitPlaces& units,
                  char* const* environment) {
  if (!has_systemd(places)) {
    throw Error("there is no journal: this machine does not run systemd",
                std::make_error_code(std::errc::not_supported),
                "'vpnrun-tunnel run' writes to its standard error; look where that goes");
  }
  if (!may_read_journal(units)) {
    throw Error("you may not read the system's journal",
                std::make_error_code(std::errc::permission_denied),
                fmt::format("'vpnrunctl status {}' has the last error; members of the groups "
                            "systemd-journal and adm may read all",
                            order.profile));
  }
  std::vector<std::string> words = {units.journalctl, "--lines=" + order.lines};
  for (const char* unit : {"vpnrun@{}.service", "vpnrun-netns@{}.service", "vpnrun@{}.socket"}) {
    words.push_back("--unit=" + fmt::format(fmt::runtime(unit), order.profile));
  }
  if (order.follow) {
    words.emplace_back("--follow");
  }
  words.emplace_back(order.json ? "--output=json" : "--output=short-iso");
  become_program(words, environment);
}

}  // namespace vpnrun
