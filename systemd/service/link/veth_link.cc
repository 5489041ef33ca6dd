// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/veth_link.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <utility>

#include "helper/base/runtime_layout.h"
#include "systemd/service/client_table.h"
#include "systemd/service/link/foreign_firewall.h"
#include "systemd/service/link/forwarding.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/subnet.h"
#include "systemd/service/os/log.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

constexpr std::size_t kLinkNameMax = 15;  // IFNAMSIZ - 1
constexpr std::uint8_t kLinkPrefix = 30;
/// How many names are tried for the outer end.
constexpr int kChoices = 16;
/// The shortest time between two attempts to open a firewall that keeps dropping our packets.
constexpr std::chrono::seconds kReopen{2};
/// Rules that could not be loaded are loaded again after this.
constexpr std::chrono::seconds kRetry{1};
/// A tool that mends a firewall changes more than one rule of it.
constexpr std::chrono::milliseconds kMended{200};
/// Somebody whose rules change all the time brings about no more attempts than one in this time.
constexpr std::chrono::seconds kMendedAgain{5};
/// The old tables are looked at in this interval, for so long after an attempt has begun; and as
/// long as one of them drops the client's packets.
constexpr std::chrono::milliseconds kLegacyLook{500};
constexpr std::chrono::seconds kLegacyWatch{30};

/// FNV-1a: short, and the same in every build.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  }
  return hash;
}

/// A locally administered unicast address (IEEE 802, section 8).
netlink::MacAddress random_mac() {
  std::random_device random;
  netlink::MacAddress mac{};
  std::generate(mac.begin(), mac.end(), [&random] { return static_cast<std::uint8_t>(random()); });
  mac[0] = static_cast<std::uint8_t>((mac[0] & 0xfcU) | 0x02U);
  return mac;
}

void set_link_sysctl(const Netns& netns, const std::string& name, const char* value) {
  const int error = netns.write_sysctl(name, value);
  if (error != 0 && error != ENOENT) {  // ENOENT: this kernel has no IPv6
    throw_error(error, "cannot set '{}'", name);
  }
}

std::string link_of(netlink::Socket& socket, int index) {
  const auto link = index == 0 ? std::nullopt : netlink::find_link(socket, index);
  return link ? " on '" + link->name + "'" : std::string();
}

/// Whether the interface `link` must forward what comes back on the route `way`. Loopback need not:
/// what comes back from an endpoint on the machine itself is delivered, not forwarded. Nor need the
/// links of other profiles.
bool needs_forwarding(const netlink::RouteAnswer& way, const netlink::LinkInfo& link) {
  return way.type == RTN_UNICAST && !link.loopback &&
         !link.name.starts_with(filter::kHostLinkPrefix);
}

Prefix choose_subnet(netlink::Socket& host, const profile::Profile& profile) {
  const auto routes = netlink::list_routes(host);
  const auto addresses = netlink::list_addresses(host);
  const auto used = netlink::used_networks(routes, addresses, 0);
  if (profile.link.subnet) {
    const Prefix wanted = *profile.link.subnet;
    if (const auto conflict = netlink::find_conflict(wanted, used)) {
      throw Error(
          formatted("the subnet {} is taken: {}{} overlaps it", wanted.str(),
                    conflict->network.str(), link_of(host, conflict->ifindex)),
          std::error_code(EADDRINUSE, std::generic_category()),
          formatted("set [link] subnet = \"auto\" in {}, or choose another /30", profile.path));
    }
    return wanted;
  }
  const auto subnet = netlink::pick_subnet(used, profile.name);
  if (!subnet) {
    throw Error("no free subnet is left for the link",
                std::error_code(EADDRNOTAVAIL, std::generic_category()),
                formatted("set [link] subnet in {} to a /30 with no address of this machine and no "
                          "route as narrow in it (see: ip route show table all)",
                          profile.path));
  }
  return *subnet;
}

