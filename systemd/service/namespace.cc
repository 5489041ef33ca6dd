// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/namespace.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "helper/base/open_at.h"
#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "systemd/service/client/client_ids.h"
#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/named_namespaces.h"
#include "systemd/service/names/covered_folders.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/names/own_name.h"
#include "systemd/service/names/run_folder.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/accounts.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/log.h"
#include "systemd/service/os/mount_points.h"
#include "systemd/service/record.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

FileId id_of(int fd, std::string_view what) {
  FileId id;
  if (!file_id(fd, id)) {
    throw_errno("cannot examine {}", what);
  }
  return id;
}

/// Names that are mounted in a private mount namespace cannot be seen from anywhere else: neither
/// `ip netns` nor the applications' helper would find them. Units with PrivateMounts=, or a setting
/// that implies it, have such a namespace.
void refuse_private_mount_namespace() {
  const UniqueFd own(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  const UniqueFd first(::open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (own.ok() && first.ok() && id_of(own.get(), "mnt") != id_of(first.get(), "mnt")) {
    throw Error("cannot name namespaces from a private mount namespace", {},
                "run this outside of containers, and in a unit without PrivateMounts=, "
                "ProtectSystem=, PrivateTmp= and the like");
  }
}

/// `prepare` and `release` end soon: see NftPlace.
constexpr filter::NftPlace kLeft = filter::NftPlace::kLeft;

/// Settings to be copied from the host: in a new namespace they have the kernel's defaults.
constexpr const char* kCopiedSettings[] = {
    "net/ipv4/ping_group_range",            // or plain ping(8) fails
    "net/ipv4/ip_unprivileged_port_start",  // or daemons that listen on 80 work only outside
};

/// Make the kernel ignore a route through a device without carrier: when the VPN client dies,
/// lookups fail at once even if no process of ours is alive to remove the route.
constexpr const char* kLinkDownSettings[] = {
    "net/ipv4/conf/all/ignore_routes_with_linkdown",
    "net/ipv4/conf/default/ignore_routes_with_linkdown",
    "net/ipv6/conf/all/ignore_routes_with_linkdown",
    "net/ipv6/conf/default/ignore_routes_with_linkdown",
};

void set_sysctl(const Netns& netns, const std::string& name, const std::string& value) {
  const int error = netns.write_sysctl(name, value);
  if (error != 0 && error != ENOENT) {  // ENOENT: no IPv6 in this kernel
    throw_error(error, "cannot set '{}'", name);
  }
}

/// Makes the profile's network namespace and binds it to its entry. Sealed before anything is in
/// it: a new namespace has only `lo`, which is down.
void make_netns(const std::string& profile_name) {
  const Netns host = Netns::here(kLeft);
  Netns made = Netns::fresh(profile_name, kLeft);
  made.nft().apply(filter::seal_ruleset());
  for (const char* setting : kLinkDownSettings) {
    set_sysctl(made, setting, "1");
  }
  for (const char* setting : kCopiedSettings) {
    if (const auto value = host.read_sysctl(setting)) {
      set_sysctl(made, setting, *value);
    }
  }
  if (const auto loopback = netlink::find_link(made.socket(), "lo")) {
    netlink::LinkChange up;
    up.up = true;
    (void)netlink::change_link(made.socket(), loopback->index, up);
  }
  bind_file(formatted("/proc/self/fd/{}", made.fd()), runtime_path(profile_name, kNetnsEntry));
}

/// Applications may have been running in it for days, and somebody may have removed the seal.
void mend_seal(Netns& inside) {
  if (!inside.nft().exists(filter::kInsideTable)) {
    log::warn("the filter of the namespace was gone; sealing it again");
    inside.nft().apply(filter::seal_ruleset());
  }
}

/// Empty if there is no such file.
std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write_generated_files(const std::string& profile_name) {
  make_folder(runtime_path(profile_name, kEtcEntry));
  const UniqueFd etc(
      ::open(runtime_path(profile_name, kEtcEntry).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!etc.ok()) {
    throw_errno("cannot open '{}'", runtime_path(profile_name, kEtcEntry));
  }
  if (::faccessat(etc.get(), "resolv.conf", F_OK, 0) != 0) {
    write_resolv_conf(etc.get(), resolv_conf_text({}, {}));
  }
  const auto own = has_myhostname_module() ? OwnNameSource::kModule : OwnNameSource::kFiles;
  const auto write = [&](const char* name, const std::string& wanted) {
    if (text_of(runtime_path(profile_name, kEtcEntry) + '/' + name) !=
        wanted) {  // if it is unchanged, the view's bind of it stays valid
      replace_file(etc.get(), name, wanted);
    }
  };
  write("nsswitch.conf", nsswitch_text(text_of("/etc/nsswitch.conf"), own));
  if (own == OwnNameSource::kFiles) {
    const std::string machines = text_of("/etc/hosts");
    if (const std::string hosts = hosts_text(machines, own_name()); hosts != machines) {
      write("hosts", hosts);
      return;
    }
  }
  if (::unlinkat(etc.get(), "hosts", 0) != 0 && errno != ENOENT) {
    throw_errno("cannot remove the profile's '{}'", "hosts");
  }
}

/// The kernel lets a mount namespace be bound only below a mount that is not shared; so the entry
/// becomes a mount of its own.
void make_private_mount_point(const std::string& entry) {
  unmount_all(entry);
  make_mount_point(entry);
  if (::mount(entry.c_str(), entry.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      ::mount(nullptr, entry.c_str(), nullptr, MS_PRIVATE, nullptr) != 0) {
    throw_errno("cannot set up '{}'", entry);
  }
}

/// Makes a view on `cpu` (nullopt: anywhere) and binds it to `entry`. Returns false on EINVAL.
bool try_view(const std::string& profile_name, int netns_fd, const std::string& entry,
              std::optional<int> cpu) {
  const ViewSources sources = view_sources(profile_name);
  const HeldChild child([&sources, netns_fd, cpu] {
    if (cpu) {
      cpu_set_t only;
      CPU_ZERO(&only);
      CPU_SET(static_cast<std::size_t>(*cpu), &only);
      (void)::sched_setaffinity(0, sizeof only,
                                &only);  // if this fails, this try is like the first one
    }
    if (::setns(netns_fd, CLONE_NEWNET) != 0) {
      throw_errno("cannot join the network namespace");
    }
    build_view(sources);
  });
  const std::string source = child.proc_path() + "/ns/mnt";
  if (::mount(source.c_str(), entry.c_str(), nullptr, MS_BIND, nullptr) == 0) {
    return true;
  }
  if (errno != EINVAL) {
    throw_errno("cannot bind '{}'", entry);
  }
  return false;
}

/// Makes a view and binds it to the profile's entry.
///
/// The kernel lets a mount namespace be bound only in an older one, and some kernels (observed:
/// 6.18) compare ages by a number that each CPU takes from a range of its own: a new namespace that
/// was made on another CPU than ours may count as older (EINVAL). On the CPU where ours was made it
/// never does, so each CPU is tried. The first namespace of a system always counts as the oldest.
void make_view(const std::string& profile_name, int netns_fd) {
  const std::string entry = runtime_path(profile_name, kViewEntry);
  make_private_mount_point(entry);
  if (try_view(profile_name, netns_fd, entry, std::nullopt)) {
    return;
  }
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &usable) &&
          try_view(profile_name, netns_fd, entry, cpu)) {
        return;
      }
    }
  }
  throw_error(EINVAL, "cannot bind '{}'", entry);
}

