// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace vpnrun::differential {

/// Files of which ours and OpenVPN once made different things.
[[nodiscard]] std::vector<std::string> files_found_before();

/// Files of which OpenVPN takes each: so has ours.
[[nodiscard]] std::vector<std::string> files_of_clients();

/// Configurations for OpenVPN, from well-formed to hopeless; the same seed makes the same ones.
class Generator {
 public:
  /// `samples` are files to start from besides those of the grammar.
  Generator(std::uint64_t seed, std::vector<std::string> samples)
      : random_(seed), samples_(std::move(samples)) {}

  /// One line without its end: `start` and then words, quotes, backslashes, comments and bytes that
  /// a reader may stumble on.
  [[nodiscard]] std::string line(std::string_view start);
  /// "\n", "\r\n" or another end that is or is not one.
  [[nodiscard]] std::string line_end();
  /// A whole file: of the grammar or a sample, and mutated or not.
  [[nodiscard]] std::string file();
  /// A password or what a person may type for one.
  [[nodiscard]] std::string password();

  /// From 0 to `count` - 1.
  [[nodiscard]] std::size_t below(std::size_t count);
  [[nodiscard]] bool one_in(std::size_t count) { return below(count) == 0; }

 private:
  template <class List>
  [[nodiscard]] std::string any(const List& list) {
    return std::string(list[below(list.size())]);
  }

  /// Whether to do something odd now; some files have much of it, others nothing.
  [[nodiscard]] bool noisy();
  [[nodiscard]] std::string soup();
  [[nodiscard]] std::string word();
  [[nodiscard]] std::string written(std::string_view word);
  [[nodiscard]] std::string directive();
  [[nodiscard]] std::string option_with_text();
  [[nodiscard]] std::string server_line();
  [[nodiscard]] std::string block();
  [[nodiscard]] std::string connection();
  [[nodiscard]] std::string tag(std::string_view name, bool closing);
  [[nodiscard]] std::string of_grammar();
  void mutate(std::string& text);

  std::size_t noise_ = 0;  ///< one in so many is odd; 0: none
  std::mt19937_64 random_;
  std::vector<std::string> samples_;
};

}  // namespace vpnrun::differential
