// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/secret.h"

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vpnrun {
namespace {

constexpr std::string_view kShort = "hunter2";  // a std::string has as much within itself
constexpr std::string_view kLong =
    "a passphrase that is longer than anybody's string is within itself";

std::size_t given_back_with_a_secret = 0;

bool has_secret(const void* memory, std::size_t size) {
  const std::string_view bytes(static_cast<const char*>(memory), size);
  // Without the first byte: a string that is empty ends there.
  return bytes.find(kShort.substr(1)) != std::string_view::npos ||
         bytes.find(kLong.substr(1, 20)) != std::string_view::npos;
}

}  // namespace
}  // namespace vpnrun

// What Secret gives its memory back by.
// NOLINTNEXTLINE(cert-dcl54-cpp,misc-new-delete-overloads): the library's own allocates
void operator delete[](void* memory) noexcept {
  if (memory != nullptr && vpnrun::has_secret(memory, ::malloc_usable_size(memory))) {
    ++vpnrun::given_back_with_a_secret;
  }
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  ::operator delete[](memory);
}

namespace vpnrun {
namespace {

/// Room for one object, which is examined once the object is gone.
template <class T>
class Place {
 public:
  template <class... Args>
  T& make(Args&&... args) {
    return *new (bytes_.data()) T(std::forward<Args>(args)...);
  }
  [[nodiscard]] bool has_secret() const { return vpnrun::has_secret(bytes_.data(), bytes_.size()); }

 private:
  alignas(T) std::array<std::byte, sizeof(T)> bytes_{};
};

class SecretTest : public testing::TestWithParam<std::string_view> {
 protected:
  SecretTest() { given_back_with_a_secret = 0; }
};

TEST_P(SecretTest, AnObjectThatIsGoneLeavesNothingAnywhere) {
  Place<Secret> place;
  Secret& secret = place.make(GetParam());
  EXPECT_EQ(secret, GetParam());
  secret.~Secret();
  EXPECT_FALSE(place.has_secret());
  EXPECT_EQ(given_back_with_a_secret, 0U);
}

TEST_P(SecretTest, AnObjectThatIsMovedFromHoldsNothing) {
  Place<Secret> place;
  Secret& secret = place.make(GetParam());
  Secret other = std::move(secret);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): it is what is promised
  EXPECT_FALSE(place.has_secret());
  EXPECT_EQ(other, GetParam());
  Secret third("another");
  third = std::move(other);
  EXPECT_TRUE(other.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third, GetParam());
  third = Secret();
  EXPECT_EQ(given_back_with_a_secret, 0U);
  secret.~Secret();
}

TEST_P(SecretTest, OneThatGrowsLeavesNothingWhereItWas) {
  Secret secret;
  for (int i = 0; i < 20; ++i) {
    secret.append(GetParam());
  }
  EXPECT_EQ(secret.size(), 20 * GetParam().size());
  EXPECT_EQ(given_back_with_a_secret, 0U);
}

TEST_P(SecretTest, WhatItIsTakenFromIsOverwrittenWithTheRoomBehindItsEnd) {
  Place<std::string> place;
  std::string& text = place.make(GetParam());
  text.append(200, 'x').resize(3);  // as a parser leaves it
  const std::string_view buffer(text.data(), 200);
  text = GetParam();
  const Secret secret = Secret::take(std::move(text));
  EXPECT_EQ(secret, GetParam());
  EXPECT_TRUE(text.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_FALSE(has_secret(buffer.data(), buffer.size()));
  std::string within(kShort);
  const Secret taken = Secret::take(std::move(within));
  // NOLINTNEXTLINE(bugprone-use-after-move,bugprone-sizeof-container): what is left in the object
  EXPECT_FALSE(has_secret(&within, sizeof within));
  text.~basic_string();
}

INSTANTIATE_TEST_SUITE_P(Each, SecretTest, testing::Values(kShort, kLong));

TEST(Secret, AStringThatIsMovedFromKeepsAShortOne) {  // control: why there is Secret
  Place<std::string> place;
  std::string& text = place.make(kShort);
  const std::string other = std::move(text);
  EXPECT_TRUE(place.has_secret());
  text.~basic_string();  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, WhatIsGivenBackWithASecretInItIsSeen) {  // control
  given_back_with_a_secret = 0;
  auto* const memory = new char[100];
  kLong.copy(memory, kLong.size());
  delete[] memory;
  EXPECT_EQ(given_back_with_a_secret, 1U);
}

TEST(Secret, IsNeitherCopiedNorPrintedNorTakenForAString) {
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string> &&
                !std::is_convertible_v<Secret, std::string_view>);
  static_assert(!std::is_convertible_v<std::string, Secret> &&
                !std::is_convertible_v<const char*, Secret>);
  static_assert(!fmt::is_formattable<Secret>::value);
  static_assert(std::is_nothrow_move_constructible_v<Secret> &&
                std::is_nothrow_move_assignable_v<Secret>);
}

TEST(Secret, IsWhatWasPutIn) {
  EXPECT_EQ(Secret("a").append("b").append("").view(), "ab");
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret("").view().empty());
  EXPECT_FALSE(Secret("a") == Secret("b"));
}

}  // namespace
}  // namespace vpnrun
