// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/filter_monitor.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <netlink/attr.h>
#include <netlink/msg.h>

namespace vpnrun::netlink {
namespace {

using Handler = std::function<void(const FilterEvent&)>;

/// Traced packets on their way at once; a host that traces more than that loses old ones here.
constexpr std::size_t kFollowedMax = 1024;

template <std::size_t N>
using Attributes = std::array<::nlattr*, N>;

std::string text_of(const ::nlattr* attribute) {
  if (attribute == nullptr) {
    return {};
  }
  const char* text = ::nla_get_string(attribute);
  return {text, ::strnlen(text, static_cast<std::size_t>(::nla_len(attribute)))};
}

/// nfnetlink sends numbers in network byte order.
std::uint32_t number_of(const ::nlattr* attribute) {
  return attribute != nullptr && ::nla_len(attribute) >= 4 ? ntohl(::nla_get_u32(attribute)) : 0;
}

std::string family_name(unsigned char family) {
  constexpr std::array<std::pair<unsigned char, const char*>, 6> kNames = {
      {{NFPROTO_INET, "inet"},
       {NFPROTO_IPV4, "ip"},
       {NFPROTO_IPV6, "ip6"},
       {NFPROTO_ARP, "arp"},
       {NFPROTO_BRIDGE, "bridge"},
       {NFPROTO_NETDEV, "netdev"}}};
  for (const auto& [number, name] : kNames) {
    if (number == family) {
      return name;
    }
  }
  return "unknown";
}

/// The table of a message about rules or chains; empty: it is about something else.
std::string table_of_rules(::nlmsghdr* header) {
  constexpr std::array kRules = {NFT_MSG_NEWRULE, NFT_MSG_DELRULE};
  constexpr std::array kChains = {NFT_MSG_NEWCHAIN, NFT_MSG_DELCHAIN};
  const auto is_one_of = [header](const auto& kinds) {
    return std::any_of(kinds.begin(), kinds.end(), [header](auto kind) {
      return header->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8U | static_cast<unsigned>(kind));
    });
  };
  constexpr auto kMost = std::max<std::size_t>(NFTA_RULE_MAX, NFTA_CHAIN_MAX);
  Attributes<kMost + 1> attributes{};
  const int name = is_one_of(kRules) ? NFTA_RULE_TABLE : is_one_of(kChains) ? NFTA_CHAIN_TABLE : 0;
  if (name == 0 || ::nlmsg_parse(header, sizeof(::nfgenmsg), attributes.data(),
                                 static_cast<int>(kMost), nullptr) != 0) {
    return {};
  }
  return text_of(attributes.at(static_cast<std::size_t>(name)));
}

bool is_drop(const Attributes<NFTA_TRACE_MAX + 1>& trace) {
  const std::uint32_t type = number_of(trace[NFTA_TRACE_TYPE]);
  if (type == NFT_TRACETYPE_POLICY) {
    return trace[NFTA_TRACE_POLICY] != nullptr && number_of(trace[NFTA_TRACE_POLICY]) == NF_DROP;
  }
  Attributes<NFTA_VERDICT_MAX + 1> verdict{};
  return type == NFT_TRACETYPE_RULE && trace[NFTA_TRACE_VERDICT] != nullptr &&
         ::nla_parse_nested(verdict.data(), NFTA_VERDICT_MAX, trace[NFTA_TRACE_VERDICT], nullptr) ==
             0 &&
         verdict[NFTA_VERDICT_CODE] != nullptr && number_of(verdict[NFTA_VERDICT_CODE]) == NF_DROP;
}

}  // namespace

void FilterEvents::follow_interface(int ifindex) noexcept {
  ifindex_ = static_cast<std::uint32_t>(ifindex);
  followed_.clear();
}

void FilterEvents::read(::nl_msg* message, const Handler& handle) {
  ::nlmsghdr* header = ::nlmsg_hdr(message);
  if (::nlmsg_valid_hdr(header, sizeof(::nfgenmsg)) == 0) {
    return;
  }
  const auto family = static_cast<const ::nfgenmsg*>(::nlmsg_data(header))->nfgen_family;
  if (header->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8U | NFT_MSG_DELTABLE)) {
    Attributes<NFTA_TABLE_MAX + 1> table{};
    if (::nlmsg_parse(header, sizeof(::nfgenmsg), table.data(), NFTA_TABLE_MAX, nullptr) == 0) {
      handle(TableDeleted{family_name(family), text_of(table[NFTA_TABLE_NAME])});
    }
    return;
  }
  if (const std::string table = table_of_rules(header); !table.empty()) {
    handle(RulesChanged{family_name(family), table});
    return;
  }
  Attributes<NFTA_TRACE_MAX + 1> trace{};
  if (ifindex_ == 0 || header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8U | NFT_MSG_TRACE) ||
      ::nlmsg_parse(header, sizeof(::nfgenmsg), trace.data(), NFTA_TRACE_MAX, nullptr) != 0) {
    return;
  }
  const std::uint32_t id = number_of(trace[NFTA_TRACE_ID]);
  if (number_of(trace[NFTA_TRACE_IIF]) == ifindex_ ||
      number_of(trace[NFTA_TRACE_OIF]) == ifindex_) {
    if (followed_.size() >= kFollowedMax) {
      followed_.clear();
    }
    followed_.insert(id);
  }
  if (is_drop(trace) && followed_.erase(id) != 0) {
    handle(PacketDropped{family_name(family), text_of(trace[NFTA_TRACE_TABLE]),
                         text_of(trace[NFTA_TRACE_CHAIN]),
                         number_of(trace[NFTA_TRACE_TYPE]) == NFT_TRACETYPE_POLICY});
  }
}

FilterMonitor::FilterMonitor()
    : notifications_(NETLINK_NETFILTER, {NFNLGRP_NFTABLES}, "the filter rules") {}

void FilterMonitor::follow_interface(int ifindex) {
  if (ifindex != 0 && !events_.is_following()) {
    notifications_.join(NFNLGRP_NFTRACE);
  } else if (ifindex == 0 && events_.is_following()) {
    notifications_.leave(NFNLGRP_NFTRACE);
  }
  events_.follow_interface(ifindex);
}

int FilterMonitor::fd() const noexcept {
  return notifications_.fd();
}

void FilterMonitor::drain(const Handler& handle) {
  notifications_.drain([this, &handle](::nl_msg* message) { events_.read(message, handle); },
                       [&handle] { handle(FilterOverrun{}); });
}

}  // namespace vpnrun::netlink
