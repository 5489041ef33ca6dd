// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/client_ids.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "profiles/programs.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/log.h"
#include "systemd/service/os/subordinate_ids.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

namespace fs = std::filesystem;

constexpr id_t kFirst = VPNRUN_FIRST_CLIENT_ID;
constexpr id_t kLast = VPNRUN_LAST_CLIENT_ID;
static_assert(kFirst > 0 && kFirst <= kLast && kLast < 0x80000000U);

/// A directory service that does not answer counts as having no entry in that range.
constexpr int kNssPatienceMs = 5'000;
/// For what was killed to end; the kernel may have a lot to tidy up.
constexpr std::chrono::seconds kEndPatience{5};
constexpr const char* kUserFolder = "/run/userdb";

fs::path records() {
  return fs::path(kRuntimeRoot) / ".ids";
}

std::optional<id_t> number(std::string_view text) {
  id_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(id)
                                                                  : std::nullopt;
}

struct Taken {
  std::set<id_t> all;
  std::optional<id_t> own;
};

Taken taken_by(const std::string& profile_name) {
  Taken taken;
  std::error_code error;
  for (fs::directory_iterator entry(records(), error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code unreadable;
    const auto id = number(entry->path().filename().native());
    if (id && is_client_id(*id)) {
      taken.all.insert(*id);
      if (fs::read_symlink(entry->path(), unreadable) == profile_name) {
        taken.own = *id;
      }
    }
  }
  return taken;
}

/// The numbers in the line of /proc/PID/status that begins with `key`; none if the process is gone.
/// Cheap, because it is called for every process of the machine.
std::vector<id_t> numbers_of(std::string_view status, std::string_view key) {
  std::vector<id_t> ids;
  const auto line = status.find(formatted("\n{}:", key));
  if (line == std::string_view::npos) {
    return ids;
  }
  const char* at = status.data() + line + key.size() + 2;
  const char* const end = status.data() + std::min(status.find('\n', line + 1), status.size());
  while (at < end) {
    id_t id = 0;
    const auto [behind, error] = std::from_chars(at, end, id);
    if (error == std::errc()) {
      ids.push_back(id);
    }
    at = behind + 1;
  }
  return ids;
}

std::string status_of(const fs::path& process) {
  const UniqueFd file(::open((process / "status").c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> part{};
  ssize_t got = 0;
  while (file.ok() && (got = ::read(file.get(), part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

/// The numbers of the range that any process has, as user or group, in whatever namespace.
std::set<id_t> of_processes() {
  std::set<id_t> ids;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (!number(entry->path().filename().native())) {
      continue;
    }
    const std::string status = status_of(entry->path());
    for (const char* key : {"Uid", "Gid", "Groups"}) {
      for (const id_t id : numbers_of(status, key)) {
        if (is_client_id(id)) {
          ids.insert(id);
        }
      }
    }
  }
  return ids;
}

/// Whether its real, effective, saved or file system user is this one.
bool is_users(const fs::path& process, id_t user) {
  const std::vector<id_t> ids = numbers_of(status_of(process), "Uid");
  return std::find(ids.begin(), ids.end(), user) != ids.end();
}

/// Sends SIGKILL to each process of the user, through a pidfd: once that is open the user is
/// checked again, because the process number may have been reused.
std::vector<UniqueFd> kill_processes_of(id_t user) {
  std::vector<UniqueFd> killed;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto pid = number(entry->path().filename().native());
    if (!pid || !is_users(entry->path(), user)) {
      continue;
    }
    UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
    if (process.ok() && is_users(entry->path(), user) &&
        ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0) {
      killed.push_back(std::move(process));
    }
  }
  return killed;
}

/// Whether NSS knows the number by another name than ours. Asks getent(1): NSS modules must neither
/// be loaded into this process nor get anything of it.
bool is_known(const char* database, id_t id) {
  const Account account = look_up_account();
  const UniqueFd entry(::memfd_create("entry", MFD_CLOEXEC));
  if (!entry.ok()) {
    throw_errno("cannot make a file for the answer of {}", kGetent);
  }
  SpawnOptions options;
  options.program = kGetent;
  options.arguments = {database, std::to_string(id)};
  options.environment = {kChildPath, "LC_ALL=C"};
  options.output_fd = entry.get();
  options.drop_privileges = true;
  options.uid = account.uid;
  options.gid = account.gid;
  options.alone = true;
  options.parent_death_signal = SIGKILL;
  const Pidfd child = spawn(options);
  pollfd ended{child.fd(), POLLIN, 0};
  if (::poll(&ended, 1, kNssPatienceMs) <= 0) {
    (void)child.send_signal(SIGKILL);
  }
  if (child.wait() != 0) {
    return false;
  }
  const std::string own = client_name(id) + ':';
  std::array<char, 64> start{};
  const ssize_t got = ::pread(entry.get(), start.data(), start.size(), 0);
  return got < 0 || !std::string_view(start.data(), static_cast<std::size_t>(got)).starts_with(own);
}

/// Writes the records that USER_RECORD.md and GROUP_RECORD.md of systemd describe.
void publish(id_t id) {
  const std::string name = client_name(id);
  const nlohmann::json user = {{"userName", name},
                               {"uid", id},
                               {"gid", id},
                               {"realName", "VPN client"},
                               {"disposition", "system"},
                               {"locked", true},
                               {"homeDirectory", "/"},
                               {"shell", kNologin}};
  const nlohmann::json group = {{"groupName", name}, {"gid", id}, {"disposition", "system"}};
  if (::mkdir(kUserFolder, 0755) != 0 && errno != EEXIST) {
    throw_errno("cannot create '{}'", kUserFolder);
  }
  const UniqueFd folder(::open(kUserFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) {
    throw_errno("cannot open '{}'", kUserFolder);
  }
  for (const auto& [kind, record] : {std::pair("user", &user), std::pair("group", &group)}) {
    const std::string file = formatted("{}.{}", name, kind);
    replace_file(folder.get(), file, record->dump() + "\n");
    const std::string link = formatted("{}.{}", id, kind);
    if (::symlinkat(file.c_str(), folder.get(), link.c_str()) != 0 && errno != EEXIST) {
      throw_errno("cannot create '{}/{}'", kUserFolder, link);
    }
  }
}

/// Removes a record with our name, and a link from the number only if it leads to that record: the
/// number may be somebody else's.
void withdraw(id_t id) noexcept {
  for (const char* kind : {"user", "group"}) {
    const std::string file = formatted("{}.{}", client_name(id), kind);
    const std::string link = formatted("{}/{}.{}", kUserFolder, id, kind);
    std::error_code error;
    if (fs::read_symlink(link, error) == file) {
      (void)::unlink(link.c_str());
    }
    (void)::unlink(formatted("{}/{}", kUserFolder, file).c_str());
  }
  (void)::rmdir(kUserFolder);  // stays if anything else is there
}

/// Removes our own record first: one may be left from a crash. Where /run/userdb is read-only (in
/// the unit of `run`), the record stays, and is_known() recognizes its name.
bool is_somebody_elses(id_t id) {
  withdraw(id);
  return is_known("passwd", id) || is_known("group", id);
}

/// The first range that covers it; null: none does.
const SubordinateIds* covering(const std::vector<SubordinateIds>& given, id_t id) {
  const auto found = std::find_if(given.begin(), given.end(),
                                  [id](const SubordinateIds& ids) { return ids.covers(id); });
  return found == given.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(const SubordinateIds* given) {
  if (given == nullptr) {
    throw Error(formatted("all users for VPN clients are taken, {} to {}", kFirst, kLast), {},
                "release profiles that are not used: vpnrun-tunnel release NAME");
  }
  const bool users = given->file == "/etc/subuid";
  throw Error(
      formatted("no user is free for a VPN client, {} to {}: {}, line {}, gives somebody {} to {}",
                kFirst, kLast, given->file, given->line, given->first,
                given->first + given->count - 1),
      {},
      formatted(
          "give him another range: usermod --del-sub{0}s {1}-{2} --add-sub{0}s FIRST-LAST NAME",
          users ? "uid" : "gid", given->first, given->first + given->count - 1));
}

id_t take_one(const std::string& profile_name, const std::set<id_t>& taken,
              const std::vector<SubordinateIds>& given) {
  const std::set<id_t> running = of_processes();
  const SubordinateIds* in_the_way = nullptr;
  for (id_t id = kFirst; id <= kLast; ++id) {
    if (const auto* ids = covering(given, id)) {
      in_the_way = ids;
      continue;
    }
    if (taken.contains(id) || running.contains(id) || is_somebody_elses(id)) {
      continue;
    }
    std::error_code error;
    fs::create_directory(records(), error);
    fs::permissions(records(), fs::perms::owner_all, error);
    // In one step: a record without a profile's name would belong to nobody.
    if (::symlink(profile_name.c_str(), (records() / std::to_string(id)).c_str()) != 0) {
      throw_errno("cannot record the user of the VPN client in '{}'", records().string());
    }
    return id;
  }
  refuse(in_the_way);
}

void forget(id_t id) {
  withdraw(id);
  if (::unlink((records() / std::to_string(id)).c_str()) != 0) {
    throw_errno("cannot remove the record of user {}", id);
  }
}

}  // namespace

bool is_client_id(id_t id) noexcept {
  return id >= kFirst && id <= kLast;
}

std::string client_name(id_t id) {
  return formatted("vpnrun-client-{}", id);
}

Account take_client_id(const std::string& profile_name, bool in_use) {
  const HostLock lock;
  const Taken taken = taken_by(profile_name);
  std::optional<id_t> own = taken.own;
  const std::vector<SubordinateIds> given = read_subordinate_ids();
  if (own && !in_use && (covering(given, *own) != nullptr || is_somebody_elses(*own))) {
    log::info("the user {} now belongs to somebody else: the VPN client gets another", *own);
    forget(*own);
    own.reset();
  }
  const id_t id = own ? *own : take_one(profile_name, taken.all, given);
  try {
    publish(id);
  } catch (const std::exception& error) {
    // Inside its own root the client has one (client_root.h).
    log::debug("the user {} has no name on this machine: {}", id, error.what());
  }
  return {id, id};
}

void end_processes_of(id_t id) {
  if (!is_client_id(id)) {
    return;
  }
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + kEndPatience;
  for (auto killed = kill_processes_of(id); !killed.empty(); killed = kill_processes_of(id)) {
    for (const UniqueFd& process : killed) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
      pollfd ended{process.get(), POLLIN, 0};
      if (left <= 0 || ::poll(&ended, 1, static_cast<int>(left)) == 0) {
        log::info("{} processes of the user {} do not end", killed.size(), id);
        return;
      }
    }
    log::info("ended {} processes of the user {}, a former VPN client", killed.size(), id);
  }
}

void end_client_processes(const std::string& profile_name) {
  if (const auto own = taken_by(profile_name).own) {
    end_processes_of(*own);
  }
}

void free_client_id(const std::string& profile_name) {
  std::error_code error;
  if (!fs::exists(records(), error)) {
    return;  // without making /run/vpnrun for the lock
  }
  const HostLock lock;
  while (const auto own = taken_by(profile_name).own) {
    forget(*own);
  }
  fs::remove(records(), error);  // stays if another profile's is there
}

}  // namespace vpnrun::service
