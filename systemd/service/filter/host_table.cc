// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/host_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/format.h"

namespace vpnrun::filter {
namespace {

/// What the table guards, if that is known. No profile's name begins with a dot.
constexpr const char* kGuardRecord = ".guard";

HostElements guard_of(const std::vector<std::string>& uplinks,
                      const std::vector<std::string>& bridges) {
  HostElements elements;
  for (const auto& link : uplinks) {
    elements.insert("guarded " + link);
  }
  for (const auto& link : bridges) {
    elements.insert("bridge " + link);
  }
  return elements;
}

/// Replaces the table of a former version in the same transaction.
std::string without_former(const char* family, const std::string& profile_name) {
  return formatted("table {0} {1}\ndelete table {0} {1}\n", family,
                   former_host_table(profile_name));
}

}  // namespace

HostTable::HostTable(Nft& nft, std::filesystem::path records)
    : nft_(nft), records_(std::move(records)) {}

void HostTable::set(const HostFilter& filter) {
  const HostElements wanted = host_elements(filter);
  HostRest rest = this->rest(filter.profile_name);
  rest.fresh = rest.fresh && is_first_;  // later there is more in it: the limits of flows
  for (const auto& line : wanted) {
    if (line.starts_with("inet links ") && rest.others.contains(line)) {
      throw Error(formatted("the link '{}' belongs to another profile", filter.link),
                  std::make_error_code(std::errc::file_exists));
    }
  }
  std::string commands = host_ruleset(filter, rest);
  if (is_first_) {
    commands = without_former("inet", filter.profile_name) + commands;
  }
  HostElements either = wanted;
  either.insert(rest.former.begin(), rest.former.end());
  if (either != rest.former) {
    records_.write(filter.profile_name, either);
  }
  records_.erase(kGuardRecord);
  nft_.apply(commands);
  number_ = nft_.number_of(kHostTable);
  is_first_ = false;
  records_.note(kGuardRecord, guard_of(filter.guarded_uplinks, filter.guarded_bridges));
  HostElements kept = wanted;
  std::copy_if(rest.former.begin(), rest.former.end(), std::inserter(kept, kept.end()),
               [](const std::string& line) { return line.starts_with("arp "); });
  if (kept != either) {
    records_.note(filter.profile_name, kept);
  }
}

void HostTable::set_arp(const HostFilter& filter) {
  const HostElements wanted = host_elements(filter);
  HostRest rest = this->rest(filter.profile_name);
  // A table that belongs to nobody: whoever else is in it has a record.
  rest.fresh = rest.others.empty();
  nft_.apply(without_former("arp", filter.profile_name) + host_arp_ruleset(wanted, rest));
  records_.note(filter.profile_name, wanted);
}

void HostTable::set_flow_limit(const HostFilter& filter, FlowLimit limit) {
  nft_.apply(without_former("ip", filter.profile_name) + host_flow_ruleset(filter, limit));
}

bool HostTable::has(const std::string& profile_name) {
  return nft_.has_chain(kHostTable, "from-" + profile_name) &&
         (!number_ || nft_.number_of(kHostTable) == number_);
}

bool HostTable::guards(const HostFilter& filter) const {
  return records_.has(kGuardRecord) &&
         records_.read(kGuardRecord) == guard_of(filter.guarded_uplinks, filter.guarded_bridges);
}

void HostTable::remove(const std::string& profile_name,
                       const std::vector<std::string>& guarded_uplinks,
                       const std::vector<std::string>& guarded_bridges) {
  const HostRest rest = this->rest(profile_name);
  if (rest.others.empty()) {
    (void)nft_.remove(kHostTable, "arp");
    (void)nft_.remove(kHostTable);
    records_.erase(kGuardRecord);
  } else if (!rest.former.empty()) {
    records_.erase(kGuardRecord);
    nft_.apply(host_removal(profile_name, rest, guarded_uplinks, guarded_bridges));
    records_.note(kGuardRecord, guard_of(guarded_uplinks, guarded_bridges));
    if (nft_.exists(kHostTable, "arp")) {
      nft_.apply(host_arp_ruleset({}, rest));
    }
  }
  records_.erase(profile_name);
  remove_former(profile_name);
}

void HostTable::remove_former(const std::string& profile_name) {
  const std::string table = former_host_table(profile_name);
  if (nft_.list("list tables").find('"' + table + '"') == std::string::npos) {
    return;
  }
  for (const char* family : {"arp", "ip", "inet"}) {
    (void)nft_.remove(table, family);
  }
}

HostRest HostTable::rest(const std::string& profile_name) const {
  HostRest rest;
  rest.former = records_.read(profile_name);
  rest.others = records_.others(profile_name);
  rest.fresh = rest.others.empty() && rest.former.empty();
  return rest;
}

}  // namespace vpnrun::filter
