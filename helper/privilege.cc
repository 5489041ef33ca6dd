// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/privilege.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "helper/die.h"

namespace vpnrun {
namespace {

// A setuid-root file gets every capability; if it carries file capabilities too it gets only those.
constexpr std::uint64_t kMarksOfSetuid = std::uint64_t{1} << CAP_SETUID | std::uint64_t{1}
                                                                              << CAP_SETGID;
constexpr const char* kSelf = "/proc/self/exe";

struct CapabilityWords {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
};

std::uint64_t join(std::uint32_t low, std::uint32_t high) noexcept {
  return std::uint64_t{high} << 32 | low;
}

[[noreturn]] void die_unprivileged(const Text& why, const Text& hint) noexcept {
  die(Text("vpnrun-helper is not privileged: ", why.view()), hint);
}

[[noreturn]] void die_odd_install(const Text& why) noexcept {
  die(Text("vpnrun-helper is installed incorrectly: ", why.view()),
      Text("reinstall it: root-owned with mode 4711, or 0711 with 'setcap "
           "cap_sys_admin,cap_sys_chroot+ep', never both"));
}

[[noreturn]] void explain_missing_privilege(std::uint64_t held) noexcept {
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
    die_unprivileged(
        Text("NoNewPrivileges is set for the calling process"),
        Text("in a unit set NoNewPrivileges=no, or as root: 'vpnrunctl attach UNIT PROFILE' puts "
             "the unit behind it without vpnrun; in a sandbox call vpnrun outside"));
  }
  struct statfs volume {};
  if (::statfs(kSelf, &volume) == 0 && (volume.f_flags & ST_NOSUID) != 0) {
    die_unprivileged(Text("it lies on a file system mounted nosuid"),
                     Text("install vpnrun on a file system without the nosuid option"));
  }
  struct stat file {};
  if (::stat(kSelf, &file) == 0 && (file.st_mode & S_ISUID) != 0) {
    if (file.st_uid != 0) {
      die_odd_install(Text("it is setuid, but does not belong to root"));
    }
    die_unprivileged(Text("the kernel ignored its setuid bit"),
                     Text("call it without debugger or strace, and outside user namespaces and "
                          "containers"));
  }
  if ((held & kJoinCapabilities) != 0) {
    die_odd_install(Text("it has only one of cap_sys_admin and cap_sys_chroot"));
  }
  die_unprivileged(Text("it is not setuid root and does not have the capabilities that it needs"),
                   Text("reinstall vpnrun as root; a copied or unpacked file loses its privilege"));
}

}  // namespace

Capabilities read_capabilities() noexcept {
  CapabilityWords words;
  if (::syscall(SYS_capget, &words.header, words.data.data()) != 0) {
    die(Text("cannot read the capabilities", Errno{errno}), Text("see capget(2)"));
  }
  const auto& [low, high] = words.data;
  return {join(low.effective, high.effective), join(low.permitted, high.permitted),
          join(low.inheritable, high.inheritable)};
}

void write_capabilities(const Capabilities& wanted) noexcept {
  CapabilityWords words;
  for (unsigned word = 0; word < words.data.size(); ++word) {
    const unsigned shift = 32 * word;
    words.data[word].effective = static_cast<std::uint32_t>(wanted.effective >> shift);
    words.data[word].permitted = static_cast<std::uint32_t>(wanted.permitted >> shift);
    words.data[word].inheritable = static_cast<std::uint32_t>(wanted.inheritable >> shift);
  }
  if (::syscall(SYS_capset, &words.header, words.data.data()) != 0) {
    die(Text("cannot change the capabilities", Errno{errno}), Text("see capset(2)"));
  }
}

void check_privilege() noexcept {
  const std::uint64_t held = read_capabilities().permitted;
  const uid_t caller = ::getuid();
  const uid_t effective = ::geteuid();
  if ((held & kJoinCapabilities) != kJoinCapabilities) {
    explain_missing_privilege(held);
  }
  if (effective == 0 && caller != 0 && (held & kMarksOfSetuid) != kMarksOfSetuid) {
    die_odd_install(Text("it is setuid and has file capabilities"));
  }
  if (effective != 0 && effective != caller) {
    die_odd_install(Text("it is setuid, but does not belong to root"));
  }
  if (effective != 0 && held != kJoinCapabilities) {
    die_odd_install(Text("it has more capabilities than cap_sys_admin and cap_sys_chroot"));
  }
}

}  // namespace vpnrun
