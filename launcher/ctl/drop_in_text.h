// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "launcher/ctl/unit_text.h"

namespace vpnrun {

/// What the system calls that we refuse come back with. Each works in systemd 252 to 262; the
/// others leave a unit that does not start (228/SECCOMP).
enum class CallErrors {
  kUsual,    ///< ENOSYS, ENOKEY: no list of the unit's, or one of what is refused
  kAllowed,  ///< EPERM, ENOKEY: a list of what is allowed; the rest kills, or is "no such call"
  kUnits,    ///< such a list, and SystemCallErrorNumber= says what the rest gets: the same
};

/// What a unit does when it ends though it should not: the tunnel may have been away, and that is
/// not to be final.
enum class RestartPolicy {
  kUnits,  ///< as it has it: Type=oneshot, or Restart=no on purpose
  kAdded,  ///< it says nothing: Restart=on-failure
  kSlow,   ///< as it has it, without a limit
  kQuick,  ///< the same, but its own pauses are too short for that
};

/// What the drop-in of a system unit is made from.
struct SystemDropIn {
  std::string id;
  std::string profile;
  /// Files and folders over others, absolute: {source, target}.
  std::vector<std::pair<std::string, std::string>> overlays = {};
  std::vector<std::string> run_paths = {};  ///< below /run; what the service may find of the host's
  bool dynamic_user = false;                ///< DynamicUser=yes
  bool has_var_run = false;                 ///< /var/run is a folder of its own
  CallErrors call_errors = CallErrors::kUsual;
  bool has_no_families = false;   ///< RestrictAddressFamilies=none
  bool has_own_families = false;  ///< RestrictAddressFamilies= says something
  RestartPolicy restart = RestartPolicy::kUnits;
  std::string companion = {};    ///< vpnrun-tunnel
  bool limits_programs = false;  ///< NoExecPaths= says something
};

/// The text of the drop-in that puts the service into the profile's namespace, sealed as `vpnrun`
/// seals applications, and says why for each setting.
[[nodiscard]] std::string system_drop_in_text(const SystemDropIn& drop_in);

/// The text of the drop-in that has a user unit start `commands`, its own ones, by `launcher`.
/// Throws Error for a command that cannot be started that way.
[[nodiscard]] std::string user_drop_in_text(const std::string& id, const std::string& profile,
                                            const std::string& launcher,
                                            const std::vector<UnitCommand>& commands);

}  // namespace vpnrun
