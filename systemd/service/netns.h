// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "helper/base/unique_fd.h"
#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/filter_monitor.h"
#include "systemd/service/netlink/monitor.h"
#include "systemd/service/netlink/scoped_netns.h"
#include "systemd/service/netlink/socket.h"

namespace vpnrun::service {

/// A network namespace, and the sockets that are opened in it. Code that works on a namespace is
/// given one of these: only here() depends on the namespace that the calling thread is in.
///
/// Sockets and handles are opened when they are first asked for, and stay open. Only to open them,
/// and during run(), does the thread enter the namespace; both throw in a process with a second
/// thread (netlink::ScopedNetns). Every function throws Error unless it says otherwise.
class Netns {
 public:
  /// Takes `netns_fd`, which refers to a network namespace (nsfs). `name` is what records on the
  /// machine call it: the profile's name; empty for the machine's own. `place`: see filter::Nft.
  Netns(UniqueFd netns_fd, std::string name, filter::NftPlace place = filter::NftPlace::kChild);
  /// The one that the calling thread is in, as the machine's own.
  [[nodiscard]] static Netns here(filter::NftPlace place = filter::NftPlace::kChild);
  /// A new one, with only `lo`, which is down. The calling thread stays where it is. The new one
  /// ends with this object, unless it has been bound to a file by then.
  [[nodiscard]] static Netns fresh(std::string name,
                                   filter::NftPlace place = filter::NftPlace::kChild);
  Netns(const Netns&) = delete;
  Netns& operator=(const Netns&) = delete;
  Netns(Netns&&) = delete;
  Netns& operator=(Netns&&) = delete;
  ~Netns() = default;

  /// Borrowed.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  [[nodiscard]] netlink::Socket& socket();
  [[nodiscard]] filter::Nft& nft();
  /// Nft::tidy(), if there is one.
  void tidy() noexcept;
  /// Each for one reader only: what is drained is gone.
  [[nodiscard]] netlink::Monitor& monitor();
  [[nodiscard]] netlink::FilterMonitor& filter_monitor();

  /// See netlink::write_sysctl() and read_sysctl(). What is not below net/ belongs to the whole
  /// machine.
  [[nodiscard]] int write_sysctl(const std::string& name, const std::string& value) const;
  [[nodiscard]] std::optional<std::string> read_sysctl(const std::string& name) const;

  /// Runs `body` with the calling thread in this namespace, and returns what it returns.
  template <class Body>
  decltype(auto) run(Body&& body) const {
    const netlink::ScopedNetns scope(fd());
    return std::forward<Body>(body)();
  }

 private:
  UniqueFd fd_;
  std::string name_;
  filter::NftPlace place_;
  std::optional<netlink::Socket> socket_;
  std::optional<filter::Nft> nft_;
  std::optional<netlink::Monitor> monitor_;
  std::optional<netlink::FilterMonitor> filter_monitor_;
};

}  // namespace vpnrun::service
