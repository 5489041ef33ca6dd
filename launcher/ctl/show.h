// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "launcher/ctl/drop_in_file.h"
#include "launcher/ctl/facts.h"
#include "launcher/ctl/processes.h"
#include "profiles/protocol/status.h"

// Facts as text: for people, without control characters whatever a profile or a server sent; and as
// JSON, complete. All with line end; the text for people is empty if there is nothing to show.
namespace vpnrun {

[[nodiscard]] std::string show_list(const std::vector<ProfileFacts>& profiles);
/// An array of {"name","description","admission","state"}; state is null if it is not known.
[[nodiscard]] std::string list_to_json(const std::vector<ProfileFacts>& profiles);

[[nodiscard]] std::string show_status(const Status& status);
/// An array of the objects of to_json(Status).
[[nodiscard]] std::string statuses_to_json(const std::vector<Status>& statuses);

/// A profile's name and what lives in it.
using ProfileProcesses = std::pair<std::string, ProcessList>;

[[nodiscard]] std::string show_processes(const std::vector<ProfileProcesses>& profiles);
/// An array of {"profile","pid","uid","user","command"}.
[[nodiscard]] std::string processes_to_json(const std::vector<ProfileProcesses>& profiles);

[[nodiscard]] std::string show_attached(const std::vector<AttachedUnit>& units);
/// An array of {"unit","profile","file"}.
[[nodiscard]] std::string attached_to_json(const std::vector<AttachedUnit>& units);

}  // namespace vpnrun
