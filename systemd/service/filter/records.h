// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace vpnrun::filter {

/// What profiles have in a table that they share: a file of lines for each of them in one folder.
/// No profile's name begins with a dot; names that do are for other records, which others() leaves
/// out. Unless a call says otherwise, it throws Error.
class Records {
 public:
  using Lines = std::set<std::string>;

  explicit Records(std::filesystem::path folder);

  /// Empty if there is none.
  [[nodiscard]] Lines read(const std::string& name) const;
  /// What all profiles but this one have.
  [[nodiscard]] Lines others(const std::string& profile_name) const;
  [[nodiscard]] bool has(const std::string& name) const noexcept;
  /// Whole or not at all, at whatever moment this process is killed. Makes the folder.
  void write(const std::string& name, const Lines& lines) const;
  /// As write(), for what does no harm if it stays as it is while the disk is full.
  void note(const std::string& name, const Lines& lines) const noexcept;
  /// Removes the record, if there is one, and the folder, once it is empty.
  void erase(const std::string& name) const;

 private:
  [[nodiscard]] std::filesystem::path path(const std::string& name) const;

  std::filesystem::path folder_;
};

}  // namespace vpnrun::filter
