// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace vpnrun::service {

/// The last lines that were logged, for those who may not read the machine's journal. Bounded in
/// lines and in bytes, whatever is logged; the oldest go first.
class LogRing {
 public:
  struct Entry {
    std::uint64_t number = 0;  ///< from 1 on, without gaps as they are added
    std::int64_t time = 0;     ///< seconds since the epoch
    std::string_view level;    ///< of static storage
    std::string text;          ///< printable, at most kTextMax bytes
  };

  static constexpr std::size_t kLinesMax = 500;
  static constexpr std::size_t kBytesMax = 65536;
  static constexpr std::size_t kTextMax = 2000;

  /// Adds each line of `text`. `level` is a string literal.
  void add(std::int64_t time, std::string_view level, std::string_view text);

  /// The entries with a number above `number`, oldest first: as many as have `most` bytes together,
  /// with kEntryCost for each, and at least one if there is any.
  [[nodiscard]] std::vector<Entry> after(std::uint64_t number, std::size_t most) const;
  static constexpr std::size_t kEntryCost = 80;

 private:
  void add_line(std::int64_t time, std::string_view level, std::string_view line);

  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace vpnrun::service
