// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <array>
#include <cstdio>
#include <memory>

#include "profiles/error.h"

namespace vpnrun::service {
namespace {

constexpr const char* kClientUser = "vpnrun";
constexpr gid_t kNoGroup = 65534;
constexpr std::size_t kEntryMax = 65536;

}  // namespace

Account client_account() {
  const std::unique_ptr<FILE, int (*)(FILE*)> passwd(std::fopen("/etc/passwd", "re"), std::fclose);
  if (!passwd) {
    throw_errno("cannot open '/etc/passwd'");
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  while (const struct passwd* entry = ::fgetpwent(passwd.get())) {
    if (std::string_view(entry->pw_name) == kClientUser) {
      if (entry->pw_uid == 0) {
        throw Error(fmt::format("the user '{}' is root", kClientUser));
      }
      return {entry->pw_uid, kNoGroup};
    }
  }
  throw Error(fmt::format("there is no user '{}' for the VPN client", kClientUser), {},
              fmt::format("as root: useradd --system --no-create-home --shell /usr/sbin/nologin {}",
                          kClientUser));
}

std::optional<uid_t> find_user(const std::string& name) {
  std::array<char, kEntryMax> buffer{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  (void)::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional<uid_t>(entry.pw_uid);
}

std::optional<gid_t> find_group(const std::string& name) {
  std::array<char, kEntryMax> buffer{};
  struct group entry {};
  struct group* found = nullptr;
  (void)::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional<gid_t>(entry.gr_gid);
}

}  // namespace vpnrun::service
