// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstring>
#include <string>
#include <utility>

namespace vpnrun {

/// Overwrites what `text` holds and empties it. What its buffer was copied to before is not
/// reached: a secret's string is given its size at once, and moved rather than copied.
inline void wipe(std::string& text) noexcept {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

/// A string that is overwritten when it goes.
struct Wiped {
  std::string text;
  explicit Wiped(std::string secret) : text(std::move(secret)) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Wiped(Wiped&&) = delete;
  Wiped& operator=(Wiped&&) = delete;
  ~Wiped() { wipe(text); }
};

}  // namespace vpnrun
