// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/toml_text.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/utf8.h"
#include "profiles/toml_scan.h"

namespace vpnrun {
namespace {

constexpr std::size_t kExcerptMax = 48;

/// The text of the line that `where` is in, from its column on (toml++ counts code points).
std::string_view rest_of_line(std::string_view text, const toml::source_position& where) {
  for (toml::source_index line = 1; line < where.line; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  std::size_t position = 0;
  for (toml::source_index column = 1; column < where.column && position < text.size(); ++column) {
    (void)decode_utf8(text, position);  // only moves on; what is malformed is shown as '?'
  }
  return text.substr(position);
}

/// The line that `where` is in; of a long one, what follows `where`.
std::string line_at(std::string_view text, const toml::source_position& where) {
  const bool is_near = where.column < kExcerptMax;
  return excerpt(text, {{where.line, is_near ? 1 : where.column}, {where.line + 1, 1}, nullptr});
}

/// The commonest mistake of people who know other formats.
std::string syntax_hint(std::string_view text, const toml::source_position& where) {
  const std::string_view line = rest_of_line(text, {where.line, 1});
  const std::size_t value = line.find_first_not_of(" \t", line.find('=') + 1);
  const bool bare_word = line.find('=') != std::string_view::npos &&
                         value != std::string_view::npos &&
                         std::isalpha(static_cast<unsigned char>(line[value])) != 0;
  return bare_word ? "text goes in double quotes: key = \"value\"" : "";
}

/// Line and column of the character at `offset`, as the library counts.
toml::source_position position_of(std::string_view text, std::size_t offset) {
  toml::source_position where{1, 1};
  for (std::size_t position = toml_start(text); position < offset;) {
    const bool is_end = text[position] == '\n';
    (void)decode_utf8(text, position);
    where.line += is_end ? 1U : 0U;
    where.column = is_end ? 1U : where.column + 1;
  }
  return where;
}

[[noreturn]] void refuse(std::string_view text, const std::string& path,
                         const MisplacedCharacter& found) {
  const toml::source_position where = position_of(text, found.offset);
  std::size_t end = found.offset;
  (void)decode_utf8(text, end);
  const std::string character = printable(text.substr(found.offset, end - found.offset));
  if (found.in_string) {
    fail_at(path, where,
            formatted("not valid here: '{}' after a '\\' in '{}'", character, line_at(text, where)),
            "after a '\\' at the end of a line, text must go on with an ASCII character");
  }
  fail_at(path, where,
          formatted("not valid TOML: '{}' outside of a string in '{}'", character,
                    line_at(text, where)),
          "letters beyond a-z, also in keys, go in plain double quotes: key = \"value\"");
}

}  // namespace

void fail_at(const std::string& path, const toml::source_position& where, std::string_view message,
             std::string hint) {
  // A table that nobody wrote has no place: the file itself is meant.
  const auto line = std::max(where.line, toml::source_index{1});
  const auto column = std::max(where.column, toml::source_index{1});
  throw Error(formatted("{}:{}:{}: {}", printable(path), line, column, message),
              std::make_error_code(std::errc::invalid_argument), std::move(hint));
}

std::string excerpt(std::string_view text, const toml::source_region& region) {
  std::string_view found = rest_of_line(text, region.begin);
  if (region.end.line == region.begin.line) {
    found.remove_suffix(std::min(found.size(), rest_of_line(text, region.end).size()));
  }
  while (found.ends_with('\r') || found.ends_with(' ')) {
    found.remove_suffix(1);
  }
  std::string result = printable(found.substr(0, kExcerptMax));
  return found.size() > kExcerptMax ? result + "…" : result;
}

toml::table parse_toml(std::string_view text, const std::string& path) {
  if (const auto found = find_misplaced(text)) {
    refuse(text, path, *found);
  }
  try {
    return toml::parse(text, std::string_view());
  } catch (const toml::parse_error& error) {
    constexpr std::string_view kPrefix = "Error while ";
    std::string_view description = error.description();
    if (description.starts_with(kPrefix)) {
      description.remove_prefix(kPrefix.size());
    }
    const toml::source_position where = error.source().begin;
    fail_at(path, where,
            formatted("not valid TOML: {} in '{}'", printable(description), line_at(text, where)),
            syntax_hint(text, where));
  }
}

}  // namespace vpnrun
