// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/toml_scan.h"

#include <algorithm>
#include <string>

namespace vpnrun {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_beyond_ascii(char byte) noexcept {
  return static_cast<unsigned char>(byte) >= 0x80;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text), at_(toml_start(text)) {}

  std::optional<MisplacedCharacter> run() {
    while (at_ < text_.size() && !found_) {
      const char byte = text_[at_];
      if (byte == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if ((byte == '"' || byte == '\'') && can_begin_string()) {
        last_ = byte;
        string(byte);
      } else if (is_beyond_ascii(byte)) {
        found_ = MisplacedCharacter{at_, false};
      } else {
        outside(byte);
        ++at_;
      }
    }
    return found_;
  }

 private:
  static constexpr char kPartOfWord = 'x';

  /// Whether a quote is one here. In "1.\"a" or "2020-01-01 \"a" the library goes on with the
  /// number.
  [[nodiscard]] bool can_begin_string() const noexcept {
    constexpr std::string_view kBefore = "\n=[{,";
    return kBefore.find(last_) != std::string_view::npos || (last_ == '.' && !in_value_);
  }

  /// Notes what a byte outside of strings and comments means for a quote that follows.
  void outside(char byte) {
    switch (byte) {
      case ' ':
      case '\t':
      case '\r':
        return;
      case '[':
      case '{':
        open(byte);
        return;
      case ']':
      case '}':
        if (!brackets_.empty()) {
          brackets_.pop_back();
          in_value_ = true;  // what was closed is, or is part of, a value
        }
        break;
      case '=':
        last_ = in_value_ ? kPartOfWord : byte;
        in_value_ = true;
        return;
      case ',':
        in_value_ = in_value_ && !brackets_.ends_with('{');
        break;
      case '\n':
        in_value_ = in_value_ && !brackets_.empty();
        break;
      default:
        break;
    }
    last_ = byte;
  }

  void open(char bracket) {
    const bool begins_value = in_value_ && can_begin_string();
    const bool begins_header = bracket == '[' && !in_value_ && brackets_.empty();
    last_ = begins_value || begins_header ? bracket : kPartOfWord;
    if (begins_value) {
      brackets_ += bracket;
      in_value_ = bracket == '[';
    }
  }

  void stop() noexcept { at_ = text_.size(); }

  /// How many `quote`s stand at the present place, five at most.
  [[nodiscard]] std::size_t quotes(char quote) const noexcept {
    const std::string_view rest = text_.substr(at_, 5);
    return std::min(rest.find_first_not_of(quote), rest.size());
  }

  void string(char quote) noexcept {
    const std::size_t opening = quotes(quote);
    if (opening >= 3) {
      at_ += 3;
      long_string(quote);
    } else if (opening == 2) {
      at_ += 2;
    } else {
      ++at_;
      short_string(quote);
    }
  }

  void short_string(char quote) noexcept {
    while (at_ < text_.size()) {
      const char byte = text_[at_];
      if (byte == '\n') {
        stop();  // the library refuses it
      } else if (byte == quote) {
        ++at_;
        return;
      } else {
        const bool is_pair =
            quote == '"' && byte == '\\' && !text_.substr(at_ + 1).starts_with('\n');
        at_ += is_pair ? 2U : 1U;
      }
    }
  }

  void long_string(char quote) noexcept {
    while (at_ < text_.size() && !found_) {
      if (text_[at_] == quote) {
        const std::size_t count = quotes(quote);
        at_ += count;
        if (count >= 3) {  // one or two may stand before the three that end it
          return;
        }
      } else if (quote == '"' && text_[at_] == '\\') {
        ++at_;
        escape();
      } else {
        ++at_;
      }
    }
  }

  /// After a '\': one character, or blanks and line ends, which are skipped.
  void escape() noexcept {
    const std::size_t next = std::min(text_.find_first_not_of(kBlanks, at_), text_.size());
    if (next < text_.size() && is_beyond_ascii(text_[next])) {
      found_ = MisplacedCharacter{next, true};
    }
    at_ = next == at_ ? at_ + 1 : next;
  }

  std::string_view text_;
  std::size_t at_;
  std::string brackets_;   // that are open in values
  bool in_value_ = false;  // not in a key or a table header
  char last_ = '\n';       // last byte that is not a blank, outside comments
  std::optional<MisplacedCharacter> found_;
};

}  // namespace

std::size_t toml_start(std::string_view text) noexcept {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  return text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
}

std::optional<MisplacedCharacter> find_misplaced(std::string_view text) {
  return Scanner(text).run();
}

}  // namespace vpnrun
