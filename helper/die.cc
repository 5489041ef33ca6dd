// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/die.h"

#include <string.h>  // NOLINT(modernize-deprecated-headers): strerrordesc_np() is not in <cstring>
#include <unistd.h>

#include <algorithm>

// Where a failed assertion of the C++ library ends. Its own version prints with stdio and would
// link that library into a privileged program.
namespace std {  // NOLINT(cert-dcl58-cpp)
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
void __glibcxx_assert_fail(const char* /*file*/, int /*line*/, const char* /*function*/,
                           const char* /*condition*/) noexcept {
  __builtin_trap();
}
}  // namespace std

namespace vpnrun {
namespace {

constexpr std::size_t kUntrustedMax = 160;

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// The UTF-8 form of a C1 control (C2 80 … C2 9F), which terminals also obey.
bool starts_c1_control(const char* at) noexcept {
  return at[0] == '\xc2' && (static_cast<unsigned char>(at[1]) & 0xe0U) == 0x80U;
}

}  // namespace

void Text::add(std::string_view trusted) noexcept {
  const std::size_t count = std::min(trusted.size(), buffer_.size() - size_);
  std::copy_n(trusted.data(), count, buffer_.data() + size_);
  size_ += count;
}

void Text::add(Untrusted user) noexcept {
  std::size_t count = 0;
  for (const char* at = user.text; *at != '\0'; ++at) {
    if (count++ == kUntrustedMax) {
      add("...");
      return;
    }
    if (starts_c1_control(at)) {
      ++at;
      add("?");
    } else {
      add(is_control(*at) ? std::string_view("?") : std::string_view(at, 1));
    }
  }
}

void Text::add(Errno error) noexcept {
  // Not strerror(): it looks for a translation, that is, at the environment and at files.
  const char* description = ::strerrordesc_np(error.value);
  add(": ");
  add(std::string_view(description != nullptr ? description : "unknown error"));
}

void die(const Text& what, const Text& hint, int exit_code) noexcept {
  std::array<char, 1024> message{};
  std::size_t size = 0;
  const std::array<std::string_view, 5> parts = {"vpnrun: ", what.view(), "\nhint: ", hint.view(),
                                                 "\n"};
  for (const std::string_view part : parts) {
    std::copy_n(part.data(), part.size(), message.data() + size);
    size += part.size();
  }
  // Nobody is left to tell if this fails.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, message.data(), size);
  ::_exit(exit_code);
}

}  // namespace vpnrun
