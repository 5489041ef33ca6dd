// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <array>
#include <cstdio>
#include <memory>

#include "profiles/base/error.h"
#include "profiles/programs.h"
#include "systemd/service/client/client_ids.h"

namespace vpnrun::service {
namespace {

constexpr const char* kLookUpUser = "vpnrun";
constexpr gid_t kNoGroup = 65534;
constexpr std::size_t kEntryMax = 65536;

}  // namespace

Account look_up_account() {
  const std::unique_ptr<FILE, int (*)(FILE*)> passwd(std::fopen("/etc/passwd", "re"), std::fclose);
  if (!passwd) {
    throw_errno("cannot open '/etc/passwd'");
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  while (const struct passwd* entry = ::fgetpwent(passwd.get())) {
    if (std::string_view(entry->pw_name) == kLookUpUser) {
      if (entry->pw_uid == 0) {
        throw Error(fmt::format("the user '{}' is root", kLookUpUser));
      }
      return {entry->pw_uid, kNoGroup};
    }
  }
  throw Error(fmt::format("there is no user '{}', which looks names up", kLookUpUser), {},
              fmt::format("as root: useradd --system --no-create-home --shell {} {}", kNologin,
                          kLookUpUser));
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

bool may_admit_user(uid_t uid) {
  return !is_client_id(uid) && uid != find_user(kLookUpUser);
}

bool may_admit_group(gid_t gid) {
  return !is_client_id(gid) && gid != kNoGroup;
}

}  // namespace vpnrun::service
