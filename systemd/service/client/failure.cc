// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/failure.h"

#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {

Failure passing_failure(std::string error) {
  return {Failure::Kind::kPassing, std::move(error), ""};
}

Failure passing_failure(const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  return {Failure::Kind::kPassing, error.what(), ours != nullptr ? ours->hint() : ""};
}

Failure own_failure(const std::exception& error) {
  Failure failure = passing_failure(error);
  failure.is_own = true;
  return failure;
}

bool is_passing(const Failure& failure) {
  return failure.kind <= Failure::Kind::kOutside;
}

bool explains_more(const Failure& candidate, const std::optional<Failure>& current) {
  return !current || candidate.kind > current->kind;
}

}  // namespace vpnrun::service
