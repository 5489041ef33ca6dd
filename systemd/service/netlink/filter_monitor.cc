// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/filter_monitor.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <exception>
#include <utility>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "profiles/error.h"
#include "systemd/service/netlink/object.h"

namespace vpnrun::netlink {
namespace {

using CallbackPtr = NlPtr<::nl_cb, ::nl_cb_put>;
using Handler = std::function<void(const FilterEvent&)>;

constexpr int kReceiveBuffer = 1 << 20;
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

struct DrainState {
  FilterMonitor* monitor = nullptr;
  const Handler* handle = nullptr;
  std::exception_ptr exception;
};

int on_message(::nl_msg* message, void* argument) noexcept {
  auto& state = *static_cast<DrainState*>(argument);
  try {
    state.monitor->report(::nlmsg_hdr(message), *state.handle);
  } catch (...) {
    state.exception = std::current_exception();
    return NL_STOP;
  }
  return NL_OK;
}

int accept_sequence(::nl_msg* /*message*/, void* /*argument*/) noexcept {
  return NL_OK;
}

}  // namespace

FilterMonitor::FilterMonitor() : socket_(checked(SocketPtr(::nl_socket_alloc()))) {
  int result = ::nl_connect(socket_.get(), NETLINK_NETFILTER);
  if (result >= 0) {
    result = ::nl_socket_add_memberships(socket_.get(), NFNLGRP_NFTABLES, NFNLGRP_NFTRACE, 0);
  }
  if (result >= 0) {
    result = ::nl_socket_set_nonblocking(socket_.get());
  }
  if (result < 0) {
    throw Error(std::string("cannot watch the filter rules: ") + ::nl_geterror(result));
  }
  (void)::setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer));
}

int FilterMonitor::fd() const noexcept {
  return ::nl_socket_get_fd(socket_.get());
}

void FilterMonitor::follow_interface(int ifindex) noexcept {
  ifindex_ = static_cast<std::uint32_t>(ifindex);
  followed_.clear();
}

void FilterMonitor::report(const void* message_header, const Handler& handle) {
  // libnl's interface is not const.
  auto* header = const_cast<::nlmsghdr*>(static_cast<const ::nlmsghdr*>(message_header));
  const auto family = static_cast<const ::nfgenmsg*>(::nlmsg_data(header))->nfgen_family;
  if (header->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8U | NFT_MSG_DELTABLE)) {
    Attributes<NFTA_TABLE_MAX + 1> table{};
    if (::nlmsg_parse(header, sizeof(::nfgenmsg), table.data(), NFTA_TABLE_MAX, nullptr) == 0) {
      handle(TableDeleted{text_of(table[NFTA_TABLE_NAME])});
    }
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

void FilterMonitor::drain(const Handler& handle) {
  const CallbackPtr callbacks = checked(CallbackPtr(::nl_cb_alloc(NL_CB_DEFAULT)));
  DrainState state{this, &handle, nullptr};
  ::nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, &state);
  ::nl_cb_set(callbacks.get(), NL_CB_SEQ_CHECK, NL_CB_CUSTOM, accept_sequence, nullptr);
  for (;;) {
    const int result = ::nl_recvmsgs(socket_.get(), callbacks.get());
    if (state.exception) {
      std::rethrow_exception(state.exception);
    }
    if (result == -NLE_AGAIN) {
      return;
    }
    if (result == -NLE_NOMEM) {  // ENOBUFS
      handle(FilterOverrun{});
    } else if (result < 0) {
      throw Error(std::string("cannot read changes of the filter rules: ") + ::nl_geterror(result));
    }
  }
}

}  // namespace vpnrun::netlink