/// The mount namespace with this identity, if it is ours or that of process 1. Throws Error.
UniqueFd open_host(const FileId& wanted) {
  for (const char* path : {"/proc/self/ns/mnt", "/proc/1/ns/mnt"}) {
    UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
    if (fd.ok() && id_of(fd.get(), path) == wanted) {
      return fd;
    }
  }
  throw Error("cannot find the mount namespace in which the profile was prepared", {},
              "prepare it and run it in the same place: both outside of containers");
}

/// The profile's directory as process 1 sees it or, if that cannot be reached, as we see it: a copy
/// of a mount namespace lacks the mount namespaces that were bound in the original, so a unit with
/// mounts of its own does not see the view's entry.
UniqueFd open_host_directory(const std::string& profile_name) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const std::string path = runtime_path(profile_name);
  UniqueFd directory(::open(("/proc/1/root" + path).c_str(), kFlags));
  return directory.ok() ? std::move(directory) : UniqueFd(::open(path.c_str(), kFlags));
}

/// Whether the existing view was copied from the namespaces that we are in now; `origin` is then
/// its record, which may be of an earlier version. The host's network namespace does not count:
/// nothing in a view comes from it.
bool view_is_good(const UniqueFd& directory, int netns_fd, const Standpoint& here, Origin& origin) {
  if (!read_record(directory.get(), origin)) {
    return false;
  }
  Standpoint there = origin.host;
  there.network_namespace = here.network_namespace;
  const UniqueFd view = open_namespace_at(directory.get(), kViewEntry, CLONE_NEWNS);
  return view.ok() && there == here && origin.view == id_of(view.get(), kViewEntry) &&
         origin.netns == id_of(netns_fd, kNetnsEntry);
}

