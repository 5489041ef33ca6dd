// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guard is the chain "leave" in the postrouting hook, after NAT: only there is the outgoing
// device the one that the packet really takes. In the output hook a packet that NAT has just
// redirected still has the device of its first route, so the chain "output" may only refuse more,
// early enough for an application to get an error. It refuses with an answer, which stays inside: a
// TCP connection whose packets are dropped without a word hangs for minutes.
#include "systemd/service/filter/inside_filter.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "profiles/base/format.h"
#include "systemd/service/filter/ruleset_text.h"

namespace vpnrun::filter {
namespace {

constexpr const char* kAnyPort53 = "meta l4proto { tcp, udp } th dport 53";

/// What one family contributes to the capture of names.
struct Resolvers {
  const char* protocol;  ///< nftables' word for the header: "ip" or "ip6"
  const char* nfproto;   ///< "ipv4" or "ipv6"
  std::vector<std::string> servers;

  [[nodiscard]] std::string first() const { return servers.front(); }
};

std::vector<Resolvers> resolvers(const InsideFilter& filter) {
  return {{"ip", "ipv4", of_family(filter.dns_servers, Family::kIpv4)},
          {"ip6", "ipv6", of_family(filter.dns_servers, Family::kIpv6)}};
}

/// Matches what the VPN client sends over the veth; empty if it may send nothing.
std::string client_match(const InsideFilter& filter) {
  if (!filter.link || filter.endpoints.empty()) {
    return {};
  }
  return formatted("meta skuid {} ip saddr {} ip daddr . meta l4proto . th dport {}",
                   filter.client_uid, ipv4_text(filter.link->ns_address),
                   set_of(endpoint_elements(filter.endpoints)));
}

/// What may be sent over the link.
std::string link_rules(const InsideFilter& filter) {
  std::string rules;
  if (const std::string client = client_match(filter); !client.empty()) {
    rules += formatted("    {} accept\n", client);
  }
  if (filter.link && !filter.expose.empty()) {
    rules += formatted(
        "    ip saddr {} ip daddr {} meta l4proto . th sport {} ct direction reply accept\n",
        ipv4_text(filter.link->ns_address), ipv4_text(filter.link->host_address),
        set_of(port_elements(filter.expose)));
  }
  return rules;
}

/// The answers are for the sender, who is in the namespace: they never leave it.
constexpr std::string_view kRefused =
    "  chain refused {\n"
    "    meta l4proto tcp reject with tcp reset\n"
    "    reject with icmpx admin-prohibited\n  }\n";

/// Names that would go anywhere but to the tunnel's resolvers are refused, with an answer: a
/// program that waits for a timeout looks broken.
std::string name_rules(const InsideFilter& filter) {
  if (!filter.capture) {
    return {};
  }
  std::string rules;
  for (const Resolvers& family : resolvers(filter)) {
    if (!family.servers.empty()) {
      rules += formatted("    {} daddr {} {} accept\n", family.protocol, set_of(family.servers),
                         kAnyPort53);
    }
  }
  // The client's endpoint may itself be on port 53.
  if (const std::string client = client_match(filter); !client.empty()) {
    rules += formatted("    oifname \"{}\" {} accept\n", kLinkDevice, client);
  }
  rules +=
      "    tcp dport 53 reject with tcp reset\n"
      "    udp dport 53 reject with icmpx admin-prohibited\n";
  return rules;
}

/// As many as libc reads of resolv.conf(5).
constexpr std::size_t kMostInTurn = 3;

/// The resolvers of `family` that captured queries go to in turn, if there are several.
std::vector<std::string> in_turn(const InsideFilter& filter, const Resolvers& family) {
  std::vector<std::string> servers = family.servers;
  servers.resize(std::min(servers.size(), kMostInTurn));
  if (!filter.capture || !filter.next_resolver || servers.size() < 2) {
    servers.clear();
  }
  return servers;
}

/// Names of what belongs to the resolver number `index` of a family. "asked": there was a query in
/// the last two seconds. "unanswered": one in the last minute, and no answer since; its element
/// goes with an answer. Both are by protocol, as some firewalls drop one of them.
std::string asked(const Resolvers& family, std::size_t index) {
  return formatted("asked_{}_{}", family.protocol, index);
}
std::string unanswered(const Resolvers& family, std::size_t index) {
  return formatted("unanswered_{}_{}", family.protocol, index);
}

/// What remembers who has answered, and the chains to one of several resolvers: "resolve_ip" and
/// "resolve_ip6". The last one is asked whatever it did.
///
/// A flow has the resolver that it began with. A program that asks again from the same port would
/// never come to the next: for flows without an answer the kernel's memory is shorter than libc's
/// patience (5 s), and longer than that of most slow resolvers; of TCP shorter than the pause
/// before the fourth try (3 s to 7 s).
std::string resolve_chains(const InsideFilter& filter) {
  std::string text;
  for (const Resolvers& family : resolvers(filter)) {
    const auto servers = in_turn(filter, family);
    if (servers.empty()) {
      continue;
    }
    const std::string protocol = family.protocol;
    std::string resolve;
    std::string one_each;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      std::string rules;
      if (i + 1 < servers.size()) {
        for (const auto& set : {asked(family, i), unanswered(family, i)}) {
          text += formatted(
              "  set {} {{\n    type inet_proto; flags dynamic, timeout; size 4;\n  }}\n", set);
        }
        rules = formatted(
            "    add @{} {{ meta l4proto timeout 2s }}\n"
            "    add @{} {{ meta l4proto timeout 1m }}\n",
            asked(family, i), unanswered(family, i));
        resolve += formatted(
            "    meta l4proto != @{2} goto resolve_{0}_{1}\n"
            "    meta l4proto @{3} goto resolve_{0}_{1}\n",
            protocol, i, unanswered(family, i), asked(family, i));
      }
      one_each += formatted("  chain resolve_{0}_{1} {{\n{2}    dnat {0} to {3}\n  }}\n", protocol,
                            i, rules, servers[i]);
    }
    text += formatted(
        "  ct timeout names_{0}_udp {{\n"
        "    protocol udp; l3proto {0}; policy = {{ unreplied : 4, replied : 30 }};\n  }}\n"
        "  ct timeout names_{0}_tcp {{\n"
        "    protocol tcp; l3proto {0}; policy = {{ syn_sent : 3 }};\n  }}\n"
        "{1}"
        "  chain resolve_{0} {{\n"
        "    meta l4proto udp ct timeout set \"names_{0}_udp\"\n"
        "    meta l4proto tcp ct timeout set \"names_{0}_tcp\"\n"
        "{2}    goto resolve_{0}_{3}\n  }}\n",
        protocol, one_each, resolve, servers.size() - 1);
  }
  return text;
}

/// An answer of a resolver, of whatever kind and to whomever.
std::string answered_rules(const InsideFilter& filter) {
  std::string rules;
  for (const Resolvers& family : resolvers(filter)) {
    const auto servers = in_turn(filter, family);
    for (std::size_t i = 0; i + 1 < servers.size(); ++i) {
      rules += formatted(
          "    {} saddr {} meta l4proto {{ tcp, udp }} th sport 53 delete @{} {{ meta l4proto }}\n",
          family.protocol, servers[i], unanswered(family, i));
    }
  }
  return rules;
}

/// One look at the interface, whose name takes longer to get than to compare.
std::string by_interface(const char* which, const char* tunnel, const char* link) {
  return formatted("    {} vmap {{ \"lo\" : accept, \"{}\" : goto {}, \"{}\" : goto {} }}\n", which,
                   kTunnelDevice, tunnel, kLinkDevice, link);
}

/// Addresses of the namespace's other devices: nothing leaves through the tunnel in their name.
std::string own_sources(const InsideFilter& filter) {
  return filter.link ? "127.0.0.0/8, " + ipv4_text(filter.link->ns_address) : "127.0.0.0/8";
}

/// The chain "retired", and the rules that lead there; both empty if there is nothing to end.
struct Retired {
  std::string chain;
  std::string rules;
};

Retired retired(const InsideFilter& filter) {
  Retired result;
  for (const auto& [protocol, family] :
       {std::pair{"ip", Family::kIpv4}, std::pair{"ip6", Family::kIpv6}}) {
    const auto addresses = of_family(filter.retired_addresses, family);
    if (!addresses.empty()) {
      result.rules += formatted("    oifname \"{}\" {} saddr {} goto retired\n", kTunnelDevice,
                                protocol, set_of(addresses));
    }
  }
  if (!result.rules.empty()) {
    result.chain =
        "  chain retired {\n"
        "    meta l4proto tcp reject with tcp reset\n"
        "    reject with icmpx admin-prohibited\n  }\n";
  }
  return result;
}

std::string output_chain(const InsideFilter& filter) {
  const Retired former = retired(filter);
  std::string rules = former.rules;
  std::string names = former.chain;
  if (filter.capture) {
    rules += "    tcp dport 53 goto names\n    udp dport 53 goto names\n";
    names += formatted("  chain names {{\n{}  }}\n", name_rules(filter));
  }
  return formatted(
      "{0}{1}"
      "  chain tunnel_output {{\n"
      "    ip saddr {{ {2} }} goto refused\n"
      "    ip6 saddr ::1 goto refused\n"
      "    accept\n  }}\n"
      "  chain uplink_output {{\n{3}    goto refused\n  }}\n"
      "  chain output {{\n    type filter hook output priority 0; policy drop;\n"
      "{4}{5}    goto refused\n  }}\n",
      kRefused, names, own_sources(filter), link_rules(filter), rules,
      by_interface("oifname", "tunnel_output", "uplink_output"));
}

std::string leave_chain(const InsideFilter& filter) {
  return formatted(
      "  chain to_uplink {{\n{0}    drop\n  }}\n"
      "  chain tunnel_leave {{\n"
      "    ip saddr {{ {1} }} drop\n"
      "    ip6 saddr ::1 drop\n"
      "    accept\n  }}\n"
      "  chain leave {{\n"
      "    type filter hook postrouting priority 300; policy drop;\n{2}  }}\n",
      link_rules(filter), own_sources(filter),
      by_interface("oifname", "tunnel_leave", "to_uplink"));
}

/// Drops what comes out of the tunnel for an address that the tunnel does not have. route_localnet
/// on the tunnel device makes the kernel take packets for 127.0.0.1 from it, and any host takes
/// packets for each of its addresses on each of its devices. It comes before NAT translates
/// answers.
std::string arrive_chain(const InsideFilter& filter) {
  std::string rules = "    ip saddr 127.0.0.0/8 drop\n";
  std::vector<std::string> ipv4 = of_family(filter.tunnel_addresses, Family::kIpv4);
  if (!ipv4.empty()) {
    rules += formatted("    ip daddr != {} drop\n", set_of(ipv4));
  } else {
    rules += "    ip daddr 127.0.0.0/8 drop\n";
    if (filter.link) {
      rules += formatted("    ip daddr {} drop\n", ipv4_text(filter.link->ns_address));
    }
  }
  rules += answered_rules(filter);
  return formatted(
      "  chain tunnel_arrive {{\n{0}  }}\n"
      "  chain arrive {{\n    type filter hook prerouting priority -300; policy accept;\n"
      "    iifname \"{1}\" goto tunnel_arrive\n  }}\n",
      rules, kTunnelDevice);
}

std::string from_link_rules(const InsideFilter& filter) {
  std::string rules;
  if (filter.link) {
    const std::string ns_address = ipv4_text(filter.link->ns_address);
    if (!filter.endpoints.empty()) {
      // Not tracked here (chain "untracked_in"); the host lets answers through, and nothing else.
      rules += formatted(
          "    ip daddr {0} ip saddr . meta l4proto . th sport {1} accept\n"
          "    ip daddr {0} icmp type destination-unreachable accept\n",
          ns_address, set_of(endpoint_elements(filter.endpoints)));
    }
    if (!filter.expose.empty()) {
      rules += formatted("    ip saddr {} ip daddr {} meta l4proto . th dport {} accept\n",
                         ipv4_text(filter.link->host_address), ns_address,
                         set_of(port_elements(filter.expose)));
    }
  }
  return formatted("  chain from_uplink {{\n{}    drop\n  }}\n", rules);
}

std::string input_chain(const InsideFilter& filter) {
  std::string rules = "    ct state established,related accept\n";
  if (!filter.inbound.empty()) {
    rules +=
        formatted("    meta l4proto . th dport {} accept\n", set_of(port_elements(filter.inbound)));
  }
  return formatted(
      "{0}  chain tunnel_input {{\n{1}    drop\n  }}\n"
      "  chain input {{\n    type filter hook input priority 0; policy drop;\n{2}  }}\n",
      from_link_rules(filter), rules, by_interface("iifname", "tunnel_input", "from_uplink"));
}

/// Sends port 53 to a resolver of the tunnel, whatever the destination.
std::string capture_chains(const InsideFilter& filter) {
  if (!filter.capture || filter.dns_servers.empty()) {
    return {};
  }
  std::string capture;
  if (const std::string client = client_match(filter); !client.empty()) {
    capture += formatted("    oifname \"{}\" {} accept\n", kLinkDevice, client);
  }
  for (const Resolvers& family : resolvers(filter)) {
    if (!family.servers.empty()) {
      const std::string leads = in_turn(filter, family).empty()
                                    ? formatted("dnat {} to {}", family.protocol, family.first())
                                    : formatted("goto resolve_{}", family.protocol);
      capture += formatted("    {0} daddr != {1} {2} {3}\n", family.protocol,
                           set_of(family.servers), kAnyPort53, leads);
    }
  }
  // A query to 127.0.0.53 or to the veth has a source of that network, with which it cannot travel.
  std::string sources = "127.0.0.0/8";
  if (filter.link) {
    sources += ", " + ipv4_text(filter.link->ns_address);
  }
  return formatted(
      "  chain capture {{\n"
      "    type nat hook output priority -100; policy accept;\n{0}  }}\n"
      "  chain source {{\n"
      "    type nat hook postrouting priority 100; policy accept;\n"
      "    oifname \"{1}\" ip saddr {{ {2} }} {3} masquerade\n"
      "    oifname \"{1}\" ip6 saddr ::1 {3} masquerade\n"
      "  }}\n",
      capture, kTunnelDevice, sources, kAnyPort53);
}

/// The client's own packets are many, and the host tracks them. ICMP about them is checked there,
/// too.
std::string untracked_chains(const InsideFilter& filter) {
  const std::string client = client_match(filter);
  if (client.empty()) {
    return {};
  }
  return formatted(
      "  chain untracked_out {{\n"
      "    type filter hook output priority -300; policy accept;\n"
      "    oifname \"{0}\" {1} notrack\n  }}\n"
      "  chain untracked_in {{\n"
      "    type filter hook prerouting priority -300; policy accept;\n"
      "    iifname \"{0}\" ip saddr . meta l4proto . th sport {2} notrack\n  }}\n",
      kLinkDevice, client, set_of(endpoint_elements(filter.endpoints)));
}

std::string table_body(const InsideFilter& filter) {
  return resolve_chains(filter) + output_chain(filter) + leave_chain(filter) +
         arrive_chain(filter) + input_chain(filter) +
         "  chain forward {\n    type filter hook forward priority 0; policy drop;\n  }\n" +
         capture_chains(filter) + untracked_chains(filter);
}

}  // namespace

std::string inside_ruleset(const InsideFilter& filter) {
  return replace_table(kInsideTable, table_body(filter));
}

std::string seal_ruleset() {
  return create_table(kInsideTable, table_body({}));
}

}  // namespace vpnrun::filter
