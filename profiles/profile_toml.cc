// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_toml.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "profiles/error.h"
#include "profiles/nearest.h"
#include "profiles/toml_library.h"
#include "profiles/utf8.h"

namespace vpnrun::profile {

struct TomlTree {
  std::string_view text;
  std::string path;
  toml::table root;
};

namespace {

constexpr std::size_t kExcerptMax = 48;

[[noreturn]] void fail_at(const std::string& path, const toml::source_position& where,
                          std::string_view message, std::string hint = {}) {
  // A table that nobody wrote has no place: the file itself is meant.
  const auto line = std::max(where.line, toml::source_index{1});
  const auto column = std::max(where.column, toml::source_index{1});
  throw Error(fmt::format("{}:{}:{}: {}", printable(path), line, column, message), {},
              std::move(hint));
}

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

/// What stands in the file at `region`, shortened, fit for a message.
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

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::string join(Keys words) {
  std::string result;
  for (const std::string_view word : words) {
    result += result.empty() ? "" : ", ";
    result += word;
  }
  return result;
}

std::string suggestion(std::string_view word, Keys known) {
  const std::string_view nearest = nearest_name(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

/// " in [dns]", nothing at the top level.
std::string place(std::string_view section) {
  return section.empty() ? std::string() : fmt::format(" in [{}]", section);
}

const toml::table* as_table(const void* table) {
  return static_cast<const toml::table*>(table);
}

const toml::node* find(const void* table, std::string_view key) {
  return table == nullptr ? nullptr : as_table(table)->get(key);
}

[[noreturn]] void fail_type(const TomlTree& tree, const toml::node& node, std::string_view what,
                            std::string_view expected) {
  fail_at(tree.path, node.source().begin,
          fmt::format("{} must be {}, not {}: '{}'", what, expected, type_name(node),
                      excerpt(tree.text, node.source())));
}

/// Passes the string on to `visit`, whose Error gets the place and the key in front.
void visit_node(const TomlTree& tree, const toml::node& node, const std::string& what,
                std::string_view expected, const std::function<void(const std::string&)>& visit) {
  if (!node.is_string()) {
    fail_type(tree, node, what, expected);
  }
  const std::string& text = node.as_string()->get();
  // A line end in a value becomes a line of its own in somebody's configuration.
  if (find_unprintable(text) != std::string::npos) {
    fail_at(tree.path, node.source().begin,
            fmt::format("{} has a control character or line end: '{}'", what,
                        printable(text.substr(0, kExcerptMax))));
  }
  try {
    visit(text);
  } catch (const Error& error) {
    fail_at(tree.path, node.source().begin, fmt::format("{}: {}", what, error.what()),
            error.hint());
  }
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
  return bare_word ? "text stands in double quotes: key = \"value\"" : "";
}

toml::table parse_toml(std::string_view text, const std::string& path) {
  if (text.size() > kProfileTextMax) {
    fail_at(path, {1, 1},
            fmt::format("a profile of {} bytes is too long: expected at most {}", text.size(),
                        kProfileTextMax));
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
            fmt::format("not valid TOML: {} in '{}'", printable(description), line_at(text, where)),
            syntax_hint(text, where));
  }
}

}  // namespace

Document::Document(std::string_view text, const std::string& path)
    : tree_(std::make_unique<TomlTree>(TomlTree{text, path, parse_toml(text, path)})) {}

Document::~Document() = default;

Section Document::top(Keys known) const {
  Section section(*tree_, &tree_->root, "");
  section.check_keys(known);
  return section;
}

Section Document::section(std::string_view name, Keys known) const {
  const toml::node* node = tree_->root.get(name);
  if (node != nullptr && !node->is_table()) {
    fail_type(*tree_, *node, fmt::format("'{}'", name), fmt::format("a table, [{}]", name));
  }
  Section section(*tree_, node == nullptr ? nullptr : node->as_table(), name);
  section.check_keys(known);
  return section;
}

Section::Section(const TomlTree& tree, const void* table, std::string_view name)
    : tree_(tree), table_(table), name_(name) {}

void Section::check_keys(Keys known) const {
  if (table_ == nullptr) {
    return;
  }
  // The table is sorted by name: the first in the file is what the reader wants to hear of.
  const toml::key* first = nullptr;
  for (const auto& [key, node] : *as_table(table_)) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) {
      continue;
    }
    const auto place_of = [](const toml::key& candidate) {
      return std::pair(candidate.source().begin.line, candidate.source().begin.column);
    };
    if (first == nullptr || place_of(key) < place_of(*first)) {
      first = &key;
    }
  }
  if (first != nullptr) {
    fail_at(tree_.path, first->source().begin,
            fmt::format("unknown key '{}'{}{} (known: {})",
                        printable(first->str().substr(0, kExcerptMax)), place(name_),
                        suggestion(first->str(), known), join(known)));
  }
}

bool Section::has(std::string_view key) const {
  return find(table_, key) != nullptr;
}

void Section::read(std::string_view key, bool& out) const {
  if (const toml::node* node = find(table_, key)) {
    if (!node->is_boolean()) {
      fail_type(tree_, *node, fmt::format("'{}'{}", key, place(name_)), "true or false");
    }
    out = node->as_boolean()->get();
  }
}

void Section::visit_string(std::string_view key, const Visitor& visit) const {
  if (const toml::node* node = find(table_, key)) {
    visit_node(tree_, *node, fmt::format("'{}'{}", key, place(name_)), "a string", visit);
  }
}

void Section::visit_strings(std::string_view key, const Visitor& visit) const {
  const toml::node* node = find(table_, key);
  if (node == nullptr) {
    return;
  }
  const std::string what = fmt::format("'{}'{}", key, place(name_));
  if (!node->is_array()) {
    fail_type(tree_, *node, what, "an array of strings");
  }
  for (const toml::node& element : *node->as_array()) {
    visit_node(tree_, element, what, "an array of strings", visit);
  }
}

std::size_t Section::choice(std::string_view key, Keys choices, std::size_t fallback) const {
  std::size_t result = fallback;
  visit_string(key, [&](const std::string& text) {
    const auto* const found = std::find(choices.data(), choices.data() + choices.size(), text);
    result = static_cast<std::size_t>(found - choices.data());
    if (result == choices.size()) {
      throw Error(fmt::format("'{}' is not allowed{} (allowed: {})", printable(text),
                              suggestion(text, choices), join(choices)));
    }
  });
  return result;
}

void Section::fail(std::string_view key, std::string_view message) const {
  const toml::node* node = key.empty() ? nullptr : find(table_, key);
  if (node == nullptr && table_ != nullptr) {
    node = as_table(table_);
  }
  fail_at(tree_.path, node == nullptr ? toml::source_position{1, 1} : node->source().begin,
          fmt::format("{}{}", message, place(name_)));
}

}  // namespace vpnrun::profile
