// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/hooks.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "profiles/programs.h"
#include "systemd/service/os/log.h"
#include "systemd/service/os/notify.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;

/// Shorter than any reasonable WatchdogSec=.
constexpr milliseconds kSlice{5'000};

/// Whether the process ended within `limit`.
bool ends_within(const Pidfd& process, milliseconds limit) {
  const auto end = EventLoop::Clock::now() + limit;
  for (;;) {
    const auto rest = std::chrono::ceil<milliseconds>(end - EventLoop::Clock::now());
    const auto slice = std::clamp(rest, milliseconds(0), kSlice);
    pollfd wait{process.fd(), POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(slice.count())) > 0) {
      return true;
    }
    if (rest <= kSlice) {
      return false;
    }
    notify("WATCHDOG=1");
  }
}

}  // namespace

std::vector<std::string> hook_environment(const Status& status,
                                          const std::optional<LinkAddresses>& link) {
  std::vector<std::string> variables = {
      "VPNRUN_PROFILE=" + status.profile,
      "VPNRUN_NETNS=" + runtime_path(status.profile, kNetnsEntry),
      "VPNRUN_TUNNEL_DEVICE=" + status.device,
      "VPNRUN_ENDPOINT=" + status.endpoint,
  };
  if (link) {
    variables.push_back("VPNRUN_HOST_LINK=" + link->outer_device);
    variables.push_back("VPNRUN_HOST_ADDRESS=" + link->outer.str());
    variables.push_back("VPNRUN_NAMESPACE_ADDRESS=" + link->inner.str());
  }
  return variables;
}

void ShellHooks::up(const profile::Hooks& hooks, std::vector<std::string> environment) {
  queue_.up(hooks, std::move(environment));
  next();
}

void ShellHooks::down() {
  queue_.down();
  next();
}

void ShellHooks::next() {
  while (!process_.ok()) {
    const auto job = queue_.next();
    if (!job) {
      return;
    }
    SpawnOptions options;
    options.program = "/bin/sh";
    options.arguments = {"-c", job->command};
    options.environment = job->environment;
    options.environment.emplace_back(kChildPath);
    options.mount_namespace_fd = namespaces_.host.get();
    options.own_session = true;
    if (job->place == HookQueue::Place::kInside) {
      options.netns_fd = namespaces_.netns.get();
      options.mount_namespace_fd = namespaces_.view.get();
    }
    try {
      process_ = spawn(options);
    } catch (const Error& error) {
      log::ignored(error);
      continue;
    }
    watch_ = loop_.watch(process_.fd(), EPOLLIN, [this](std::uint32_t) {
      ended();
      next();
    });
    deadline_ = loop_.after(kPatience, [this] {
      log::warn("a hook did not end within {} s and was killed, ignoring", kPatience.count());
      process_.kill_group();
    });
  }
}

void ShellHooks::ended() {
  watch_.reset();
  deadline_.reset();
  const Pidfd process = std::exchange(process_, Pidfd());
  const int status = process.wait();
  if (status != 0) {
    log::warn("a hook ended with status {}, ignoring", status > 0xff ? status >> 8 : status);
  }
}

void ShellHooks::finish(milliseconds limit) {
  const auto end = EventLoop::Clock::now() + limit;
  while (process_.ok()) {
    const auto rest =
        std::max(std::chrono::floor<milliseconds>(end - EventLoop::Clock::now()), milliseconds(0));
    if (!ends_within(process_, rest / (queue_.left() + 1))) {
      log::warn("a hook held up the end of the companion and was killed, ignoring");
      process_.kill_group();
    }
    ended();
    next();
  }
}

}  // namespace vpnrun::service
