// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "systemd/service/os/budget.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/os/folder_watch.h"

namespace vpnrun::service {

/// A folder that the view depends on, and what in it.
struct WatchedFolder {
  enum class Haste : std::uint8_t {
    kAtOnce,  ///< until the view is renewed, an application may read the host's file
    kSettled  ///< the first change at once, the next ones after a pause that grows as they go on
  };
  std::string path;
  Haste haste = Haste::kAtOnce;
  /// The names in it that matter when what is there came, went, was replaced or (kAtOnce) was
  /// written; they need not exist. Nobody who can make other entries has the view renewed by that.
  /// May throw Error: then everything matters.
  std::function<std::vector<std::string>()> names;
};

/// Calls back when something on the host changed on which the view depends: a file of /etc or of
/// the administrator's /etc/netns/NAME was replaced, something came to /run or went. At once, or
/// within FolderWatch::kPace where the kernel does not tell of changes.
class ViewWatch {
 public:
  /// Watches `folders`, also those that are made later in another one of them. Throws Error.
  ViewWatch(EventLoop& loop, std::vector<WatchedFolder> folders, std::function<void()> on_change);

  /// How long a settled change waits at most while others go on.
  static constexpr std::chrono::milliseconds kLongestPause{10'000};

 private:
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint16_t type = 0;
    std::chrono::nanoseconds born{0};
    std::chrono::nanoseconds changed{0};
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  /// A folder as it was when the view was renewed the last time.
  struct Known {
    std::map<std::string, Stamp> entries;
    bool certain = false;  ///< nothing can have changed since without another stamp
  };

  [[nodiscard]] static Stamp stamp_of(const std::string& path, WatchedFolder::Haste haste);
  [[nodiscard]] static Known state_of(const WatchedFolder& folder);
  [[nodiscard]] static bool is_as_known(const WatchedFolder& folder, const Known& known);

  void watch_folders();
  void look();
  void renew_within(std::chrono::milliseconds delay);
  void renew();

  EventLoop& loop_;
  std::vector<WatchedFolder> folders_;
  std::vector<Known> known_;  ///< as folders_

  std::function<void()> on_change_;
  FolderWatch news_;
  EventLoop::Handle settling_;
  EventLoop::Clock::time_point due_;
  EventLoop::Clock::time_point renewed_;
  std::chrono::milliseconds pause_{0};  ///< before the next renewal that can wait
  /// For those that cannot wait: dozens of them at once, and then one fiftieth of the time.
  Budget budget_{50, std::chrono::milliseconds(300)};
};

}  // namespace vpnrun::service
