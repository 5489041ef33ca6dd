// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/unit_text.h"

#include <algorithm>
#include <cstddef>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::string_view kPrefixes = "@-:+!|";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_blank(char letter) {
  return kBlanks.find(letter) != std::string_view::npos;
}

/// Whether `line` ends with a backslash that no other one escapes.
bool is_continued(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t count = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return count % 2 == 1;
}

/// The lines of a unit file: continued ones joined by a blank, comments left out, also those
/// between the parts of a continued line.
std::vector<std::string> logical_lines(std::string_view text) {
  std::vector<std::string> lines;
  bool goes_on = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = line.find_first_not_of(kBlanks);
    if (first != std::string_view::npos && (line[first] == '#' || line[first] == ';')) {
      continue;
    }
    if (!goes_on) {
      lines.emplace_back();
    }
    lines.back() += line;
    goes_on = is_continued(line);
    if (goes_on) {
      lines.back().back() = ' ';
    }
  }
  return lines;
}

/// Bytes of the word at the start of `text`, with its quotes and escapes.
std::size_t word_length(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (letter == '\\') {
      ++i;
    } else if (quote != 0) {
      quote = letter == quote ? '\0' : quote;
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
    } else if (is_blank(letter)) {
      return i;
    }
  }
  return text.size();
}

/// Takes the next word from the front of `text`; empty if there is none.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, word_length(text));
  text.remove_prefix(word.size());
  return word;
}

std::string unquoted(std::string_view word) {
  std::string text;
  char quote = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char letter = word[i];
    if (letter == '\\' && i + 1 < word.size()) {
      text += word[++i];
    } else if (quote != 0 ? letter == quote : letter == '"' || letter == '\'') {
      quote = quote != 0 ? '\0' : letter;
    } else {
      text += letter;
    }
  }
  return text;
}

}  // namespace

std::vector<UnitSetting> parse_unit_text(std::string_view text) {
  std::vector<UnitSetting> settings;
  std::string section;
  for (const std::string& whole : logical_lines(text)) {
    const std::string_view line = trimmed(whole);
    if (line.size() > 1 && line.front() == '[' && line.back() == ']') {
      section = line.substr(1, line.size() - 2);
    } else if (const std::size_t sign = line.find('='); sign != std::string_view::npos) {
      settings.push_back({section, std::string(trimmed(line.substr(0, sign))),
                          std::string(trimmed(line.substr(sign + 1)))});
    }
  }
  return settings;
}

std::vector<std::string> service_values(const std::vector<UnitSetting>& settings,
                                        std::string_view name) {
  std::vector<std::string> values;
  for (const UnitSetting& setting : settings) {
    if (setting.section != "Service" || setting.name != name) {
      continue;
    }
    if (setting.value.empty()) {
      values.clear();
    } else {
      values.push_back(setting.value);
    }
  }
  return values;
}

std::vector<UnitCommand> split_commands(std::string_view value) {
  std::vector<UnitCommand> commands;
  std::string_view rest = value;
  const char* start = nullptr;
  const auto end_command = [&](const char* end) {
    if (start == nullptr) {
      return;
    }
    std::string_view line = trimmed({start, static_cast<std::size_t>(end - start)});
    const std::size_t prefixes = std::min(line.find_first_not_of(kPrefixes), line.size());
    if (prefixes < line.size()) {
      commands.push_back(
          {std::string(line.substr(0, prefixes)), std::string(line.substr(prefixes))});
    }
    start = nullptr;
  };
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (word == ";") {
      end_command(word.data());
    } else if (start == nullptr) {
      start = word.data();
    }
  }
  end_command(value.data() + value.size());
  return commands;
}

std::vector<std::string> words_of(const std::vector<std::string>& values) {
  std::vector<std::string> words;
  for (std::string_view value : values) {
    for (std::string_view word = next_word(value); !word.empty(); word = next_word(value)) {
      words.push_back(unquoted(word));
    }
  }
  return words;
}

std::string command_in_profile(const UnitCommand& command, const std::string& launcher,
                               const std::string& profile) {
  // Prefixes may stand inside of quotes as well.
  const std::string_view line = command.line;
  const std::size_t first = line.find_first_not_of("\"'");
  const bool quoted_prefix = first != 0 && first != std::string_view::npos &&
                             kPrefixes.find(line[first]) != std::string_view::npos;
  if (quoted_prefix || command.prefixes.find('@') != std::string::npos) {
    throw Error(formatted("cannot start '{}' through vpnrun: its prefix '@' gives it another name",
                          printable(command.prefixes + command.line)),
                std::make_error_code(std::errc::not_supported),
                "write ExecStart= without '@' into a drop-in (systemctl --user edit)");
  }
  if (command.prefixes.find('|') != std::string::npos) {
    throw Error(
        formatted("cannot start '{}' through vpnrun: its prefix '|' has a shell start it",
                  printable(command.prefixes + command.line)),
        std::make_error_code(std::errc::not_supported),
        "write the shell into ExecStart= instead of '|' (systemctl --user edit): /bin/sh -c '…'");
  }
  // The first word becomes an argument, and systemd replaces variables in arguments only.
  std::string_view rest = line;
  std::string word(next_word(rest));
  if (command.prefixes.find(':') == std::string::npos) {
    for (std::size_t at = word.find('$'); at != std::string::npos; at = word.find('$', at + 2)) {
      word.insert(at, 1, '$');
    }
  }
  return command.prefixes + launcher + " --profile " + profile + " -- " + word + std::string(rest);
}

std::string unit_word(std::string_view text) {
  const bool plain = text.find_first_of(" \t\"'\\;") == std::string_view::npos;
  std::string word = plain ? "" : "\"";
  for (const char letter : text) {
    if (letter == '%') {
      word += '%';
    } else if (letter == '"' || letter == '\\') {
      word += '\\';
    }
    word += letter;
  }
  return word + (plain ? "" : "\"");
}

std::string unit_path(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    return unit_word(text);
  }
  // Two levels of escapes: of words, and of the pairs that are parted by a colon.
  std::string escaped;
  for (const char letter : text) {
    if (letter == ':' || letter == '\\') {
      escaped += '\\';
    }
    escaped += letter;
  }
  return unit_word(escaped);
}

}  // namespace vpnrun
