// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "helper/base/runtime_layout.h"
#include "launcher/program.h"
#include "launcher/unix_sockets.h"

// Commands that do not do their work themselves but ask a program that runs already, outside the
// tunnel: tmux its server, ssh the master of a shared connection, gnome-terminal a service of the
// session. Such programs are found before the command starts.
namespace vpnrun {

/// Who would do the work of a command outside, and what to do about it. No control characters.
struct HandOver {
  bool certain = false;  ///< false: it depends on what cannot be seen before the command starts
  std::string text;  ///< after "it would" or "it may": "go over the shared connection at '…', …"
  std::string hint;
};

/// The processes of this user, from /proc.
class OwnProcesses {
 public:
  /// `profile`: the network namespace of the profile; all zero if there is none yet.
  OwnProcesses(std::string proc, const FileId& profile)
      : proc_(std::move(proc)), profile_(profile) {}

  /// A process called `name` (/proc/PID/comm, cut to 15 bytes) that is not in the profile, or of
  /// which that cannot be told; nullopt if there is none. `folder`: only one whose current folder
  /// ends so.
  [[nodiscard]] std::optional<pid_t> find_outside(std::string_view name,
                                                  std::string_view folder = {}) const;
  /// Whether `pid` runs, and not in the profile.
  [[nodiscard]] bool is_outside(pid_t pid) const;

 private:
  [[nodiscard]] bool stands_in(pid_t pid, std::string_view folder) const;

  std::string proc_;
  FileId profile_;
};

/// Whether commands of this name can hand their work to somebody else at all: what costs nothing.
[[nodiscard]] bool may_hand_over(std::string_view command, const Program& program);

/// Whether the command `words`, found as `program`, would have its work done outside. Looks at
/// `sockets`, those of the network namespace that the caller is in, at `processes` and at files;
/// starts nothing and connects to nothing. nullopt: no sign of it.
[[nodiscard]] std::optional<HandOver> find_hand_over(char* const* words, const Program& program,
                                                     char* const* environment, UnixSockets& sockets,
                                                     const OwnProcesses& processes);

}  // namespace vpnrun
