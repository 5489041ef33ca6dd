// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "profiles/profile.h"
#include "systemd/service/link/veth_link.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/event_loop.h"
#include "tests/netns/packets.h"

namespace vpnrun::test {

/// Three namespaces, none of them the one that the process is in, and a /run of its own. A VethLink
/// makes what is between the first two. Everybody inside is routed as the client is, until a
/// NetnsInside says who that is.
///
///     inside        outer (wan) ── beyond (eth0)
struct LinkLab {
  LinkLab();

  service::EventLoop loop;
  service::Netns outer = service::Netns::fresh("outer");
  service::Netns inside = service::Netns::fresh("lab");
  service::Netns beyond = service::Netns::fresh("beyond");
  UniqueFd capture;  ///< what arrives at eth0: for read_packet()

  static constexpr const char* kServer = "198.51.100.10";
  static constexpr const char* kOtherServer = "198.51.100.11";
  static constexpr const char* kWan = "198.51.100.1";
  static constexpr std::uint16_t kPort = 1194;

  [[nodiscard]] static profile::Profile profile(const std::string& name = "lab");
  [[nodiscard]] static Endpoint endpoint();
  /// Turns the loop until `done`; false after some seconds.
  [[nodiscard]] bool turn_until(const std::function<bool()>& done);
  /// Sends datagrams from `client` to the endpoint until one is seen by `capture`, and returns it.
  [[nodiscard]] std::optional<Packet> send_to_endpoint(int client) const;
  /// What `capture` has seen and nobody has asked for: the destinations, "ADDRESS:PORT".
  [[nodiscard]] std::vector<std::string> captured(int wait_ms = kSilence) const;
};

/// A link that somebody else made in `netns`, one end of a pair, up.
void make_strange_link(service::Netns& netns, const std::string& name);

}  // namespace vpnrun::test
