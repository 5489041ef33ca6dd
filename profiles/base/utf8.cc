// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/utf8.h"

namespace vpnrun {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;

/// Number of bytes of the sequence that `lead` starts; 0 if it starts none.
std::size_t sequence_length(unsigned char lead) noexcept {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead < 0xE0) {
    return 2;
  }
  if (lead >= 0xE0 && lead < 0xF0) {
    return 3;
  }
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

bool is_overlong_or_no_character(char32_t point, std::size_t length) noexcept {
  return (length == 3 && point < 0x800) || (length == 4 && point < 0x10000) ||
         (point >= 0xD800 && point < 0xE000) || point > kLastCodePoint;
}

}  // namespace

std::optional<char32_t> decode_utf8(std::string_view text, std::size_t& position) noexcept {
  const std::size_t start = position++;
  const auto lead = static_cast<unsigned char>(text[start]);
  const std::size_t length = sequence_length(lead);
  if (length == 1) {
    return lead;
  }
  if (length == 0 || text.size() - start < length) {
    return std::nullopt;
  }
  auto point = static_cast<char32_t>(lead & (0x7FU >> length));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[start + i]);
    if ((byte & 0xC0U) != 0x80U) {
      return std::nullopt;
    }
    point = (point << 6U) | (byte & 0x3FU);
  }
  if (is_overlong_or_no_character(point, length)) {
    return std::nullopt;
  }
  position = start + length;
  return point;
}

bool is_control(char32_t point) noexcept {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C ||
         (point >= 0x200E && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

std::size_t find_unprintable(std::string_view text) noexcept {
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    const std::optional<char32_t> point = decode_utf8(text, position);
    if (!point || is_control(*point)) {
      return start;
    }
  }
  return std::string_view::npos;
}

}  // namespace vpnrun
