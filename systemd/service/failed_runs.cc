// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/failed_runs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "helper/base/unique_fd.h"
#include "profiles/base/format.h"
#include "systemd/service/names/etc_files.h"

namespace vpnrun::service {
namespace {

constexpr const char* kEntry = "failures";  // of the profile's directory; removed with it

}  // namespace

FailedRuns FailedRuns::and_one(seconds now) const noexcept {
  const bool follows = in_a_row > 0 && now - last < kForgotten;
  const unsigned most = std::numeric_limits<unsigned>::max() - 1;
  return {.in_a_row = follows ? std::min(in_a_row, most) + 1 : 1, .last = now};
}

FailedRuns::seconds FailedRuns::pause(seconds now) const noexcept {
  const seconds since = now - last;
  if (in_a_row <= kFree || since < seconds(0) || since >= kForgotten) {
    return seconds(0);
  }
  const unsigned doublings = std::min(in_a_row - kFree - 1, 8U);
  return std::max(std::min(kFirstPause * (1U << doublings), kLastPause) - since, seconds(0));
}

FailedRuns::seconds failed_runs_time() noexcept {
  return std::chrono::duration_cast<FailedRuns::seconds>(
      FailedRuns::Clock::now().time_since_epoch());
}

std::string to_text(const FailedRuns& runs) {
  return formatted("{} {}\n", runs.in_a_row, runs.last.count());
}

FailedRuns failed_runs_from(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  unsigned in_a_row = 0;
  FailedRuns::seconds::rep last = 0;
  const auto first = std::from_chars(text.data(), end, in_a_row);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') {
    return {};
  }
  const auto second = std::from_chars(first.ptr + 1, end, last);
  if (second.ec != std::errc() || second.ptr + 1 != end || *second.ptr != '\n') {
    return {};
  }
  return {.in_a_row = in_a_row, .last = FailedRuns::seconds(last)};
}

FailedRuns failed_runs_in(int directory) noexcept {
  const UniqueFd file(::openat(directory, kEntry, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::array<char, 64> text{};
  const ssize_t size = file.ok() ? ::read(file.get(), text.data(), text.size()) : -1;
  return failed_runs_from({text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
}

void remember_failed_runs(int directory, const FailedRuns& runs) {
  replace_file(directory, kEntry, to_text(runs));
}

void forget_failed_runs(int directory) noexcept {
  (void)::unlinkat(directory, kEntry, 0);
}

}  // namespace vpnrun::service
