// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/commands.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "helper/base/name.h"
#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "profiles/programs.h"
#include "systemd/service/client/client_ids.h"
#include "systemd/service/client/openvpn/process.h"
#include "systemd/service/companion.h"
#include "systemd/service/configuration.h"
#include "systemd/service/control_server.h"
#include "systemd/service/link/veth_link.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/kernel.h"
#include "systemd/service/os/log.h"
#include "systemd/service/os/notify.h"
#include "systemd/service/record.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

/// A companion ends within 40 s: vpnrun-service(8).
constexpr int kStopPatienceMs = 45'000;
/// A unit may be ordered to stop after the one that calls us: both would wait for each other.
constexpr int kSystemctlPatienceMs = 60'000;
constexpr std::string_view kIsActive = "is-active";
/// Longer than StartLimitIntervalSec= divided by its number of starts: see vpnrun@.service.
constexpr std::chrono::milliseconds kCallersPatience{6'500};

void check_caller(const std::string& profile_name) {
  if (!is_valid_profile_name(profile_name)) {
    throw ConfigurationError(
        Error(fmt::format("'{}' is not a profile name", printable(profile_name)), {},
              "a name is 1 to 32 of a-z, 0-9, '_' and '-', and begins with a letter or digit"));
  }
}

/// As final as a wrong profile: starting again does not help.
void check_kernel() {
  try {
    require_kernel();
  } catch (const Error& error) {
    throw ConfigurationError(error);
  }
}

/// The error and its exit code.
int report(const std::string& what, const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  if (ours == nullptr) {
    log::failure(Error(what + ": " + error.what()));
    return kExitFailed;
  }
  const bool configuration = dynamic_cast<const ConfigurationError*>(ours) != nullptr;
  log::failure(configuration ? *ours : ours->with_context(what));
  return configuration ? kExitConfiguration : kExitFailed;
}

template <class Body>
int run_command(const char* verb, const std::string& profile_name, Body body) {
  if (::geteuid() != 0) {
    log::failure(
        Error(fmt::format("cannot {} '{}': this needs root", verb, printable(profile_name)), {},
              fmt::format("sudo " VPNRUN_LIBEXECDIR "/vpnrun-tunnel {} {}", verb,
                          printable(profile_name))));
    return kExitNotRoot;
  }
  try {
    check_caller(profile_name);
    return body();
  } catch (const std::exception& error) {
    return report(fmt::format("cannot {} '{}'", verb, printable(profile_name)), error);
  }
}

/// Makes the profile's state say that there is no companion, and why. Does nothing if there is one,
/// or if the profile is not prepared.
void leave_word(const std::string& profile_name, const std::string& error,
                const std::string& hint) noexcept {
  try {
    const UniqueFd directory = open_profile_directory(profile_name);
    if (!directory.ok() || RunLock::holder(profile_name)) {
      return;
    }
    Status status;
    status.profile = profile_name;
    status.state = State::kFailed;
    status.since = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
    status.error = error;
    status.hint = hint;
    replace_file(directory.get(), kStateEntry, to_pretty_json(status) + "\n");
  } catch (const std::exception& failure) {
    log::ignored(failure);
  }
}

void remove_link(const std::string& profile_name) {
  Netns host = Netns::here(filter::NftPlace::kLeft);
  const auto inside = open_network(profile_name, filter::NftPlace::kLeft);
  remove_veth_link(host, inside.get(), profile_name);
}

/// Takes back what a companion that was killed left on the host: there may be no next one, and
/// whoever then flushes the firewall removes the guard of a machine that still forwards. Does
/// nothing if there is a companion. The namespace stays, sealed.
void take_link_back(const std::string& profile_name) noexcept {
  try {
    if (!RunLock::holder(profile_name)) {
      remove_link(profile_name);
    }
  } catch (const std::exception& failure) {
    log::ignored(failure);
  }
}

/// How the companion came to its end, as systemd tells it (systemd.exec(5)); empty if the companion
/// said so itself.
std::string cause_of_end(std::string_view result, std::string_view status) {
  if (result == "signal" || result == "core-dump") {
    return fmt::format("the companion was killed by signal {}", printable(status));
  }
  if (result == "watchdog") {
    return "the companion hung and was ended by systemd's watchdog";
  }
  if (result == "oom-kill") {
    return "the companion was killed: the machine ran out of memory";
  }
  if (result == "timeout" || result == "resources" || result == "protocol") {
    return fmt::format("systemd ended the companion: {}", result);
  }
  return {};
}

/// Whether the usual reason why a companion cannot start has been removed.
bool is_startable(const std::string& profile_name) {
  try {
    (void)load_configuration(profile_name);
    (void)open_prepared(profile_name);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string text_of_variable(const char* name) {
  const char* text = ::secure_getenv(name);
  return text == nullptr ? std::string() : std::string(text);
}

/// Whether process 1's root directory is ours. In a chroot systemctl(1) says yes to everything.
bool is_in_machine_root() {
  struct stat own {};
  struct stat init {};
  return ::stat("/", &own) == 0 && ::stat("/proc/1/root", &init) == 0 &&
         own.st_dev == init.st_dev && own.st_ino == init.st_ino;
}

/// Whether systemctl(1) says yes before our patience ends; also false on a machine without systemd.
bool systemctl(std::string_view verb, const std::string& unit) {
  if (::access("/run/systemd/system", F_OK) != 0 || ::access(kSystemctl, X_OK) != 0 ||
      !is_in_machine_root()) {
    return false;
  }
  SpawnOptions options;
  options.program = kSystemctl;
  options.arguments = {std::string(verb), "--quiet", unit};
  options.drop_capabilities = verb == kIsActive;  // asking needs no right, an order may
  const Pidfd child = spawn(options);
  pollfd ended{child.fd(), POLLIN, 0};
  if (::poll(&ended, 1, kSystemctlPatienceMs) <= 0) {
    (void)child.send_signal(SIGKILL);  // the order itself stands
  }
  return child.wait() == 0;
}

/// Whether the unit is active, and neither starting nor stopping.
bool is_active(const std::string& unit) {
  return systemctl(kIsActive, unit);
}

/// Otherwise the unit would count as active for ever, with a socket that nobody finds, and starting
/// it would do nothing.
void stop_unit(const std::string& unit) {
  if (is_active(unit) && !systemctl("stop", unit)) {
    log::warn("cannot stop {}", unit);
  }
}

/// A companion that still runs is asked to end, then killed.
void stop_companion(const std::string& profile_name) {
  const auto pid = RunLock::holder(profile_name);
  if (!pid) {
    return;
  }
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  // Checked again now that we hold the process: its number may have gone to another since.
  if (!process.ok() || RunLock::holder(profile_name) != pid) {
    return;
  }
  for (const int signal : {SIGTERM, SIGKILL}) {
    (void)::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
    pollfd wait{process.get(), POLLIN, 0};
    if (::poll(&wait, 1, kStopPatienceMs) > 0) {
      return;
    }
  }
  throw Error(fmt::format("the companion, process {}, does not end", *pid));
}

}  // namespace

int prepare(const std::string& profile_name) {
  return run_command("prepare", profile_name, [&profile_name] {
    check_kernel();
    prepare_namespaces(load_trusted(profile_name));
    return 0;
  });
}

int run(const std::string& profile_name) {
  std::vector<UniqueFd> inherited = inherited_sockets();
  // Closed only by the end of the process, for which the kernel does not wait: if systemd has given
  // up its own by then, what waiting callers have sent goes with this last one (peer_socket.h).
  const int waiting = inherited.empty() ? -1 : inherited.front().dup_cloexec().release();
  return run_command("run", profile_name, [&profile_name, &inherited, waiting] {
    check_kernel();
    // A second listener would take the path from systemd's, and no launch would find systemd's
    // again.
    if (inherited.empty() && is_active(fmt::format("vpnrun@{}.socket", profile_name))) {
      throw Error("systemd listens on its control socket",
                  std::make_error_code(std::errc::address_in_use),
                  fmt::format("systemctl stop vpnrun@{}.socket", profile_name));
    }
    try {
      const auto load = [&profile_name] { return load_configuration(profile_name); };
      // That a profile is wrong is said before that it is not prepared.
      take_over_record(load().profile);
      Companion companion(profile_name, load,
                          inherited.empty() ? UniqueFd() : std::move(inherited.front()));
      return companion.run();
    } catch (const std::exception& error) {
      const auto* ours = dynamic_cast<const Error*>(&error);
      const std::string hint = ours == nullptr ? std::string() : ours->hint();
      leave_word(profile_name, error.what(), hint);
      refuse_callers(waiting, Error(error.what(), {}, hint), kCallersPatience,
                     [&profile_name] { return !is_startable(profile_name); });
      throw;
    }
  });
}

int ended(const std::string& profile_name) {
  return run_command("end", profile_name, [&profile_name] {
    const std::string cause =
        cause_of_end(text_of_variable("SERVICE_RESULT"), text_of_variable("EXIT_STATUS"));
    if (!cause.empty()) {
      leave_word(profile_name, cause, fmt::format("its log: vpnrunctl log {}", profile_name));
      take_link_back(profile_name);
    }
    return 0;
  });
}

int release(const std::string& profile_name) {
  return run_command("release", profile_name, [&profile_name] {
    stop_unit(fmt::format("vpnrun-netns@{}.service", profile_name));  // of which this may be part
    stop_companion(profile_name);
    end_client_processes(profile_name);
    remove_link(profile_name);
    openvpn::remove_client_folder(profile_name);
    release_namespaces(profile_name);
    return 0;
  });
}

}  // namespace vpnrun::service
