// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/client_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/programs.h"
#include "systemd/service/client/client_ids.h"

namespace vpnrun::service::openvpn {
namespace {

namespace fs = std::filesystem;

/// Where the new root is put together. Every machine has this folder, and of what is below it only
/// the management folder is needed, which is cloned before it is covered.
constexpr const char* kSite = "/run";

/// Programs, libraries and what they load; symbolic links are kept as the machine has them.
constexpr const char* kTrees[] = {"usr",   "bin",    "sbin", "lib", "lib32",
                                  "lib64", "libx32", "nix",  "gnu"};
constexpr const char* kSettings[] = {"alternatives", "crypto-policies", "gnutls",
                                     "ld.so.cache",  "localtime",       "pki",
                                     "ssl",          "static"};
constexpr const char* kDevices[] = {"null", "zero", "full", "random", "urandom", "net/tun"};

constexpr std::uint64_t kClosed = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;

std::string in_site(std::string_view path) {
  return formatted("{}{}", kSite, path);
}

/// A copy of what is mounted at the path and below, to be attached elsewhere. Invalid: nothing is
/// there.
UniqueFd take_tree(const std::string& path, std::uint64_t attributes) {
  UniqueFd tree(
      ::open_tree(AT_FDCWD, path.c_str(),
                  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_RECURSIVE)));
  if (!tree.ok()) {
    if (errno == ENOENT) {
      return tree;
    }
    throw_errno("cannot bring '{}' into the client's root", path);
  }
  mount_attr wanted{};
  wanted.attr_set = attributes;
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) != 0) {
    throw_errno("cannot make '{}' read-only", path);
  }
  return tree;
}

void attach(const UniqueFd& tree, const std::string& path) {
  if (::move_mount(tree.get(), "", AT_FDCWD, in_site(path).c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    throw_errno("cannot attach '{}'", path);
  }
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(in_site(path), error);
  if (error) {
    throw_error(error.value(), "cannot create '{}'", path);
  }
}

UniqueFd make_file(const std::string& path, mode_t mode) {
  UniqueFd file(
      ::open(in_site(path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok() || ::fchmod(file.get(), mode) != 0) {
    throw_errno("cannot create '{}'", path);
  }
  return file;
}

void write_file(const std::string& path, std::string_view text) {
  const UniqueFd file = make_file(path, 0644);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("cannot write '{}'", path);
  }
}

/// Brings the machine's file or folder into the new root, or nothing if it has none; a symbolic
/// link is followed.
void bring(const std::string& path, std::uint64_t attributes) {
  const UniqueFd tree = take_tree(path, attributes);
  struct stat status {};
  if (!tree.ok() || ::fstat(tree.get(), &status) != 0) {
    return;
  }
  if (S_ISDIR(status.st_mode)) {
    make_folder(path);
  } else {
    (void)make_file(path, 0);
  }
  attach(tree, path);
}

void bring_trees() {
  for (const char* name : kTrees) {
    const std::string path = formatted("/{}", name);
    std::error_code error;
    if (!fs::is_symlink(path, error)) {
      bring(path, kClosed | MOUNT_ATTR_NODEV);
      continue;
    }
    fs::copy_symlink(path, in_site(path), error);
    if (error) {
      throw_error(error.value(), "cannot bring '{}' into the client's root", path);
    }
  }
}

void make_etc(const Account& account) {
  const std::string name = client_name(account.uid);
  make_folder("/etc");
  write_file("/etc/passwd", formatted("root:x:0:0:root:/:{3}\n"
                                      "{0}:x:{1}:{2}:VPN client:/:{3}\n",
                                      name, account.uid, account.gid, kNologin));
  write_file("/etc/group", formatted("root:x:0:\n{}:x:{}:\n", name, account.gid));
  write_file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
  for (const char* setting : kSettings) {
    bring(formatted("/etc/{}", setting), kClosed | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
}

void make_dev() {
  make_folder("/dev/net");
  for (const char* device : kDevices) {
    bring(formatted("/dev/{}", device), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  }
}

void make_proc() {
  make_folder("/proc");
  if (::mount("proc", in_site("/proc").c_str(), "proc",
              MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr) != 0) {
    throw_errno("cannot mount the client's '/proc'");
  }
}

/// OpenVPN does not start without a /tmp, but puts nothing there.
void make_tmp() {
  make_folder("/tmp");
  if (::mount("vpnrun-client", in_site("/tmp").c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=1777,size=64k,nr_inodes=16") != 0) {
    throw_errno("cannot mount the client's '/tmp'");
  }
}

void copy_program(const ClientRoot& root) {
  const UniqueFd from(::open(root.program.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.ok()) {
    throw_errno("cannot open '{}'", root.program);
  }
  const UniqueFd to = make_file(program_inside(root), 0711);
  ssize_t copied = 0;
  do {
    copied = ::sendfile(to.get(), from.get(), nullptr, 0x7ffff000);
  } while (copied > 0 || (copied < 0 && errno == EINTR));
  if (copied < 0) {
    throw_errno("cannot copy '{}'", root.program);
  }
}

/// pivot_root(2): the old root ends up on top of the new one, and is removed.
void move_in() {
  mount_attr closed{};
  closed.attr_set = MOUNT_ATTR_RDONLY;
  if (::chdir(kSite) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0 ||
      ::mount_setattr(AT_FDCWD, "/", 0, &closed, sizeof closed) != 0) {
    throw_errno("cannot change the root directory");
  }
}

}  // namespace

std::string program_inside(const ClientRoot& root) {
  return root.program.substr(root.program.rfind('/'));
}

void enter_client_root(const ClientRoot& root) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw_errno("cannot make the mount namespace private");
  }
  const UniqueFd folder = take_tree(root.folder, kClosed | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (::mount("vpnrun-client", kSite, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=32m") != 0) {
    throw_errno("cannot mount the client's root directory");
  }
  bring_trees();
  make_etc(root.account);
  make_dev();
  make_proc();
  make_tmp();
  copy_program(root);
  make_folder(root.folder);
  attach(folder, root.folder);
  move_in();
}

}  // namespace vpnrun::service::openvpn
