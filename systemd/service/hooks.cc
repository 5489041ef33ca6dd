// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/hooks.h"

#include <poll.h>
#include <sys/epoll.h>

#include <csignal>

#include "profiles/error.h"
#include "systemd/service/log.h"

namespace vpnrun::service {

void Hooks::run(const std::vector<std::string>& commands, Place place,
                const std::vector<std::string>& environment) {
  for (const auto& command : commands) {
    queue_.push_back({command, place, environment});
  }
  if (!process_.ok()) {
    next();
  }
}

void Hooks::next() {
  while (!queue_.empty() && !process_.ok()) {
    const Job job = std::move(queue_.front());
    queue_.pop_front();
    SpawnOptions options;
    options.program = "/bin/sh";
    options.arguments = {"-c", job.command};
    options.environment = job.environment;
    options.environment.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    options.mount_namespace_fd = namespaces_.host.get();
    if (job.place == Place::kInside) {
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
      log::warn("a hook did not end within {} s and is killed, ignoring", kPatience.count());
      (void)process_.send_signal(SIGKILL);
    });
  }
}

void Hooks::ended() {
  watch_.reset();
  deadline_.reset();
  const int status = process_.wait();
  process_ = Pidfd();
  if (status != 0) {
    log::warn("a hook ended with status {}, ignoring", status > 0xff ? status >> 8 : status);
  }
}

void Hooks::finish() {
  while (process_.ok()) {
    pollfd wait{process_.fd(), POLLIN, 0};
    const auto patience = std::chrono::milliseconds(kPatience).count();
    if (::poll(&wait, 1, static_cast<int>(patience)) == 0) {
      (void)process_.send_signal(SIGKILL);
    }
    ended();
    next();
  }
}

}  // namespace vpnrun::service
