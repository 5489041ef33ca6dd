// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_lexer.h"

#include <algorithm>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/utf8.h"

namespace vpnrun::profile {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// As isspace(3) has it in the locale "C".
bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// The words of one line, character by character.
class Splitter {
 public:
  explicit Splitter(std::string_view line) : line_(line) {}

  std::vector<std::string> run() {
    while (words_.size() < kOpenvpnWordsMax && skip_to_word()) {
      words_.push_back(read_word());
    }
    return std::move(words_);
  }

 private:
  /// False at the end of the line or at a comment.
  bool skip_to_word() {
    while (position_ < line_.size() && is_blank(line_[position_])) {
      ++position_;
    }
    return position_ < line_.size() && line_[position_] != '#' && line_[position_] != ';';
  }

  std::string read_word() {
    const char quote = line_[position_];
    if (quote == '"' || quote == '\'') {
      ++position_;
      return read_quoted(quote);
    }
    if (quote == '\\' && position_ + 1 < line_.size() && is_blank(line_[position_ + 1])) {
      // OpenVPN starts no word with it; it would read on after the blank, even a comment.
      throw Error("a backslash and a blank at the start of a word; write the word in quotes");
    }
    std::string word;
    while (position_ < line_.size() && !is_blank(line_[position_])) {
      word += read_character();
    }
    return word;
  }

  std::string read_quoted(char quote) {
    std::string word;
    while (position_ < line_.size()) {
      if (line_[position_] == quote) {
        ++position_;
        return word;
      }
      word += quote == '"' ? read_character() : line_[position_++];
    }
    throw Error(formatted("the quotation mark {} is not closed", quote));
  }

  /// One character, a backslash taken off.
  char read_character() {
    if (line_[position_] == '\\') {
      ++position_;
      if (position_ == line_.size()) {
        throw Error("a backslash at the end of a line");
      }
      const char escaped = line_[position_];
      if (escaped != '\\' && escaped != '"' && !is_blank(escaped)) {
        throw Error("a backslash before a character that needs none; write \\\\ for the backslash");
      }
    }
    return line_[position_++];
  }

  std::string_view line_;
  std::size_t position_ = 0;
  std::vector<std::string> words_;
};

void check_word(std::string_view word) {
  std::size_t position = 0;
  while (position < word.size()) {
    const std::optional<char32_t> point = decode_utf8(word, position);
    // A blank inside of quotes may be a tab; OpenVPN would read it back as it is. Bytes of another
    // encoding are no business of ours: whoever shows them uses printable().
    if (point && *point != U'\t' && is_control(*point)) {
      throw Error("a control character");
    }
  }
}

bool is_plain(std::string_view word) {
  constexpr std::string_view kPlain = "-_.,:/@%+=!^~*()[]{}&|?<>$";
  return !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlain.find(c) != std::string_view::npos;
  });
}

std::string quoted(std::string_view word) {
  std::string result = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + '"';
}

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
  return Splitter(line).run();
}

std::string join_words(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    check_word(word);
    line += line.empty() ? "" : " ";
    line += is_plain(word) ? word : quoted(word);
  }
  line += '\n';
  if (line.size() > kOpenvpnLineMax) {
    throw Error(formatted("the line is longer than the {} bytes that OpenVPN can read",
                          kOpenvpnLineMax - 1));
  }
  return line;
}

bool ends_block(std::string_view line, std::string_view end_tag) {
  const std::size_t first = line.find_first_not_of(" \t\v\f\r");
  return first != std::string_view::npos && line.substr(first).starts_with(end_tag);
}

LineReader::LineReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with(kByteOrderMark)) {
    mark_ = kByteOrderMark.size();
    rest_.remove_prefix(mark_);
  }
}

std::optional<std::string_view> LineReader::next() {
  if (rest_.empty()) {
    return std::nullopt;
  }
  ++number_;
  const std::size_t end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  size_ = (end == std::string_view::npos ? rest_.size() : end + 1);
  rest_.remove_prefix(size_);
  size_ += number_ == 1 ? mark_ : 0;
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace vpnrun::profile
