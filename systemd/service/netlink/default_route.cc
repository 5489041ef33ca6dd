// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/default_route.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "profiles/base/error.h"
#include "systemd/service/netlink/object.h"
#include "systemd/service/netlink/route_object.h"

namespace vpnrun::netlink {
namespace {

/// Appends `message`, made ready to be sent as it is.
void append_request(std::vector<std::byte>& requests, ::nl_msg* message) {
  ::nlmsghdr* header = ::nlmsg_hdr(message);
  header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  const auto* bytes = reinterpret_cast<const std::byte*>(header);
  requests.insert(requests.end(), bytes, bytes + header->nlmsg_len);
  requests.resize(NLMSG_ALIGN(requests.size()));
}

/// The errno in the first message of an answer; EIO for anything that is not an answer.
int error_in(std::span<const std::byte> answer) noexcept {
  ::nlmsghdr header{};
  ::nlmsgerr error{};
  if (answer.size() < NLMSG_HDRLEN + sizeof(error)) {
    return EIO;
  }
  std::memcpy(&header, answer.data(), sizeof(header));
  std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof(error));
  return header.nlmsg_type == NLMSG_ERROR ? -error.error : EIO;
}

}  // namespace

DefaultRoute::DefaultRoute(int ifindex, Families families, const std::optional<IpAddress>& source4)
    : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  if (!socket_.ok()) {
    throw_errno("cannot open a netlink socket");
  }
  const int on = 1;  // the request need not come back with its error
  (void)::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  const auto prepare = [&](Family family) {
    Route route;
    route.destination = Prefix::default_network(family);
    route.ifindex = ifindex;
    const RoutePtr any = to_object(route);
    route.preferred_source = family == Family::kIpv4 ? source4 : std::nullopt;
    const RoutePtr object = to_object(route);
    ::nl_msg* raw = nullptr;
    int result = ::rtnl_route_build_add_request(object.get(), NLM_F_CREATE | NLM_F_REPLACE, &raw);
    append_request(install_requests_, built(result, raw, "build a default route").get());
    raw = nullptr;
    result = ::rtnl_route_build_del_request(any.get(), 0, &raw);
    append_request(remove_requests_, built(result, raw, "build a default route").get());
  };
  if (families != Families::kIpv6) {
    prepare(Family::kIpv4);
  }
  if (families != Families::kIpv4) {
    prepare(Family::kIpv6);
  }
  request_count_ = families == Families::kBoth ? 2 : 1;
}

void DefaultRoute::install() {
  const int error = exchange(install_requests_, Missing::kIsError);
  if (error != 0) {
    throw_error(error, "cannot set the default route");
  }
}

int DefaultRoute::remove() noexcept {
  return exchange(remove_requests_, Missing::kIsFine);
}

int DefaultRoute::exchange(const std::vector<std::byte>& requests, Missing missing) noexcept {
  ::sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ::ssize_t sent = ::sendto(socket_.get(), requests.data(), requests.size(), 0,
                                  reinterpret_cast<const ::sockaddr*>(&kernel), sizeof(kernel));
  if (sent < 0) {
    return errno;
  }
  // The kernel works before sendto returns: every answer is here by now.
  int first_error = 0;
  for (int i = 0; i < request_count_; ++i) {
    std::array<std::byte, 1024> answer{};
    const ::ssize_t size = ::recv(socket_.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    int error = size < 0 ? errno : error_in({answer.data(), static_cast<std::size_t>(size)});
    if (missing == Missing::kIsFine && (error == ESRCH || error == ENODEV)) {
      error = 0;
    }
    if (first_error == 0) {
      first_error = error;
    }
  }
  return first_error;
}

}  // namespace vpnrun::netlink
