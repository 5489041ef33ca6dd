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

/// A folder that the view depends on, and which of its entries matter.
struct WatchedFolder {
  enum class Haste : std::uint8_t {
    kAtOnce,  ///< because an application may read the host's file until the view is renewed
    kSettled  ///< the first change at once, the next ones after a pause that grows as they go on
  };
  std::string path;
  Haste haste = Haste::kAtOnce;
  /// The names of the entries that matter: when one of them appears, disappears, is replaced or
  /// (kAtOnce) is written, the view is renewed. They need not exist. Nobody can cause a renewal by
  /// making other entries. May throw Error: then everything matters.
  std::function<std::vector<std::string>()> names;
};

/// Calls back when something on which the view depends has changed on the host: a file of /etc or
/// of the administrator's /etc/netns/NAME was replaced, or something appeared in /run or
/// disappeared. At once, or within FolderWatch::kPace where the kernel does not report changes.
class ViewWatch {
 public:
  /// Watches `folders`, including those that are made later inside another of them. Throws Error.
  ViewWatch(EventLoop& loop, std::vector<WatchedFolder> folders, std::function<void()> on_change);

  /// How long a kSettled change waits at most while others go on.
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
    std::chrono::nanoseconds changed{0};  ///< the folder itself: an entry came or went
    bool certain = false;                 ///< any change since then gives another stamp
  };

  [[nodiscard]] static Stamp stamp_of(const std::string& path, WatchedFolder::Haste haste);
  [[nodiscard]] static Known state_of(const WatchedFolder& folder);
  [[nodiscard]] static bool is_as_known(const WatchedFolder& folder, const Known& known);

  void watch_folders();
  void doubt_what_changed();
  void look();
  void renew_within(std::chrono::milliseconds delay);
  void renew();

  EventLoop& loop_;
  std::vector<WatchedFolder> folders_;
  std::vector<Known> known_;  ///< one for each of folders_

  std::function<void()> on_change_;
  FolderWatch news_;
  EventLoop::Handle settling_;
  EventLoop::Clock::time_point due_;
  EventLoop::Clock::time_point renewed_;
  std::chrono::milliseconds pause_{0};  ///< before the next renewal that can wait
  /// For renewals that cannot wait: dozens in a burst, and then one fiftieth of the time.
  Budget budget_{50, std::chrono::milliseconds(300)};
};

}  // namespace vpnrun::service
