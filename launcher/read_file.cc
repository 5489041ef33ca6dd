// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun {

std::optional<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  // A pipe in the place of the file must not keep us waiting for a writer.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.ok()) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    throw_errno("cannot read '{}'", printable(path));
  }
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
    if (count < 0 && errno != EINTR) {
      throw_errno("cannot read '{}'", printable(path));
    }
    if (count == 0) {
      return text;
    }
    if (count > 0) {
      text.append(chunk.data(), static_cast<std::size_t>(count));
    }
    if (text.size() > max_bytes) {
      throw_error(EFBIG, "cannot read '{}'", printable(path));
    }
  }
}

}  // namespace vpnrun
