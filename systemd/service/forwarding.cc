// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/forwarding.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "profiles/error.h"
#include "systemd/service/netlink/sysctl.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

namespace fs = std::filesystem;

/// /run/vpnrun/.forwarding/LINK/PROFILE: an entry for each profile that needs LINK to forward. The
/// folder LINK exists only while forwarding is on there because of us.
fs::path records() {
  return fs::path(kRuntimeRoot) / ".forwarding";
}

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

/// Interfaces that forward because of us. Empty also while somebody makes or removes the records.
std::vector<std::string> recorded_links() {
  std::vector<std::string> links;
  std::error_code error;
  for (fs::directory_iterator entry(records(), error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    links.push_back(entry->path().filename());
  }
  return links;
}

}  // namespace

std::vector<std::string> guarded_links(const std::vector<std::string>& links) {
  if (host_forwards()) {
    return {};
  }
  const HostLock lock;
  const auto recorded = recorded_links();
  std::set<std::string> guarded(recorded.begin(), recorded.end());
  for (const auto& link : links) {
    if (netlink::read_sysctl(setting(link)) == "0") {
      guarded.insert(link);
    }
  }
  return {guarded.begin(), guarded.end()};
}

void forward_for(const std::string& profile_name, const std::string& link) {
  const HostLock lock;
  const fs::path record = records() / link;
  std::error_code unknown;  // counts as absent
  if (!fs::exists(record, unknown)) {
    if (netlink::read_sysctl(setting(link)) == "1") {
      return;
    }
    std::error_code error;
    fs::create_directories(record, error);
    if (error) {
      throw_error(error.value(), "cannot create '{}'", record.string());
    }
  }
  const bool is_recorded = fs::exists(record / profile_name, unknown);
  std::ofstream(record / profile_name).flush();
  try {
    write_setting(link, "1");
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
    std::error_code ignored;  // what is gone, or in use by another profile, stays so
    fs::remove(link / profile_name, ignored);
    if (fs::is_empty(link, ignored)) {
      if (!host_forwards()) {
        write_setting(name, "0");
      }
      fs::remove(link, ignored);
    }
  }
  std::error_code ignored;
  fs::remove(records(), ignored);
}

}  // namespace vpnrun::service
