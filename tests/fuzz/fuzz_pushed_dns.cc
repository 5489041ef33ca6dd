// SPDX-License-Identifier: GPL-2.0-or-later
// What OpenVPN 2.7 prints of the `dns` options that a server pushed, and those of the
// configuration.
//
// Held: nothing is thrown; what is kept has a bound, however much is pushed; what is added has the
// names that the settings are read from, one server after the other without a gap; a server that
// OpenVPN reports itself is left alone; what was told, or forgotten, is not told again.
//
// Input: lines; those up to an empty one are the configuration, the others OpenVPN's output. A line
// "!" is a connection that came to nothing, "+" one that works.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/ip_address.h"
#include "systemd/service/client/openvpn/management.h"
#include "systemd/service/client/openvpn/pushed_dns.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using namespace vpnrun::service::openvpn;
using fuzz::hold;
using Variables = std::map<std::string, std::string>;

/// Of 128 numbers that can be pushed, and as many of the configuration's own: eight addresses and
/// ports, and three words.
constexpr std::size_t kVariablesMax = 256 * (8 + 8 + 3) + 64;
const std::string kReply = "PUSH: Received control message: 'PUSH_REPLY,";

/// The parser passes on what is read and nothing else.
Variables passed_on(const Variables& variables) {
  Variables passed;
  ManagementEvents events;
  events.on_up = [&passed](const Variables& environment) { passed = environment; };
  ManagementParser parser(events);
  std::string bytes = ">UPDOWN:UP\n";
  for (const auto& variable : variables) {
    bytes += ">UPDOWN:ENV," + variable.first + "=x\n";
  }
  parser.feed(bytes + ">UPDOWN:ENV,END\n");
  return passed;
}

void hold_variables(const Variables& variables) {
  hold(variables.size() <= kVariablesMax, "a bounded number of variables");
  std::size_t servers = 0;
  for (const auto& [name, value] : variables) {
    hold(name.starts_with("dns_"), "of DNS alone");
    servers += name.ends_with("_address_1") ? 1U : 0U;
  }
  for (std::size_t i = 1; i <= servers; ++i) {
    hold(variables.contains("dns_server_" + std::to_string(i) + "_address_1"), "without a gap");
  }
  if (servers <= 128) {
    hold(passed_on(variables).size() == variables.size(), "the names that OpenVPN 2.6 has");
  }
  Variables whole = variables;
  whole["ifconfig_local"] = "10.8.0.2";
  const service::TunnelSettings settings = settings_from_environment(whole, {});
  hold(settings.resolvers.size() <= 8 && settings.search_domains.size() <= 8, "few resolvers");
}

Variables told(PushedDns& dns) {
  Variables variables;
  dns.add_to(variables);
  return variables;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end_of_config = std::min(bytes.find("\n\n"), bytes.size());
  const std::string_view config = bytes.substr(0, end_of_config);
  bytes.remove_prefix(std::min(end_of_config + 2, bytes.size()));
  PushedDns dns(config);
  PushedDns fresh(config);
  const Variables own = told(fresh);
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line == "!") {
      dns.forget();
      hold(told(dns) == own, "what was forgotten is not told");
    } else if (line == "+") {
      (void)told(dns);
    } else {
      dns.read(line);
    }
  }
  const Variables all = told(dns);
  hold_variables(all);
  hold(told(dns) == all, "until more is pushed it is told again");
  dns.read(kReply + "'");
  hold(told(dns) == own, "another connection has nothing of it");
  Variables reported{{"dns_server_1_address_1", "10.8.0.1"}};
  dns.read(kReply + "dns server 1 address 10.8.0.9'");
  dns.add_to(reported);
  hold(reported.size() == 1, "OpenVPN itself knows best");
  return 0;
}
