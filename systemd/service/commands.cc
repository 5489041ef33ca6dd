// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/commands.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "helper/base/name.h"
#include "helper/base/runtime_layout.h"
#include "profiles/error.h"
#include "profiles/profile_store.h"
#include "systemd/service/control_server.h"
#include "systemd/service/log.h"
#include "systemd/service/notify.h"
#include "systemd/service/runtime_dir.h"
#include "systemd/service/session.h"

namespace vpnrun::service {
namespace {

constexpr int kStopPatienceMs = 10'000;
constexpr std::chrono::seconds kRestartPause{1};

/// A profile or file that is wrong, as opposed to a machine on which something failed.
class ConfigurationError : public Error {
 public:
  explicit ConfigurationError(const Error& error) : Error(error) {}
};

void check_caller(const std::string& profile_name) {
  if (!is_valid_profile_name(profile_name)) {
    throw ConfigurationError(
        Error(fmt::format("'{}' is not a profile name", printable(profile_name)), {},
              "a name is 1 to 32 of a-z, 0-9, '_' and '-', and begins with a letter or digit"));
  }
}

profile::Profile load_trusted(const std::string& profile_name) {
  try {
    auto profile = profile::load_profile(profile::default_profile_folder(), profile_name,
                                         profile::Trust::kRootOwned);
    const auto& hooks = profile.hooks;
    for (const auto* lines :
         {&hooks.up_outside, &hooks.up_inside, &hooks.down_inside, &hooks.down_outside}) {
      std::for_each(lines->begin(), lines->end(), profile::check_hook);
    }
    return profile;
  } catch (const Error& error) {
    throw ConfigurationError(error);
  }
}

Configuration load_configuration(const std::string& profile_name) {
  Configuration configuration;
  configuration.profile = load_trusted(profile_name);
  const auto& profile = configuration.profile;
  const bool openvpn = profile.tunnel.type == profile::TunnelType::kOpenvpn;
  if ((!openvpn && profile.tunnel.type != profile::TunnelType::kNone) ||
      profile.link.type != profile::LinkType::kVeth) {
    throw ConfigurationError(
        Error(fmt::format("{}: this version drives [tunnel] type \"openvpn\" and \"none\" over "
                          "[link] type \"veth\" only",
                          profile.path)));
  }
  if (openvpn) {
    try {
      const auto read = [](const std::string& path) {
        return profile::read_trusted_file(path, profile::Trust::kRootOwned);
      };
      configuration.openvpn =
          profile::parse_openvpn_config(read(profile.tunnel.config), profile.tunnel.config, read);
      for (const auto& note : configuration.openvpn.ignored) {
        log::debug("{}: {}, left out", profile.tunnel.config, note);
      }
    } catch (const Error& error) {
      throw ConfigurationError(error);
    }
  }
  return configuration;
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
              fmt::format("sudo vpnrun-tunnel {} {}", verb, printable(profile_name))));
    return kExitNotRoot;
  }
  try {
    check_caller(profile_name);
    return body();
  } catch (const std::exception& error) {
    return report(fmt::format("cannot {} '{}'", verb, printable(profile_name)), error);
  }
}

/// One line for `systemctl status`.
std::string summary(const Status& status) {
  std::string text = fmt::format("STATUS={}", to_string(status.state));
  if (status.state == State::kUp && !status.endpoint.empty()) {
    text += " by " + status.endpoint;
  }
  if (!status.error.empty()) {
    text += ": " + status.error;
  }
  return text;
}

/// SIGTERM and SIGINT end, SIGHUP restarts. SIGPIPE is what a write to a gone client would send.
UniqueFd take_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    ::sigaddset(&signals, signal);
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  // One thread: sigprocmask(2) says all that pthread_sigmask(3) would.
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0 ||  // NOLINT(concurrency-mt-unsafe)
      ::sigaction(SIGPIPE, &ignore, nullptr) != 0) {
    throw_errno("cannot set up signals");
  }
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.ok()) {
    throw_errno("cannot set up signals");
  }
  return fd;
}

/// The companion as a whole: loop, session, control socket.
class Companion {
 public:
  explicit Companion(const std::string& name)
      : lock_(name),
        signals_(take_signals()),
        session_(
            loop_, [name] { return load_configuration(name); }, open_prepared(name),
            [this](const Status& status) { publish(status); }) {
    auto inherited = inherited_sockets();
    control_ = std::make_unique<ControlServer>(
        loop_, runtime_path(name, kControlEntry),
        inherited.empty() ? UniqueFd() : std::move(inherited.front()),
        [this](const Request& request) { return carry_out(request); });
    signal_watch_ = loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  }

  int run() {
    session_.up();
    loop_.run();
    notify("STOPPING=1");
    if (const auto& failure = session_.final_failure()) {
      log::failure(Error(failure->error, {}, failure->hint));
      return failure->kind == Failure::Kind::kStubborn ? kExitFailed : kExitConfiguration;
    }
    session_.down();
    return 0;
  }

 private:
  void publish(const Status& status) {
    notify(status.state == State::kUp ? "READY=1\n" + summary(status) : summary(status));
    if (control_) {
      control_->publish(status);
    }
  }

  Reply carry_out(const Request& request) {
    switch (request.command) {
      case Command::kStatus:
        break;
      case Command::kUp:
        session_.up();
        break;
      case Command::kDown:
        session_.down();
        break;
      case Command::kRestart:
        restart();
        break;
      case Command::kAnswer:
        session_.answer(request);
        break;
    }
    Reply reply;
    reply.status = session_.status();
    return reply;
  }

  /// Building everything anew takes tens of milliseconds in which nobody else is served.
  void restart() {
    const auto now = EventLoop::Clock::now();
    if (now - last_restart_ < kRestartPause) {
      throw Error("it is being restarted already", {}, "vpnrunctl status shows how it goes");
    }
    last_restart_ = now;
    session_.restart();
  }

  void on_signal() {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
      return;
    }
    if (info.ssi_signo != static_cast<std::uint32_t>(SIGHUP)) {
      loop_.stop();
      return;
    }
    try {
      session_.restart();
    } catch (const std::exception& error) {
      log::failure(Error(fmt::format("cannot restart, going on as before: {}", error.what())));
    }
  }

  RunLock lock_;
  EventLoop::Clock::time_point last_restart_;
  UniqueFd signals_;
  EventLoop loop_;
  std::unique_ptr<ControlServer> control_;
  Session session_;
  EventLoop::Handle signal_watch_;
};

/// A companion that still runs is asked to end, then made to.
void stop_companion(const std::string& profile_name) {
  const auto pid = RunLock::holder(profile_name);
  if (!pid) {
    return;
  }
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  // Looked at again with the process in hand: the number may have been given to another since.
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
    prepare_namespaces(load_trusted(profile_name));
    return 0;
  });
}

int run(const std::string& profile_name) {
  return run_command("run", profile_name, [&profile_name] {
    (void)load_configuration(profile_name);  // a wrong profile is said before an unprepared one
    return Companion(profile_name).run();
  });
}

int release(const std::string& profile_name) {
  return run_command("release", profile_name, [&profile_name] {
    stop_companion(profile_name);
    remove_uplink(profile_name);
    openvpn::remove_client_folder(profile_name);
    release_namespaces(profile_name);
    return 0;
  });
}

}  // namespace vpnrun::service
