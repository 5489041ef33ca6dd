// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/forwarding.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/sysctl.h"
#include "systemd/service/os/log.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSettings = "/proc/sys/net/ipv4/conf";

std::string setting(const std::string& link) {
  return formatted("net/ipv4/conf/{}/forwarding", link);
}

/// Writing ip_forward sets every interface: whoever did it wants forwarding everywhere.
bool host_forwards() {
  return netlink::read_sysctl("net/ipv4/ip_forward") == "1";
}

void write_setting(const std::string& link, const char* value) {
  const int error = netlink::write_sysctl(setting(link), value);
  if (error != 0 && error != ENOENT) {  // ENOENT: the interface is gone, and the setting with it
    throw_error(error, "cannot set '{}'", setting(link));
  }
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  return names;
}

/// vpnrun 0.1.0 wrote 1 to the setting, and made empty entries; a companion of it may still run, or
/// have been killed.
std::string recorded_value(const fs::path& entry) {
  std::string value;
  std::getline(std::ifstream(entry), value);
  return value.empty() ? "1" : value;
}

/// Interfaces that have our value, also those that have been renamed since they were recorded.
std::vector<std::string> marked_links() {
  std::vector<std::string> links;
  for (const auto& link : names_in(kSettings)) {
    if (netlink::read_sysctl(setting(link)) == kOurForwarding) {
      links.push_back(link);
    }
  }
  return links;
}

/// Forwarding in one network namespace, which the calling thread is in, and its records. To be used
/// with the HostLock held.
///
/// RECORDS/LINK/PROFILE is an entry for each profile that needs LINK to forward, with the value
/// that the profile's companion writes. The folder LINK exists only while forwarding is on there
/// because of us.
class Forwarding {
 public:
  explicit Forwarding(Netns& outer)
      : outer_(outer),
        records_(fs::path(kRuntimeRoot) /
                 (outer.name().empty() ? ".forwarding" : ".forwarding-" + outer.name())) {}

  /// Interfaces that forward because of us. May also be empty while somebody makes or removes the
  /// records.
  [[nodiscard]] std::vector<std::string> recorded_links() const { return names_in(records_); }
  [[nodiscard]] std::vector<std::string> guarded(const std::vector<std::string>& links);
  void start(const std::string& profile_name, const std::string& link);
  void stop(const std::string& profile_name);

 private:
  [[nodiscard]] bool is_ours(const std::string& link, const std::string& value) const;
  void forget(const std::string& link) const;
  void leave_loopback(const std::string& link) const;

  Netns& outer_;
  fs::path records_;
};

/// Whether the setting has this value because of us.
bool Forwarding::is_ours(const std::string& link, const std::string& value) const {
  if (value == kOurForwarding) {
    return true;
  }
  const fs::path folder = records_ / link;
  const auto entries = names_in(folder);
  return value != "0" && !host_forwards() &&
         std::any_of(entries.begin(), entries.end(), [&](const std::string& entry) {
           return recorded_value(folder / entry) == value;
         });
}

void Forwarding::forget(const std::string& link) const {
  std::error_code ignored;  // gone already, or in use for another interface
  fs::remove_all(records_ / link, ignored);
  fs::remove(records_, ignored);
}

/// Removes what 0.1.0 left: it also turned forwarding on for loopback, for an endpoint on the
/// machine itself, which nothing does now.
void Forwarding::leave_loopback(const std::string& link) const {
  if (is_ours(link, netlink::read_sysctl(setting(link)).value_or("0"))) {
    write_setting(link, "0");
  }
  forget(link);
}

