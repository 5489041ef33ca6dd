// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vpnrun {

/// A password, a passphrase, a one-time password, or a line that has one in it.
///
/// Its bytes are on the heap however few they are, in one place, and are overwritten when the
/// object goes, gets another value or grows. Moved from, it is empty and holds none of them: a
/// std::string keeps short ones within itself. It is never copied unasked, printed or turned into a
/// string; view() says where somebody looks.
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(std::string_view text) { append(text); }
  /// What `text` held; it is overwritten, with the room behind its end.
  [[nodiscard]] static Secret take(std::string&& text) {
    Secret secret;
    secret.append(text);
    text.resize(text.capacity());
    ::explicit_bzero(text.data(), text.size());
    text.clear();
    return secret;
  }
  Secret(Secret&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::move(other.bytes_);
      size_ = std::exchange(other.size_, 0);
      room_ = std::exchange(other.room_, 0);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  /// Valid until the object is changed, moved or gone.
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  Secret& append(std::string_view text) {
    if (text.size() > room_ - size_) {
      grow(size_ + text.size());
    }
    if (!text.empty()) {
      std::memcpy(bytes_.get() + size_, text.data(), text.size());
      size_ += text.size();
    }
    return *this;
  }

  friend bool operator==(const Secret& one, const Secret& other) noexcept {
    return one.view() == other.view();
  }
  friend bool operator==(const Secret& secret, std::string_view text) noexcept {
    return secret.view() == text;
  }

 private:
  void wipe() noexcept {
    if (bytes_) {
      ::explicit_bzero(bytes_.get(), room_);
    }
    size_ = 0;
  }
  void grow(std::size_t least) {
    constexpr std::size_t kFirst = 64;
    std::size_t room = room_ == 0 ? kFirst : room_;
    while (room < least) {
      room *= 2;
    }
    auto bytes = std::make_unique<char[]>(room);
    if (size_ > 0) {
      std::memcpy(bytes.get(), bytes_.get(), size_);
    }
    const std::size_t size = size_;
    wipe();
    bytes_ = std::move(bytes);
    size_ = size;
    room_ = room;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace vpnrun
