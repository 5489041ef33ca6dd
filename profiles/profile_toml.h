// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The TOML library behind an interface of our own: it is compiled once, in profile_toml.cc, and
// every message about a place in the file is made there. Private to the parser.
namespace vpnrun::profile {

/// Longest text of a profile, in bytes. Bounds the depth to which keys can nest ("a.a.a…"), and
/// with it the stack that the library needs to take the tree down again.
constexpr std::size_t kProfileTextMax = 32768;

using Keys = std::span<const std::string_view>;

struct TomlTree;

/// One table of the file. Absent tables and keys leave the outputs alone. Every function throws
/// Error "FILE:LINE:COLUMN: …".
class Section {
 public:
  [[nodiscard]] bool has(std::string_view key) const;

  /// A string without control characters. `parse` (string → T) throws Error without a place.
  template <class Parse, class T>
  void read(std::string_view key, const Parse& parse, T& out) const {
    visit_string(key, [&](const std::string& text) { out = parse(text); });
  }
  /// A boolean.
  void read(std::string_view key, bool& out) const;
  /// An array of strings, appended to `out` one by one.
  template <class Parse, class T>
  void read_list(std::string_view key, const Parse& parse, std::vector<T>& out) const {
    visit_strings(key, [&](const std::string& text) { out.push_back(parse(text)); });
  }
  /// One of `choices`; `out` is the enumerator with its index.
  template <class T>
  void read_choice(std::string_view key, Keys choices, T& out) const {
    out = static_cast<T>(choice(key, choices, static_cast<std::size_t>(out)));
  }

  /// "FILE:LINE:COLUMN" of each entry of the array `key`; empty if there is none.
  [[nodiscard]] std::vector<std::string> places(std::string_view key) const;

  /// Throws Error about `key`, or about the table itself if `key` is empty or absent.
  [[noreturn]] void fail(std::string_view key, std::string_view message) const;

 private:
  friend class Document;
  using Visitor = std::function<void(const std::string&)>;

  Section(const TomlTree& tree, const void* table, std::string_view name);
  void check_keys(Keys known) const;
  void visit_string(std::string_view key, const Visitor& visit) const;
  void visit_strings(std::string_view key, const Visitor& visit) const;
  [[nodiscard]] std::size_t choice(std::string_view key, Keys choices, std::size_t fallback) const;

  const TomlTree& tree_;
  const void* table_;  ///< toml::table; nullptr if the file has no such table
  std::string_view name_;
};

/// A parsed file. Sections refer to it.
class Document {
 public:
  /// Throws Error "FILE:LINE:COLUMN: …" on anything that is not TOML 1.0 and on too long a text.
  Document(std::string_view text, const std::string& path);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  Document(Document&&) = delete;
  Document& operator=(Document&&) = delete;

  /// The top level, or the table `name` below it. Throws Error if it has a key that is not `known`.
  [[nodiscard]] Section top(Keys known) const;
  [[nodiscard]] Section section(std::string_view name, Keys known) const;

 private:
  std::unique_ptr<TomlTree> tree_;
};

}  // namespace vpnrun::profile
