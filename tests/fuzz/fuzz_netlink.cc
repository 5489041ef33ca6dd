// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of the kernel: answers about links, addresses, routes and rules, changes of the network
// and of the filter rules.
//
// Held: nothing is read past a message, however short, whatever its type and its attributes say; no
// exception; what is told of a link, an address or a route is within the bounds of its type.
//
// Input: a byte that chooses the protocol, then a datagram, cut into messages as libnl does.
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "systemd/service/netlink/filter_monitor.h"
#include "systemd/service/netlink/message.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using namespace vpnrun::netlink;
using fuzz::hold;

void hold_prefix(const Prefix& prefix) {
  hold(prefix.length <= prefix.address.bit_count(), "a prefix is no longer than its address");
  hold(Prefix::parse(prefix.str()) == prefix, "a prefix is written as it is read");
}

void hold_answers(::nl_msg* message) {
  if (const auto link = parse_link(message)) {
    hold(link->name.find('\0') == std::string::npos, "a name is text");
  }
  if (const auto address = parse_address(message)) {
    hold_prefix(address->address);
  }
  if (const auto route = parse_route(message)) {
    hold_prefix(route->destination);
  }
  (void)parse_rule(message);
  (void)parse_connection(message);
}

void hold_event(::nl_msg* message) {
  int events = 0;
  read_event(message, [&events](const Event& event) {
    ++events;
    hold(!std::holds_alternative<Overrun>(event), "no message tells of an overrun");
  });
  hold(events <= 1, "at most one event a message");
}

void hold_error(const ::nlmsghdr* header) {
  // As libnl does before it calls back.
  if (header->nlmsg_type == NLMSG_ERROR && header->nlmsg_len >= NLMSG_LENGTH(sizeof(::nlmsgerr))) {
    const std::string text = extended_text(*static_cast<const ::nlmsgerr*>(::nlmsg_data(header)));
    hold(text.size() < header->nlmsg_len, "no more text than the message has");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const int protocol = data[0] % 2 == 0 ? NETLINK_ROUTE : NETLINK_NETFILTER;
  std::vector<std::byte> datagram(size - 1);
  std::memcpy(datagram.data(), data + 1, datagram.size());

  FilterEvents filter;
  filter.follow_interface(2);
  int left = static_cast<int>(datagram.size());
  for (auto* header = reinterpret_cast<::nlmsghdr*>(datagram.data()); ::nlmsg_ok(header, left) != 0;
       header = ::nlmsg_next(header, &left)) {
    // A copy with the length that the message says: what is read past its end is noticed.
    const MessagePtr message(::nlmsg_convert(header));
    ::nlmsg_set_proto(message.get(), protocol);
    if (protocol == NETLINK_ROUTE) {
      hold_answers(message.get());
      hold_event(message.get());
      hold_error(::nlmsg_hdr(message.get()));
    } else {
      filter.read(message.get(), [](const FilterEvent& event) {
        hold(!std::holds_alternative<FilterOverrun>(event), "no message tells of an overrun");
      });
    }
  }
  return 0;
}
