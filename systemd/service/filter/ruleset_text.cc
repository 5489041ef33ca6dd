// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/ruleset_text.h"

#include <fmt/ranges.h>

#include "profiles/base/error.h"
#include "profiles/base/format.h"

namespace vpnrun::filter {
std::string set_of(const std::vector<std::string>& elements) {
  return formatted("{{ {} }}", fmt::join(elements, ", "));
}

std::vector<std::string> endpoint_elements(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> elements;
  elements.reserve(endpoints.size());
  for (const Endpoint& endpoint : endpoints) {
    elements.push_back(formatted("{} . {} . {}", ipv4_text(endpoint.address),
                                 to_string(endpoint.transport), endpoint.port));
  }
  return elements;
}

std::vector<std::string> port_elements(const std::vector<profile::Port>& ports) {
  std::vector<std::string> elements;
  elements.reserve(ports.size());
  for (const profile::Port& port : ports) {
    elements.push_back(formatted("{} . {}", to_string(port.transport), port.number));
  }
  return elements;
}

std::vector<std::string> of_family(const std::vector<IpAddress>& addresses, Family family) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) {
    if (address.family() == family) {
      texts.push_back(address.str());
    }
  }
  return texts;
}

std::string ipv4_text(const IpAddress& address) {
  if (!address.is_ipv4()) {
    throw Error(formatted("cannot use '{}' on the link: it is not an IPv4 address", address.str()),
                std::make_error_code(std::errc::invalid_argument));
  }
  return address.str();
}

std::string replace_table(const std::string& table, const std::string& body) {
  return formatted(
      "table inet {0}\n"
      "delete table inet {0}\n"
      "table inet {0} {{\n{1}}}\n",
      table, body);
}

std::string create_table(const std::string& table, const std::string& body) {
  return formatted("create table inet {0}\ntable inet {0} {{\n{1}}}\n", table, body);
}

}  // namespace vpnrun::filter