/// The name to try for the outer end at each choice, the best first. Two profiles' names may have
/// the same short form, and other programs make links, too.
std::string outer_name(const std::string& profile_name, int choice) {
  const std::string prefix = filter::kHostLinkPrefix;
  if (choice == 0 && prefix.size() + profile_name.size() <= kLinkNameMax) {
    return prefix + profile_name;
  }
  const std::string hashed = choice == 0 ? profile_name : formatted("{}#{}", profile_name, choice);
  return formatted("{}{}-{:06x}", prefix, profile_name.substr(0, 5), hash_of(hashed) & 0xffffffU);
}

std::string alias_of(const std::string& profile_name) {
  return "vpnrun: " + profile_name;
}

/// Deletes the pair of this profile: the one with an end in its namespace, and any whose alias
/// names the profile.
void remove_pair(Netns& outer, Netns* inside, const std::string& profile_name) {
  if (inside != nullptr) {
    // Deletes the outer end as well, whatever it is called: it has no alias if it was made by a
    // companion of an earlier version, or by one that was killed before it set the alias.
    (void)netlink::delete_link(inside->socket(), filter::kLinkDevice);
  }
  for (int choice = 0; choice < kChoices; ++choice) {
    const auto link = netlink::find_link(outer.socket(), outer_name(profile_name, choice));
    if (link && link->alias == alias_of(profile_name)) {
      (void)netlink::delete_link(outer.socket(), link->name);
    }
  }
}

std::vector<std::string> bridges_of(netlink::Socket& outer, const std::vector<std::string>& links) {
  std::vector<std::string> bridges;
  for (const auto& name : links) {
    const auto link = netlink::find_link(outer, name);
    if (link && link->kind == "bridge") {
      bridges.push_back(name);
    }
  }
  return bridges;
}

/// The folder that records what the profiles have in the table of `outer`.
std::filesystem::path table_records(const Netns& outer) {
  const std::filesystem::path root(kRuntimeRoot);
  return root / (outer.name().empty() ? ".links" : ".links-" + outer.name());
}

}  // namespace

VethLink::VethLink(EventLoop& loop, const profile::Profile& profile, Netns& outer, Netns& inside,
                   LinkEvents events)
    : loop_(loop),
      profile_name_(profile.name),
      firewall_(profile.link.firewall),
      outer_(outer),
      inside_(inside),
      events_(std::move(events)),
      table_(outer.nft(), table_records(outer)),
      legacy_tables_(outer) {
  filter_.profile_name = profile.name;
  filter_.expose = profile.ports.expose;
  filter_.uplink = profile.link.uplink;
  fixed_subnet_ = profile.link.subnet.has_value();
  try {
    const HostLock lock;  // so that two starts do not choose the same network
    // Removes what a killed companion left, so that its network is free for this one.
    remove_pair(outer_, &inside_, profile_name_);
    const auto subnet = choose_subnet(outer_.socket(), profile);
    filter_.addresses = {netlink::namespace_end(subnet), netlink::host_end(subnet)};
    // The link is made first, because the filter needs its name, which is not certain before; but
    // the filter is loaded before the link is up.
    make_link();
    // This first filter also guards what the killed companion left forwarding: it may take long
    // until a server is found.
    load_filter();
    configure_ends();
    OuterWatch::Events watched;
    watched.changed = [this](const OuterNews& news) { on_news(news); };
    watched.dropped = [this](const netlink::PacketDropped& drop) { on_drop(drop); };
    watched.others_rules = [this](const netlink::RulesChanged& changed) {
      on_rules_changed(changed);
    };
    watch_.emplace(loop_, outer_, filter::kHostTable, std::move(watched));
    tell_watch();
  } catch (const std::exception&) {
    remove_veth_link(outer_, &inside_, profile_name_);
    throw;
  }
}

