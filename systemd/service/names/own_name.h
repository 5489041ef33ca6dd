// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// The machine's own name, which programs look up (sudo, Java, many servers) and which is nobody
/// else's business: it is not to be asked of the VPN's resolver.
///
/// Where the machine has nss-myhostname(8), that answers inside as it does outside: for the name,
/// and for what ends in ".localhost". It needs no daemon. Elsewhere the name is in the machine's
/// hosts(5), or the profile's own copy of that gets it.

/// Whether libc finds the module; of the architecture that this program is of.
[[nodiscard]] bool has_myhostname_module();

/// What gethostname(2) says; empty if that is no name, or nobody's own ("localhost").
[[nodiscard]] std::string own_name();

/// `host_text`, a hosts(5), with lines at its end for `own_name` and localhost, as far as it does
/// not have them. As it is if nothing is missing. Pure.
[[nodiscard]] std::string hosts_text(std::string_view host_text, std::string_view own_name);

/// Calls back when the machine gets another name. Not where the kernel does not tell that
/// (/proc/sys/kernel/hostname cannot be opened), or in another UTS namespace than the machine's.
class OwnNameWatch {
 public:
  OwnNameWatch(EventLoop& loop, std::function<void()> on_change);

 private:
  UniqueFd name_;
  EventLoop::Handle watch_;
};

}  // namespace vpnrun::service
