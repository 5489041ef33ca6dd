// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/filter_chain.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <memory>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "profiles/base/error.h"
#include "systemd/service/netlink/object.h"

namespace vpnrun::netlink {
namespace {

MessagePtr request(int type) {
  MessagePtr message =
      checked(MessagePtr(::nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8U | type, NLM_F_REQUEST)));
  ::nfgenmsg header{};
  header.nfgen_family = NFPROTO_INET;
  header.version = NFNETLINK_V0;
  if (::nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0) {
    throw Error("no memory is left for a request to the kernel");
  }
  return message;
}

/// NL_CB_VALID: `number` is a std::optional<std::uint64_t>.
int read_number(::nl_msg* message, void* number) {
  const ::nlattr* handle =
      ::nlmsg_find_attr(::nlmsg_hdr(message), sizeof(::nfgenmsg), NFTA_TABLE_HANDLE);
  if (handle != nullptr && ::nla_len(handle) == sizeof(std::uint64_t)) {
    *static_cast<std::optional<std::uint64_t>*>(number) = be64toh(::nla_get_u64(handle));
  }
  return NL_OK;
}

}  // namespace

FilterChains::FilterChains() : socket_(checked(SocketPtr(::nl_socket_alloc()))) {
  ::nl_socket_disable_auto_ack(socket_.get());
  if (const int result = ::nl_connect(socket_.get(), NETLINK_NETFILTER); result < 0) {
    throw Error(formatted("cannot look for filter chains: {}", ::nl_geterror(result)));
  }
}

bool FilterChains::has(const std::string& table, const std::string& chain) {
  const MessagePtr message = request(NFT_MSG_GETCHAIN);
  int result = ::nla_put_string(message.get(), NFTA_CHAIN_TABLE, table.c_str());
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

std::optional<std::uint64_t> FilterChains::number_of(const std::string& table) {
  const MessagePtr message = request(NFT_MSG_GETTABLE);
  std::optional<std::uint64_t> number;
  const std::unique_ptr<::nl_cb, void (*)(::nl_cb*)> callbacks(::nl_cb_alloc(NL_CB_DEFAULT),
                                                               ::nl_cb_put);
  int result = callbacks
                   ? ::nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, read_number, &number)
                   : -NLE_NOMEM;
  result = result < 0 ? result : ::nla_put_string(message.get(), NFTA_TABLE_NAME, table.c_str());
  result = result < 0 ? result : ::nl_send_auto(socket_.get(), message.get());
  result = result < 0 ? result : ::nl_recvmsgs(socket_.get(), callbacks.get());
  if (result == -NLE_OBJ_NOTFOUND) {
    return std::nullopt;
  }
  if (result < 0) {
    throw Error(
        formatted("cannot look for the filter table '{}': {}", table, ::nl_geterror(result)));
  }
  return number;
}

}  // namespace vpnrun::netlink
