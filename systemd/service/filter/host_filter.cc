// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/host_filter.h"

#include <net/if.h>

#include <algorithm>
#include <initializer_list>

#include "profiles/base/error.h"
#include "profiles/base/format.h"
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
    throw Error(formatted("cannot filter the interface '{}': the name cannot be written in a rule",
                          printable(name)),
                std::make_error_code(std::errc::invalid_argument));
  }
  return "\"" + name + "\"";
}

/// Flows of a link that exist at once. Each one that a client gives up remains for two minutes.
constexpr int kMostFlows = 128;

// The names of a profile's own chains contain a hyphen, those of the shared ones do not.
constexpr const char* kOwnChains[] = {"from", "to", "flows"};

std::string own_chain(const char* map, const std::string& profile_name) {
  return formatted("{}-{}", map, profile_name);
}

/// "table FAMILY NAME { … }"
std::string in_table(const char* family, std::string_view body) {
  return formatted("table {} {} {{\n{}}}\n", family, kHostTable, body);
}

/// Sets, and chains without their rules. None is changed if it is there.
constexpr std::string_view kSkeleton =
    "  map from {\n    type ifname : verdict\n  }\n"
    "  map to {\n    type ifname : verdict\n  }\n"
    "  map flows {\n    type ifname : verdict\n  }\n"
    "  set links {\n    type ifname\n  }\n"
    "  set own {\n    type ipv4_addr\n  }\n"
    "  set inside {\n    type ipv4_addr\n  }\n"
    "  set bound {\n    type ifname\n  }\n"
    "  set uplinks {\n    type ifname . ifname\n  }\n"
    "  set guarded {\n    type ifname\n  }\n"
    "  set bridges {\n    type ifname\n  }\n"
    "  set bridge_ports {\n    type ifname . ifname\n  }\n"
    "  set traced_to {\n    type ifname . ipv4_addr . inet_proto . inet_service\n  }\n"
    "  set traced_from {\n    type ipv4_addr . inet_proto . inet_service\n  }\n"
    "  chain from_namespace {\n"
    "    type filter hook prerouting priority -300; policy accept;\n  }\n"
    "  chain judged {\n    type filter hook prerouting priority -150; policy accept;\n  }\n"
    "  chain judged_link {\n  }\n"
    "  chain answers {\n  }\n"
    "  chain unasked {\n  }\n"
    "  chain forwarded {\n    type filter hook forward priority 0; policy accept;\n  }\n"
    "  chain from_guarded {\n  }\n"
    "  chain from_bridge {\n  }\n"
    "  chain to_namespace {\n    type filter hook postrouting priority 0; policy accept;\n  }\n"
    "  chain source {\n    type nat hook postrouting priority 100; policy accept;\n  }\n";

/// The shared chains whose rules every transaction writes anew.
constexpr const char* kSharedChains[] = {"from_namespace", "judged",       "judged_link",
                                         "answers",        "forwarded",    "from_guarded",
                                         "from_bridge",    "to_namespace", "source"};

// Every packet of the machine passes the base chains: each of them looks up interfaces and
// addresses, and lets others' packets go after one or two look-ups, however many links there are.

/// Before anything of the host has looked at a packet. Conntrack's defragmentation (priority -400)
/// comes before it, so ports can be compared. Nobody on other networks has the addresses of links,
/// and nothing may answer for them there.
constexpr std::string_view kFromNamespace =
    "  chain from_namespace {\n"
    "    iifname vmap @from\n"
    "    ip daddr @own iifname != \"lo\" drop\n  }\n";

/// Conntrack (-200) has seen the packet by now. What it calls invalid would not be masqueraded. An
/// exposed port answers and never asks.
///
/// On a guarded uplink the machine is as silent as one that does not forward: see kUnasked.
constexpr std::string_view kJudged =
    "  chain judged {\n"
    "    iifname @links goto judged_link\n"
    "    iifname @guarded goto unasked\n  }\n"
    "  chain judged_link {\n"
    "    ct state invalid drop\n"
    "    ip daddr @own ct direction original drop\n"
    "    iifname vmap @flows\n  }\n";

/// Answers of connections that began elsewhere. Not "established" alone: a neighbour's packet that
/// claims to come from the namespace belongs to our own connection, in its original direction.
constexpr std::string_view kAnswers =
    "  chain answers {\n"
    "    ct state established,related ct direction reply accept\n"
    "    drop\n  }\n";

