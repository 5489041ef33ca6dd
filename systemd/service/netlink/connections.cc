// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/connections.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <new>
#include <optional>
#include <span>

#include "profiles/base/error.h"
#include "systemd/service/netlink/message.h"
#include "systemd/service/netlink/object.h"
#include "systemd/service/netlink/socket.h"

namespace vpnrun::netlink {
namespace {

/// linux/sock_diag.h has it only since Linux 4.5.
constexpr int kSockDestroy = 21;

MessagePtr request_of(int type, int flags, ::inet_diag_req_v2 request) {
  MessagePtr message = checked(MessagePtr(::nlmsg_alloc_simple(type, flags)));
  if (::nlmsg_append(message.get(), &request, sizeof(request), NLMSG_ALIGNTO) < 0) {
    throw std::bad_alloc();
  }
  return message;
}

constexpr std::uint32_t bit(unsigned state) {
  return 1U << state;
}

/// UDP has the states of TCP: connected or not.
std::uint32_t states_of(int protocol) {
  constexpr std::uint32_t kOver = bit(TCP_LISTEN) | bit(TCP_TIME_WAIT) | bit(TCP_CLOSE);
  return protocol == IPPROTO_UDP ? bit(TCP_ESTABLISHED) : ~kOver;
}

void note(std::vector<IpAddress>& addresses, const IpAddress& address) {
  if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
    addresses.push_back(address);
  }
}

/// One kind of connection.
struct Kind {
  std::uint8_t family = 0;
  std::uint8_t protocol = 0;
};

int end_kind(Socket& socket, const Kind& kind,
             const std::function<bool(const IpAddress&)>& is_stale, EndedConnections& result) {
  ::inet_diag_req_v2 request{};
  request.sdiag_family = kind.family;
  request.sdiag_protocol = kind.protocol;
  request.idiag_states = states_of(kind.protocol);
  std::vector<Connection> stale;
  const Reply listed = socket.request(request_of(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request).get(),
                                      [&](::nl_msg* answer) {
                                        const auto connection = parse_connection(answer);
                                        if (connection && is_stale(connection->source)) {
                                          stale.push_back(*connection);
                                        }
                                      });
  int error = listed.error;
  for (const Connection& connection : stale) {
    request.id = connection.id;
    const Reply ended = socket.request(request_of(kSockDestroy, 0, request).get());
    if (ended.error == 0) {
      ++result.count;
    } else if (ended.error != ENOENT) {  // it has ended meanwhile
      error = ended.error;
      note(result.left, connection.source);
    }
  }
  return error;
}

}  // namespace

std::optional<Connection> parse_connection(::nl_msg* message) {
  ::nlmsghdr* header = ::nlmsg_hdr(message);
  if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
      ::nlmsg_valid_hdr(header, sizeof(::inet_diag_msg)) == 0) {
    return std::nullopt;
  }
  const auto* fixed = static_cast<const ::inet_diag_msg*>(::nlmsg_data(header));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(fixed->id.idiag_src);
  std::span<const std::uint8_t> address(bytes, fixed->idiag_family == AF_INET ? 4 : 16);
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.size() == 16 && std::equal(kMapped.begin(), kMapped.end(), address.begin())) {
    address = address.subspan(kMapped.size());
  }
  const auto source = IpAddress::from_bytes(address);
  if (!source || (fixed->idiag_family != AF_INET && fixed->idiag_family != AF_INET6)) {
    return std::nullopt;
  }
  return Connection{*source, fixed->id};
}

EndedConnections end_connections(const std::function<bool(const IpAddress&)>& is_stale) {
  EndedConnections result;
  std::optional<Socket> socket;
  try {
    socket.emplace(NETLINK_SOCK_DIAG);
  } catch (const Error& error) {
    result.error = error.code().value();
    return result;
  }
  for (const Kind& kind : {Kind{AF_INET, IPPROTO_TCP}, Kind{AF_INET6, IPPROTO_TCP},
                           Kind{AF_INET, IPPROTO_UDP}, Kind{AF_INET6, IPPROTO_UDP}}) {
    if (const int error = end_kind(*socket, kind, is_stale, result); error != 0) {
      result.error = error;
    }
  }
  return result;
}

}  // namespace vpnrun::netlink
