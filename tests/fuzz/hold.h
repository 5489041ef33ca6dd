// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "profiles/base/error.h"
#include "profiles/base/utf8.h"

namespace vpnrun::fuzz {

/// The property does not hold: says which, and ends so that libFuzzer keeps the input.
inline void hold(bool property, const char* what) {
  if (!property) {
    (void)std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

/// What a person is shown: sentences, each a line, and nothing that a terminal obeys.
inline void hold_message(const Error& error) {
  std::string_view text = error.what();
  hold(!text.empty() && !text.ends_with('\n'), "an error says what is wrong");
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + (line.size() < text.size() ? 1U : 0U));
    hold(!line.empty(), "each line says something");
    hold(find_unprintable(line) == std::string_view::npos, "an error can be shown");
  }
  hold(find_unprintable(error.hint()) == std::string_view::npos, "a hint can be shown");
}

}  // namespace vpnrun::fuzz
