// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/exceptions.h"

namespace vpnrun {

std::vector<PromiseException> exceptions_of(const profile::Profile& profile) {
  std::vector<PromiseException> exceptions;
  if (profile.application.i386) {
    exceptions.push_back({"application.i386", std::string(kOpenedByI386)});
  }
  if (profile.access.from_namespaces) {
    exceptions.push_back({"access.from_namespaces",
                          "come from a network namespace that was given no network, or another "
                          "one"});
  }
  std::string ports;
  for (const profile::Port& port : profile.ports.expose) {
    ports += (ports.empty() ? "" : ", ") + port.str();
  }
  if (!ports.empty()) {
    exceptions.push_back(
        {std::string(kExceptionOfPorts), "be reached from this machine at " + ports});
  }
  return exceptions;
}

}  // namespace vpnrun
