// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "systemd/service/netns.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// What has changed around a link since it was last looked at.
struct OuterNews {
  bool pair = false;        ///< the link itself, or its address
  bool forwarding = false;  ///< the link's own forwarding may be off
  bool routes = false;      ///< the routes to the endpoints may have changed
  bool interfaces =
      false;  ///< an interface that forwards for the link was renamed, or somebody else switched it
  bool rules = false;         ///< the filter may be gone
  bool maybe_online = false;  ///< the machine may be online again
  bool deleted = false;       ///< the filter was deleted; one that is there now may be an old one

  [[nodiscard]] static OuterNews everything() noexcept {
    return {true, true, true, true, true, false, false};
  }
  [[nodiscard]] bool any() const noexcept {
    return pair || forwarding || routes || interfaces || rules || maybe_online;
  }
  OuterNews& operator|=(const OuterNews& other) noexcept;
};

/// Watches the namespace of a link's outer end, and reports what concerns this link. The links of
/// other profiles, their addresses and the routes over them do not: on a machine with many profiles
/// that is most of what happens.
class OuterWatch {
 public:
  struct Events {
    /// Called after a burst of changes. An exception is logged, and the same news is reported
    /// again, with the next change or after a while, as there may be no next.
    std::function<void(const OuterNews&)> changed;
    std::function<void(const netlink::PacketDropped&)> dropped;
    /// Rules that are not ours were changed. May be empty.
    std::function<void(const netlink::RulesChanged&)> others_rules;
  };

  /// `table`: the one with our rules there. `outer` must outlive this object; nothing else may read
  /// its monitors. Throws Error.
  OuterWatch(EventLoop& loop, Netns& outer, std::string table, Events events);
  OuterWatch(const OuterWatch&) = delete;
  OuterWatch& operator=(const OuterWatch&) = delete;
  OuterWatch(OuterWatch&&) = delete;
  OuterWatch& operator=(OuterWatch&&) = delete;
  ~OuterWatch() = default;

  /// Sets the link's index there, which may change when the link is made again, and whether it is
  /// told which of the link's packets are dropped. Throws Error.
  void follow_link(int index, bool drops);
  /// Sets whether routes concern the link, and which interfaces do.
  void follow(bool routes, std::vector<std::string> interfaces);

 private:
  void list();
  [[nodiscard]] OuterNews news_of(const netlink::Event& event);
  [[nodiscard]] OuterNews news_of_link(const netlink::LinkChanged& link);
  void on_filter_event(const netlink::FilterEvent& event);
  void add(const OuterNews& news);
  void tell();
  [[nodiscard]] bool is_followed(const std::string& name) const;
  /// Whether the link with this index is another profile's.
  [[nodiscard]] bool is_strange(int index) const;

  EventLoop& loop_;
  Netns& outer_;
  std::string table_;
  Events events_;
  int link_index_ = 0;
  bool routes_ = false;
  std::vector<std::string> interfaces_;
  std::map<int, std::string> names_;  ///< of the links there, by their index
  OuterNews news_;
  std::chrono::milliseconds pause_;  ///< before what failed is tried again
  EventLoop::Handle settle_;
  EventLoop::Handle again_;
  EventLoop::Handle watch_;
  EventLoop::Handle filter_watch_;
};

}  // namespace vpnrun::service
