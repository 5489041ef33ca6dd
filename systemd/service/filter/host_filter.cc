// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/host_filter.h"

#include <net/if.h>

#include <algorithm>

#include <fmt/format.h>

#include "profiles/base/error.h"
#include "systemd/service/filter/ruleset_text.h"

namespace vpnrun::filter {
namespace {

/// `name` in quotes. Interface names are the kernel's, but nftables has no way to escape one.
std::string quoted(const std::string& name) {
  const bool fits =
      !name.empty() && name.size() < IFNAMSIZ && std::all_of(name.begin(), name.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '"' && c != '*' && c != '\\' && c != '/';
      });
  if (!fits) {
    throw Error(
        fmt::format("cannot filter the interface '{}': the name cannot be written in a rule",
                    printable(name)),
        std::make_error_code(std::errc::invalid_argument));
  }
  return "\"" + name + "\"";
}

/// Flows of a link that exist at once. Of those that a client gives up each is there for two
/// minutes.
constexpr int kMostFlows = 128;

/// The guarded uplinks that are no bridges.
std::vector<std::string> guarded_alone(const HostFilter& filter) {
  std::vector<std::string> names;
  for (const auto& name : filter.guarded_uplinks) {
    const auto& bridges = filter.guarded_bridges;
    if (std::find(bridges.begin(), bridges.end(), name) == bridges.end()) {
      names.push_back(quoted(name));
    }
  }
  return names;
}

/// Of connections that began elsewhere. Not "established" alone: a neighbour's packet that claims
/// to come from the namespace belongs to our own connection, in its first direction.
constexpr const char* kAnswers = "    ct state established,related ct direction reply accept\n";

// Every packet of the machine passes these chains: each asks for the interface first and is done
// with the rest of the machine after one or two comparisons.

/// Before anything of the host has looked at a packet. Conntrack's defragmentation (priority -400)
/// has been at work: ports are there to be compared.
std::string from_namespace(const HostFilter& filter) {
  const std::string ns_address = ipv4_text(filter.addresses.ns_address);
  const std::string host_address = ipv4_text(filter.addresses.host_address);
  std::string rules;
  if (!filter.endpoints.empty()) {
    rules += fmt::format("    ip saddr {} ip daddr . meta l4proto . th dport {} accept\n",
                         ns_address, set_of(endpoint_elements(filter.endpoints)));
  }
  if (!filter.expose.empty()) {
    rules += fmt::format("    ip saddr {} ip daddr {} meta l4proto . th sport {} accept\n",
                         ns_address, host_address, set_of(port_elements(filter.expose)));
  }
  // Our two addresses are nobody's on other networks; and nothing is to answer for them there.
  return fmt::format(
      "  chain from_link {{\n{0}    drop\n  }}\n"
      "  chain from_namespace {{\n"
      "    type filter hook prerouting priority -300; policy accept;\n"
      "    iifname {1} goto from_link\n"
      "    ip daddr {{ {2}, {3} }} iifname != \"lo\" drop\n  }}\n",
      rules, quoted(filter.link), ns_address, host_address);
}

/// Conntrack (-200) has judged by now. What it calls invalid would not be masqueraded. An exposed
/// port answers and never asks.
///
/// On a guarded uplink the machine is as silent as one that does not forward: later, a packet whose
/// time is up or that took a detour would be answered. Answers to what is masqueraded are still
/// addressed to the machine here. Bridges are left out: what br_netfilter shows here may be on its
/// way from one port to another.
std::string judged(const HostFilter& filter) {
  const std::string link = quoted(filter.link);
  std::string rules = fmt::format("    iifname {} ct state invalid drop\n", link);
  if (!filter.expose.empty()) {
    rules += fmt::format("    iifname {} ip daddr {} ct direction original drop\n", link,
                         ipv4_text(filter.addresses.host_address));
  }
  std::string strangers;
  if (const auto alone = guarded_alone(filter); !alone.empty()) {
    strangers = fmt::format("  chain unasked {{\n{}    drop\n  }}\n", kAnswers);
    rules += fmt::format("    meta nfproto ipv4 iifname {} fib daddr type unicast goto unasked\n",
                         set_of(alone));
  }
  return fmt::format(
      "{}  chain judged {{\n"
      "    type filter hook prerouting priority -150; policy accept;\n{}  }}\n",
      strangers, rules);
}

std::string to_namespace(const HostFilter& filter) {
  const std::string ns_address = ipv4_text(filter.addresses.ns_address);
  std::string rules;
  if (!filter.endpoints.empty()) {
    rules += fmt::format(
        "    ip daddr {0} ip saddr . meta l4proto . th sport {1} ct direction reply accept\n"
        "    ip daddr {0} icmp type destination-unreachable ct state related accept\n",
        ns_address, set_of(endpoint_elements(filter.endpoints)));
  }
  if (!filter.expose.empty()) {
    rules += fmt::format("    ip saddr {} ip daddr {} meta l4proto . th dport {} accept\n",
                         ipv4_text(filter.addresses.host_address), ns_address,
                         set_of(port_elements(filter.expose)));
  }
  // Before source NAT (100): sources are still those that the packets came with. The last rule:
  // while the link is being made anew, an answer on its way to the namespace would follow the
  // machine's default route back out.
  return fmt::format(
      "  chain to_link {{\n{0}    drop\n  }}\n"
      "  chain to_namespace {{\n"
      "    type filter hook postrouting priority 0; policy accept;\n"
      "    oifname {1} goto to_link\n"
      "    ip daddr {2} drop\n  }}\n",
      rules, quoted(filter.link), ns_address);
}

std::string source_nat(const HostFilter& filter) {
  return fmt::format(
      "  chain source {{\n"
      "    type nat hook postrouting priority 100; policy accept;\n"
      "    ip saddr {} oifname != {} masquerade\n  }}\n",
      ipv4_text(filter.addresses.ns_address), quoted(filter.link));
}

/// First of all, conntrack's defragmentation (-400) excepted.
std::string trace(const HostFilter& filter) {
  if (!filter.traced || filter.endpoints.empty()) {
    return {};
  }
  const std::string endpoints = set_of(endpoint_elements(filter.endpoints));
  return fmt::format(
      "  chain trace {{\n"
      "    type filter hook prerouting priority -350; policy accept;\n"
      "    iifname {0} ip daddr . meta l4proto . th dport {1} meta nftrace set 1\n"
      "    iifname != {0} ip saddr . meta l4proto . th sport {1} meta nftrace set 1\n  }}\n",
      quoted(filter.link), endpoints);
}

std::string one_uplink(const HostFilter& filter) {
  if (filter.uplink.empty()) {
    return {};
  }
  return fmt::format(
      "  chain one_uplink {{\n"
      "    type filter hook forward priority 0; policy accept;\n"
      "    iifname {} oifname != {} drop\n  }}\n",
      quoted(filter.link), quoted(filter.uplink));
}

std::string guard(const HostFilter& filter) {
  if (filter.guarded_uplinks.empty()) {
    return {};
  }
  std::string rules;
  if (const auto alone = guarded_alone(filter); !alone.empty()) {
    // An answer to a namespace whose link is gone, while another profile's forwarding goes on:
    // conntrack still turns it to an address that nobody has, and the machine's default route leads
    // back out. What others forward comes in by one of these and leaves by an interface of theirs.
    rules += fmt::format(
        "    meta nfproto ipv4 iifname {0} oifname {0} drop\n"
        "    meta nfproto ipv4 iifname {0} oifname != \"{1}*\" goto guarded\n",
        set_of(alone), kHostLinkPrefix);
  }
  for (const auto& bridge : filter.guarded_bridges) {
    rules += fmt::format(
        "    meta nfproto ipv4 iifname {0} oifname != {0} oifname != \"{1}*\" goto guarded\n",
        quoted(bridge), kHostLinkPrefix);
  }
  return fmt::format(
      "  chain guarded {{\n{}    drop\n  }}\n"
      "  chain guard {{\n"
      "    type filter hook forward priority 0; policy accept;\n{}  }}\n",
      kAnswers, rules);
}

}  // namespace

