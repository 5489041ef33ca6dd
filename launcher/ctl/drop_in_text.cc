// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/drop_in_text.h"

#include <string_view>

#include "launcher/ctl/drop_in_file.h"
#include "profiles/base/format.h"

namespace vpnrun {
namespace {

// The namespace is a condition, the tunnel is not: a companion that is restarted must not stop the
// service, which is sealed in any case.
constexpr std::string_view kUnitSection = R"(
[Unit]
# Without the namespace there is no service: if vpnrun-netns@ stops, so does this. The tunnel may fail
# and be restarted while it runs: the namespace lets nothing out except through the tunnel.
BindsTo=vpnrun-netns@{0}.service
Wants=vpnrun@{0}.service
After=vpnrun-netns@{0}.service vpnrun@{0}.service

[Service]
# The path, not JoinsNamespaceOf=: that one joins what systemd made for another unit.
NetworkNamespacePath=/run/netns/{0}
# systemd ignores that when another unit that names this one in JoinsNamespaceOf= has been started before, and
# starts the service outside. So this comes first, and fails there; the namespace's name is for it. As the
# service's own user, not as root: its environment may be that user's (EnvironmentFile=), LD_PRELOAD= included.
ExecCondition={1} inside {0}
BindReadOnlyPaths=/run/netns/{0}
)";
constexpr std::string_view kMayLook = R"(# The unit says which programs may run (NoExecPaths=).
ExecPaths={0}
)";
constexpr std::string_view kHelpersRight =
    R"(# vpnrun enters the namespace by a setuid program, whatever DefaultRestrictSUIDSGID= says.
RestrictSUIDSGID=no
)";
// systemd drops what it has when it reads this, before the service is restarted.
constexpr std::string_view kNoStore =
    R"(# Otherwise a restart would give back what the service has left with systemd (FDSTORE=1): sockets that
# were made outside.
FileDescriptorStoreMax=0
)";

constexpr std::string_view kOwnRun = R"(
# A /run of its own, with nothing of the host's but what is listed here: through the sockets of nscd,
# systemd-resolved, avahi and the system bus, names are looked up outside the tunnel. Hiding them one by
# one would not do: a daemon that makes its folder anew takes away what was mounted over it.
TemporaryFileSystem=/run:mode=0755,size=16M,nosuid,nodev
)";
constexpr std::string_view kVarRun = R"(# Here /var/run is not a link to /run.
TemporaryFileSystem=/var/run:mode=0755,size=16M,nosuid,nodev
)";
constexpr std::string_view kRunPaths = R"(# Readiness and the journal; neither answers any queries.
BindPaths=-/run/systemd/notify -/run/systemd/journal
)";
constexpr std::string_view kDynamicUser = R"(# The name of the dynamic user, from systemd itself.
BindPaths=-/run/systemd/userdb/io.systemd.DynamicUser
)";
constexpr std::string_view kOwnPaths = R"(# RuntimeDirectory= of the unit, and --path.
)";

constexpr std::string_view kFilter = R"(
# What network namespaces do not confine, as for applications (vpnrun-helper(8)); vpnrunctl(1) says what
# systemd cannot refuse. Units with User= also lose the right to gain privileges by setuid programs
# (NoNewPrivileges=).
)";
// What the list of helper/filter allows. systemd refuses all the rest then, families without a name
// too, and a family that is given with bits that the kernel cuts off.
constexpr std::string_view kFamilies =
    R"(# The unit has no list of its own. If it gets one, attach it again: the two would be added up.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_ALG
)";
// The named families that are not in the list of helper/filter: a list of what is refused, because
// it takes from a list of the unit's own and adds to none.
constexpr std::string_view kRefusedFamilies =
    R"(# A list of what is refused: it takes away from what the unit allows, and adds nothing to it.
RestrictAddressFamilies=~AF_VSOCK AF_BLUETOOTH AF_NFC AF_QIPCRTR AF_IUCV AF_ISDN AF_PHONET AF_CAIF
RestrictAddressFamilies=~AF_IB AF_RDS AF_SMC AF_TIPC AF_RXRPC AF_CAN AF_KCM AF_XDP AF_KEY AF_PPPOX
RestrictAddressFamilies=~AF_IPX AF_APPLETALK AF_AX25 AF_NETROM AF_ROSE AF_X25 AF_LLC AF_WANPIPE
RestrictAddressFamilies=~AF_ATMPVC AF_ATMSVC AF_BRIDGE AF_ASH AF_ECONET AF_SNA AF_SECURITY AF_DECnet
RestrictAddressFamilies=~AF_NETBEUI AF_IRDA AF_IEEE802154 AF_MPLS AF_MCTP
)";
// To systemd "none" is an empty list of what is allowed, and a list of what is refused after it
// would allow all the rest.
constexpr std::string_view kNoFamilies = R"(# (The unit allows no family at all.)
)";
constexpr std::string_view kCalls =
    R"(# Rings make sockets unseen by filters; pidfd_getfd takes other processes' sockets; request_key has
