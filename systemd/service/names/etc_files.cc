// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/etc_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr const char* kResolvConf = "resolv.conf";
constexpr std::size_t kResolvConfServers = 3;  // MAXNS of resolv.h: libc reads no more
constexpr mode_t kWorldReadable = 0644;

bool is_hosts_line(std::string_view line) {
  const auto start = line.find_first_not_of(" \t");
  return start != std::string_view::npos && line.substr(start).starts_with("hosts:");
}

void write_whole(int fd, std::string_view text, const std::string& name) {
  const ssize_t put = ::pwrite(fd, text.data(), text.size(), 0);
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
  std::string text = "# Written by vpnrun: the resolvers of this profile's tunnel.\n";
  if (!search_domains.empty()) {
    text += "search";
    for (const auto& domain : search_domains) {
      text += ' ' + domain;
    }
    text += '\n';
  }
  for (std::size_t i = 0; i < servers.size() && i < kResolvConfServers; ++i) {
    text += "nameserver " + servers[i] + '\n';
  }
  const std::size_t steps = (text.size() + kResolvConfStep - 1) / kResolvConfStep;
  text.resize(steps * kResolvConfStep, '\n');
  return text;
}

void write_resolv_conf(int etc_fd, std::string_view text) {
  const UniqueFd file(
      ::openat(etc_fd, kResolvConf, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kWorldReadable));
  if (!file.ok()) {
    throw_errno("cannot open the profile's '{}'", kResolvConf);
  }
  write_whole(file.get(), text, kResolvConf);
  if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0 ||
      ::fchmod(file.get(), kWorldReadable) != 0) {
    throw_errno("cannot write the profile's '{}'", kResolvConf);
  }
}

std::string nsswitch_text(std::string_view host_text) {
  constexpr std::string_view kHosts = "hosts: files dns\n";
  std::string text;
  bool seen = false;
  while (!host_text.empty()) {
    const auto end = host_text.find('\n');
    const std::string_view line = host_text.substr(0, end);
    host_text = end == std::string_view::npos ? std::string_view() : host_text.substr(end + 1);
    if (is_hosts_line(line)) {
      text += kHosts;
      seen = true;
    } else {
      text += line;
      text += '\n';
    }
  }
  if (!seen) {
    text += kHosts;
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
