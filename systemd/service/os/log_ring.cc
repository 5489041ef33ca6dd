// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/log_ring.h"

#include <algorithm>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr std::string_view kCut = "…";

/// Not within a character.
std::string_view cut(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace

void LogRing::add(std::int64_t time, std::string_view level, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    add_line(time, level, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void LogRing::add_line(std::int64_t time, std::string_view level, std::string_view line) {
  std::string text = printable(line.substr(0, 2 * kTextMax));
  if (text.size() > kTextMax) {
    text = std::string(cut(text, kTextMax - kCut.size())) + std::string(kCut);
  }
  bytes_ += text.size();
  entries_.push_back({++last_, time, level, std::move(text)});
  while (entries_.size() > kLinesMax || bytes_ > kBytesMax) {
    bytes_ -= entries_.front().text.size();
    entries_.pop_front();
  }
}

std::vector<LogRing::Entry> LogRing::after(std::uint64_t number, std::size_t most) const {
  std::vector<Entry> result;
  std::size_t size = 0;
  for (auto entry = std::upper_bound(
           entries_.begin(), entries_.end(), number,
           [](std::uint64_t value, const Entry&each) { return value < each.number; });
       entry != entries_.end(); ++entry) {
    size += entry->text.size() + kEntryCost;
    if (size > most && !result.empty()) {
      break;
    }
    result.push_back(*entry);
  }
  return result;
}

}  // namespace vpnrun::service
