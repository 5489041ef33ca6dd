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
#include "profiles/profile_store.h"
#include "profiles/programs.h"
#include "profiles/protocol/status.h"
#include "systemd/service/client/client_ids.h"
#include "systemd/service/client/openvpn/process.h"
#include "systemd/service/companion.h"
#include "systemd/service/configuration.h"
#include "systemd/service/control_server.h"
#include "systemd/service/failed_runs.h"
#include "systemd/service/link/veth_link.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/kernel.h"
#include "systemd/service/os/log.h"
#include "systemd/service/os/notify.h"
#include "systemd/service/record.h"
#include "systemd/service/runtime_dir.h"
#include "systemd/service/waiting_units.h"

namespace vpnrun::service {
namespace {

/// A companion ends within 40 s: vpnrun-service(8).
constexpr int kStopPatienceMs = 45'000;
/// Limited because the unit may be ordered to stop after the one that we run in: each would wait
/// for the other.
constexpr int kSystemctlPatienceMs = 60'000;
constexpr std::string_view kIsActive = "is-active";
/// kExitConfiguration as $EXIT_STATUS.
constexpr std::string_view kConfigurationStatus = "78";
/// Who launches again and again is told the same for so long: a companion that tried it anew each
/// time would ask a server that refuses a password each time, and many lock the account then.
constexpr std::chrono::milliseconds kCallersPatience{6'500};

void check_caller(const std::string& profile_name) {
  if (!is_valid_profile_name(profile_name)) {
    throw ConfigurationError(
        Error(formatted("'{}' is not a profile name", printable(profile_name)), {},
              "a name is 1 to 32 of a-z, 0-9, '_' and '-', and begins with a letter or digit"));
  }
}

/// An unusable kernel is as permanent as a wrong profile: starting again does not help.
void check_kernel() {
  try {
    require_kernel();
  } catch (const Error& error) {
    throw ConfigurationError(error);
  }
}

/// Logs the error and returns its exit code.
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
    log::failure(Error(formatted("cannot {} '{}': this needs root", verb, printable(profile_name)),
                       {},
                       formatted("sudo " VPNRUN_LIBEXECDIR "/vpnrun-tunnel {} {}", verb,
                                 printable(profile_name))));
    return kExitNotRoot;
  }
  try {
    check_caller(profile_name);
    return body();
  } catch (const std::exception& error) {
    return report(formatted("cannot {} '{}'", verb, printable(profile_name)), error);
  }
}

/// Records in the profile's state that there is no companion, and why. Does nothing if there is
/// one, or if the profile is not prepared.
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

/// Removes what a killed companion left on the host. There may be no next one to do it: forwarding
/// would stay on, and somebody who flushes the firewall would remove the rules that guard it. Does
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

/// How the companion ended, according to systemd (systemd.exec(5)); empty if the companion has
/// reported it itself.
std::string cause_of_end(std::string_view result, std::string_view status) {
  if (result == "signal" || result == "core-dump") {
    return formatted("the companion was killed by signal {}", printable(status));
  }
  if (result == "watchdog") {
    return "the companion hung and was ended by systemd's watchdog";
  }
  if (result == "oom-kill") {
    return "the companion was killed: the machine ran out of memory";
  }
  if (result == "timeout" || result == "resources" || result == "protocol") {
    return formatted("systemd ended the companion: {}", result);
  }
  return {};
}

/// How many companions failed in a row, according to systemd: one more, or none from now on.
void count_failed_run(const std::string& profile_name, std::string_view result,
                      std::string_view status) {
  const UniqueFd directory = open_profile_directory(profile_name);
  if (!directory.ok() || result.empty()) {
    return;
  }
  if (result == "success" || (result == "exit-code" && status == kConfigurationStatus)) {
    forget_failed_runs(directory.get());
  } else {
    remember_failed_runs(directory.get(),
                         failed_runs_in(directory.get()).and_one(failed_runs_time()));
  }
}

/// The error that the last companion left, or that `ended` recorded for it.
std::string last_error(const std::string& profile_name) {
  try {
    return status_from_json(profile::read_trusted_file(runtime_path(profile_name, kStateEntry),
                                                       profile::Trust::kRootOwned))
        .error;
  } catch (const Error&) {
    return {};
  }
}

/// Waits as FailedRuns says. Whoever calls at `listener` meanwhile is told why.
void pause_after_failures(const std::string& profile_name, int listener) {
  const UniqueFd directory = open_profile_directory(profile_name);
  const FailedRuns runs = directory.ok() ? failed_runs_in(directory.get()) : FailedRuns();
  const auto pause = runs.pause(failed_runs_time());
  if (pause.count() == 0) {
    return;
  }
  const std::string cause = printable(last_error(profile_name));
  const std::string text = formatted(
      "its companion has failed {} times in a row{}{}; the next attempt begins within {} s",
      runs.in_a_row, cause.empty() ? "" : ", the last time: ", cause, pause.count());
  const std::string hint = formatted(
      "as root, 'journalctl -u vpnrun@{0}' shows more, and 'systemctl restart vpnrun@{0}' tries it "
      "at once",
      profile_name);
  log::warn("'{}': {}", profile_name, text);
  notify("STATUS=" + text);
  refuse_callers(
      listener, Error(text, {}, hint), pause, [] { return true; }, Called::kBefore);
}

/// Whether the usual reasons why a companion cannot start are gone.
bool is_startable(const std::string& profile_name) {
  try {
    (void)load_configuration(profile_name);
    (void)open_prepared(profile_name);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// What is left to do is to answer those who call: no reason to hold up whoever orders us to end.
void end_on_signals() noexcept {
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);  // NOLINT(concurrency-mt-unsafe): one thread
}

/// The companion's whole life: its exit code, and what to answer to those who call in the moments
/// after it.
std::pair<int, std::optional<Companion::Refusal>> keep_tunnel(const std::string& profile_name,
                                                              std::vector<UniqueFd>& inherited) {
  const auto load = [&profile_name] { return load_configuration(profile_name); };
  // That a profile is wrong is said before that it is not prepared.
  take_over_record(load().profile);
  Companion companion(profile_name, load,
                      inherited.empty() ? UniqueFd() : std::move(inherited.front()));
  const int status = companion.run();
  return {status, companion.refusal()};
}

std::string text_of_variable(const char* name) {
  const char* text = ::secure_getenv(name);
  return text == nullptr ? std::string() : std::string(text);
}

/// Whether our root directory is that of process 1. In a chroot systemctl(1) reports success
/// without doing anything.
bool is_in_machine_root() {
  struct stat own {};
  struct stat init {};
  return ::stat("/", &own) == 0 && ::stat("/proc/1/root", &init) == 0 &&
         own.st_dev == init.st_dev && own.st_ino == init.st_ino;
}

/// Runs systemctl(1). Whether it reports success within kSystemctlPatienceMs; also false on a
/// machine without systemd.
bool systemctl(std::string_view verb, const std::string& unit) {
  if (::access("/run/systemd/system", F_OK) != 0 || ::access(kSystemctl, X_OK) != 0 ||
      !is_in_machine_root()) {
    return false;
  }
  SpawnOptions options;
  options.program = kSystemctl;
  options.arguments = {std::string(verb), "--quiet", unit};
  options.drop_capabilities = verb == kIsActive;  // a query needs no rights, an order may
  const Pidfd child = spawn(options);
  pollfd ended{child.fd(), POLLIN, 0};
  if (::poll(&ended, 1, kSystemctlPatienceMs) <= 0) {
    (void)child.send_signal(SIGKILL);  // systemd carries out the order all the same
  }
  return child.wait() == 0;
}

/// Whether the unit is active, and neither starting nor stopping.
bool is_active(const std::string& unit) {
  return systemctl(kIsActive, unit);
}

/// Stops the unit if it is active: otherwise it would stay active for ever, with a socket that
/// cannot be found any more, and starting it again would do nothing.
void stop_unit(const std::string& unit) {
  if (is_active(unit) && !systemctl("stop", unit)) {
    log::warn("cannot stop {}", unit);
  }
}

void require_inside(const std::string& profile_name) {
  const std::string path = "/run/netns/" + profile_name;
  struct stat own {};
  struct stat wanted {};
  // Of the same device and number: both on nsfs, and the same namespace (namespaces(7)).
  if (::stat("/proc/self/ns/net", &own) != 0 || ::stat(path.c_str(), &wanted) != 0) {
    throw_errno("cannot tell whether this service is in the network namespace of the profile '{}'",
                profile_name);
  }
  if (own.st_dev != wanted.st_dev || own.st_ino != wanted.st_ino) {
    throw Error(
        formatted("this service is not in the network namespace of the profile '{}'", profile_name),
        {},
        "systemctl show --property=NetworkNamespacePath,JoinsNamespaceOf UNIT: with a unit "
        "that names this one in JoinsNamespaceOf=, systemd ignores NetworkNamespacePath=");
  }
}

/// A companion that still runs is asked to end, then killed.
void stop_companion(const std::string& profile_name) {
  const auto pid = RunLock::holder(profile_name);
  if (!pid) {
    return;
  }
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  // Checked again now that the pidfd is open: the process number may have been reused before that.
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
  throw Error(formatted("the companion, process {}, does not end", *pid));
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
  // Closed only when this process exits, because then the kernel does not wait: if systemd has
  // closed its own descriptor by then, this is the last one, and what waiting callers have sent is
  // closed with it (peer_socket.h).
  const int waiting = inherited.empty() ? -1 : inherited.front().dup_cloexec().release();
  return run_command("run", profile_name, [&profile_name, &inherited, waiting] {
    // A second listener would replace systemd's at the path, and no launch would reach systemd's
    // any more.
    if (inherited.empty() && is_active(formatted("vpnrun@{}.socket", profile_name))) {
      throw Error("systemd listens on its control socket",
                  std::make_error_code(std::errc::address_in_use),
                  formatted("systemctl stop vpnrun@{}.socket", profile_name));
    }
    pause_after_failures(profile_name, waiting);
    try {
      check_kernel();
      const auto [status, refusal] = keep_tunnel(profile_name, inherited);
      if (refusal && waiting >= 0) {
        end_on_signals();
        refuse_callers(
            waiting, Error(refusal->failure.error, {}, refusal->failure.hint), kCallersPatience,
            [&refusal = refusal] { return !have_changed(refusal->files); }, Called::kBefore);
      }
      return status;
    } catch (const std::exception& error) {
      // At once: those who call are refused for as long as they come.
      const int status = report(formatted("cannot run '{}'", profile_name), error);
      const auto* ours = dynamic_cast<const Error*>(&error);
      const std::string hint = ours == nullptr ? std::string() : ours->hint();
      const std::string text = one_line(error.what());
      leave_word(profile_name, text, hint);
      end_on_signals();
      refuse_callers(waiting, Error(text, {}, hint), kCallersPatience,
                     [&profile_name] { return !is_startable(profile_name); });
      return status;
    }
  });
}

int ended(const std::string& profile_name) {
  return run_command("end", profile_name, [&profile_name] {
    const std::string result = text_of_variable("SERVICE_RESULT");
    const std::string status = text_of_variable("EXIT_STATUS");
    count_failed_run(profile_name, result, status);
    const std::string cause = cause_of_end(result, status);
    if (!cause.empty()) {
      leave_word(profile_name, cause, formatted("its log: vpnrunctl log {}", profile_name));
      take_link_back(profile_name);
    }
    return 0;
  });
}

int waiting(const std::string& profile_name) {
  return run_command("remember what waits for", profile_name, [&profile_name] {
    if (text_of_variable("SERVICE_RESULT") != "success") {
      remember_waiting_units(profile_name);
    }
    return 0;
  });
}

int resume(const std::string& profile_name) {
  return run_command("start what has waited for", profile_name, [&profile_name] {
    start_waiting_units(profile_name);
    return 0;
  });
}

int inside(const std::string& profile_name) {
  try {
    check_caller(profile_name);
    require_inside(profile_name);
    return 0;
  } catch (const std::exception& error) {
    (void)report(formatted("cannot start a service in '{}'", printable(profile_name)), error);
    return kExitOutside;
  }
}

int release(const std::string& profile_name) {
  return run_command("release", profile_name, [&profile_name] {
    forget_waiting_units(profile_name);
    stop_unit(formatted("vpnrun-netns@{}.service", profile_name));  // of which this may be part
    stop_companion(profile_name);
    end_client_processes(profile_name);
    remove_link(profile_name);
    openvpn::remove_client_folder(profile_name);
    release_namespaces(profile_name);
    return 0;
  });
}

}  // namespace vpnrun::service