std::vector<std::string> Forwarding::guarded(const std::vector<std::string>& links) {
  const auto recorded = recorded_links();
  std::set<std::string> guarded(links.begin(), links.end());
  guarded.insert(recorded.begin(), recorded.end());
  bool renamed = false;
  for (auto link = guarded.begin(); link != guarded.end();) {
    const auto info = netlink::find_link(outer_.socket(), *link);
    const auto value = netlink::read_sysctl(setting(*link));
    const bool is_loopback = info && info->loopback;
    renamed = renamed || !value;
    if (!is_loopback && (!value || value == "0" || is_ours(*link, *value))) {
      ++link;
      continue;
    }
    if (is_loopback) {
      leave_loopback(*link);
    } else if (std::find(recorded.begin(), recorded.end(), *link) != recorded.end()) {
      log::info("forwarding on '{}' is no longer ours: somebody else has switched it on", *link);
      forget(*link);
    }
    link = guarded.erase(link);
  }
  if (renamed) {
    const auto marked = marked_links();
    guarded.insert(marked.begin(), marked.end());
  }
  return {guarded.begin(), guarded.end()};
}

void Forwarding::start(const std::string& profile_name, const std::string& link) {
  const fs::path record = records_ / link;
  const auto value = netlink::read_sysctl(setting(link));
  if (!value || (value != "0" && !is_ours(link, *value))) {
    return;  // gone, or on without us
  }
  std::error_code error;
  fs::create_directories(record, error);
  if (error) {
    throw_error(error.value(), "cannot create '{}'", record.string());
  }
  const auto entries = names_in(record);
  const bool is_recorded = std::find(entries.begin(), entries.end(), profile_name) != entries.end();
  // A companion of 0.1.0 would write its value again whenever this one is changed; so a setting
  // that is shared with one keeps that value.
  const bool is_shared = std::any_of(entries.begin(), entries.end(), [&](const std::string& entry) {
    std::error_code unknown;
    return entry != profile_name && fs::is_empty(record / entry, unknown);
  });
  const std::string wanted = is_shared ? "1" : kOurForwarding;
  if (!is_recorded || recorded_value(record / profile_name) != wanted) {
    std::ofstream(record / profile_name) << wanted << std::flush;
  }
  if (*value == wanted) {
    return;
  }
  try {
    write_setting(link, wanted.c_str());
  } catch (const Error&) {
    // If an earlier companion recorded it, forwarding is on and has to be switched off later.
    if (!is_recorded) {
      std::error_code ignored;  // in use by another profile
      fs::remove(record / profile_name, ignored);
      fs::remove(record, ignored);
      fs::remove(records_, ignored);
    }
    throw;
  }
}

void Forwarding::stop(const std::string& profile_name) {
  for (const auto& name : recorded_links()) {
    const fs::path link = records_ / name;
    const auto value = netlink::read_sysctl(setting(name));
    const bool ours = value && is_ours(name, *value);
    std::error_code ignored;  // gone already, or in use by another profile
    fs::remove(link / profile_name, ignored);
    if (fs::is_empty(link, ignored)) {
      if (ours) {
        write_setting(name, "0");
      }
      fs::remove(link, ignored);
    }
  }
  if (recorded_links().empty()) {
    for (const auto& name : marked_links()) {
      write_setting(name, "0");
    }
  }
  std::error_code ignored;
  fs::remove(records_, ignored);
}

}  // namespace

std::vector<std::string> guarded_links(Netns& outer, const std::vector<std::string>& links) {
  const HostLock lock;
  Forwarding forwarding(outer);
  return outer.run([&] { return forwarding.guarded(links); });
}

void forward_for(Netns& outer, const std::string& profile_name, const std::string& link) {
  const HostLock lock;
  Forwarding forwarding(outer);
  outer.run([&] { forwarding.start(profile_name, link); });
}

void stop_forwarding_for(Netns& outer, const std::string& profile_name) {
  Forwarding forwarding(outer);
  if (forwarding.recorded_links().empty()) {
    return;  // without making /run/vpnrun for the lock
  }
  const HostLock lock;
  outer.run([&] { forwarding.stop(profile_name); });
}

}  // namespace vpnrun::service
