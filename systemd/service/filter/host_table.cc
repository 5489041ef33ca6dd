// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/host_table.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <fstream>
#include <iterator>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/format.h"

namespace vpnrun::filter {
namespace {

namespace fs = std::filesystem;

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

HostTable::HostTable(Nft& nft, fs::path records) : nft_(nft), records_(std::move(records)) {}

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
    write(filter.profile_name, either);
  }
  erase(kGuardRecord);
  nft_.apply(commands);
  is_first_ = false;
  note(kGuardRecord, guard_of(filter.guarded_uplinks, filter.guarded_bridges));
  HostElements kept = wanted;
  std::copy_if(rest.former.begin(), rest.former.end(), std::inserter(kept, kept.end()),
               [](const std::string& line) { return line.starts_with("arp "); });
  if (kept != either) {
    note(filter.profile_name, kept);
  }
}

void HostTable::set_arp(const HostFilter& filter) {
  const HostElements wanted = host_elements(filter);
  HostRest rest = this->rest(filter.profile_name);
  // A table that belongs to nobody: whoever else is in it has a record.
  rest.fresh = rest.others.empty();
  nft_.apply(without_former("arp", filter.profile_name) + host_arp_ruleset(wanted, rest));
  note(filter.profile_name, wanted);
}

void HostTable::set_flow_limit(const HostFilter& filter, FlowLimit limit) {
  nft_.apply(without_former("ip", filter.profile_name) + host_flow_ruleset(filter, limit));
}

bool HostTable::has(const std::string& profile_name) {
  return nft_.has_chain(kHostTable, "from-" + profile_name);
}

bool HostTable::guards(const HostFilter& filter) const {
  std::error_code error;
  return fs::exists(records_ / kGuardRecord, error) &&
         read(kGuardRecord) == guard_of(filter.guarded_uplinks, filter.guarded_bridges);
}

void HostTable::remove(const std::string& profile_name,
                       const std::vector<std::string>& guarded_uplinks,
                       const std::vector<std::string>& guarded_bridges) {
  const HostRest rest = this->rest(profile_name);
  if (rest.others.empty()) {
    (void)nft_.remove(kHostTable, "arp");
    (void)nft_.remove(kHostTable);
    erase(kGuardRecord);
  } else if (!rest.former.empty()) {
    erase(kGuardRecord);
    nft_.apply(host_removal(profile_name, rest, guarded_uplinks, guarded_bridges));
    note(kGuardRecord, guard_of(guarded_uplinks, guarded_bridges));
    if (nft_.exists(kHostTable, "arp")) {
      nft_.apply(host_arp_ruleset({}, rest));
    }
  }
  erase(profile_name);
  std::error_code ignored;  // another profile's record is in it
  fs::remove(records_, ignored);
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

/// Empty if there is none.
HostElements HostTable::read(const std::string& name) const {
  HostElements elements;
  const fs::path path = records_ / name;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    elements.insert(line);
  }
  std::error_code error;
  if (file.bad() || (!file.is_open() && (fs::exists(path, error) || error))) {
    throw_error(error ? error.value() : EIO, "cannot read '{}'", path.string());
  }
  return elements;
}

/// Whole or not at all, at whatever moment this process is killed.
void HostTable::write(const std::string& name, const HostElements& elements) const {
  std::error_code error;
  fs::create_directories(records_, error);
  const fs::path path = records_ / name;
  const fs::path unfinished = records_ / (".new-" + name);
  std::ofstream file(unfinished, std::ios::trunc);
  for (const auto& line : elements) {
    file << line << '\n';
  }
  file.close();
  if (!file) {
    throw_error(error ? error.value() : EIO, "cannot write '{}'", path.string());
  }
  fs::rename(unfinished, path, error);
  if (error) {
    throw_error(error.value(), "cannot write '{}'", path.string());
  }
}

/// After the kernel has accepted a change: a profile's record that still says more does no harm,
/// and a guard that is not known is loaded again.
void HostTable::note(const std::string& name, const HostElements& elements) const noexcept {
  try {
    write(name, elements);
  } catch (const std::exception&) {
    // A full /run will have room again.
  }
}

void HostTable::erase(const std::string& name) const {
  std::error_code error;
  fs::remove(records_ / (".new-" + name), error);
  fs::remove(records_ / name, error);
  if (error) {
    throw_error(error.value(), "cannot remove '{}'", (records_ / name).string());
  }
}

HostRest HostTable::rest(const std::string& profile_name) const {
  HostRest rest;
  rest.former = read(profile_name);
  std::error_code error;
  for (fs::directory_iterator entry(records_, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.front() != '.' && name != profile_name) {
      rest.others.merge(read(name));
    }
  }
  if (error && error.value() != ENOENT) {
    throw_error(error.value(), "cannot read '{}'", records_.string());
  }
  rest.fresh = rest.others.empty() && rest.former.empty();
  return rest;
}

}  // namespace vpnrun::filter
