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

void verify_ids(const Caller& caller) noexcept {
  uid_t real_uid = 0;
  uid_t effective_uid = 0;
  uid_t saved_uid = 0;
  gid_t real_gid = 0;
  gid_t effective_gid = 0;
  gid_t saved_gid = 0;
  check(::getresuid(&real_uid, &effective_uid, &saved_uid), "getresuid");
  check(::getresgid(&real_gid, &effective_gid, &saved_gid), "getresgid");
  if (real_uid != caller.uid || effective_uid != caller.uid || saved_uid != caller.uid) {
    die_kept("a user id remained");
  }
  if (real_gid != caller.gid || effective_gid != caller.gid || saved_gid != caller.gid) {
    die_kept("a group id remained");
  }
}

}  // namespace

Caller become_caller() noexcept {
  const Caller caller{::getuid(), ::getgid()};
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

}  // namespace vpnrun
