// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Lines and words of an OpenVPN configuration. For openvpn_config.cc, and for lines that it has
// written.
namespace vpnrun::profile {

/// How OpenvpnConfig::text begins a line that OpenVPN need not know; it means what follows.
constexpr std::string_view kOptional = "setenv opt ";

/// OpenVPN reads lines through a buffer of this size, line end included: it splits a longer line,
/// and the rest becomes a directive of its own.
constexpr std::size_t kOpenvpnLineMax = 255;
/// What OpenVPN takes of one line.
constexpr std::size_t kOpenvpnWordsMax = 16;

/// Splits a line as openvpn(8) does: words between blanks (form feeds and the like are blanks), '…'
/// literal, "…" with backslash, comments from '#' or ';' at the start of a word; what comes after
/// kOpenvpnWordsMax words is not looked at. Throws Error, without the line itself, for an open
/// quote and a backslash before anything but '\\', '"' or a blank. (A backslash at the end of the
/// line is refused: OpenVPN makes a line end of it. So is one before a blank at the start of a
/// word: OpenVPN drops both.) The words may have any bytes in them.
[[nodiscard]] std::vector<std::string> split_words(std::string_view line);

/// One line, with line end, from which OpenVPN reads exactly `words`. Throws Error if that line is
/// too long for it, or a word has a control character. A word need not be UTF-8.
[[nodiscard]] std::string join_words(const std::vector<std::string>& words);

/// Whether OpenVPN takes `line` for the end of an inline block: the tag is its start, after any
/// blanks, and anything may follow.
[[nodiscard]] bool ends_block(std::string_view line, std::string_view end_tag);

/// Hands out lines, without "\n" or "\r\n" and without a byte order mark at the start of the text.
class LineReader {
 public:
  explicit LineReader(std::string_view text);
  /// nullopt at the end.
  [[nodiscard]] std::optional<std::string_view> next();
  /// Of the line that next() returned last; from 1.
  [[nodiscard]] std::size_t number() const noexcept { return number_; }
  /// Whether that line, with its end and the mark, is longer than kOpenvpnLineMax.
  [[nodiscard]] bool too_long() const noexcept { return size_ > kOpenvpnLineMax; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
  std::size_t size_ = 0;
  std::size_t mark_ = 0;  ///< bytes in front of the first line
};

}  // namespace vpnrun::profile