/// Later in the path, a packet whose TTL has run out or that took a detour would be answered.
/// Answers to what is masqueraded are still addressed to the machine here. Bridges are left out:
/// what br_netfilter shows here may be on its way from one port to another. Loaded only where
/// something is guarded: a kernel may lack nft_fib.
constexpr std::string_view kUnasked =
    "  chain unasked {\n"
    "    meta nfproto != ipv4 accept\n"
    "    fib daddr type != unicast accept\n"
    "    goto answers\n  }\n";

/// The only uplink of a link, where it has one; and the guard. In a guarded uplink and out of one:
/// an answer to a namespace whose link is gone, while another profile's forwarding goes on.
/// Conntrack still sends it to an address that nobody has, and the machine's default route leads
/// back out. What others forward comes in through one of these and leaves through an interface of
/// theirs.
constexpr std::string_view kForwarded =
    "  chain forwarded {\n"
    "    iifname @bound iifname . oifname != @uplinks drop\n"
    "    iifname @guarded goto from_guarded\n"
    "    iifname @bridges goto from_bridge\n  }\n"
    "  chain from_guarded {\n"
    "    meta nfproto != ipv4 accept\n"
    "    oifname @guarded drop\n"
    "    oifname \"vr-*\" accept\n"
    "    goto answers\n  }\n"
    "  chain from_bridge {\n"
    "    meta nfproto != ipv4 accept\n"
    "    iifname . oifname @bridge_ports accept\n"
    "    oifname \"vr-*\" accept\n"
    "    goto answers\n  }\n";
static_assert(std::string_view(kHostLinkPrefix) == "vr-");

/// Before source NAT (100): packets still have the sources that they came with. The last rule:
/// while the link is being made again, an answer on its way to the namespace would follow the
/// machine's default route back out.
constexpr std::string_view kToNamespace =
    "  chain to_namespace {\n"
    "    oifname vmap @to\n"
    "    ip daddr @inside drop\n  }\n"
    "  chain source {\n"
    "    ip saddr @inside oifname != @links masquerade\n  }\n";

/// First of all, conntrack's defragmentation (-400) excepted. A traced packet costs every companion
/// a dozen messages, and a client that its server has taken over, or whoever writes the server's
/// address on his packets, sends as many as he likes: what is traced is limited.
constexpr std::string_view kTraceHook =
    "  chain trace {\n    type filter hook prerouting priority -350; policy accept;\n  }\n";
constexpr std::string_view kTrace =
    "  chain trace {\n"
    "    iifname . ip daddr . meta l4proto . th dport @traced_to"
    " limit rate 20/second burst 40 packets meta nftrace set 1\n"
    "    iifname != @links ip saddr . meta l4proto . th sport @traced_from"
    " limit rate 20/second burst 40 packets meta nftrace set 1\n"
    "  }\n";

bool is_traced(const HostElements& elements) {
  const auto first = elements.lower_bound("inet traced_to ");
  return first != elements.end() && first->starts_with("inet traced_to ");
}

/// The chain exists only while some profile has packets traced.
std::string trace(bool wanted, const HostRest& rest) {
  if (wanted || is_traced(rest.others)) {
    return in_table("inet", kTraceHook) + formatted("flush chain inet {} trace\n", kHostTable) +
           in_table("inet", kTrace);
  }
  if (is_traced(rest.former)) {
    return formatted(
        "add chain inet {0} trace\nflush chain inet {0} trace\ndelete chain inet {0} trace\n",
        kHostTable);
  }
  return {};
}

/// "FAMILY SET ELEMENT", taken apart.
struct Element {
  explicit Element(const std::string& line)
      : family(line.substr(0, line.find(' '))),
        set(line.substr(family.size() + 1, line.find(' ', family.size() + 1) - family.size() - 1)),
        key(line.substr(family.size() + set.size() + 2)) {}
  [[nodiscard]] std::string command(const char* verb) const {
    // The map of flows is in the table of family inet.
    return formatted("{} element {} {} {} {{ {} }}\n", verb, family == "flow" ? "inet" : family,
                     kHostTable, set, key);
  }
  std::string family;
  std::string set;
  std::string key;
};

