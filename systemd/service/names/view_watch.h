// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/budget.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// What of a folder the view depends on.
struct WatchedFolder {
  enum class Haste : std::uint8_t {
    kAtOnce,  ///< until the view is renewed, an application may read the host's file
    kSettled  ///< the first change at once, the next ones after a pause that grows as they go on
  };
  std::string path;
  Haste haste = Haste::kAtOnce;
  /// Whether an entry that came, went, was replaced or (kAtOnce) was written matters. Nobody who
  /// can make other entries has the view renewed by that.
  std::function<bool(const std::string& name)> matters;
};

/// Calls back when something on the host changed on which the view depends: a file of /etc or of
/// the administrator's /etc/netns/NAME was replaced, something came to /run or went. See
/// inotify(7).
class ViewWatch {
 public:
  /// Watches `folders`, also those that come to be later in another one of them. Throws Error.
  ViewWatch(EventLoop& loop, std::vector<WatchedFolder> folders, std::function<void()> on_change);

  /// The longest that a settled change waits while others go on and on.
  static constexpr std::chrono::milliseconds kLongestPause{10'000};

 private:
  void add_watches();
  void watch_news();
  void receive();
  void renew_within(std::chrono::milliseconds delay);
  void renew();

  EventLoop& loop_;
  std::vector<WatchedFolder> folders_;
  std::map<int, std::size_t> by_descriptor_;

  std::function<void()> on_change_;
  UniqueFd inotify_;
  EventLoop::Handle watch_;
  EventLoop::Handle gathering_;
  EventLoop::Handle settling_;
  EventLoop::Clock::time_point due_;
  EventLoop::Clock::time_point renewed_;
  std::chrono::milliseconds pause_{0};  ///< before the next renewal that can wait
  /// For those that cannot: dozens of them at once, and then one fiftieth of the time.
  Budget budget_{50, std::chrono::milliseconds(300)};
};

}  // namespace vpnrun::service
