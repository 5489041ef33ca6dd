// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/ctl/unit_text.h"

namespace vpnrun {

/// Whose units: the machine's, or the caller's own (`systemctl --user`).
enum class UnitScope : std::uint8_t { kSystem, kUser };

/// Properties as `systemctl show` prints them; several lines of one are joined by '\n'.
using UnitProperties = std::map<std::string, std::string, std::less<>>;

/// The value of `name`; empty if there is none.
[[nodiscard]] std::string property(const UnitProperties& properties, std::string_view name);

/// systemd, by way of systemctl(1): with fixed arguments, without a shell and without PATH.
class ServiceManager {
 public:
  /// `systemctl` is an absolute path; `environment` is null-terminated and outlives the object.
  ServiceManager(UnitScope scope, std::string systemctl, char* const* environment)
      : scope_(scope), systemctl_(std::move(systemctl)), environment_(environment) {}

  [[nodiscard]] UnitScope scope() const noexcept { return scope_; }

  /// What systemd knows about `unit`, also one that does not exist. Throws Error if it cannot be
  /// asked.
  [[nodiscard]] UnitProperties show(const std::string& unit,
                                    const std::vector<std::string>& names) const;

  /// The same of every service that systemd has loaded. Throws Error if it cannot be asked.
  [[nodiscard]] std::vector<UnitProperties> show_services(
      const std::vector<std::string>& names) const;

  /// The units that are ordered before `unit`, directly or by a target, as far as systemd has
  /// loaded them. Throws Error if it cannot be asked.
  [[nodiscard]] std::vector<std::string> units_before(const std::string& unit) const;

  /// systemd's version, the first number of it; the highest there is if it says none. Throws Error
  /// if it cannot be asked.
  [[nodiscard]] int version() const;

  /// Has all unit files read again. Throws Error.
  void reload() const;

  /// Forgets that the units that match `patterns` have failed, and how often they were started.
  /// None that does is no error, nor is it one if systemd cannot be asked.
  void reset_failed(const std::vector<std::string>& patterns) const noexcept;

  /// Starts `unit`, and waits for it. Throws Error.
  void start(const std::string& unit) const;

  /// Restarts `unit` if it runs. Throws Error if it then does not start.
  void restart_if_running(const std::string& unit) const;

  /// "systemctl VERB UNIT" as the caller would type it.
  [[nodiscard]] std::string command(std::string_view verb, const std::string& unit) const;

 private:
  [[nodiscard]] std::vector<std::string> words(const std::string& verb) const;
  void order(const std::string& verb, const std::string& unit, std::string_view failure) const;

  UnitScope scope_;
  std::string systemctl_;
  char* const* environment_;
};

/// A unit as it is without vpnrun.
struct Unit {
  std::string id;                     ///< its name, whichever alias was asked for
  UnitProperties properties;          ///< those that attach looks at
  std::vector<UnitSetting> settings;  ///< of all its files in their order, our own left out
};

/// Whether `properties`, with ActiveState, are those of a unit with processes.
[[nodiscard]] bool is_running(const UnitProperties& properties);

/// Why the unit with `properties` (failure_properties()) does not run as it should: it failed, or
/// waits to be started again. Empty if nothing went wrong.
[[nodiscard]] std::string failure_of(const UnitProperties& properties);
[[nodiscard]] const std::vector<std::string>& failure_properties();

/// `name` with ".service" appended if it has no type yet. Throws Error unless it is the name of a
/// service, and not that of a template.
[[nodiscard]] std::string service_name(const std::string& name);

/// The service `name`, without our own drop-in below `unit_folder` (drop_in_path). Throws Error if
/// there is no such unit, or its files cannot be read.
[[nodiscard]] Unit load_unit(const ServiceManager& manager, const std::string& name,
                             const std::string& unit_folder);

}  // namespace vpnrun
