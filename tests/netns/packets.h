// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "helper/base/unique_fd.h"
#include "profiles/base/ip_address.h"

namespace vpnrun::test {

/// An address literal that is known to be right.
[[nodiscard]] IpAddress ip(const std::string& text);
[[nodiscard]] Prefix prefix(const std::string& text);

struct Datagram {
  std::string source;      ///< address, without the port
  std::uint16_t port = 0;  ///< of the source
  std::string payload;
};

/// UDP socket in the current namespace, bound to `address` (any, if empty) and `port`.
[[nodiscard]] UniqueFd udp_socket(const std::string& address = "0.0.0.0", std::uint16_t port = 0);
/// TCP socket that listens.
[[nodiscard]] UniqueFd tcp_listener(const std::string& address, std::uint16_t port);
void bind_to_device(int fd, const std::string& device);

/// 0 or errno of sendto(2).
[[nodiscard]] int send_to(int fd, const std::string& address, std::uint16_t port,
                          const std::string& payload);
/// The next datagram within `timeout_ms`.
[[nodiscard]] std::optional<Datagram> receive(int fd, int timeout_ms = 1000);
/// How long a packet that must not come is waited for. Long enough for one that would: each test
/// shows with a positive control that they take far less.
constexpr int kSilence = 150;

/// Connects a TCP socket in the current namespace within a second: 0, or errno. `source_port` 0:
/// any.
[[nodiscard]] int tcp_connect(const std::string& address, std::uint16_t port,
                              std::uint16_t source_port = 0);

/// An IP packet as a tun device gives it.
struct Packet {
  int version = 0;
  std::string source;
  std::string destination;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0;  ///< of UDP and TCP
  std::uint16_t destination_port = 0;
  std::string payload;  ///< of UDP
};

/// The next UDP or TCP packet on the tun within `timeout_ms`; others (router solicitations …) are
/// left out.
[[nodiscard]] std::optional<Packet> read_packet(int tun_fd, int timeout_ms = 1000);
/// Writes a UDP packet to the tun, with correct checksums.
void write_udp(int tun_fd, const Packet& packet);
/// The answer to a UDP packet.
[[nodiscard]] Packet answer_to(const Packet& query, const std::string& payload);

}  // namespace vpnrun::test
