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

/// What a person is shown: a sentence, and nothing that a terminal obeys.
inline void hold_message(const Error& error) {
  const std::string_view text = error.what();
  hold(!text.empty(), "an error says what is wrong");
  hold(find_unprintable(text) == std::string_view::npos, "an error can be shown");
  hold(find_unprintable(error.hint()) == std::string_view::npos, "a hint can be shown");
}

}  // namespace vpnrun::fuzz