std::string host_table(std::string_view profile_name) {
  return fmt::format("vpnrun-{}", profile_name);
}

std::string host_ruleset(const HostFilter& filter) {
  return replace_table(host_table(filter.profile_name),
                       from_namespace(filter) + judged(filter) + to_namespace(filter) +
                           source_nat(filter) + guard(filter) + one_uplink(filter) + trace(filter));
}

std::string host_arp_ruleset(const HostFilter& filter) {
  const std::string table = host_table(filter.profile_name);
  return fmt::format(
      "table arp {0}\ndelete table arp {0}\ntable arp {0} {{\n"
      "  chain input {{\n"
      "    type filter hook input priority 0; policy accept;\n"
      "    arp operation request arp daddr ip {1} drop\n  }}\n}}\n",
      table, ipv4_text(filter.addresses.host_address));
}

std::string host_flow_ruleset(const HostFilter& filter, FlowLimit limit) {
  const std::string table = host_table(filter.profile_name);
  const std::string start = fmt::format("    iifname {} ct state new ", quoted(filter.link));
  // The rate bounds what the count has to remember of flows that it refused.
  const std::string rules = limit == FlowLimit::kCount
                                ? fmt::format(
                                      "{0}limit rate over 50/second burst 64 packets drop\n"
                                      "{0}ct count over {1} drop\n",
                                      start, kMostFlows)
                                : start + "limit rate over 2/second burst 64 packets drop\n";
  // Conntrack (-200) has judged by now; what is dropped here never gets into its table.
  return fmt::format(
      "table ip {0}\ndelete table ip {0}\ntable ip {0} {{\n"
      "  chain flows {{\n"
      "    type filter hook prerouting priority -150; policy accept;\n{1}  }}\n}}\n",
      table, rules);
}

}  // namespace vpnrun::filter
