// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vpnrun {

/// Owns one file descriptor and closes it once.
///
/// Borrowed descriptors are plain `int` parameters named `…_fd`. Closing keeps errno, so that an
/// error can still be reported after the owner is gone, and is never retried: on Linux the
/// descriptor is free even when close(2) fails with EINTR.
class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset(std::exchange(other.fd_, -1));
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] bool ok() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) {
      const int saved = errno;
      (void)::close(fd_);  // nothing can be done about a failed close of a descriptor we gave up
      errno = saved;
    }
    fd_ = fd;
  }

  /// A second descriptor for the same open file, close-on-exec and never 0, 1 or 2.
  /// Invalid, with errno of fcntl(2), on failure.
  [[nodiscard]] UniqueFd dup_cloexec() const noexcept {
    return UniqueFd(::fcntl(fd_, F_DUPFD_CLOEXEC, 3));
  }

  /// `if (!fd)` reads like a test for an error and would be one for descriptor 0.
  bool operator!() const = delete;

 private:
  int fd_ = -1;
};

/// Closing by hand what an object closes again would hit a stranger's descriptor.
int close(const UniqueFd&) = delete;

}  // namespace vpnrun