# the kernel ask for names outside.
{0}# The filter of families sees no 32-bit system calls; the empty line removes those that the unit allows.
SystemCallArchitectures=
SystemCallArchitectures=native
)";
constexpr std::string_view kSystemCalls =
    R"(SystemCallFilter=~io_uring_setup:ENOSYS io_uring_enter:ENOSYS io_uring_register:ENOSYS
SystemCallFilter=~pidfd_getfd:ENOSYS request_key:ENOKEY
)";
// A call whose error is what the filter gives all the others keeps systemd from making it: the
// kernel's library refuses the rule. Of a list of what is allowed that is the unit's
// SystemCallErrorNumber= up to systemd 254, and ENOSYS since (calls that systemd does not know).
constexpr std::string_view kSystemCallsBesideAllowed =
    R"(# (Not ENOSYS: what systemd does not know gets that where the unit lists what is allowed.)
SystemCallFilter=~io_uring_setup:EPERM io_uring_enter:EPERM io_uring_register:EPERM
SystemCallFilter=~pidfd_getfd:EPERM request_key:ENOKEY
)";
constexpr std::string_view kSystemCallsWithoutErrors =
    R"(# (They get the error number that the unit has for all that it does not allow.)
SystemCallFilter=~io_uring_setup io_uring_enter io_uring_register
SystemCallFilter=~pidfd_getfd request_key
)";

constexpr std::string_view kWithoutLimit = R"(
[Unit]
# A tunnel may be away for longer than a few starts take; that a service ends without it is not final.
StartLimitIntervalSec=0
)";
constexpr std::string_view kRestartAdded = R"(
[Service]
# The unit itself does not say what happens when the service fails; Restart=no in it says: nothing.
Restart=on-failure
RestartSec=5s
)";
constexpr std::string_view kRestartSlower = R"(
[Service]
RestartSec=2s
)";

std::string restart_text(RestartPolicy policy) {
  if (policy == RestartPolicy::kUnits) {
    return {};
  }
  return std::string(kWithoutLimit) + std::string(policy == RestartPolicy::kAdded ? kRestartAdded
                                                  : policy == RestartPolicy::kQuick
                                                      ? kRestartSlower
                                                      : std::string_view());
}

std::string_view calls_text(CallErrors errors) {
  switch (errors) {
    case CallErrors::kAllowed:
      return kSystemCallsBesideAllowed;
    case CallErrors::kUnits:
      return kSystemCallsWithoutErrors;
    case CallErrors::kUsual:
      break;
  }
  return kSystemCalls;
}

}  // namespace

std::string system_drop_in_text(const SystemDropIn& drop_in) {
  std::string text = drop_in_mark(drop_in.id, drop_in.profile, "") + "\n";
  text += formatted(kUnitSection, drop_in.profile, drop_in.companion);
  text += drop_in.limits_programs ? formatted(kMayLook, drop_in.companion) : "";
  text += kNoStore;
  text += "\n# Names by the tunnel's resolver, and the files of " +
          formatted("/etc/netns/{}, as ip-netns(8) has it.\n", drop_in.profile);
  for (const auto& [source, target] : drop_in.overlays) {
    text += formatted("BindReadOnlyPaths={}:{}\n", unit_path(source), unit_path(target));
  }
  text += kOwnRun;
  text += drop_in.has_var_run ? kVarRun : "";
  text += kRunPaths;
  text += drop_in.dynamic_user ? kDynamicUser : "";
  text += drop_in.run_paths.empty() ? "" : kOwnPaths;
  for (const std::string& path : drop_in.run_paths) {
    text += formatted("BindPaths={}\n", unit_path(path));
  }
  text += kFilter;
  text += drop_in.has_no_families    ? kNoFamilies
          : drop_in.has_own_families ? kRefusedFamilies
                                     : kFamilies;
  text += formatted(kCalls, calls_text(drop_in.call_errors));
  text += restart_text(drop_in.restart);
  return text;
}

std::string user_drop_in_text(const std::string& id, const std::string& profile,
                              const std::string& launcher,
                              const std::vector<UnitCommand>& commands) {
  std::string text = drop_in_mark(id, profile, "--user ") + "\n";
  text +=
      "\n[Service]\n"
      "# Not NetworkNamespacePath=: a user's service manager accepts it and starts the service\n"
      "# outside. What follows are the unit's own commands when this was written; attach again "
      "after\n"
      "# a change there.\n"
      "ExecStart=\n";
  for (const UnitCommand& command : commands) {
    text += formatted("ExecStart={}\n", command_in_profile(command, launcher, profile));
  }
  text += kHelpersRight;
  text += kNoStore;
  return text;
}

}  // namespace vpnrun
