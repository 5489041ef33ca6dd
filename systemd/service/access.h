// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/profile.h"
#include "systemd/service/file_marks.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/os/inquiry.h"

namespace vpnrun::service {

enum class AccountKind : char { kUser = 'u', kGroup = 'g' };

/// What the machine's user database says about one name.
struct FoundAccount {
  enum class Answer : char { kFound, kUnknown, kNone };
  Answer answer = Answer::kNone;  ///< kNone: nobody answered, `reason` says why
  id_t id = 0;
  std::string reason{};
};
using FindAccount = std::function<FoundAccount(AccountKind kind, const std::string& name)>;

/// By NSS, in this process: for `prepare`, which ends.
[[nodiscard]] FoundAccount find_account(AccountKind kind, const std::string& name);

/// Who may enter a profile, as numbers: one user may have two names.
struct Admitted {
  std::set<id_t> users;
  std::set<id_t> groups;
  std::vector<Error> warnings;  ///< which names are left out, where they stand, and what to do
};

/// Whom `access` admits. A name that does not exist is left out, and so is one about which no
/// directory service answers: at boot it may not be there yet, and that must not keep the machine's
/// own users out. Throws Error for one whose number nobody may be admitted with.
[[nodiscard]] Admitted whom_it_admits(const profile::Access& access,
                                      const std::string& profile_name, const FindAccount& find);

/// Makes [access] true while a companion runs: who is admitted from now on, by the ACL of the
/// profile's directory, and what the record tells the helper. ControlServer hangs up on whoever is
/// not admitted any more; what he has running inside stays there. Names are looked up by a program
/// of its own (Inquiry).
///
/// Whoever is admitted may order that again and again, also who is about to be taken out: an order
/// does not put off what the last one began, unless the profile has been changed since; it begins
/// when that is done.
class AccessKeeper {
 public:
  /// Called each time: what is wrong with [access], a line each; empty: nothing.
  using Told = std::function<void(const std::vector<std::string>& warnings)>;

  /// `directory` is the profile's own, borrowed.
  AccessKeeper(EventLoop& loop, int directory, Told told)
      : directory_(directory), told_(std::move(told)), inquiry_(loop) {}
  /// The same, with a `program` that finds accounts.
  AccessKeeper(EventLoop& loop, int directory, Told told, std::string program)
      : directory_(directory), told_(std::move(told)), inquiry_(loop, std::move(program)) {}

  /// `file` is the profile's, as it was when `profile` was read from it: if it has been changed by
  /// the time that the names are known, nothing is done, since somebody else (`prepare`) may have
  /// applied what it says now. Failures are logged.
  void apply(const profile::Profile& profile, const FileMark& file);

 private:
  void ask(const profile::Profile& profile, const FileMark& file);
  void apply_now(const profile::Profile& profile, const std::string& answers);

  int directory_;
  Told told_;
  Inquiry inquiry_;
  std::optional<FileMark> asked_;  ///< the profile that is at work; its names are being looked up
  std::function<void()> next_;     ///< what was ordered meanwhile
};

/// The program's side: reads "u NAME" and "g NAME" from `input`, a line each, and writes a line for
/// each to `output`, as it finds them: its number, "unknown", or "! REASON". Returns the exit
/// status.
[[nodiscard]] int find_accounts_main(int input, int output);

}  // namespace vpnrun::service
