// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/left_out_text.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

/// Of one severity, by files: "left out of work.ovpn: up, down (lines 9, 10): …".
std::string text_of(const Status& status, Severity severity) {
  std::vector<std::string> files;
  for (const LeftOut& entry : status.left_out) {
    if (entry.severity == severity &&
        std::find(files.begin(), files.end(), entry.file) == files.end()) {
      files.push_back(entry.file);
    }
  }
  std::string text;
  for (const std::string& file : files) {
    std::vector<LeftOut> entries;
    std::copy_if(
        status.left_out.begin(), status.left_out.end(), std::back_inserter(entries),
        [&](const LeftOut& entry) { return entry.severity == severity && entry.file == file; });
    text += formatted("{}left out of {}: {}", text.empty() ? "" : "; ", printable(file),
                      describe(entries));
  }
  return text;
}

}  // namespace

LeftOutText left_out_text(const Status& status) {
  return {text_of(status, Severity::kNotice), text_of(status, Severity::kWarning)};
}

}  // namespace vpnrun
