// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/rule.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <string_view>

#include "profiles/base/format.h"
#include "systemd/service/netlink/message.h"
#include "systemd/service/netlink/object.h"

namespace vpnrun::netlink {
namespace {

/// libnl's own object of a rule knows no users (libnl-route-3 3.7).
MessagePtr rule_message(int type, int flags, const Rule& rule) {
  MessagePtr message = checked(MessagePtr(::nlmsg_alloc_simple(type, flags)));
  ::fib_rule_hdr header{};
  header.family = rule.family == Family::kIpv4 ? AF_INET : AF_INET6;
  header.action = FR_ACT_TO_TBL;
  bool fits = ::nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) == 0 &&
              ::nla_put_u32(message.get(), FRA_TABLE, rule.table) == 0 &&
              ::nla_put_u32(message.get(), FRA_PRIORITY, rule.priority) == 0;
  if (rule.owner) {
    const ::fib_rule_uid_range owner{*rule.owner, *rule.owner};
    fits = fits && ::nla_put(message.get(), FRA_UID_RANGE, sizeof(owner), &owner) == 0;
  }
  if (!rule.device.empty()) {
    fits = fits && ::nla_put_string(message.get(), FRA_OIFNAME, rule.device.c_str()) == 0;
  }
  if (!fits) {
    throw std::bad_alloc();
  }
  return message;
}

std::optional<std::uint32_t> number_in(::nlmsghdr* header, int attribute) {
  const ::nlattr* found = ::nlmsg_find_attr(header, sizeof(::fib_rule_hdr), attribute);
  if (found == nullptr || ::nla_len(found) < static_cast<int>(sizeof(std::uint32_t))) {
    return std::nullopt;
  }
  return ::nla_get_u32(found);
}

}  // namespace

std::optional<Rule> parse_rule(::nl_msg* message) {
  ::nlmsghdr* header = ::nlmsg_hdr(message);
  if (header->nlmsg_type != RTM_NEWRULE || ::nlmsg_valid_hdr(header, sizeof(::fib_rule_hdr)) == 0) {
    return std::nullopt;
  }
  const auto* fixed = static_cast<const ::fib_rule_hdr*>(::nlmsg_data(header));
  if (fixed->action != FR_ACT_TO_TBL || (fixed->family != AF_INET && fixed->family != AF_INET6)) {
    return std::nullopt;
  }
  Rule rule;
  rule.family = fixed->family == AF_INET ? Family::kIpv4 : Family::kIpv6;
  rule.table = number_in(header, FRA_TABLE).value_or(fixed->table);
  rule.priority = number_in(header, FRA_PRIORITY).value_or(0);
  if (const ::nlattr* users = ::nlmsg_find_attr(header, sizeof(::fib_rule_hdr), FRA_UID_RANGE)) {
    if (::nla_len(users) < static_cast<int>(sizeof(::fib_rule_uid_range))) {
      return std::nullopt;
    }
    const auto* range = static_cast<const ::fib_rule_uid_range*>(::nla_data(users));
    if (range->start != range->end) {
      return std::nullopt;
    }
    rule.owner = range->start;
  }
  if (const ::nlattr* device = ::nlmsg_find_attr(header, sizeof(::fib_rule_hdr), FRA_OIFNAME)) {
    const std::string_view name(static_cast<const char*>(::nla_data(device)),
                                static_cast<std::size_t>(::nla_len(device)));
    rule.device = name.substr(0, name.find('\0'));
  }
  return rule;
}

bool add_rule(Socket& socket, const Rule& rule) {
  const Reply reply =
      socket.request(rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule).get());
  if (reply.error == EEXIST) {
    return false;
  }
  if (reply.error != 0) {
    throw_reply(reply, formatted("cannot add a routing rule for table {}", rule.table));
  }
  return true;
}

std::vector<Rule> list_rules(Socket& socket) {
  std::vector<Rule> rules;
  dump(
      socket, RTM_GETRULE, "routing rules", [&] { rules.clear(); },
      [&](::nl_msg* message) {
        if (const auto rule = parse_rule(message)) {
          rules.push_back(*rule);
        }
      });
  return rules;
}

bool delete_rule(Socket& socket, const Rule& rule) {
  const Reply reply = socket.request(rule_message(RTM_DELRULE, 0, rule).get());
  if (reply.error == ENOENT) {
    return false;
  }
  if (reply.error != 0) {
    throw_reply(reply, formatted("cannot remove a routing rule for table {}", rule.table));
  }
  return true;
}

}  // namespace vpnrun::netlink
