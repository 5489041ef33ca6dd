// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/mount_table.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

namespace vpnrun::service {
namespace {

/// Resolves the octal escapes for space, tab, newline and backslash.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return fields;
}

/// nullopt: it is not a line of the table.
std::optional<Mount> parse(std::string_view line) {
  constexpr std::size_t kFixed = 6;   // fields before the optional ones
  constexpr std::size_t kBehind = 3;  // type, source and options, after a "-"
  const std::vector<std::string_view> fields = fields_of(line);
  if (fields.size() < kFixed) {
    return std::nullopt;
  }
  const auto dash = std::find(fields.begin() + kFixed, fields.end(), "-");
  if (fields.end() - dash < static_cast<std::ptrdiff_t>(1 + kBehind)) {
    return std::nullopt;
  }
  Mount mount;
  (void)std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), mount.id);
  mount.root = unescape(fields[3]);
  mount.point = unescape(fields[4]);
  mount.type = dash[1];
  mount.source = unescape(dash[2]);
  mount.options = dash[3];
  return mount;
}

/// The mounts whose line contains `text`. Only these lines are parsed: the table of a machine with
/// many profiles is long.
std::vector<Mount> lines_with(std::string_view text) {
  std::ifstream mountinfo("/proc/self/mountinfo");
  std::vector<Mount> mounts;
  for (std::string line; std::getline(mountinfo, line);) {
    if (line.find(text) == std::string::npos) {
      continue;
    }
    if (auto mount = parse(line)) {
      mounts.push_back(std::move(*mount));
    }
  }
  return mounts;
}

}  // namespace

bool is_indirect_automount(const Mount& mount) {
  return mount.type == "autofs" &&
         (',' + mount.options + ',').find(",indirect,") != std::string::npos;
}

std::vector<Mount> mount_table() {
  return lines_with({});
}

std::vector<Mount> mounts_of_type(const std::string& type) {
  // The only field that is a "-" comes before the type.
  std::vector<Mount> mounts = lines_with(" - " + type + ' ');
  std::erase_if(mounts, [&](const Mount& mount) { return mount.type != type; });
  return mounts;
}

std::vector<Mount> mounts_below(const std::string& folder) {
  std::vector<Mount> mounts = lines_with(folder + '/');
  std::erase_if(mounts, [&](const Mount& mount) { return !mount.point.starts_with(folder + '/'); });
  return mounts;
}

std::vector<std::string> topmost_mounts_below(const std::string& folder) {
  std::vector<std::string> points;
  for (const auto& mount : mounts_below(folder)) {
    const auto covers = [&mount](const auto& other) {
      return mount.point == other || mount.point.starts_with(other + '/');
    };
    if (std::none_of(points.begin(), points.end(), covers)) {
      points.push_back(mount.point);
    }
  }
  return points;
}

}  // namespace vpnrun::service