VethLink::~VethLink() {
  try {
    remove_veth_link(outer_, &inside_, profile_name_);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

/// Loads the filter with what is guarded at this moment: another profile may have changed that.
void VethLink::load_filter() {
  applied_ = false;  // taking the lock may fail
  const HostLock lock;
  filter_.guarded_uplinks = guarded_links(outer_, {});
  filter_.guarded_bridges = bridges_of(outer_.socket(), filter_.guarded_uplinks);
  apply_filter();
}

/// Makes the pair; both ends are down.
void VethLink::make_link() {
  remove_pair(outer_, &inside_, profile_name_);
  netlink::VethSpec spec;
  spec.peer_name = filter::kLinkDevice;
  spec.peer_netns_fd = inside_.fd();
  // MAC addresses of our own from the start: after a while udev replaces one that the kernel chose
  // (MACAddressPolicy= in systemd.link(5)), and the neighbour entries of configure_ends() would be
  // wrong.
  spec.mac = random_mac();
  spec.peer_mac = random_mac();
  // Prefers the name that the link had before, if that is free: the filter and people know it.
  spec.name = filter_.link;
  bool made = !spec.name.empty() && netlink::create_veth(outer_.socket(), spec);
  for (int choice = 0; choice < kChoices && !made; ++choice) {
    spec.name = outer_name(profile_name_, choice);
    made = netlink::create_veth(outer_.socket(), spec);  // false: the name is taken
  }
  const auto outer = made ? netlink::find_link(outer_.socket(), spec.name) : std::nullopt;
  netlink::LinkChange change;
  change.alias = alias_of(profile_name_);
  if (!outer || !netlink::change_link(outer_.socket(), outer->index, change)) {
    throw_error(made ? ENODEV : EEXIST, "cannot create the link '{}'",
                outer_name(profile_name_, 0));
  }
  filter_.link = spec.name;
}

void VethLink::configure_ends() {
  const auto outer = netlink::find_link(outer_.socket(), filter_.link);
  const auto inner = netlink::find_link(inside_.socket(), filter::kLinkDevice);
  if (!outer || !inner) {
    throw_error(ENODEV, "cannot set up the link '{}'", filter_.link);
  }
  outer_index_ = outer->index;
  inner_index_ = inner->index;
  outer_mac_ = outer->mac;
  inner_mac_ = inner->mac;
  // Neither end speaks IPv6 or ARP: nothing but the client's packets is sent, and nothing is
  // answered.
  set_link_sysctl(outer_, formatted("net/ipv6/conf/{}/disable_ipv6", filter_.link), "1");
  set_link_sysctl(inside_, formatted("net/ipv6/conf/{}/disable_ipv6", filter::kLinkDevice), "1");
  // What comes back from an endpoint does not come from where everybody else's packets go.
  set_link_sysctl(inside_, formatted("net/ipv4/conf/{}/rp_filter", filter::kLinkDevice), "0");
  netlink::LinkChange change;
  change.up = true;
  change.arp = false;
  netlink::set_addresses(outer_.socket(), outer->index,
                         {{0, {filter_.addresses.host_address, kLinkPrefix}, std::nullopt}});
  netlink::set_addresses(inside_.socket(), inner->index,
                         {{0, {filter_.addresses.ns_address, kLinkPrefix}, std::nullopt}});
  // The inner end comes up last: what is sent there before both are up is lost.
  if (!netlink::change_link(outer_.socket(), outer->index, change) ||
      !netlink::change_link(inside_.socket(), inner->index, change)) {
    throw_error(ENODEV, "cannot set up the link '{}'", filter_.link);
  }
  netlink::set_neighbour(outer_.socket(), outer->index, filter_.addresses.ns_address, inner->mac);
  netlink::set_neighbour(inside_.socket(), inner->index, filter_.addresses.host_address,
                         outer->mac);
}

bool VethLink::is_whole() {
  const auto has_address = [](netlink::Socket& socket, int ifindex, const IpAddress& address) {
    const auto all = netlink::list_addresses(socket);
    return std::any_of(all.begin(), all.end(), [&](const netlink::InterfaceAddress& one) {
      return one.ifindex == ifindex && one.address.address == address;
    });
  };
  const auto outer = netlink::find_link(outer_.socket(), filter_.link);
  const auto inner = netlink::find_link(inside_.socket(), filter::kLinkDevice);
  return outer && inner && outer->index == outer_index_ && inner->index == inner_index_ &&
         outer->mac == outer_mac_ && inner->mac == inner_mac_ && outer->up && inner->up &&
         has_address(outer_.socket(), outer_index_, filter_.addresses.host_address) &&
         has_address(inside_.socket(), inner_index_, filter_.addresses.ns_address);
}

void VethLink::mend_link() {
  if (is_whole()) {
    return;
  }
  log::warn("somebody changed the link '{}'; setting it up again", filter_.link);
  const auto outer = netlink::find_link(outer_.socket(), filter_.link);
  const auto inner = netlink::find_link(inside_.socket(), filter::kLinkDevice);
  // Compared by index: if the link was renamed, its old name may be another link's by now.
  if (!outer || !inner || outer->index != outer_index_ || inner->index != inner_index_) {
    const std::string former = filter_.link;
    make_link();
    if (filter_.link != former) {
      extras_applied_ = false;
      applied_ = false;
      // For whoever has the name now.
      close_foreign_firewalls(outer_, profile_name_);
      close_legacy_firewall(legacy_tables_, profile_name_);
    }
  }
  if (!applied_) {
    load_filter();  // or the link would be up without a filter, if that failed before
  }
  configure_ends();
  set_routes(filter_.endpoints);  // they were lost with the link
}

void VethLink::open(const std::vector<Endpoint>& endpoints) {
  settle_.reset();
  mended_.reset();
  legacy_look_.reset();
  told_drops_.clear();
  opened_foreign_ = false;
  const bool same = loaded_ && endpoints == filter_.endpoints && filter_.traced;
  filter_.endpoints = endpoints;
  filter_.traced = true;
  loaded_ = same;
  // Set before anything can fail: look_around() then loads the filter the next time.
  applied_ = applied_ && same;
  const std::string forbidden = look_around(OuterNews::everything(), !same);
  if (!same) {
    set_routes(endpoints);
    loaded_ = true;
  }
  if (!forbidden.empty()) {
    throw Error(
        formatted("the machine routes to the server through '{}', but [link] uplink is '{}'",
                  forbidden, filter_.uplink),
        std::make_error_code(std::errc::network_unreachable),
        formatted("give the server a route through {0}, or set [link] uplink = \"auto\"",
                  filter_.uplink));
  }
  check_way_in();
  watch_legacy();
}

/// The narrowest route of the main table leads to the inner end, but a rule may ask another table
/// first, also one that came later than the link.
void VethLink::check_way_in() {
  if (filter_.endpoints.empty()) {
    return;  // nothing is to come in
  }
  const auto way = netlink::route_get(outer_.socket(), filter_.addresses.ns_address);
  if (!way || way->type != RTN_UNICAST || way->ifindex == outer_index_) {
    return;
  }
  const Prefix subnet = Prefix{filter_.addresses.ns_address, kLinkPrefix}.network();
  throw Error(
      formatted("the machine routes the link's subnet {} elsewhere{}, by a rule (see: ip rule)",
                subnet.str(), link_of(outer_.socket(), way->ifindex)),
      std::make_error_code(std::errc::network_unreachable),
      fixed_subnet_ ? "set [link] subnet = \"auto\", then: vpnrunctl restart " + profile_name_
                    : "let the link have another subnet: vpnrunctl restart " + profile_name_);
}

std::optional<LinkAddresses> VethLink::addresses() const {
  return LinkAddresses{filter_.link, filter_.addresses.host_address, filter_.addresses.ns_address};
}

void VethLink::set_routes(const std::vector<Endpoint>& endpoints) {
  const auto route_to = [this](const Endpoint& endpoint) {
    netlink::Route route;
    route.destination = Prefix::host(endpoint.address);
    route.ifindex = inner_index_;
    route.gateway = filter_.addresses.host_address;
    route.preferred_source = filter_.addresses.ns_address;
    route.table = kClientTable;
    return route;
  };
  const auto old = routed_;
  routed_.insert(routed_.end(), endpoints.begin(),
                 endpoints.end());  // recorded first, in case something fails
  for (const auto& endpoint : endpoints) {
    netlink::replace_route(inside_.socket(), route_to(endpoint));
  }
  for (const auto& endpoint : old) {
    const bool kept = std::any_of(endpoints.begin(), endpoints.end(), [&endpoint](const auto& e) {
      return e.address == endpoint.address;
    });
    if (!kept) {
      (void)netlink::delete_route(inside_.socket(), route_to(endpoint));
    }
  }
  routed_ = endpoints;
}

VethLink::Ways VethLink::ways_to_endpoints() {
  Ways ways;
  for (const auto& endpoint : filter_.endpoints) {
    const auto way = netlink::route_get(outer_.socket(), endpoint.address);
    const auto link = way ? netlink::find_link(outer_.socket(), way->ifindex) : std::nullopt;
    if (link && !filter_.uplink.empty() && link->name != filter_.uplink) {
      ways.forbidden = link->name;  // the filter keeps it from being used
    } else if (link && needs_forwarding(*way, *link)) {
      ways.links.push_back(link->name);
    }
  }
  return ways;
}

/// Makes these interfaces forward, guarded by the filter; loads the filter if that requires it, if
/// it is missing (`flushed`), or if it `changed`.
void VethLink::forward_by(std::vector<std::string> links, bool changed, bool flushed) {
  // Held until forwarding is on and recorded: what another profile loads after that includes this
  // guard.
  const HostLock lock;
  filter_.guarded_uplinks = guarded_links(outer_, links);
  filter_.guarded_bridges = bridges_of(outer_.socket(), filter_.guarded_uplinks);
  if (changed || flushed || !applied_ || !table_.guards(filter_)) {
    apply_filter();
  }
  // No interface forwards because of us before it is guarded. What is not guarded forwards already,
  // without us.
  for (const auto& link : filter_.guarded_uplinks) {
    if (std::find(links.begin(), links.end(), link) != links.end()) {
      forward_for(outer_, profile_name_, link);
    }
  }
  ways_ = std::move(links);
}

/// Repairs what the news may have broken; `changed`: filter_ is not what is loaded. Returns the
/// interface through which the outer namespace routes to an endpoint although [link] uplink names
/// another one; empty: all is well.
///
/// Each expensive step (the host's lock, nftables) is taken only when something requires it.
std::string VethLink::look_around(const OuterNews& news, bool changed) {
  if (news.pair) {
    mend_link();
    tell_watch();
  }
  if (news.pair || news.forwarding) {
    // A write to net.ipv4.ip_forward turns it off for every interface, ours too.
    set_link_sysctl(outer_, formatted("net/ipv4/conf/{}/forwarding", filter_.link), "1");
  }
  if (!changed && applied_ && !news.routes && !news.interfaces && !news.rules) {
    return {};
  }
  Ways ways = ways_to_endpoints();
  // If there is a table again, it is one that somebody saved when the profiles had other rules.
  extras_applied_ = extras_applied_ && !news.deleted;
  const bool flushed = news.deleted || (!changed && news.rules && !table_.has(profile_name_));
  if (changed || !applied_ || news.interfaces || news.rules || ways.links != ways_) {
    forward_by(std::move(ways.links), changed, flushed);
  }
  tell_watch();
  return ways.forbidden;
}

void VethLink::tell_watch() {
  if (watch_) {
    auto interfaces = filter_.guarded_uplinks;
    interfaces.insert(interfaces.end(), ways_.begin(), ways_.end());
    // Only while it matters: each companion that follows drops is told of the packets of all.
    watch_->follow_link(outer_index_, filter_.traced && !filter_.endpoints.empty());
    watch_->follow(!filter_.endpoints.empty(), std::move(interfaces));
  }
}

void VethLink::on_news(const OuterNews& news) {
  std::exception_ptr failure;
  try {
    (void)look_around(news, false);
  } catch (const std::exception&) {
    failure = std::current_exception();  // maybe_online() must be called all the same
  }
  if (news.maybe_online) {
    events_.maybe_online();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

void VethLink::on_drop(const netlink::PacketDropped& drop) {
  // Ignores what is still reported about packets that were sent before a firewall was opened.
  if (!filter_.traced || opened_foreign_ || settle_.active() || filter_.endpoints.empty() ||
      filter::is_host_table(drop.table)) {
    return;
  }
  try {
    explain(drop);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

/// Whether the profile asks for it, and it was not done just now.
bool VethLink::may_open_foreign() noexcept {
  const auto now = loop_.now();
  if (firewall_ != profile::Firewall::kIntegrate || now - last_opened_ <= kReopen) {
    return false;
  }
  last_opened_ = now;
  return true;
}

/// Once in an attempt.
void VethLink::tell_blocked(const std::string& place, const Failure& failure) {
  if (std::find(told_drops_.begin(), told_drops_.end(), place) == told_drops_.end()) {
    told_drops_.push_back(place);
    events_.blocked(failure);
  }
}

void VethLink::explain(const netlink::PacketDropped& drop) {
  ForeignFirewall foreign(outer_, profile_name_, filter_.link);
  if (may_open_foreign()) {
    try {
      log::info("'{}': the machine's firewall drops our packets; opened '{}' for this link",
                profile_name_, foreign.open(drop));
      opened_foreign_ = true;
      events_.unblocked();
      return;
    } catch (const std::exception& error) {
      log::ignored(error);  // then a person has to open it
    }
  }
  tell_blocked(formatted("{} {} {} {}", drop.family, drop.table, drop.chain, drop.by_policy),
               foreign.explain(drop));
}

/// Whoever opens what was told to drop the packets need not wait for the next attempt.
void VethLink::on_rules_changed(const netlink::RulesChanged& changed) {
  if (told_drops_.empty() || opened_foreign_ || !filter_.traced || mended_.active() ||
      loop_.now() - last_mended_ < kMendedAgain || filter::is_host_table(changed.table)) {
    return;
  }
  last_mended_ = loop_.now();
  mended_ = loop_.after(kMended, [this] {
    mended_.reset();
    events_.unblocked();
  });
}

// --- the kernel's old tables ---

std::vector<LegacyWay> VethLink::legacy_ways() {
  std::vector<LegacyWay> ways;
  for (const auto& endpoint : filter_.endpoints) {
    const auto way = netlink::route_get(outer_.socket(), endpoint.address);
    const auto link = way ? netlink::find_link(outer_.socket(), way->ifindex) : std::nullopt;
    if (link) {
      ways.push_back({endpoint, link->name, way->type == RTN_LOCAL});
    }
  }
  return ways;
}

/// Nothing depends on it but what people are told.
void VethLink::watch_legacy() {
  legacy_.reset();
  if (filter_.endpoints.empty()) {
    told_legacy_ = false;
    return;
  }
  try {
    legacy_ = std::make_unique<LegacyFirewall>(legacy_tables_, profile_name_, filter_.link,
                                               filter_.addresses.ns_address);
    const bool is_closed = legacy_->begin(legacy_ways());
    told_legacy_ = told_legacy_ && is_closed;
    legacy_since_ = loop_.now();
    look_at_legacy_later({});
  } catch (const std::exception& error) {
    log::ignored(error);
    legacy_.reset();
  }
}

/// A look at the tables of a machine with thousands of containers takes a while: a twentieth of the
/// time, and no more.
void VethLink::look_at_legacy_later(EventLoop::Clock::duration last_took) {
  const auto pause = std::max<EventLoop::Clock::duration>(kLegacyLook, 20 * last_took);
  legacy_look_ = loop_.after(std::chrono::ceil<std::chrono::milliseconds>(pause),
                             [this] { look_at_legacy(); });
}

void VethLink::look_at_legacy() {
  legacy_look_.reset();
  if (!legacy_ || !filter_.traced || settle_.active()) {
    return;
  }
  const auto begin = loop_.now();
  try {
    const auto seen = legacy_->look();
    if (told_legacy_ && !seen.is_closed) {
      told_legacy_ = false;
      events_.unblocked();
      return;
    }
    if (seen.drop && !opened_foreign_) {
      explain(*seen.drop);
    }
  } catch (const std::exception& error) {
    log::ignored(error);
    return;  // until the next attempt
  }
  if (told_legacy_ || loop_.now() - legacy_since_ < kLegacyWatch) {
    look_at_legacy_later(loop_.now() - begin);
  }
}

void VethLink::explain(const LegacyDrop& drop) {
  std::string obstacle;
  if (may_open_foreign()) {
    try {
      log::info(
          "'{}': the machine's firewall drops our packets; opened '{}' of iptables-legacy "
          "for this link",
          profile_name_, legacy_->open(drop));
      opened_foreign_ = true;
      events_.unblocked();
      return;
    } catch (const std::exception& error) {
      obstacle = error.what();
    }
  }
  told_legacy_ = true;
  tell_blocked(formatted("legacy {} {} {}", drop.table, drop.chain, drop.rule),
               legacy_->explain(drop, obstacle));
}

std::optional<UnusableAddress> VethLink::check(const IpAddress& address) {
  if (auto unusable = check_address(address)) {
    return unusable;
  }
  std::vector<Prefix> links;
  for (const auto& one : netlink::list_addresses(outer_.socket())) {
    const bool near = one.address.contains(address);
    const auto link = near ? netlink::find_link(outer_.socket(), one.ifindex) : std::nullopt;
    if (link && link->name.starts_with(filter::kHostLinkPrefix)) {
      links.push_back(one.address);
    }
  }
  return check_address_here(address, netlink::route_get(outer_.socket(), address),
                            {filter_.addresses.host_address, kLinkPrefix}, links);
}

PortalSigns VethLink::portal_signs() {
  try {
    return service::portal_signs(outer_);
  } catch (const std::exception& error) {
    log::ignored(error);  // nothing depends on it but what people are told
    return {};
  }
}

/// The caller holds the host's lock, from when it found out what is guarded.
void VethLink::apply_filter() {
  applied_ = false;
  extras_applied_ = extras_applied_ && table_.has(profile_name_);  // gone if the table is
  table_.set(filter_);
  applied_ = true;
  if (!extras_applied_) {
    extras_applied_ = true;
    // A kernel may lack any of these.
    const auto apply = [](const std::function<void()>& load, const char* what) {
      try {
        load();
        return true;
      } catch (const Error& error) {
        log::debug("no {}: {}", what, error.what());
        return false;
      }
    };
    const auto limit_by = [this](filter::FlowLimit limit) {
      return [this, limit] { table_.set_flow_limit(filter_, limit); };
    };
    (void)apply([this] { table_.set_arp(filter_); }, "ARP filter");
    (void)(apply(limit_by(filter::FlowLimit::kCount), "limit of flows") ||
           apply(limit_by(filter::FlowLimit::kRate), "limit of new flows"));
  }
}

/// Tracing ends in the next turn of the loop: that loads the rules again, and must not hold up a
/// tunnel that is just coming up.
void VethLink::settled() {
  settle_ = loop_.after(std::chrono::milliseconds(0), [this] { stop_tracing(); });
}

void VethLink::stop_tracing() {
  settle_.reset();
  if (!filter_.traced && applied_) {
    return;
  }
  try {
    filter_.traced = false;
    legacy_.reset();
    load_filter();
    tell_watch();
  } catch (const std::exception& error) {
    log::ignored(error);
    settle_ = loop_.after(kRetry, [this] { stop_tracing(); });
  }
}

void remove_veth_link(Netns& outer, Netns* inside, const std::string& profile_name) {
  std::exception_ptr first;
  const auto step = [&first](const std::function<void()>& body) {
    try {
      body();
    } catch (const std::exception&) {
      first = first ? first : std::current_exception();  // the next steps are done all the same
    }
  };
  step([&] { close_foreign_firewalls(outer, profile_name); });
  step([&] {
    KernelLegacyTables tables(outer);
    close_legacy_firewall(tables, profile_name);
  });
  // The link before the filter: without a link the filter has nothing to let through.
  step([&] { remove_pair(outer, inside, profile_name); });
  std::optional<HostLock> lock;
  step([&] { lock.emplace(); });
  step([&] { stop_forwarding_for(outer, profile_name); });  // before the filter that guards it
  step([&] {
    const HostLock again;  // in case it was not available before
    const auto guarded = guarded_links(outer, {});
    filter::HostTable(outer.nft(), table_records(outer))
        .remove(profile_name, guarded, bridges_of(outer.socket(), guarded));
  });
  if (first) {
    std::rethrow_exception(first);
  }
}

}  // namespace vpnrun::service
