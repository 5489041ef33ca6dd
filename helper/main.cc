// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/access.h"
#include "helper/drop.h"
#include "helper/phases.h"
#include "helper/privilege.h"
#include "helper/request.h"
#include "helper/seccomp.h"

// The phases of phases.cc, in their order. See THREAT_MODEL.md before you move one.
int main(int argc, char** argv, char** envp) {
  using namespace vpnrun;  // NOLINT(google-build-using-namespace): nothing else is here
  sanitise_process(argc);
  check_privilege();
  const Caller caller = become_caller();

  const Request request = read_request(argv, envp);
  Directory directory;
  remember_directory(directory);
  const ProfileAccess profile = open_profile(request.profile);
  check_standpoint(profile);
  const Namespaces namespaces = open_namespaces(profile);

  raise_capabilities(caller);
  join_namespaces(namespaces);
  load_application_filter(profile.origin);
  drop_privileges(caller);
  forbid_new_privileges(profile.origin);

  return_to(directory);
  restore_environment(request);
  restore_stack_limit(request);
  run_command(request);
}
