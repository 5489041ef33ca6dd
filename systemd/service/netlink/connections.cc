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
#include <set>
#include <span>
#include <utility>

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

/// So many are kept at once; the kernel is asked again for the others.
constexpr std::size_t kListedAtOnce = 16384;

::inet_diag_req_v2 about(int family, int protocol) {
  ::inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<std::uint8_t>(family);
  request.sdiag_protocol = static_cast<std::uint8_t>(protocol);
  request.idiag_states = states_of(protocol);
  return request;
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

struct StaleConnections::Parts {
  struct One {
    int family = 0;
    int protocol = 0;
    Connection connection;
  };
  std::function<bool(const IpAddress&)> is_stale;
  std::optional<Socket> socket;
  std::vector<One> waiting;  ///< the next one is the last
  bool has_more = false;     ///< than could be kept
  bool ended_any = false;    ///< since they were listed
  std::set<IpAddress> left;
  std::size_t count = 0;
  int error = 0;

  void list();
  void end(const One& one);
};

void StaleConnections::Parts::list() {
  has_more = false;
  ended_any = false;
  for (const int protocol : {IPPROTO_TCP, IPPROTO_UDP}) {
    for (const int family : {AF_INET, AF_INET6}) {
      const Reply listed = socket->request(
          request_of(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, about(family, protocol)).get(),
          [&](::nl_msg* answer) {
            const auto connection = parse_connection(answer);
            if (!connection || !is_stale(connection->source)) {
              return;
            }
            if (waiting.size() < kListedAtOnce) {
              waiting.push_back({family, protocol, *connection});
            } else {
              has_more = true;
            }
          });
      error = listed.error != 0 ? listed.error : error;
    }
  }
}

void StaleConnections::Parts::end(const One& one) {
  ::inet_diag_req_v2 request = about(one.family, one.protocol);
  request.id = one.connection.id;
  const Reply ended = socket->request(request_of(kSockDestroy, 0, request).get());
  if (ended.error == 0) {
    ++count;
    ended_any = true;
  } else if (ended.error != ENOENT) {  // it has ended meanwhile
    error = ended.error;
    left.insert(one.connection.source);
  }
}

StaleConnections::StaleConnections(std::function<bool(const IpAddress&)> is_stale)
    : parts_(std::make_unique<Parts>()) {
  parts_->is_stale = std::move(is_stale);
  try {
    parts_->socket.emplace(NETLINK_SOCK_DIAG);
  } catch (const Error& error) {
    parts_->error = error.code().value();
    return;
  }
  parts_->list();
}

StaleConnections::~StaleConnections() = default;

bool StaleConnections::end_some(std::size_t most) {
  for (; most > 0 && !parts_->waiting.empty(); --most) {
    parts_->end(parts_->waiting.back());
    parts_->waiting.pop_back();
  }
  // Where none can be ended, the same ones would be listed again.
  if (parts_->waiting.empty() && parts_->has_more && parts_->ended_any) {
    parts_->list();
  }
  return !parts_->waiting.empty();
}

EndedConnections StaleConnections::result() const {
  return {parts_->count, {parts_->left.begin(), parts_->left.end()}, parts_->error};
}

}  // namespace vpnrun::netlink
