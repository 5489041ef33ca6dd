// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/captive_portal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "systemd/service/client/shown_url.h"
#include "systemd/service/netlink/route.h"

namespace vpnrun::service {
namespace {

/// One file for each link, named by its index, in lines NAME=VALUE; since systemd 254 with the
/// page.
constexpr const char* kNetworkdLinks = "/run/systemd/netif/links/";
constexpr std::string_view kNetworkdPage = "CAPTIVE_PORTAL=";
constexpr std::size_t kStateMax = 65536;
constexpr std::size_t kPageMax = 200;

/// Between attempts while somebody may be logging in.
constexpr std::chrono::seconds kLogInPause{10};

/// RFC 1918, shared address space (RFC 6598), link-local.
bool is_private(const IpAddress& address) {
  constexpr const char* kNetworks[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                       "100.64.0.0/10", "169.254.0.0/16"};
  return std::any_of(std::begin(kNetworks), std::end(kNetworks), [&address](const char* network) {
    return Prefix::parse(network)->contains(address);
  });
}

/// The folder is networkd's own user's: what is no file of his, or would keep us waiting, is
/// nothing.
std::string read_state(int ifindex) {
  const UniqueFd file(::open((kNetworkdLinks + std::to_string(ifindex)).c_str(),
                             O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file.ok() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return {};
  }
  std::string text(kStateMax, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

}  // namespace

std::optional<Portal> recognise_portal(std::span<const profile::Remote> servers,
                                       const NameLookup::Result& names, const PortalSigns& signs) {
  if (signs.connectivity == Connectivity::kFull) {
    return std::nullopt;
  }
  if (!signs.page.empty() || signs.connectivity == Connectivity::kPortal) {
    return Portal{signs.page};
  }
  std::set<std::string> asked;
  std::set<IpAddress> answers;
  for (const auto& server : servers) {
    const auto found = names.addresses.find(server.host);
    if (!IpAddress::parse(server.host) && found != names.addresses.end()) {
      asked.insert(server.host);
      answers.insert(found->second.begin(), found->second.end());
    }
  }
  if (answers.empty()) {
    return std::nullopt;
  }
  const bool are_gateway =
      std::all_of(answers.begin(), answers.end(),
                  [&signs](const IpAddress& address) { return address == signs.gateway; });
  const bool is_one_for_all =
      asked.size() > 1 && answers.size() == 1 && is_private(*answers.begin());
  return are_gateway || is_one_for_all ? std::optional(Portal{}) : std::nullopt;
}

Failure behind_portal(const Failure& failure, const Portal& portal) {
  Failure explained = failure;
  explained.error +=
      "; it seems that this network wants a log-in in a browser first (captive portal)";
  explained.hint = formatted(
      "open {} in a browser outside the tunnel and log in there; vpnrun goes on trying by itself",
      portal.page.empty() ? "any page whose address begins with http://" : portal.page);
  if (failure.kind != Failure::Kind::kOutside) {
    explained.retry_within = kLogInPause;
  }
  return explained;
}

std::string page_in_state(std::string_view state) {
  while (!state.empty()) {
    std::string_view line = state.substr(0, state.find('\n'));
    state.remove_prefix(std::min(state.size(), line.size() + 1));
    if (line.starts_with(kNetworkdPage)) {
      line.remove_prefix(kNetworkdPage.size());
      return shown_url(line, kPageMax).value_or(std::string());
    }
  }
  return {};
}

PortalSigns portal_signs(Netns& outer) {
  PortalSigns signs;
  // Nobody has this address (RFC 5737): the way there is the default route, and the kernel only
  // says which it is.
  const auto way = netlink::route_get(outer.socket(), *IpAddress::parse("192.0.2.1"));
  if (!way || way->type != RTN_UNICAST) {
    return signs;
  }
  signs.gateway = way->gateway;
  if (outer.name().empty()) {  // these two know the machine's own network
    signs.page = page_in_state(read_state(way->ifindex));
    signs.connectivity = nm_connectivity();
  }
  return signs;
}

}  // namespace vpnrun::service
