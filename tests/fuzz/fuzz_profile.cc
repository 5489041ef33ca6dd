// SPDX-License-Identifier: GPL-2.0-or-later
// The text of a profile: root writes it, and by mistake anything may stand in it.
//
// Held: a profile or an Error, no other exception; what an Error says can be shown on a terminal;
// no string of a profile has a control character, which would be a line of its own in somebody's
// configuration; what names an address, a network, a port or a path is one.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/base/ip_address.h"
#include "profiles/base/utf8.h"
#include "profiles/profile_parser.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using namespace vpnrun::profile;
using fuzz::hold;

void hold_text(std::string_view text) {
  hold(find_unprintable(text) == std::string_view::npos, "a string can be written into a file");
}

void hold_texts(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    hold(!text.empty(), "an element is not empty");
    hold_text(text);
  }
}

void hold_profile(const Profile& profile) {
  hold(profile.name == "work", "the name is the file's");
  hold_text(profile.description);

  const Tunnel& tunnel = profile.tunnel;
  hold(tunnel.config.empty() == (tunnel.type == TunnelType::kNone), "a file for each tunnel");
  hold(tunnel.config.empty() || tunnel.config.front() == '/', "an absolute path");
  hold(tunnel.credentials.empty() || tunnel.credentials.front() == '/', "an absolute path");
  hold(tunnel.credentials.empty() || tunnel.type == TunnelType::kOpenvpn, "credentials of OpenVPN");
  hold_text(tunnel.config);
  hold_text(tunnel.credentials);

  hold_text(profile.link.uplink);
  hold(profile.link.uplink.size() < 16, "the kernel takes the name of the uplink");
  if (const auto& subnet = profile.link.subnet) {
    hold(subnet->length == 30 && subnet->network() == *subnet, "a network of four");
  }
  for (const IpAddress& server : profile.dns.servers) {
    hold(IpAddress::parse(server.str()) == server, "a resolver is an address");
  }
  hold_texts(profile.dns.search);
  for (const std::string& domain : profile.dns.search) {
    hold(domain.find_first_of(" #;") == std::string::npos, "a search domain is one word");
  }
  hold_texts(profile.access.users);
  hold_texts(profile.access.groups);
  for (const auto* ports : {&profile.ports.expose, &profile.ports.inbound}) {
    for (const Port& port : *ports) {
      hold(port.number != 0, "a port is one");
    }
  }
  for (const auto* hooks : {&profile.hooks.up_outside, &profile.hooks.up_inside,
                            &profile.hooks.down_inside, &profile.hooks.down_outside}) {
    hold_texts(*hooks);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    hold_profile(parse_profile(text, "work", "/p/work.toml"));
  } catch (const Error& error) {
    fuzz::hold_message(error);
    hold(std::string_view(error.what()).starts_with("/p/work.toml:"), "an error names its place");
  }
  return 0;
}
