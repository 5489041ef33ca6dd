// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/programs.h"
#include "systemd/service/client/client_ids.h"

namespace vpnrun::service {
namespace {

constexpr const char* kLookUpUser = "vpnrun";
constexpr gid_t kNoGroup = 65534;
constexpr std::size_t kEntryFirst = 4096;
constexpr std::size_t kEntryMax = std::size_t{64} << 20U;  // a group with a million members

/// Calls getpwnam_r(3) or getgrnam_r(3): whether there is such an entry. Throws NotAnswered if that
/// cannot be determined.
template <class Entry, class Call>
bool find(std::string_view kind, Call call, const std::string& name, Entry& entry) {
  std::vector<char> buffer(kEntryFirst);
  for (;;) {
    Entry* found = nullptr;
    const int error = call(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < kEntryMax) {
      buffer.resize(buffer.size() * 4);
    } else if (error == 0 || error == ENOENT || error == ESRCH) {
      return found != nullptr;  // the last two: nsswitch.conf(5) names what is not installed
    } else if (error != EINTR) {
      const std::error_code code(error, std::generic_category());
      throw NotAnswered(
          formatted("cannot look up the {} '{}': {}", kind, printable(name), code.message()), code);
    }
  }
}

/// Reads /etc/passwd, without NSS. nullopt: there is no such user.
std::optional<uid_t> find_look_up_user() {
  const std::unique_ptr<FILE, int (*)(FILE*)> passwd(std::fopen("/etc/passwd", "re"), std::fclose);
  if (!passwd) {
    throw_errno("cannot open '/etc/passwd'");
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  while (const struct passwd* entry = ::fgetpwent(passwd.get())) {
    if (std::string_view(entry->pw_name) == kLookUpUser) {
      return entry->pw_uid;
    }
  }
  return std::nullopt;
}

}  // namespace

Account look_up_account() {
  const auto uid = find_look_up_user();
  if (!uid) {
    throw Error(formatted("the user '{}', which looks up names, does not exist", kLookUpUser), {},
                formatted("as root: useradd --system --no-create-home --shell {} {}", kNologin,
                          kLookUpUser));
  }
  if (*uid == 0) {
    throw Error(formatted("the user '{}' is root", kLookUpUser));
  }
  return {*uid, kNoGroup};
}

std::optional<uid_t> find_user(const std::string& name) {
  passwd entry{};
  return find("user", ::getpwnam_r, name, entry) ? std::optional(entry.pw_uid) : std::nullopt;
}

std::optional<gid_t> find_group(const std::string& name) {
  group entry{};
  return find("group", ::getgrnam_r, name, entry) ? std::optional(entry.gr_gid) : std::nullopt;
}

bool may_admit_user(uid_t uid) {
  return !is_client_id(uid) && uid != find_look_up_user();
}

bool may_admit_group(gid_t gid) {
  return !is_client_id(gid) && gid != kNoGroup;
}

}  // namespace vpnrun::service
