// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/filter_chain.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "profiles/base/error.h"
#include "systemd/service/netlink/object.h"

namespace vpnrun::netlink {

FilterChains::FilterChains() : socket_(checked(SocketPtr(::nl_socket_alloc()))) {
  ::nl_socket_disable_auto_ack(socket_.get());
  if (const int result = ::nl_connect(socket_.get(), NETLINK_NETFILTER); result < 0) {
    throw Error(formatted("cannot look for filter chains: {}", ::nl_geterror(result)));
  }
}

bool FilterChains::has(const std::string& table, const std::string& chain) {
  const MessagePtr message = checked(MessagePtr(
      ::nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8U | NFT_MSG_GETCHAIN, NLM_F_REQUEST)));
  ::nfgenmsg header{};
  header.nfgen_family = NFPROTO_INET;
  header.version = NFNETLINK_V0;
  int result = ::nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  result = result < 0 ? result : ::nla_put_string(message.get(), NFTA_CHAIN_TABLE, table.c_str());
  result = result < 0 ? result : ::nla_put_string(message.get(), NFTA_CHAIN_NAME, chain.c_str());
  result = result < 0 ? result : ::nl_send_auto(socket_.get(), message.get());
  result = result < 0 ? result : ::nl_recvmsgs_default(socket_.get());
  if (result == -NLE_OBJ_NOTFOUND) {
    return false;
  }
  if (result < 0) {
    throw Error(
        formatted("cannot look for the filter chain '{}': {}", chain, ::nl_geterror(result)));
  }
  return true;
}

}  // namespace vpnrun::netlink
