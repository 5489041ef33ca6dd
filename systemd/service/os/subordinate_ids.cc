// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/subordinate_ids.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  const std::string digits(text);
  char* end = nullptr;
  errno = 0;
  const std::uint64_t value = std::strtoull(digits.c_str(), &end, 0);
  if (digits.empty() || errno != 0 || end != digits.c_str() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<SubordinateIds> parse_line(std::string_view line) {
  const auto first = line.find(':');
  const auto count = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (first == 0 || count == std::string_view::npos) {
    return std::nullopt;
  }
  const auto from = number(line.substr(first + 1, count - first - 1));
  const auto how_many = number(line.substr(count + 1));  // with a fourth field it is not a number
  if (!from || !how_many) {
    return std::nullopt;
  }
  SubordinateIds ids;
  ids.first = *from;
  ids.count = *how_many;
  return ids;
}

/// Empty if there is no such file. Throws Error if it cannot be read: the ranges in it would be
/// missed.
std::string text_of(const char* path) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.ok()) {
    if (errno == ENOENT) {
      return {};
    }
    throw_errno("cannot open '{}'", path);
  }
  std::string text;
  std::array<char, 4096> part{};
  ssize_t got = 0;
  while ((got = ::read(file.get(), part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  if (got < 0) {
    throw_errno("cannot read '{}'", path);
  }
  return text;
}

}  // namespace

std::vector<SubordinateIds> parse_subordinate_ids(std::string_view text, const std::string& file) {
  std::vector<SubordinateIds> all;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    if (auto ids = parse_line(text.substr(0, end))) {
      ids->file = file;
      ids->line = line;
      all.push_back(*ids);
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return all;
}

std::vector<SubordinateIds> read_subordinate_ids() {
  std::vector<SubordinateIds> all;
  for (const char* file : {"/etc/subuid", "/etc/subgid"}) {
    for (const auto& ids : parse_subordinate_ids(text_of(file), file)) {
      all.push_back(ids);
    }
  }
  return all;
}

}  // namespace vpnrun::service