void record_namespaces(const UniqueFd& directory, int netns_fd, const Standpoint& here,
                       const profile::Profile& profile) {
  Origin origin;
  const UniqueFd view = open_namespace_at(directory.get(), kViewEntry, CLONE_NEWNS);
  if (!view.ok()) {
    throw_errno("cannot record where the view comes from");
  }
  origin.host = here;
  origin.netns = id_of(netns_fd, kNetnsEntry);
  origin.view = id_of(view.get(), kViewEntry);
  write_record(directory.get(), origin, profile);
}

void prepare_locked(const profile::Profile& profile) {
  const UniqueFd directory = make_profile_directory(profile.name, profile.access);
  UniqueFd netns = open_namespace_at(directory.get(), kNetnsEntry, CLONE_NEWNET);
  if (netns.ok()) {
    Netns inside(netns.dup_cloexec(), profile.name, kLeft);
    mend_seal(inside);
  } else {
    make_netns(profile.name);
    netns = open_namespace_at(directory.get(), kNetnsEntry, CLONE_NEWNET);
    if (!netns.ok()) {
      throw_errno("cannot open the network namespace just made");
    }
  }
  name_namespace(profile.name, netns.get());
  set_host_name(profile.name, directory.get(), profile.network_namespace.name_host);
  write_generated_files(profile.name);
  Standpoint here;
  if (!current_standpoint(here)) {
    throw_errno("cannot tell from where the profile is prepared");
  }
  Origin origin;
  if (view_is_good(directory, netns.get(), here, origin)) {
    // Recorded first, so that no later failure leaves a record that allows more than the profile
    // does.
    if (origin.host != here || !says_the_same(origin, profile)) {
      record_namespaces(directory, netns.get(), here, profile);
    }
    renew_overlays(open_prepared(profile.name), profile.name);
  } else {
    make_view(profile.name, netns.get());
    record_namespaces(directory, netns.get(), here, profile);
  }
}

void remove_names(const std::string& profile_name) {
  // The names are removed before the entry that they are compared with, so that an interrupted call
  // can be repeated.
  const UniqueFd directory = open_profile_directory(profile_name);
  if (directory.ok()) {
    const UniqueFd own = open_namespace_at(directory.get(), kNetnsEntry, CLONE_NEWNET);
    if (own.ok()) {
      unname_namespace(profile_name, own.get());
    }
    set_host_name(profile_name, directory.get(), {});
  }
  unmount_all(runtime_path(profile_name, kViewEntry));
  unmount_all(runtime_path(profile_name, kNetnsEntry));
  remove_profile_directory(profile_name);
  remove_named_folder();
}

}  // namespace

