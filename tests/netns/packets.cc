// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/packets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>
#include <vector>

#include "profiles/base/error.h"

namespace vpnrun::test {
namespace {

struct SocketAddress {
  ::sockaddr_storage storage{};
  ::socklen_t size = 0;

  [[nodiscard]] const ::sockaddr* get() const {
    return reinterpret_cast<const ::sockaddr*>(&storage);
  }
};

SocketAddress socket_address(const IpAddress& address, std::uint16_t port) {
  SocketAddress result;
  if (address.is_ipv4()) {
    ::sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes().data(), sizeof(in.sin_addr));
    std::memcpy(&result.storage, &in, sizeof(in));
    result.size = sizeof(in);
  } else {
    ::sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, address.bytes().data(), sizeof(in.sin6_addr));
    std::memcpy(&result.storage, &in, sizeof(in));
    result.size = sizeof(in);
  }
  return result;
}

UniqueFd bound_socket(int type, const std::string& address, std::uint16_t port) {
  const IpAddress local = ip(address);
  UniqueFd fd(::socket(local.address_family(), type | SOCK_CLOEXEC, 0));
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const SocketAddress bound = socket_address(local, port);
  if (!fd.ok() || ::bind(fd.get(), bound.get(), bound.size) != 0) {
    throw_errno("cannot bind to {} port {}", address, port);
  }
  return fd;
}

bool readable(int fd, int timeout_ms) {
  ::pollfd poll{fd, POLLIN, 0};
  return ::poll(&poll, 1, timeout_ms) == 1;
}

std::uint16_t number_at(std::span<const std::uint8_t> bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8U | bytes[offset + 1]);
}

void put(std::vector<std::uint8_t>& bytes, std::size_t offset, std::size_t value) {
  bytes[offset] = static_cast<std::uint8_t>(value >> 8U);
  bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

std::uint32_t sum_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8U : bytes[i];
  }
  return sum;
}

std::uint16_t checksum(std::uint32_t sum) {
  while (sum >> 16U != 0) {
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(~sum);
}

std::string address_text(std::span<const std::uint8_t> bytes) {
  return IpAddress::from_bytes(bytes).value_or(IpAddress{}).str();
}

std::optional<Packet> parse(std::span<const std::uint8_t> bytes) {
  Packet packet;
  packet.version = bytes.empty() ? 0 : bytes[0] >> 4U;
  const std::size_t header = packet.version == 4 ? 20 : 40;
  if (bytes.size() < header + 8) {
    return std::nullopt;
  }
  const std::size_t size = packet.version == 4 ? 4 : 16;
  const std::size_t source = packet.version == 4 ? 12 : 8;
  packet.protocol = packet.version == 4 ? bytes[9] : bytes[6];
  packet.source = address_text(bytes.subspan(source, size));
  packet.destination = address_text(bytes.subspan(source + size, size));
  if (packet.protocol != IPPROTO_UDP && packet.protocol != IPPROTO_TCP) {
    return std::nullopt;
  }
  packet.source_port = number_at(bytes, header);
  packet.destination_port = number_at(bytes, header + 2);
  if (packet.protocol == IPPROTO_UDP) {
    const auto payload = bytes.subspan(header + 8);
    packet.payload.assign(payload.begin(), payload.end());
  }
  return packet;
}

}  // namespace

IpAddress ip(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) {
    throw Error("'" + text + "' is no address");
  }
  return *address;
}

Prefix prefix(const std::string& text) {
  const auto parsed = Prefix::parse(text);
  if (!parsed) {
    throw Error("'" + text + "' is no prefix");
  }
  return *parsed;
}

UniqueFd udp_socket(const std::string& address, std::uint16_t port) {
  return bound_socket(SOCK_DGRAM, address, port);
}

UniqueFd tcp_listener(const std::string& address, std::uint16_t port) {
  UniqueFd fd = bound_socket(SOCK_STREAM, address, port);
  if (::listen(fd.get(), 8) != 0) {
    throw_errno("cannot listen");
  }
  return fd;
}

void bind_to_device(int fd, const std::string& device) {
  if (::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(),
                   static_cast<::socklen_t>(device.size())) != 0) {
    throw_errno("cannot bind to the device '{}'", device);
  }
}

