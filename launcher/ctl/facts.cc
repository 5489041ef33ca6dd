// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/facts.h"

#include <unistd.h>

#include <algorithm>

#include "launcher/control_client.h"
#include "profiles/base/error.h"
#include "profiles/profile_store.h"

namespace vpnrun {
namespace {

std::string description_of(const Places& places, const std::string& profile) {
  try {
    return profile::load_profile(places.profile_folder, profile, profile::Trust::kAnyOwner)
        .description;
  } catch (const Error&) {
    return {};  // not for this caller to read, or wrong: `up` says so, a list shows the rest
  }
}

Admission admission_to(const Places& places, const std::string& profile) {
  if (is_usable(places, profile)) {
    return Admission::kAdmitted;
  }
  return ::access(runtime_directory(places, profile).c_str(), F_OK) == 0 ? Admission::kNotAdmitted
                                                                         : Admission::kNotPrepared;
}

std::optional<std::string> state_of(const Places& places, const std::string& profile) {
  try {
    return std::string(state_word(status_of(places, profile)));
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::string_view to_string(Admission admission) noexcept {
  switch (admission) {
    case Admission::kAdmitted:
      return "admitted";
    case Admission::kNotAdmitted:
      return "not admitted";
    case Admission::kNotPrepared:
      return "not prepared";
  }
  return "unknown";
}

std::vector<ProfileFacts> list_facts(const Places& places) {
  std::vector<ProfileFacts> facts;
  for (const std::string& name : profile::list_profiles(places.profile_folder)) {
    ProfileFacts profile{.name = name,
                         .description = description_of(places, name),
                         .admission = admission_to(places, name),
                         .state = std::nullopt};
    if (profile.admission == Admission::kAdmitted) {
      profile.state = state_of(places, name);
    }
    facts.push_back(std::move(profile));
  }
  return facts;
}

Status status_of(const Places& places, const std::string& profile) {
  try {
    ControlClient client = ControlClient::connect_if_running(places, profile);
    client.send(ControlRequest{});
    const std::optional<ControlReply> reply = client.receive(SteadyClock::now() + kReplyPatience);
    if (!reply) {
      throw Error(formatted("cannot reach the tunnel of profile '{}': it does not answer", profile),
                  std::make_error_code(std::errc::timed_out));
    }
    if (!reply->ok) {
      throw Error(
          formatted("cannot ask the tunnel of profile '{}': {}", profile, printable(reply->error)),
          {}, printable(reply->hint));
    }
    return reply->status;
  } catch (const NotRunning& error) {
    Status status;
    status.profile = profile;
    status.state = error.last_words().empty() ? State::kDown : State::kFailed;
    status.error = error.last_words().empty() ? "its companion is not running" : error.last_words();
    status.hint = error.hint();
    return status;
  }
}

std::vector<std::string> usable_profiles(const Places& places) {
  std::vector<std::string> names = profile::list_profiles(places.profile_folder);
  names.erase(std::remove_if(names.begin(), names.end(),
                             [&](const std::string& name) { return !is_usable(places, name); }),
              names.end());
  return names;
}

}  // namespace vpnrun