ViewSources view_sources(const std::string& profile_name) {
  return {runtime_path(profile_name, kEtcEntry), "/etc/netns/" + profile_name};
}

PreparedNamespaces open_prepared(const std::string& profile_name) {
  PreparedNamespaces result;
  Origin origin;
  result.directory = open_profile_directory(profile_name);
  if (result.directory.ok() && read_record(result.directory.get(), origin)) {
    result.host = open_host(origin.host.mount_namespace);
    const UniqueFd entries = open_host_directory(profile_name);
    result.netns = open_namespace_at(entries.get(), kNetnsEntry, CLONE_NEWNET);
    result.view = open_namespace_at(entries.get(), kViewEntry, CLONE_NEWNS);
  }
  if (!result.netns.ok() || !result.view.ok()) {
    throw Error(
        formatted("the profile '{}' is not prepared", profile_name),
        std::error_code(ENOENT, std::generic_category()),
        formatted(VPNRUN_LIBEXECDIR "/vpnrun-tunnel prepare {0}, or: systemctl start vpnrun@{0}",
                  profile_name));
  }
  return result;
}

std::unique_ptr<Netns> open_network(const std::string& profile_name, filter::NftPlace place) {
  const UniqueFd entries = open_host_directory(profile_name);
  UniqueFd netns =
      entries.ok() ? open_namespace_at(entries.get(), kNetnsEntry, CLONE_NEWNET) : UniqueFd();
  return netns.ok() ? std::make_unique<Netns>(std::move(netns), profile_name, place) : nullptr;
}

void renew_overlays(const PreparedNamespaces& namespaces, const std::string& profile_name) {
  write_generated_files(profile_name);
  const ViewSources sources = view_sources(profile_name);
  const int view_fd = namespaces.view.get();
  const int host_fd = namespaces.host.get();
  run_in_child({{CAP_SYS_ADMIN, CAP_SYS_CHROOT}, {host_fd, view_fd}}, [&sources, host_fd, view_fd] {
    follow_run_folder(host_fd, view_fd);
    std::exception_ptr failure;
    try {
      cover_folders();
    } catch (const Error&) {
      failure = std::current_exception();  // this must not keep the overlays from being laid
    }
    lay_overlays(sources);  // its sources are in the view at the same paths, below /run
    if (failure) {
      std::rethrow_exception(failure);
    }
  });
}

void prepare_namespaces(const profile::Profile& profile) {
  refuse_private_mount_namespace();
  (void)look_up_account();  // so that it fails before anything is made
  ProfileLock lock(profile.name);
  const bool fresh = !open_profile_directory(profile.name).ok();
  try {
    (void)take_client_id(profile.name, RunLock::holder(profile.name).has_value());
    prepare_locked(profile);
  } catch (const std::exception&) {
    if (fresh) {
      try {
        remove_names(profile.name);
        free_client_id(profile.name);
      } catch (const std::exception& error) {
        log::ignored(error);
      }
      lock.remove_file();
    }
    throw;
  }
}

void release_namespaces(const std::string& profile_name) {
  ProfileLock lock(profile_name);
  const UniqueFd directory = open_profile_directory(profile_name);
  if (directory.ok()) {
    UniqueFd netns = open_namespace_at(directory.get(), kNetnsEntry, CLONE_NEWNET);
    if (netns.ok()) {
      // Applications that are still inside keep the namespace alive: seal it for good.
      Netns inside(std::move(netns), profile_name, kLeft);
      inside.nft().apply(filter::inside_ruleset({}));
      (void)netlink::delete_link(inside.socket(), filter::kTunnelDevice);
    }
  }
  remove_names(profile_name);
  free_client_id(profile_name);
  RunLock::remove_file(profile_name);
  lock.remove_file();
}

}  // namespace vpnrun::service
