// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/etc_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr const char* kResolvConf = "resolv.conf";
constexpr std::size_t kResolvConfServers = 3;  // MAXNS of resolv.h: libc reads no more
/// Room enough for kResolvConfServers of the longest addresses and a few search domains.
constexpr std::size_t kResolvConfSize = 320;
/// The width of a terminal, less one column: some terminals begin a new line in the last.
constexpr std::size_t kColumns = 79;
/// The first lines, filled up with blanks that nobody sees.
constexpr std::array<std::string_view, 4> kRemarks = {
    "#", "# Written by vpnrun: the resolvers of this profile's tunnel.",
    "# See [dns] in vpnrun-profile(5).", "#"};
static_assert(kRemarks.size() * (kColumns + 1) == kResolvConfSize);
constexpr mode_t kWorldReadable = 0644;

bool is_hosts_line(std::string_view line) {
  const auto start = line.find_first_not_of(" \t");
  return start != std::string_view::npos && line.substr(start).starts_with("hosts:");
}

void write_whole(int fd, std::string_view text, const std::string& name, off_t offset = 0) {
  const ssize_t put = ::pwrite(fd, text.data(), text.size(), offset);
  if (put < 0) {
    throw_errno("cannot write '{}'", name);
  }
  if (static_cast<std::size_t>(put) != text.size()) {
    throw_error(ENOSPC, "cannot write '{}'", name);
  }
}

}  // namespace

std::string resolv_conf_text(const std::vector<std::string>& servers,
                             const std::vector<std::string>& search_domains) {
  std::string lines;
  for (std::size_t i = 0; i < servers.size() && i < kResolvConfServers; ++i) {
    lines += "nameserver " + servers[i] + '\n';
  }
  std::string search;
  for (const auto& domain : search_domains) {
    search += (search.empty() ? "search " : " ") + domain;
  }
  search += search.empty() ? "" : "\n";
  std::string text;
  std::size_t used = lines.size() + search.size();
  for (const std::string_view remark : kRemarks) {
    used += remark.size() + 1;
  }
  const bool fits = used <= kResolvConfSize;
  std::size_t room =
      kResolvConfSize - (fits ? used : std::min(used - search.size(), kResolvConfSize));
  for (const std::string_view remark : kRemarks) {
    const std::size_t blanks = std::min(room, kColumns - remark.size());
    text.append(remark).append(blanks, ' ') += '\n';
    room -= blanks;
  }
  return fits ? text + search + lines : text + lines + search;
}

void write_resolv_conf(int etc_fd, std::string_view text) {
  const UniqueFd file(
      ::openat(etc_fd, kResolvConf, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kWorldReadable));
  struct stat before {};
  if (!file.ok() || ::fstat(file.get(), &before) != 0) {
    throw_errno("cannot open the profile's '{}'", kResolvConf);
  }
  const auto size = static_cast<std::size_t>(before.st_size);
  if (size > 0 && size < text.size()) {
    write_whole(file.get(), std::string(text.size() - size, '\n'), kResolvConf, before.st_size);
  }
  std::string whole(text);
  whole.resize(std::max(size, text.size()), '\n');
  write_whole(file.get(), whole, kResolvConf);
  if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0 ||
      ::fchmod(file.get(), kWorldReadable) != 0) {
    throw_errno("cannot write the profile's '{}'", kResolvConf);
  }
}

std::string nsswitch_text(std::string_view host_text, OwnNameSource own_name) {
  const std::string hosts =
      formatted("hosts: files {}dns\n", own_name == OwnNameSource::kModule ? "myhostname " : "");
  std::string text;
  bool seen = false;
  while (!host_text.empty()) {
    const auto end = host_text.find('\n');
    const std::string_view line = host_text.substr(0, end);
    host_text = end == std::string_view::npos ? std::string_view() : host_text.substr(end + 1);
    if (is_hosts_line(line)) {
      text += hosts;
      seen = true;
    } else {
      text += line;
      text += '\n';
    }
  }
  if (!seen) {
    text += hosts;
  }
  return text;
}

void replace_file(int dir_fd, const std::string& name, std::string_view text) {
  const std::string temporary = '.' + name + ".new";
  const UniqueFd file(::openat(dir_fd, temporary.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                               kWorldReadable));
  if (!file.ok()) {
    throw_errno("cannot create '{}'", name);
  }
  write_whole(file.get(), text, name);
  if (::fchmod(file.get(), kWorldReadable) != 0 ||
      ::renameat(dir_fd, temporary.c_str(), dir_fd, name.c_str()) != 0) {
    throw_errno("cannot write '{}'", name);
  }
}

}  // namespace vpnrun::service
