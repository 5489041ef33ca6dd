// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "profiles/base/error.h"

namespace vpnrun::profile {

/// What is wrong with a file, gathered: whoever mends it should not have to try once for each line.
class Findings {
 public:
  /// That many are told; of a file with more it is said how many.
  static constexpr std::size_t kMost = 20;

  /// `path` is the file, for messages.
  explicit Findings(std::string path) : path_(std::move(path)) {}

  /// `error` is about `line`, which it does not name; 0: about the file as a whole.
  void add(std::size_t line, const Error& error);
  [[nodiscard]] std::size_t size() const noexcept { return findings_.size(); }
  [[nodiscard]] bool empty() const noexcept { return findings_.empty(); }

  /// Does nothing if there is none. Throws Error: "PATH:LINE: …", a line for each in the order of
  /// the file, without a line end behind the last; of a single one its own code and hint. Of
  /// several each has its hint in brackets. See one_line().
  void raise() const;

 private:
  struct Finding {
    std::size_t line = 0;
    Error error;
  };

  std::string path_;
  std::vector<Finding> findings_;
};

}  // namespace vpnrun::profile