/// Adds what is wanted and deletes what no longer is, unless another profile has it, too. Both work
/// whether the element is there or not.
std::string change(const HostElements& wanted, const HostRest& rest,
                   std::initializer_list<std::string_view> families) {
  const auto is_meant = [&families](const Element& element) {
    return std::find(families.begin(), families.end(), element.family) != families.end();
  };
  std::string commands;
  for (const auto& line : rest.former) {
    if (const Element element(line);
        !wanted.contains(line) && !rest.others.contains(line) && is_meant(element) && !rest.fresh) {
      commands += element.command("add") + element.command("delete");
    }
  }
  for (const auto& line : wanted) {
    // A link's flows are limited by host_flow_ruleset().
    if (const Element element(line); is_meant(element) && element.family != "flow") {
      commands += element.command("add");
    }
  }
  return commands;
}

std::string guard(const std::vector<std::string>& uplinks,
                  const std::vector<std::string>& bridges) {
  std::string commands;
  for (const char* set : {"guarded", "bridges", "bridge_ports"}) {
    commands += formatted("flush set inet {} {}\n", kHostTable, set);
  }
  const auto add = [&commands](const char* set, const std::string& element) {
    commands += formatted("add element inet {} {} {{ {} }}\n", kHostTable, set, element);
  };
  for (const auto& link : uplinks) {
    const std::string name = quoted(link);
    if (std::find(bridges.begin(), bridges.end(), link) == bridges.end()) {
      add("guarded", name);
    } else {
      add("bridges", name);
      add("bridge_ports", formatted("{0} . {0}", name));
    }
  }
  if (!uplinks.empty()) {
    commands += formatted("flush chain inet {} unasked\n", kHostTable) + in_table("inet", kUnasked);
  }
  return commands;
}

/// The table and its shared rules; the profile's chains, empty but for the limit of its flows.
std::string base(const std::string& profile_name, bool fresh) {
  std::string commands;
  if (fresh) {
    commands = formatted("table inet {0}\ndelete table inet {0}\n", kHostTable);
  }
  std::string chains(kSkeleton);
  for (const char* map : kOwnChains) {
    chains += formatted("  chain {} {{\n  }}\n", own_chain(map, profile_name));
  }
  commands += in_table("inet", chains);
  for (const char* chain : kSharedChains) {
    commands += formatted("flush chain inet {} {}\n", kHostTable, chain);
  }
  for (const char* map : {"from", "to"}) {
    commands += formatted("flush chain inet {} {}\n", kHostTable, own_chain(map, profile_name));
  }
  std::string rules;
  for (const auto text : {kFromNamespace, kJudged, kAnswers, kForwarded, kToNamespace}) {
    rules += text;
  }
  return commands + in_table("inet", rules);
}

// One rule for each endpoint and port: libnftables reads all sets of the machine for each
// transaction, and anonymous sets would add several for each profile.

/// "DIRECTION is the endpoint's protocol and port".
std::string is_port(Transport transport, const char* direction, std::uint16_t port) {
  return formatted("meta l4proto {} th {} {}", to_string(transport), direction, port);
}

/// What its link may send. Another link's address is not an endpoint.
std::string from_link(const HostFilter& filter) {
  const std::string ns_address = ipv4_text(filter.addresses.ns_address);
  std::string rules;
  for (const Endpoint& endpoint : filter.endpoints) {
    rules +=
        formatted("    ip saddr {} ip daddr {} ip daddr != @own {} accept\n", ns_address,
                  ipv4_text(endpoint.address), is_port(endpoint.transport, "dport", endpoint.port));
  }
  for (const profile::Port& port : filter.expose) {
    rules += formatted("    ip saddr {} ip daddr {} {} accept\n", ns_address,
                       ipv4_text(filter.addresses.host_address),
                       is_port(port.transport, "sport", port.number));
  }
  return formatted("  chain {} {{\n{}    drop\n  }}\n", own_chain("from", filter.profile_name),
                   rules);
}

/// What may be sent to its link.
std::string to_link(const HostFilter& filter) {
  const std::string ns_address = ipv4_text(filter.addresses.ns_address);
  std::string rules;
  for (const Endpoint& endpoint : filter.endpoints) {
    rules +=
        formatted("    ip daddr {} ip saddr {} {} ct direction reply accept\n", ns_address,
                  ipv4_text(endpoint.address), is_port(endpoint.transport, "sport", endpoint.port));
  }
  if (!filter.endpoints.empty()) {
    rules += formatted(
        "    ip daddr {} icmp type destination-unreachable ct state related accept\n", ns_address);
  }
  for (const profile::Port& port : filter.expose) {
    rules += formatted("    ip saddr {} ip daddr {} {} accept\n",
                       ipv4_text(filter.addresses.host_address), ns_address,
                       is_port(port.transport, "dport", port.number));
  }
  return formatted("  chain {} {{\n{}    drop\n  }}\n", own_chain("to", filter.profile_name),
                   rules);
}

}  // namespace

