// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/left_out.h"

#include <algorithm>
#include <array>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::array<std::pair<Severity, std::string_view>, 3> kWords = {
    {{Severity::kInfo, "info"}, {Severity::kNotice, "notice"}, {Severity::kWarning, "warning"}}};

/// "lines 1, 2, 3"; of many, the first ones.
std::string text_of(std::vector<std::uint32_t> lines) {
  constexpr std::size_t kMost = 8;
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  std::string text = lines.size() == 1 ? "line " : "lines ";
  for (std::size_t i = 0; i < std::min(lines.size(), kMost); ++i) {
    text += formatted("{}{}", i == 0 ? "" : ", ", lines[i]);
  }
  return text + (lines.size() > kMost ? ", …" : "");
}

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  for (const auto& [known, word] : kWords) {
    if (known == severity) {
      return word;
    }
  }
  return "notice";
}

Severity severity_from_string(std::string_view word) noexcept {
  for (const auto& [severity, known] : kWords) {
    if (known == word) {
      return severity;
    }
  }
  return Severity::kNotice;
}

std::vector<LeftOut> merged(std::span<const LeftOut> entries, std::size_t most) {
  std::vector<LeftOut> result;
  for (const LeftOut& entry : entries) {
    auto same = std::find_if(result.begin(), result.end(), [&entry](const LeftOut& other) {
      return other.directive == entry.directive && other.reason == entry.reason;
    });
    if (same == result.end()) {
      same = result.insert(same, {entry.directive, {}, entry.reason, entry.severity, entry.file});
    }
    same->severity = std::max(same->severity, entry.severity);
    const std::size_t room = kMostLinesLeftOut - same->lines.size();
    const auto told = std::span(entry.lines).first(std::min(room, entry.lines.size()));
    same->lines.insert(same->lines.end(), told.begin(), told.end());
  }
  for (Severity least : {Severity::kInfo, Severity::kNotice}) {
    while (result.size() > most) {
      const auto last = std::find_if(result.rbegin(), result.rend(), [least](const LeftOut& entry) {
        return entry.severity <= least;
      });
      if (last == result.rend()) {
        break;
      }
      result.erase(std::next(last).base());
    }
  }
  result.resize(std::min(result.size(), most));
  return result;
}

std::string describe(std::span<const LeftOut> entries, std::string_view quote) {
  struct Group {
    std::string_view reason;
    std::vector<std::string_view> directives;
    std::vector<std::uint32_t> lines;
  };
  std::vector<Group> groups;
  for (const LeftOut& entry : entries) {
    auto group = std::find_if(groups.begin(), groups.end(), [&entry](const Group& other) {
      return other.reason == entry.reason;
    });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), Group{entry.reason, {}, {}});
    }
    if (std::find(group->directives.begin(), group->directives.end(), entry.directive) ==
        group->directives.end()) {
      group->directives.push_back(entry.directive);
    }
    group->lines.insert(group->lines.end(), entry.lines.begin(), entry.lines.end());
  }
  std::string text;
  for (const Group& group : groups) {
    text += text.empty() ? "" : "; ";
    for (std::size_t i = 0; i < group.directives.size(); ++i) {
      text +=
          formatted("{}{}{}{}", i == 0 ? "" : ", ", quote, printable(group.directives[i]), quote);
    }
    text += group.lines.empty() ? "" : formatted(" ({})", text_of(group.lines));
    text += formatted(": {}", printable(group.reason));
  }
  return text;
}

}  // namespace vpnrun
