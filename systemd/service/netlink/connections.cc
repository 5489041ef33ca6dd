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
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <string>
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

/// One kind of connection.
struct Kind {
  std::uint8_t family = 0;
  std::uint8_t protocol = 0;
  const char* listed = "";  ///< where every kernel lists it, for the calling thread's namespace
};
constexpr std::array kKinds = {Kind{AF_INET, IPPROTO_TCP, "/proc/thread-self/net/tcp"},
                               Kind{AF_INET6, IPPROTO_TCP, "/proc/thread-self/net/tcp6"},
                               Kind{AF_INET, IPPROTO_UDP, "/proc/thread-self/net/udp"},
                               Kind{AF_INET6, IPPROTO_UDP, "/proc/thread-self/net/udp6"}};

IpAddress without_mapping(std::span<const std::uint8_t> address) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.size() == 16 && std::equal(kMapped.begin(), kMapped.end(), address.begin())) {
    address = address.subspan(kMapped.size());
  }
  return IpAddress::from_bytes(address).value_or(IpAddress());
}

/// The own addresses of stale connections, by proc(5).
std::set<IpAddress> listed_sources(const std::function<bool(const IpAddress&)>& is_stale) {
  std::set<IpAddress> sources;
  for (const Kind& kind : kKinds) {
    std::ifstream list(kind.listed);
    for (std::string line; std::getline(list, line);) {
      const auto socket = parse_listed_socket(line);
      if (socket && (states_of(kind.protocol) & bit(socket->state)) != 0 &&
          is_stale(socket->source)) {
        sources.insert(socket->source);
      }
    }
  }
  return sources;
}

::inet_diag_req_v2 about(const Kind& kind) {
  ::inet_diag_req_v2 request{};
  request.sdiag_family = kind.family;
  request.sdiag_protocol = kind.protocol;
  request.idiag_states = states_of(kind.protocol);
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
  if (fixed->idiag_family != AF_INET && fixed->idiag_family != AF_INET6) {
    return std::nullopt;
  }
  const std::size_t size = fixed->idiag_family == AF_INET ? 4 : 16;
  return Connection{without_mapping({bytes, size}), fixed->id};
}

/// "  12: 0200080A:C350 0A7100CB:0050 01 …": an address is in words of 32 bits as this machine has
/// them in memory, then the port; theirs; the state.
std::optional<ListedSocket> parse_listed_socket(std::string_view line) {
  const auto number = [](std::string_view text) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
  };
  std::array<std::string_view, 4> words;
  for (std::string_view& word : words) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
  }
  constexpr std::size_t kDigits = 8;
  const std::string_view address = words[1].substr(0, words[1].find(':'));
  const auto state = number(words[3]);
  constexpr unsigned kStates = 32;
  if ((address.size() != kDigits && address.size() != 4 * kDigits) || !state || *state >= kStates) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t at = 0; at < address.size(); at += kDigits) {
    const auto part = number(address.substr(at, kDigits));
    if (!part) {
      return std::nullopt;
    }
    std::memcpy(&bytes[at / 2], &*part, sizeof(*part));
  }
  return ListedSocket{without_mapping({bytes.data(), address.size() / 2}), *state};
}

struct StaleConnections::Parts {
  struct One {
    ::inet_diag_req_v2 request{};  ///< that names it
    IpAddress source;
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
  for (const Kind& kind : kKinds) {
    ::inet_diag_req_v2 request = about(kind);
    const Reply listed = socket->request(request_of(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request).get(),
                                         [&](::nl_msg* answer) {
                                           const auto connection = parse_connection(answer);
                                           if (!connection || !is_stale(connection->source)) {
                                             return;
                                           }
                                           if (waiting.size() < kListedAtOnce) {
                                             request.id = connection->id;
                                             waiting.push_back({request, connection->source});
                                           } else {
                                             has_more = true;
                                           }
                                         });
    error = listed.error != 0 ? listed.error : error;
  }
}

void StaleConnections::Parts::end(const One& one) {
  const Reply ended = socket->request(request_of(kSockDestroy, 0, one.request).get());
  if (ended.error == 0) {
    ++count;
    ended_any = true;
  } else if (ended.error != ENOENT) {  // it has ended meanwhile
    error = ended.error;
    left.insert(one.source);
  }
}

StaleConnections::StaleConnections(std::function<bool(const IpAddress&)> is_stale)
    : parts_(std::make_unique<Parts>()) {
  parts_->is_stale = std::move(is_stale);
  try {
    parts_->socket.emplace(NETLINK_SOCK_DIAG);
    parts_->list();
  } catch (const Error& error) {
    parts_->error = error.code().value();
  }
  if (parts_->error != 0 && parts_->waiting.empty()) {
    parts_->left = listed_sources(parts_->is_stale);
  }
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
