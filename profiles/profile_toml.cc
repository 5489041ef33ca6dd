// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_toml.h"

#include <algorithm>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/utf8.h"
#include "profiles/nearest.h"
#include "profiles/option_text.h"
#include "profiles/toml_text.h"

namespace vpnrun::profile {

struct TomlTree {
  std::string_view text;
  std::string path;
  toml::table root;
};

namespace {

constexpr std::size_t kExcerptMax = 48;

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
  return did_you_mean(nearest);
}

/// " in [dns]", nothing at the top level.
std::string place(std::string_view section) {
  return section.empty() ? std::string() : formatted(" in [{}]", section);
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
          formatted("{} must be {}, not {}: '{}'", what, expected, type_name(node),
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
            formatted("{} has a control character or line end: '{}'", what,
                      printable(text.substr(0, kExcerptMax))));
  }
  try {
    visit(text);
  } catch (const Error& error) {
    fail_at(tree.path, node.source().begin, formatted("{}: {}", what, error.what()), error.hint());
  }
}

toml::table parse_profile_text(std::string_view text, const std::string& path) {
  if (text.size() > kProfileTextMax) {
    fail_at(path, {1, 1},
            formatted("a profile of {} bytes is too long: expected at most {}", text.size(),
                      kProfileTextMax));
  }
  return parse_toml(text, path);
}

}  // namespace

Document::Document(std::string_view text, const std::string& path)
    : tree_(std::make_unique<TomlTree>(TomlTree{text, path, parse_profile_text(text, path)})) {}

Document::~Document() = default;

Section Document::top(Keys known) const {
  Section section(*tree_, &tree_->root, "");
  section.check_keys(known);
  return section;
}

Section Document::section(std::string_view name, Keys known) const {
  const toml::node* node = tree_->root.get(name);
  if (node != nullptr && !node->is_table()) {
    fail_type(*tree_, *node, formatted("'{}'", name), formatted("a table, [{}]", name));
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
            formatted("unknown key '{}'{}{} (known: {})",
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
      fail_type(tree_, *node, formatted("'{}'{}", key, place(name_)), "true or false");
    }
    out = node->as_boolean()->get();
  }
}

void Section::visit_string(std::string_view key, const Visitor& visit) const {
  if (const toml::node* node = find(table_, key)) {
    visit_node(tree_, *node, formatted("'{}'{}", key, place(name_)), "a string", visit);
  }
}

void Section::visit_strings(std::string_view key, const Visitor& visit) const {
  const toml::node* node = find(table_, key);
  if (node == nullptr) {
    return;
  }
  const std::string what = formatted("'{}'{}", key, place(name_));
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
      throw Error(formatted("'{}' is not allowed{} (allowed: {})", printable(text),
                            suggestion(text, choices), join(choices)));
    }
  });
  return result;
}

std::vector<std::string> Section::places(std::string_view key) const {
  std::vector<std::string> result;
  const toml::node* node = find(table_, key);
  if (node == nullptr || !node->is_array()) {
    return result;
  }
  for (const toml::node& element : *node->as_array()) {
    const auto& begin = element.source().begin;
    result.push_back(formatted("{}:{}:{}", printable(tree_.path), begin.line, begin.column));
  }
  return result;
}

void Section::fail(std::string_view key, std::string_view message) const {
  const toml::node* node = key.empty() ? nullptr : find(table_, key);
  if (node == nullptr && table_ != nullptr) {
    node = as_table(table_);
  }
  fail_at(tree_.path, node == nullptr ? toml::source_position{1, 1} : node->source().begin,
          formatted("{}{}", message, place(name_)));
}

}  // namespace vpnrun::profile
