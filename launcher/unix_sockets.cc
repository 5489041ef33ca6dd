// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/unix_sockets.h"

#include <algorithm>
#include <exception>

#include "launcher/read_file.h"

namespace vpnrun {
namespace {

constexpr std::size_t kLongestTable = std::size_t{16} << 20U;

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

}  // namespace

const std::vector<std::string>& UnixSockets::listening() {
  if (!names_) {
    names_.emplace();
    std::optional<std::string> text;
    try {
      text = read_file(file_, kLongestTable);
    } catch (const std::exception&) {
      text.reset();  // what is not known is not told
    }
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (const std::string_view name = listening_name(line); !name.empty()) {
        names_->emplace_back(name);
      }
    }
  }
  return *names_;
}

bool UnixSockets::listens(std::string_view name) {
  const auto& names = listening();
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace vpnrun
