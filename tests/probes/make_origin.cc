// SPDX-License-Identifier: GPL-2.0-or-later
// make_origin FOLDER [no_new_privs|from_namespaces|i386]: writes FOLDER/origin for the namespaces
// that FOLDER/netns and FOLDER/mnt lead to and the standpoint of this process, as `vpnrun-tunnel
// prepare` does.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "helper/base/open_at.h"
#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"

int main(int argc, char** argv) {
  using namespace vpnrun;  // NOLINT(google-build-using-namespace): nothing else is here
  const UniqueFd folder(::open(argc >= 2 ? argv[1] : "", O_PATH | O_DIRECTORY | O_CLOEXEC));
  Origin origin;
  origin.no_new_privs = argc == 3 && std::strcmp(argv[2], "no_new_privs") == 0 ? 1 : 0;
  origin.from_namespaces = argc == 3 && std::strcmp(argv[2], "from_namespaces") == 0 ? 1 : 0;
  origin.i386 = argc == 3 && std::strcmp(argv[2], "i386") == 0 ? 1 : 0;
  const UniqueFd netns = open_namespace_at(folder.get(), kNetnsEntry, CLONE_NEWNET);
  const UniqueFd view = open_namespace_at(folder.get(), kViewEntry, CLONE_NEWNS);
  if (!netns.ok() || !view.ok() || !file_id(netns.get(), origin.netns) ||
      !file_id(view.get(), origin.view) || !current_standpoint(origin.host)) {
    std::perror("make_origin: cannot read");
    return 1;
  }
  constexpr mode_t kMode = 0444;
  (void)::unlinkat(folder.get(), kOriginEntry, 0);  // there may be none
  const UniqueFd file(
      ::openat(folder.get(), kOriginEntry, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!file.ok() || ::write(file.get(), &origin, sizeof origin) != sizeof origin ||
      ::fchmod(file.get(), kMode) != 0) {
    std::perror("make_origin: cannot write");
    return 1;
  }
  return 0;
}
