// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netns.h"

#include <fcntl.h>
#include <sched.h>

#include "profiles/base/error.h"
#include "systemd/service/netlink/sysctl.h"

namespace vpnrun::service {
namespace {

UniqueFd open_current() {
  UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) {
    throw_errno("cannot open the network namespace of this process");
  }
  return fd;
}

}  // namespace

Netns::Netns(UniqueFd netns_fd, std::string name, filter::NftPlace place)
    : fd_(std::move(netns_fd)), name_(std::move(name)), place_(place) {
  if (!fd_.ok()) {
    throw_error(EBADF, "cannot use a network namespace");
  }
}

Netns Netns::here(filter::NftPlace place) {
  return {open_current(), {}, place};
}

Netns Netns::fresh(std::string name, filter::NftPlace place) {
  const UniqueFd home = open_current();
  const netlink::ScopedNetns back_home(home.get());
  if (::unshare(CLONE_NEWNET) != 0) {
    throw_errno("cannot create a network namespace");
  }
  return {open_current(), std::move(name), place};
}

netlink::Socket& Netns::socket() {
  if (!socket_) {
    run([this] { socket_.emplace(); });
  }
  return *socket_;
}

void Netns::tidy() noexcept {
  if (nft_) {
    nft_->tidy();
  }
}

filter::Nft& Netns::nft() {
  if (!nft_) {
    run([this] { nft_.emplace(place_); });
  }
  return *nft_;
}

netlink::Monitor& Netns::monitor() {
  if (!monitor_) {
    run([this] { monitor_.emplace(); });
  }
  return *monitor_;
}

netlink::FilterMonitor& Netns::filter_monitor() {
  if (!filter_monitor_) {
    run([this] { filter_monitor_.emplace(); });
  }
  return *filter_monitor_;
}

int Netns::write_sysctl(const std::string& name, const std::string& value) const {
  return run([&] { return netlink::write_sysctl(name, value); });
}

std::optional<std::string> Netns::read_sysctl(const std::string& name) const {
  return run([&] { return netlink::read_sysctl(name); });
}

}  // namespace vpnrun::service
