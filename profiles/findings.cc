// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/findings.h"

#include <algorithm>

namespace vpnrun::profile {

void Findings::add(std::size_t line, const Error& error) {
  findings_.push_back({line, error});
}

void Findings::raise() const {
  if (findings_.empty()) {
    return;
  }
  std::vector<Finding> sorted = findings_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Finding& a, const Finding& b) { return a.line < b.line; });
  const std::string path = printable(path_);
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kMost); ++i) {
    const Finding& finding = sorted[i];
    text += text.empty() ? "" : "\n";
    text += finding.line == 0 ? path : formatted("{}:{}", path, finding.line);
    text += formatted(": {}", finding.error.what());
    if (sorted.size() > 1 && !finding.error.hint().empty()) {
      text += formatted(" ({})", finding.error.hint());
    }
  }
  if (sorted.size() > kMost) {
    text += formatted("\n{}: and {} more", path, sorted.size() - kMost);
  }
  throw Error(text, sorted.front().error.code(),
              sorted.size() == 1 ? sorted.front().error.hint() : std::string());
}

}  // namespace vpnrun::profile
