// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/drop.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "helper/die.h"
#include "helper/privilege.h"

namespace vpnrun {
namespace {

[[noreturn]] void die_kept(const char* what) noexcept {
  die(Text("cannot drop privileges: ", what), Text("this is a bug or an attack; please report it"));
}

void check(int result, const char* what) noexcept {
  if (result != 0) {
    die(Text("cannot drop privileges: ", what, Errno{errno}),
        Text("a seccomp filter, a security module or locked securebits of the caller forbids it"));
  }
}

// A call that claims success and writes nothing leaves these: nobody has them.
constexpr uid_t kNoUser = static_cast<uid_t>(-1);
constexpr gid_t kNoGroup = static_cast<gid_t>(-1);

struct Ids {
  uid_t real_uid = kNoUser;
  uid_t effective_uid = kNoUser;
  uid_t saved_uid = kNoUser;
  gid_t real_gid = kNoGroup;
  gid_t effective_gid = kNoGroup;
  gid_t saved_gid = kNoGroup;
};

Ids read_ids() noexcept {
  Ids ids;
  check(::getresuid(&ids.real_uid, &ids.effective_uid, &ids.saved_uid), "getresuid");
  check(::getresgid(&ids.real_gid, &ids.effective_gid, &ids.saved_gid), "getresgid");
  return ids;
}

void verify_ids(const Caller& caller) noexcept {
  const Ids ids = read_ids();
  if (ids.real_uid != caller.uid || ids.effective_uid != caller.uid ||
      ids.saved_uid != caller.uid) {
    die_kept("a user id remained");
  }
  if (ids.real_gid != caller.gid || ids.effective_gid != caller.gid ||
      ids.saved_gid != caller.gid) {
    die_kept("a group id remained");
  }
}

}  // namespace

Caller become_caller() noexcept {
  // Not getuid(2) and getgid(2): an error of theirs would pass for an id.
  const Ids ids = read_ids();
  const Caller caller{ids.real_uid, ids.real_gid};
  if (caller.uid == kNoUser || caller.gid == kNoGroup) {
    die_kept("the caller is unknown");
  }
  check(::setresgid(caller.gid, caller.gid, caller.gid), "setresgid");
  if (!caller.is_root()) {
    // The kernel would empty the permitted set together with the last id that is 0.
    check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities");
    write_capabilities({.permitted = kJoinCapabilities});
  }
  check(::setresuid(caller.uid, caller.uid, caller.uid), "setresuid");
  if (!caller.is_root()) {
    check(::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0), "stop keeping capabilities");
    if (read_capabilities() != Capabilities{.permitted = kJoinCapabilities}) {
      die_kept("unexpected capabilities remained");
    }
  }
  verify_ids(caller);
  check(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "become undumpable");
  return caller;
}

void raise_capabilities(const Caller& caller) noexcept {
  if (!caller.is_root()) {
    write_capabilities({.effective = kJoinCapabilities, .permitted = kJoinCapabilities});
  }
}

void drop_privileges(const Caller& caller) noexcept {
  if (!caller.is_root()) {
    check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear ambient capabilities");
    write_capabilities({});
    if (read_capabilities() != Capabilities{}) {
      die_kept("a capability remained");
    }
    if (::setuid(0) == 0) {
      die_kept("setuid(0) still works");
    }
  }
  verify_ids(caller);
}

void forbid_new_privileges(const Origin& origin) noexcept {
  if (origin.no_new_privs == 0) {
    return;
  }
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
    die_kept("no_new_privs is not set");
  }
}

}  // namespace vpnrun
