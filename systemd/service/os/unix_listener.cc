// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/unix_listener.h"

#include <sys/acl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "profiles/base/error.h"
#include "systemd/service/os/peer_socket.h"

namespace vpnrun::service {

namespace {

/// Lets `user` connect as well: gives write permission for the file, see unix(7) and acl(5).
bool admit(const std::string& path, uid_t user) {
  const std::string text = formatted("u::rw,u:{}:rw,g::-,m::rw,o::-", user);
  const std::unique_ptr<void, int (*)(void*)> acl(::acl_from_text(text.c_str()), ::acl_free);
  return acl && ::acl_set_file(path.c_str(), ACL_TYPE_ACCESS, static_cast<acl_t>(acl.get())) == 0;
}

}  // namespace

UniqueFd listen_unix(const std::string& path, const UnixListenerOptions& options) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw_error(ENAMETOOLONG, "cannot listen on '{}'", path);
  }
  path.copy(static_cast<char*>(address.sun_path), path.size());
  (void)::unlink(path.c_str());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  refuse_descriptors(fd.get());
  // Nobody can connect before the last step: connect(2) fails until then.
  if (!fd.ok() ||
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), options.mode) != 0 || (options.user && !admit(path, *options.user)) ||
      ::listen(fd.get(), options.backlog) != 0) {
    throw_errno("cannot listen on '{}'", path);
  }
  return fd;
}

}  // namespace vpnrun::service
