// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/diagnosis.h"

namespace vpnrun::service {

bool Diagnosis::covers(const Failure& failure, bool waits_for_login) const noexcept {
  return failure.kind == Failure::Kind::kPassing && (blocked_ || waits_for_login);
}

Failure Diagnosis::reason(const Failure& failure) const {
  if (blocked_ && failure.kind == Failure::Kind::kPassing) {
    return *blocked_;
  }
  if (portal_ && is_passing(failure) && failure.kind != Failure::Kind::kChallenge) {
    return behind_portal(failure, *portal_);
  }
  return failure;
}

Failure Diagnosis::reason_of_silence(const std::string& server, bool waits_for_login) const {
  if (!waits_for_login) {
    return noticed_.value_or(
        Failure{Failure::Kind::kPassing, "no answer from " + server,
                "is the server up, and does a firewall on the way let " + server + " through?"});
  }
  const Failure nobody = passing_failure("nobody logged in by the link of the server");
  return noticed_ && explains_more(*noticed_, nobody) ? *noticed_ : nobody;
}

}  // namespace vpnrun::service
