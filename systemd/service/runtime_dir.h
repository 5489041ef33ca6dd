// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "helper/base/unique_fd.h"
#include "profiles/profile.h"
#include "systemd/service/access.h"

namespace vpnrun::service {

/// "/run/vpnrun/NAME"
[[nodiscard]] std::string runtime_path(const std::string& profile_name);
/// "/run/vpnrun/NAME/ENTRY"
[[nodiscard]] std::string runtime_path(const std::string& profile_name, const char* entry);

/// Serialises prepare and release of one profile: a file lock next to its directory, released with
/// the object or the process. Lock order: ProfileLock before HostLock.
class ProfileLock {
 public:
  /// Makes /run/vpnrun if need be. Waits up to kPatience. Throws Error.
  explicit ProfileLock(const std::string& profile_name);
  /// Removes the lock file and, if nothing else is in it, /run/vpnrun. The lock itself is held
  /// until the end of this object.
  void remove_file() noexcept;

 private:
  std::string path_;
  UniqueFd fd_;
};

/// Serialises changes to what several profiles share on the host (the table of their filters,
/// forwarding of an interface): a file lock, released with the last of these objects or with the
/// process. A process that holds it may take it again, so that a change of several steps is one.
class HostLock {
 public:
  /// Makes /run/vpnrun if need be. Waits up to kPatience. Throws Error.
  HostLock();

 private:
  std::shared_ptr<const UniqueFd> fd_;
};

/// "I am the companion of this profile": held by `run` for its whole life.
class RunLock {
 public:
  /// Throws Error naming the process that holds it.
  explicit RunLock(const std::string& profile_name);
  /// The process that holds it, if any. Throws Error.
  [[nodiscard]] static std::optional<pid_t> holder(const std::string& profile_name);
  static void remove_file(const std::string& profile_name) noexcept;

 private:
  UniqueFd fd_;
};

/// "The tunnel is up": kUpEntry of runtime_layout.h. At most one in a process, which loses the lock
/// when it closes any descriptor of the file (fcntl(2)).
class UpLock {
 public:
  /// Opens the entry below `directory`, or makes it (root, 0644). Throws Error.
  explicit UpLock(int directory);
  /// Locks or unlocks. False if an admitted user's read lock is in the way: launchers then ask over
  /// the control socket; call it again later.
  [[nodiscard]] bool set(bool up) noexcept;

 private:
  UniqueFd fd_;
};

/// "The companion runs": kAliveEntry of control_message.h, for those whom the profile admits.
class AliveMark {
 public:
  /// Makes it in the profile's directory, in place of what an earlier companion left. Throws Error.
  explicit AliveMark(const std::string& profile_name);

 private:
  UniqueFd socket_;
};

/// Sets the ACL of the profile's directory: whom it lets in besides root, from now on. Throws
/// Error.
void admit(int dir_fd, const std::string& profile_name, const Admitted& admitted);

/// The profile's directory: made if absent, then root:root, 0750, with the ACL of `access`, its
/// parent root:root 0711. A user or group that does not exist is left out with a warning. Returns a
/// descriptor of it. Throws Error.
[[nodiscard]] UniqueFd make_profile_directory(const std::string& profile_name,
                                              const profile::Access& access);

/// Opens it without following links; invalid (ENOENT) if it is absent. Throws Error otherwise.
[[nodiscard]] UniqueFd open_profile_directory(const std::string& profile_name);

/// Removes the directory with all that prepare and run make in it. Mounts in it must be gone.
/// It is not an error if nothing is there. Throws Error.
void remove_profile_directory(const std::string& profile_name);

}  // namespace vpnrun::service
