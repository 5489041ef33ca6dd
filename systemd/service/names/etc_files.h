// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vpnrun::service {

/// Text of resolv.conf(5) for these resolvers and search domains. With no resolver libc asks
/// 127.0.0.1, which the filter captures, so that a lookup fails at once while there is no tunnel.
/// The size is always the same, for write_resolv_conf(), unless the search domains are too long:
/// then they come last, and nothing of them is cut off.
[[nodiscard]] std::string resolv_conf_text(const std::vector<std::string>& servers,
                                           const std::vector<std::string>& search_domains);

/// Writes `text` over the file below `etc_fd` in place, keeping its inode: the file is bind mounted
/// in the applications' view, and a bind holds on to the inode, so that a rename would not be seen
/// there. If the size stays the same, it is one pwrite(2), and running applications read either the
/// whole old text or the whole new one, in however many steps. If it does not, the file has at each
/// moment the old or the new text, padded with empty lines; an application that reads it in several
/// steps meanwhile sees at most further search domains at its end. Throws Error.
void write_resolv_conf(int etc_fd, std::string_view text);

/// Who knows the machine's own name: see own_name.h.
enum class OwnNameSource : std::uint8_t { kFiles, kModule };

/// The host's nsswitch.conf(5) with the sources of `hosts` reduced to files, the module myhostname
/// if there is one, and dns: no lookup is answered by a daemon outside the namespace (nss-resolve,
/// mdns, wins, …). An empty text gives a line for hosts alone.
[[nodiscard]] std::string nsswitch_text(std::string_view host_text, OwnNameSource own_name);

/// Creates or replaces `name` below `dir_fd`, mode 0644, with a temporary file and rename(2).
/// Throws Error.
void replace_file(int dir_fd, const std::string& name, std::string_view text);

}  // namespace vpnrun::service
