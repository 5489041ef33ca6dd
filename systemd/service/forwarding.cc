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

}  // namespace

std::vector<std::string> guarded_links(const std::vector<std::string>& links) {
  if (host_forwards()) {
    return {};
  }
  const HostLock lock;
  std::set<std::string> guarded;
  if (fs::exists(records())) {
    for (const auto& entry : fs::directory_iterator(records())) {
      guarded.insert(entry.path().filename());
    }
  }
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
  if (!fs::exists(record)) {
    if (netlink::read_sysctl(setting(link)) == "1") {
      return;
    }
    fs::create_directories(record);
  }
  std::ofstream(record / profile_name).flush();
  write_setting(link, "1");
}

void stop_forwarding_for(const std::string& profile_name) {
  if (!fs::exists(records())) {
    return;
  }
  const HostLock lock;
  std::vector<fs::path> links;
  for (const auto& entry : fs::directory_iterator(records())) {
    links.push_back(entry.path());
  }
  for (const auto& link : links) {
    fs::remove(link / profile_name);
    if (fs::is_empty(link)) {
      if (!host_forwards()) {
        write_setting(link.filename(), "0");
      }
      fs::remove(link);
    }
  }
  if (fs::is_empty(records())) {
    fs::remove(records());
  }
}

}  // namespace vpnrun::service
