// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "launcher/ctl/attached.h"
#include "launcher/ctl/facts.h"
#include "launcher/ctl/processes.h"
#include "profiles/protocol/control_message.h"
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

/// The ports that are open from the tunnel, one a line.
[[nodiscard]] std::string show_inbound(const Status& status);
/// An array of strings.
[[nodiscard]] std::string inbound_to_json(const Status& status);

/// A profile's name and what lives in it.
using ProfileProcesses = std::pair<std::string, ProcessList>;

[[nodiscard]] std::string show_processes(const std::vector<ProfileProcesses>& profiles);
/// An array of {"profile","pid","uid","user","command"}.
[[nodiscard]] std::string processes_to_json(const std::vector<ProfileProcesses>& profiles);

/// One line each, with its line end.
[[nodiscard]] std::string show_log_line(const LogLine& line);
[[nodiscard]] std::string log_line_to_json(const LogLine& line);

[[nodiscard]] std::string show_attached(const std::vector<AttachedState>& units);
/// An array of {"unit","profile","file","state","finding","hint"}; file is empty if it is gone.
[[nodiscard]] std::string attached_to_json(const std::vector<AttachedState>& units);

}  // namespace vpnrun
