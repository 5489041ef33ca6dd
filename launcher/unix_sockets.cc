// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/unix_sockets.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "helper/base/unique_fd.h"

namespace vpnrun {
namespace {

/// "Num: RefCount Protocol Flags Type St Inode Path", the first line of titles apart. Flags are
/// hexadecimal; 0x10000 says that the socket listens. Empty if it does not or has no name.
std::string_view listening_name(std::string_view line) {
  constexpr int kFieldsBeforeName = 7;
  constexpr std::string_view kListens = "00010000";
  std::string_view flags;
  for (int field = 0; field < kFieldsBeforeName; ++field) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    flags = field == 3 ? word : flags;
  }
  return flags == kListens && !line.empty() ? line.substr(1) : std::string_view();
}

/// Line by line: whoever makes a hundred thousand sockets must not hide the others' in a table that
/// is too long to be read. Nobody but the kernel says how long it is.
void read_names(int fd, std::vector<std::string>& names) {
  std::array<char, 65536> chunk{};
  std::string rest;
  for (;;) {
    const ssize_t size = ::read(fd, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size <= 0) {
      return;
    }
    rest.append(chunk.data(), static_cast<std::size_t>(size));
    std::string_view text = rest;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      if (const std::string_view name = listening_name(text.substr(0, end)); !name.empty()) {
        names.emplace_back(name);
      }
      text.remove_prefix(end + 1);
    }
    rest.erase(0, rest.size() - text.size());
  }
}

}  // namespace

const std::vector<std::string>& UnixSockets::listening() {
  if (!names_) {
    names_.emplace();
    const UniqueFd file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.ok()) {
      read_names(file.get(), *names_);
    }  // otherwise what is not known is not told
  }
  return *names_;
}

bool UnixSockets::listens(std::string_view name) {
  const auto& names = listening();
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace vpnrun
