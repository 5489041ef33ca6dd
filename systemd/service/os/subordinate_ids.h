// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vpnrun::service {

/// Ids that newuidmap(1) and newgidmap(1) let a person take: subuid(5), subgid(5).
struct SubordinateIds {
  std::string file;
  std::size_t line = 0;  ///< counted from 1
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  [[nodiscard]] bool covers(id_t id) const noexcept { return id >= first && id - first < count; }
};

/// The ranges of `text`, in lines NAME:FIRST:COUNT. Numbers are read as those programs read them,
/// so that none of their ranges is missed: also octal and hexadecimal. Lines of another form have
/// no effect and are ignored. `file` goes into each range as it is.
[[nodiscard]] std::vector<SubordinateIds> parse_subordinate_ids(std::string_view text,
                                                                const std::string& file);

/// Those of /etc/subuid and /etc/subgid; a missing file has none. Throws Error.
[[nodiscard]] std::vector<SubordinateIds> read_subordinate_ids();

}  // namespace vpnrun::service