std::string former_host_table(std::string_view profile_name) {
  return formatted("vpnrun-{}", profile_name);
}

bool is_host_table(std::string_view table) {
  return table == kHostTable || table.starts_with(former_host_table(""));
}

HostElements host_elements(const HostFilter& filter) {
  const std::string link = quoted(filter.link);
  const std::string ns_address = ipv4_text(filter.addresses.ns_address);
  const std::string host_address = ipv4_text(filter.addresses.host_address);
  HostElements elements = {"inet links " + link, "inet own " + ns_address,
                           "inet own " + host_address, "inet inside " + ns_address,
                           "arp host_ends " + host_address};
  for (const char* map : kOwnChains) {
    elements.insert(formatted("{} {} {} : goto {}",
                              std::string_view(map) == "flows" ? "flow" : "inet", map, link,
                              own_chain(map, filter.profile_name)));
  }
  if (!filter.uplink.empty()) {
    elements.insert("inet bound " + link);
    elements.insert(formatted("inet uplinks {} . {}", link, quoted(filter.uplink)));
  }
  for (const auto& endpoint : endpoint_elements(filter.endpoints)) {
    if (filter.traced) {
      elements.insert(formatted("inet traced_to {} . {}", link, endpoint));
      elements.insert("inet traced_from " + endpoint);
    }
  }
  return elements;
}

std::string host_ruleset(const HostFilter& filter, const HostRest& rest) {
  const HostElements wanted = host_elements(filter);
  return base(filter.profile_name, rest.fresh) +
         in_table("inet", from_link(filter) + to_link(filter)) +
         change(wanted, rest, {"inet", "flow"}) +
         guard(filter.guarded_uplinks, filter.guarded_bridges) + trace(is_traced(wanted), rest);
}

std::string host_removal(const std::string& profile_name, const HostRest& rest,
                         const std::vector<std::string>& guarded_uplinks,
                         const std::vector<std::string>& guarded_bridges) {
  std::string commands = base(profile_name, rest.fresh) + change({}, rest, {"inet", "flow"}) +
                         guard(guarded_uplinks, guarded_bridges) + trace(false, rest);
  for (const char* map : kOwnChains) {
    commands += formatted("flush chain inet {0} {1}\ndelete chain inet {0} {1}\n", kHostTable,
                          own_chain(map, profile_name));
  }
  return commands;
}

std::string host_arp_ruleset(const HostElements& wanted, const HostRest& rest) {
  std::string commands;
  if (rest.fresh) {
    commands = formatted("table arp {0}\ndelete table arp {0}\n", kHostTable);
  }
  commands += in_table("arp",
                       "  set host_ends {\n    type ipv4_addr\n  }\n"
                       "  chain input {\n"
                       "    type filter hook input priority 0; policy accept;\n  }\n");
  commands += formatted("flush chain arp {} input\n", kHostTable);
  commands += in_table("arp",
                       "  chain input {\n"
                       "    arp operation request arp daddr ip @host_ends drop\n  }\n");
  return commands + change(wanted, rest, {"arp"});
}

std::string host_flow_ruleset(const HostFilter& filter, FlowLimit limit) {
  const std::string chain = own_chain("flows", filter.profile_name);
  // The rate limits what the count has to remember of refused flows.
  const std::string rules =
      limit == FlowLimit::kCount
          ? formatted(
                "    ct state new limit rate over 50/second burst 64 "
                "packets drop\n"
                "    ct state new ct count over {} drop\n",
                kMostFlows)
          : "    ct state new limit rate over 2/second burst 64 packets drop\n";
  // Conntrack (-200) has seen the packet by now; what is dropped here never gets into its table.
  return formatted("flush chain inet {} {}\n", kHostTable, chain) +
         in_table("inet", formatted("  chain {} {{\n{}  }}\n", chain, rules)) +
         Element(formatted("flow flows {} : goto {}", quoted(filter.link), chain)).command("add");
}

}  // namespace vpnrun::filter
