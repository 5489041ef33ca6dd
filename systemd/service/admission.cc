// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/admission.h"

#include <acl/libacl.h>
#include <fcntl.h>
#include <sys/acl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {
namespace {

using AclPtr = std::unique_ptr<void, int (*)(void*)>;

/// An ACL entry, reduced to what is needed here.
struct Entry {
  acl_tag_t tag = ACL_UNDEFINED_TAG;
  id_t id = 0;
  bool may_search = false;
};

std::optional<std::vector<Entry>> entries_of(int folder_fd) {
  const AclPtr list(::acl_get_fd(folder_fd), ::acl_free);
  if (!list) {
    return std::nullopt;
  }
  auto* const acl = static_cast<acl_t>(list.get());
  std::vector<Entry> entries;
  acl_entry_t at = nullptr;
  for (int found = ::acl_get_entry(acl, ACL_FIRST_ENTRY, &at); found != 0;
       found = ::acl_get_entry(acl, ACL_NEXT_ENTRY, &at)) {
    Entry entry;
    acl_permset_t permissions = nullptr;
    if (found < 0 || ::acl_get_tag_type(at, &entry.tag) != 0 ||
        ::acl_get_permset(at, &permissions) != 0) {
      return std::nullopt;
    }
    entry.may_search = ::acl_get_perm(permissions, ACL_EXECUTE) == 1;
    if (entry.tag == ACL_USER || entry.tag == ACL_GROUP) {
      const AclPtr id(::acl_get_qualifier(at), ::acl_free);
      if (!id) {
        return std::nullopt;
      }
      entry.id = *static_cast<const id_t*>(id.get());
    }
    entries.push_back(entry);
  }
  return entries;
}

/// "Access check algorithm" in acl(5).
bool lets_search(const std::vector<Entry>& entries, const struct stat& folder, const Peer& peer) {
  const auto first = [&entries](acl_tag_t tag) {
    return std::find_if(entries.begin(), entries.end(),
                        [tag](const Entry& entry) { return entry.tag == tag; });
  };
  const auto grants = [&entries](auto entry) {
    return entry != entries.end() && entry->may_search;
  };
  if (peer.uid == folder.st_uid) {
    return grants(first(ACL_USER_OBJ));
  }
  const auto mask = first(ACL_MASK);
  const bool unmasked = mask == entries.end() || mask->may_search;
  const auto user = std::find_if(entries.begin(), entries.end(), [&peer](const Entry& entry) {
    return entry.tag == ACL_USER && entry.id == peer.uid;
  });
  if (user != entries.end()) {
    return user->may_search && unmasked;
  }
  bool is_member = false;
  for (const Entry& entry : entries) {
    const gid_t group = entry.tag == ACL_GROUP_OBJ ? folder.st_gid : entry.id;
    if ((entry.tag == ACL_GROUP_OBJ || entry.tag == ACL_GROUP) &&
        std::find(peer.groups.begin(), peer.groups.end(), group) != peer.groups.end()) {
      if (entry.may_search && unmasked) {
        return true;
      }
      is_member = true;
    }
  }
  return !is_member && grants(first(ACL_OTHER));
}

}  // namespace

bool is_admitted(const std::string& folder, const Peer& peer) {
  if (peer.uid == 0) {
    return true;
  }
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd.ok() || ::fstat(fd.get(), &status) != 0) {
    return false;
  }
  const auto entries = entries_of(fd.get());
  return entries && lets_search(*entries, status, peer);
}

}  // namespace vpnrun::service
