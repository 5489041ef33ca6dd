// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "helper/base/unique_fd.h"
#include "systemd/service/event_loop.h"

namespace vpnrun::service {

/// Calls back when something on the host changed on which the view depends: a file of /etc or of
/// the administrator's /etc/netns/NAME was replaced, something came to /run or went. See
/// inotify(7).
class ViewWatch {
 public:
  /// Watches `folders`, also those that come to be later in another one of them. Throws Error.
  ViewWatch(EventLoop& loop, std::vector<std::string> folders, std::function<void()> on_change);

 private:
  void add_watches();
  void receive();

  std::vector<std::string> folders_;

  std::function<void()> on_change_;
  UniqueFd inotify_;
  EventLoop::Handle watch_;
};

}  // namespace vpnrun::service
