// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/error.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "profiles/base/utf8.h"

namespace vpnrun {

void throw_formatted(int error_number, fmt::string_view format, fmt::format_args args) {
  const std::error_code code(error_number, std::generic_category());
  throw Error(formatted_with(format, args) + ": " + code.message(), code);
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    const std::optional<char32_t> point = decode_utf8(text, position);
    // A stray byte counts as well: in an 8-bit terminal 0x9B starts an escape sequence.
    if (!point || is_control(*point)) {
      result += '?';
    } else {
      result += text.substr(start, position - start);
    }
  }
  return result;
}

std::string one_line(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.empty()) {
      result += result.empty() ? "" : "; ";
      result += line;
    }
  }
  return result;
}

}  // namespace vpnrun