int send_to(int fd, const std::string& address, std::uint16_t port, const std::string& payload) {
  const SocketAddress to = socket_address(ip(address), port);
  return ::sendto(fd, payload.data(), payload.size(), 0, to.get(), to.size) < 0 ? errno : 0;
}

std::optional<Datagram> receive(int fd, int timeout_ms) {
  if (!readable(fd, timeout_ms)) {
    return std::nullopt;
  }
  std::array<char, 65536> buffer{};
  SocketAddress from;
  from.size = sizeof(from.storage);
  const ::ssize_t size = ::recvfrom(fd, buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<::sockaddr*>(&from.storage), &from.size);
  if (size < 0) {
    return std::nullopt;
  }
  Datagram datagram;
  datagram.payload.assign(buffer.data(), static_cast<std::size_t>(size));
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&from.storage);
  datagram.port = number_at({raw, sizeof(from.storage)}, 2);  // the same place in both families
  datagram.source =
      from.storage.ss_family == AF_INET ? address_text({raw + 4, 4}) : address_text({raw + 8, 16});
  return datagram;
}

int tcp_connect(const std::string& address, std::uint16_t port, std::uint16_t source_port) {
  const IpAddress remote = ip(address);
  const UniqueFd fd =
      bound_socket(SOCK_STREAM | SOCK_NONBLOCK, remote.is_ipv4() ? "0.0.0.0" : "::", source_port);
  const SocketAddress to = socket_address(remote, port);
  if (::connect(fd.get(), to.get(), to.size) == 0) {
    return 0;
  }
  if (errno != EINPROGRESS) {
    return errno;
  }
  ::pollfd poll{fd.get(), POLLOUT, 0};
  if (::poll(&poll, 1, 1000) != 1) {
    return ETIMEDOUT;
  }
  int error = 0;
  ::socklen_t size = sizeof(error);
  (void)::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::optional<Packet> read_packet(int tun_fd, int timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0 || !readable(tun_fd, static_cast<int>(left))) {
      return std::nullopt;
    }
    std::array<std::uint8_t, 65536> buffer{};
    const ::ssize_t size = ::read(tun_fd, buffer.data(), buffer.size());
    if (size < 0) {
      return std::nullopt;
    }
    if (auto packet = parse({buffer.data(), static_cast<std::size_t>(size)})) {
      return packet;
    }
  }
}

void write_udp(int tun_fd, const Packet& packet) {
  const std::vector<std::uint8_t> payload(packet.payload.begin(), packet.payload.end());
  const auto source = ip(packet.source);
  const auto destination = ip(packet.destination);
  const std::size_t header = source.is_ipv4() ? 20 : 40;
  const std::size_t udp_size = 8 + payload.size();
  std::vector<std::uint8_t> bytes(header + 8);
  std::size_t addresses = 8;
  if (source.is_ipv4()) {
    addresses = 12;
    bytes[0] = 0x45;
    put(bytes, 2, header + udp_size);
    bytes[8] = 64;
    bytes[9] = IPPROTO_UDP;
  } else {
    bytes[0] = 0x60;
    put(bytes, 4, udp_size);
    bytes[6] = IPPROTO_UDP;
    bytes[7] = 64;
  }
  const auto at = [&](std::size_t offset) {
    return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  };
  std::copy(source.bytes().begin(), source.bytes().end(), at(addresses));
  std::copy(destination.bytes().begin(), destination.bytes().end(),
            at(addresses + source.bytes().size()));
  if (source.is_ipv4()) {
    put(bytes, 10, checksum(sum_of({bytes.data(), header})));
  }
  put(bytes, header, packet.source_port);
  put(bytes, header + 2, packet.destination_port);
  put(bytes, header + 4, udp_size);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  const std::uint32_t pseudo = sum_of(source.bytes()) + sum_of(destination.bytes()) + IPPROTO_UDP +
                               static_cast<std::uint32_t>(udp_size);
  put(bytes, header + 6, checksum(pseudo + sum_of({bytes.data() + header, udp_size})));
  if (::write(tun_fd, bytes.data(), bytes.size()) != static_cast<::ssize_t>(bytes.size())) {
    throw_errno("cannot write to the tun device");
  }
}

Packet answer_to(const Packet& query, const std::string& payload) {
  Packet answer = query;
  std::swap(answer.source, answer.destination);
  std::swap(answer.source_port, answer.destination_port);
  answer.payload = payload;
  return answer;
}

}  // namespace vpnrun::test
