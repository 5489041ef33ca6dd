// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/outer_watch.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "systemd/service/filter/host_filter.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

/// Changes come in bursts: they are reported together, this long after the first.
constexpr std::chrono::milliseconds kSettle{20};
/// A reaction that failed is tried again after this, and then after twice as long each time.
constexpr std::chrono::milliseconds kAgain{1'000};
constexpr std::chrono::milliseconds kAgainAtMost{60'000};

bool is_a_profiles(const std::string& link) {
  return link.starts_with(filter::kHostLinkPrefix);
}

}  // namespace

OuterNews& OuterNews::operator|=(const OuterNews& other) noexcept {
  pair = pair || other.pair;
  forwarding = forwarding || other.forwarding;
  routes = routes || other.routes;
  interfaces = interfaces || other.interfaces;
  rules = rules || other.rules;
  maybe_online = maybe_online || other.maybe_online;
  deleted = deleted || other.deleted;
  return *this;
}

OuterWatch::OuterWatch(EventLoop& loop, Netns& outer, std::string table, Events events)
    : loop_(loop),
      outer_(outer),
      table_(std::move(table)),
      events_(std::move(events)),
      pause_(kAgain) {
  watch_ = loop_.watch(outer_.monitor().fd(), EPOLLIN, [this](std::uint32_t) {
    outer_.monitor().drain([this](const netlink::Event& event) { add(news_of(event)); });
  });
  filter_watch_ = loop_.watch(outer_.filter_monitor().fd(), EPOLLIN, [this](std::uint32_t) {
    outer_.filter_monitor().drain(
        [this](const netlink::FilterEvent& event) { on_filter_event(event); });
  });
  list();
}

void OuterWatch::list() {
  names_.clear();
  for (const auto& link : netlink::list_links(outer_.socket())) {
    names_[link.index] = link.name;
  }
}

void OuterWatch::follow_link(int index, bool drops) {
  link_index_ = index;
  outer_.filter_monitor().follow_interface(drops ? index : 0);
}

void OuterWatch::follow(bool routes, std::vector<std::string> interfaces) {
  routes_ = routes;
  interfaces_ = std::move(interfaces);
}

bool OuterWatch::is_followed(const std::string& name) const {
  return std::find(interfaces_.begin(), interfaces_.end(), name) != interfaces_.end();
}

bool OuterWatch::is_strange(int index) const {
  const auto link = names_.find(index);
  return index != link_index_ && link != names_.end() && is_a_profiles(link->second);
}

OuterNews OuterWatch::news_of_link(const netlink::LinkChanged& link) {
  OuterNews news;
  const std::string former = std::exchange(names_[link.index], link.name);
  if (link.deleted) {
    names_.erase(link.index);
  }
  if (link.index == link_index_) {
    news.pair = true;
    return news;
  }
  news.interfaces = is_followed(former) || is_followed(link.name);
  if (is_a_profiles(link.name)) {
    return news;
  }
  news.routes = routes_;
  news.maybe_online = link.carrier && !link.deleted;
  return news;
}

OuterNews OuterWatch::news_of(const netlink::Event& event) {
  OuterNews news;
  if (const auto* link = std::get_if<netlink::LinkChanged>(&event)) {
    return news_of_link(*link);
  }
  if (const auto* address = std::get_if<netlink::AddressChanged>(&event)) {
    news.pair = address->ifindex == link_index_;
  } else if (const auto* route = std::get_if<netlink::RouteChanged>(&event)) {
    news.maybe_online = route->is_default && !route->deleted;
    news.routes = routes_ && route->ifindex != link_index_ && !is_strange(route->ifindex);
  } else if (const auto* forwarding = std::get_if<netlink::ForwardingChanged>(&event)) {
    const auto link = names_.find(forwarding->ifindex);
    const bool all = forwarding->ifindex == netlink::kAllInterfaces;
    news.forwarding = all || forwarding->ifindex == link_index_;
    news.interfaces = all || (link != names_.end() && is_followed(link->second));
  } else {
    list();
    news = OuterNews::everything();
  }
  return news;
}

void OuterWatch::on_filter_event(const netlink::FilterEvent& event) {
  if (const auto* drop = std::get_if<netlink::PacketDropped>(&event)) {
    events_.dropped(*drop);
    return;
  }
  if (const auto* changed = std::get_if<netlink::RulesChanged>(&event)) {
    if (events_.others_rules && changed->table != table_) {
      events_.others_rules(*changed);
    }
    return;
  }
  const auto* table = std::get_if<netlink::TableDeleted>(&event);
  OuterNews news;
  news.rules = table == nullptr || table->table == table_;  // `nft flush ruleset`, or ourselves
  if (!news.rules && events_.others_rules) {
    events_.others_rules({table->family, table->table});
  }
  news.deleted = table != nullptr && news.rules && table->family == "inet";
  add(news);
}

void OuterWatch::add(const OuterNews& news) {
  news_ |= news;
  if (!news.any() || settle_.active()) {
    return;
  }
  settle_ = loop_.after(kSettle, [this] { tell(); });
}

void OuterWatch::tell() {
  settle_.reset();
  again_.reset();
  const OuterNews told = std::exchange(news_, {});
  try {
    events_.changed(told);
    pause_ = kAgain;
  } catch (const std::exception& error) {
    log::ignored(error);
    news_ = told;
    news_.maybe_online = false;
    again_ = loop_.after(pause_, [this] {
      pause_ = std::min(2 * pause_, kAgainAtMost);
      tell();
    });
  }
}

}  // namespace vpnrun::service
