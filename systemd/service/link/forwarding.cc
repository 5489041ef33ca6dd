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

/// /run/vpnrun/.forwarding/LINK/PROFILE: an entry for each profile that needs LINK to forward, with
/// the value that it takes for ours. The folder LINK exists only while forwarding is on there
/// because of us.
fs::path records() {
  return fs::path(kRuntimeRoot) / ".forwarding";
}

constexpr const char* kSettings = "/proc/sys/net/ipv4/conf";

std::string setting(const std::string& link) {
  return fmt::format("net/ipv4/conf/{}/forwarding", link);
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

/// Interfaces that forward because of us. Empty also while somebody makes or removes the records.
std::vector<std::string> recorded_links() {
  return names_in(records());
}

/// vpnrun 0.1.0 wrote 1, and empty entries; a companion of it may still run, or have been killed.
std::string recorded_value(const fs::path& entry) {
  std::string value;
  std::getline(std::ifstream(entry), value);
  return value.empty() ? "1" : value;
}

/// Whether the setting's value is there because of us.
bool is_ours(const std::string& link, const std::string& value) {
  if (value == kOurForwarding) {
    return true;
  }
  const fs::path folder = records() / link;
  const auto entries = names_in(folder);
  return value != "0" && !host_forwards() &&
         std::any_of(entries.begin(), entries.end(), [&](const std::string& entry) {
           return recorded_value(folder / entry) == value;
         });
}

/// With our value, and under a name that is not recorded: renamed since.
std::vector<std::string> marked_links() {
  std::vector<std::string> links;
  for (const auto& link : names_in(kSettings)) {
    if (netlink::read_sysctl(setting(link)) == kOurForwarding) {
      links.push_back(link);
    }
  }
  return links;
}

void forget(const std::string& link) {
  std::error_code ignored;  // what is gone, or in use for another interface, stays so
  fs::remove_all(records() / link, ignored);
  fs::remove(records(), ignored);
}

/// Loopback is forwarded for by nobody; 0.1.0 did, for an endpoint on the machine itself.
void leave_loopback(const std::string& link) {
  if (is_ours(link, netlink::read_sysctl(setting(link)).value_or("0"))) {
    write_setting(link, "0");
  }
  forget(link);
}

}  // namespace

std::vector<std::string> guarded_links(netlink::Socket& host,
                                       const std::vector<std::string>& links) {
  const HostLock lock;
  const auto recorded = recorded_links();
  std::set<std::string> guarded(links.begin(), links.end());
  guarded.insert(recorded.begin(), recorded.end());
  bool renamed = false;
  for (auto link = guarded.begin(); link != guarded.end();) {
    const auto info = netlink::find_link(host, *link);
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
      log::info("forwarding on '{}' is not ours any more: somebody else has switched it on", *link);
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

void forward_for(const std::string& profile_name, const std::string& link) {
  const HostLock lock;
  const fs::path record = records() / link;
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
  // A companion of 0.1.0 writes its value at each change of this one.
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
    // What an earlier life recorded is on, and has to be taken back one day.
    if (!is_recorded) {
      std::error_code ignored;  // in use by another profile
      fs::remove(record / profile_name, ignored);
      fs::remove(record, ignored);
      fs::remove(records(), ignored);
    }
    throw;
  }
}

void stop_forwarding_for(const std::string& profile_name) {
  if (recorded_links().empty()) {
    return;  // without making /run/vpnrun for the lock
  }
  const HostLock lock;
  for (const auto& name : recorded_links()) {
    const fs::path link = records() / name;
    const auto value = netlink::read_sysctl(setting(name));
    const bool ours = value && is_ours(name, *value);
    std::error_code ignored;  // what is gone, or in use by another profile, stays so
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
  fs::remove(records(), ignored);
}

}  // namespace vpnrun::service
