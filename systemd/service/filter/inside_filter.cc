// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guard is the chain "leave" in the postrouting hook, after NAT: only there is the outgoing
// device the one that the packet really takes. In the output hook a packet that NAT has just turned
// round still carries the device of its first route, so the chain "output" may only refuse more,
// early enough for an application to get an error.
#include "systemd/service/filter/inside_filter.h"

#include <fmt/format.h>

#include "systemd/service/filter/ruleset_text.h"

namespace vpnrun::filter {
namespace {

using netlink::Family;

constexpr const char* kAnyPort53 = "meta l4proto { tcp, udp } th dport 53";

/// One family's side of the capture of names.
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
  if (!filter.uplink || filter.endpoints.empty()) {
    return {};
  }
  return fmt::format("meta skuid {} ip saddr {} ip daddr . meta l4proto . th dport {}",
                     filter.client_uid, ipv4_text(filter.uplink->ns_address),
                     set_of(endpoint_elements(filter.endpoints)));
}

std::string to_uplink(const InsideFilter& filter) {
  std::string rules;
  if (const std::string client = client_match(filter); !client.empty()) {
    rules += fmt::format("    {} accept\n", client);
  }
  if (filter.uplink && !filter.expose.empty()) {
    rules += fmt::format(
        "    ip saddr {} ip daddr {} meta l4proto . th sport {} ct direction reply accept\n",
        ipv4_text(filter.uplink->ns_address), ipv4_text(filter.uplink->host_address),
        set_of(port_elements(filter.expose)));
  }
  return fmt::format("  chain to_uplink {{\n{}    drop\n  }}\n", rules);
}

/// Names that would go anywhere but to the tunnel's resolvers are refused, with an answer: a
/// program that waits for a timeout looks broken.
std::string name_rules(const InsideFilter& filter) {
  if (!filter.capture) {
    return {};
  }
  std::string rules;
  for (const Resolvers& family : resolvers(filter)) {
    if (!family.servers.empty()) {
      rules += fmt::format("    {} daddr {} {} accept\n", family.protocol, set_of(family.servers),
                           kAnyPort53);
    }
  }
  // The client's endpoint may itself be on port 53.
  if (const std::string client = client_match(filter); !client.empty()) {
    rules += fmt::format("    oifname \"{}\" {} accept\n", kUplinkDevice, client);
  }
  rules +=
      "    tcp dport 53 reject with tcp reset\n"
      "    udp dport 53 reject with icmpx admin-prohibited\n";
  return rules;
}

std::string output_chain(const InsideFilter& filter) {
  std::string rules = name_rules(filter);
  rules += "    oifname \"lo\" accept\n";
  if (filter.uplink) {
    rules += fmt::format("    oifname \"{}\" ip saddr {} drop\n", kTunnelDevice,
                         ipv4_text(filter.uplink->ns_address));
  }
  rules += fmt::format("    oifname \"{}\" accept\n", kTunnelDevice);
  rules += fmt::format("    oifname \"{}\" goto to_uplink\n", kUplinkDevice);
  return fmt::format(
      "  chain output {{\n    type filter hook output priority 0; policy drop;\n{}  }}\n", rules);
}

std::string leave_chain(const InsideFilter& filter) {
  std::string own = "127.0.0.0/8";
  if (filter.uplink) {
    own += ", " + ipv4_text(filter.uplink->ns_address);
  }
  return fmt::format(
      "  chain leave {{\n"
      "    type filter hook postrouting priority 300; policy drop;\n"
      "    oifname \"lo\" accept\n"
      "    oifname \"{0}\" ip saddr {{ {1} }} drop\n"
      "    oifname \"{0}\" ip6 saddr ::1 drop\n"
      "    oifname \"{0}\" accept\n"
      "    oifname \"{2}\" goto to_uplink\n"
      "  }}\n",
      kTunnelDevice, own, kUplinkDevice);
}

/// What comes out of the tunnel for an address that the tunnel does not have. route_localnet on the
/// tunnel device makes the kernel take packets for 127.0.0.1 from it, and any host takes packets
/// for each of its addresses on each of its devices. Before NAT turns answers back.
std::string arrive_chain(const InsideFilter& filter) {
  std::string rules = fmt::format("    iifname \"{}\" ip saddr 127.0.0.0/8 drop\n", kTunnelDevice);
  std::vector<std::string> ipv4 = of_family(filter.tunnel_addresses, Family::kIpv4);
  if (!ipv4.empty()) {
    rules += fmt::format("    iifname \"{}\" ip daddr != {} drop\n", kTunnelDevice, set_of(ipv4));
  } else {
    rules += fmt::format("    iifname \"{}\" ip daddr 127.0.0.0/8 drop\n", kTunnelDevice);
    if (filter.uplink) {
      rules += fmt::format("    iifname \"{}\" ip daddr {} drop\n", kTunnelDevice,
                           ipv4_text(filter.uplink->ns_address));
    }
  }
  return fmt::format(
      "  chain arrive {{\n    type filter hook prerouting priority -300; policy accept;\n{}  }}\n",
      rules);
}

std::string from_uplink(const InsideFilter& filter) {
  if (!filter.uplink) {
    return {};
  }
  const std::string ns_address = ipv4_text(filter.uplink->ns_address);
  std::string rules;
  if (!filter.endpoints.empty()) {
    rules += fmt::format(
        "    iifname \"{0}\" ip daddr {1} ip saddr . meta l4proto . th sport {2} "
        "ct state established accept\n"
        "    iifname \"{0}\" ip daddr {1} icmp type destination-unreachable ct state related "
        "accept\n",
        kUplinkDevice, ns_address, set_of(endpoint_elements(filter.endpoints)));
  }
  if (!filter.expose.empty()) {
    rules += fmt::format(
        "    iifname \"{}\" ip saddr {} ip daddr {} meta l4proto . th dport {} accept\n",
        kUplinkDevice, ipv4_text(filter.uplink->host_address), ns_address,
        set_of(port_elements(filter.expose)));
  }
  return rules;
}

std::string input_chain(const InsideFilter& filter) {
  std::string rules = "    iifname \"lo\" accept\n";
  rules += fmt::format("    iifname \"{}\" ct state established,related accept\n", kTunnelDevice);
  if (!filter.inbound.empty()) {
    rules += fmt::format("    iifname \"{}\" meta l4proto . th dport {} accept\n", kTunnelDevice,
                         set_of(port_elements(filter.inbound)));
  }
  rules += from_uplink(filter);
  return fmt::format(
      "  chain input {{\n    type filter hook input priority 0; policy drop;\n{}  }}\n", rules);
}

/// Sends port 53 to the tunnel's resolver, whatever address it was meant for.
std::string capture_chains(const InsideFilter& filter) {
  if (!filter.capture || filter.dns_servers.empty()) {
    return {};
  }
  std::string capture;
  if (const std::string client = client_match(filter); !client.empty()) {
    capture += fmt::format("    oifname \"{}\" {} accept\n", kUplinkDevice, client);
  }
  for (const Resolvers& family : resolvers(filter)) {
    if (!family.servers.empty()) {
      capture += fmt::format("    {0} daddr != {1} {2} dnat {0} to {3}\n", family.protocol,
                             set_of(family.servers), kAnyPort53, family.first());
    }
  }
  // A query to 127.0.0.53 or to the veth has that address's source; it cannot travel with it.
  std::string sources = "127.0.0.0/8";
  if (filter.uplink) {
    sources += ", " + ipv4_text(filter.uplink->ns_address);
  }
  return fmt::format(
      "  chain capture {{\n"
      "    type nat hook output priority -100; policy accept;\n{0}  }}\n"
      "  chain source {{\n"
      "    type nat hook postrouting priority 100; policy accept;\n"
      "    oifname \"{1}\" ip saddr {{ {2} }} {3} masquerade\n"
      "    oifname \"{1}\" ip6 saddr ::1 {3} masquerade\n"
      "  }}\n",
      capture, kTunnelDevice, sources, kAnyPort53);
}

std::string table_body(const InsideFilter& filter) {
  return to_uplink(filter) + output_chain(filter) + leave_chain(filter) + arrive_chain(filter) +
         input_chain(filter) +
         "  chain forward {\n    type filter hook forward priority 0; policy drop;\n  }\n" +
         capture_chains(filter);
}

}  // namespace

std::string inside_ruleset(const InsideFilter& filter) {
  return replace_table(kInsideTable, table_body(filter));
}

std::string seal_ruleset() {
  return create_table(kInsideTable, table_body({}));
}

}  // namespace vpnrun::filter
