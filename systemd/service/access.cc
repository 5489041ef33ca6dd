// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/access.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <exception>
#include <limits>
#include <optional>
#include <sstream>
#include <utility>

#include "helper/base/runtime_layout.h"
#include "systemd/service/os/accounts.h"
#include "systemd/service/os/log.h"
#include "systemd/service/record.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

/// A directory service that hangs is left, with what has been found up to then.
constexpr std::chrono::seconds kPatience{20};
constexpr std::string_view kUnknown = "unknown";

/// One list of [access].
struct List {
  AccountKind kind;
  const char* key;
  const std::vector<std::string>& names;
  const std::vector<std::string>& places;
  bool (*may_admit)(id_t);
};

/// "home.toml:12:10: [access] users names 'x'".
std::string about(const List& list, std::size_t index) {
  const std::string place = index < list.places.size() ? list.places[index] + ": " : std::string();
  return formatted("{}[access] {} names '{}'", place, list.key, printable(list.names[index]));
}

void add(const List& list, const std::string& profile_name, const FindAccount& find,
         std::set<id_t>& ids, std::vector<Error>& warnings) {
  for (std::size_t i = 0; i < list.names.size(); ++i) {
    const std::string& name = list.names[i];
    const FoundAccount found = find(list.kind, name);
    switch (found.answer) {
      case FoundAccount::Answer::kFound:
        if (!list.may_admit(found.id)) {
          throw Error(about(list, i) + ", whose number is reserved for VPN clients or for nobody",
                      {},
                      formatted("take it out of the profile, or give '{}' another number",
                                printable(name)));
        }
        ids.insert(found.id);
        break;
      case FoundAccount::Answer::kUnknown:
        warnings.emplace_back(
            about(list, i) + ", which does not exist", std::error_code(),
            formatted("'getent {} {}' looks for it; once it is right: vpnrunctl restart {}",
                      list.kind == AccountKind::kUser ? "passwd" : "group", printable(name),
                      profile_name));
        break;
      case FoundAccount::Answer::kNone:
        warnings.emplace_back(
            formatted("{}: it does not admit '{}' for now: {}", about(list, i), printable(name),
                      found.reason),
            std::error_code(),
            formatted("once the directory service answers: vpnrun-tunnel prepare {0}, or "
                      "systemctl reload vpnrun-netns@{0}",
                      profile_name));
        break;
    }
  }
}

std::string answer_to(AccountKind kind, const std::string& name) {
  const FoundAccount found = find_account(kind, name);
  switch (found.answer) {
    case FoundAccount::Answer::kFound:
      return formatted("{}\n", found.id);
    case FoundAccount::Answer::kUnknown:
      return formatted("{}\n", kUnknown);
    case FoundAccount::Answer::kNone:
      break;
  }
  return formatted("! {}\n", printable(found.reason));
}

FoundAccount parse_answer(const std::string& line) {
  if (line == kUnknown) {
    return {.answer = FoundAccount::Answer::kUnknown};
  }
  id_t id = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
  // The last number is no account's: setresuid(2) takes it for "as it is".
  if (error == std::errc{} && end == line.data() + line.size() &&
      id != std::numeric_limits<id_t>::max()) {
    return {.answer = FoundAccount::Answer::kFound, .id = id};
  }
  return {.reason = line.starts_with("! ") ? line.substr(2) : "no answer"};
}

}  // namespace

FoundAccount find_account(AccountKind kind, const std::string& name) {
  try {
    const std::optional<id_t> id = kind == AccountKind::kUser ? find_user(name) : find_group(name);
    return id ? FoundAccount{.answer = FoundAccount::Answer::kFound, .id = *id}
              : FoundAccount{.answer = FoundAccount::Answer::kUnknown};
  } catch (const NotAnswered& error) {
    return {.reason = error.what()};
  }
}

Admitted whom_it_admits(const profile::Access& access, const std::string& profile_name,
                        const FindAccount& find) {
  Admitted admitted;
  add({AccountKind::kUser, "users", access.users, access.user_places, may_admit_user}, profile_name,
      find, admitted.users, admitted.warnings);
  add({AccountKind::kGroup, "groups", access.groups, access.group_places, may_admit_group},
      profile_name, find, admitted.groups, admitted.warnings);
  return admitted;
}

void AccessKeeper::apply(const profile::Profile& profile, const FileMark& file) {
  if (asked_ == file) {
    next_ = [this, profile, file] { ask(profile, file); };
  } else {
    ask(profile, file);
  }
}

void AccessKeeper::ask(const profile::Profile& profile, const FileMark& file) {
  next_ = {};
  std::string question;
  for (const std::string& name : profile.access.users) {
    question += formatted("u {}\n", name);
  }
  for (const std::string& name : profile.access.groups) {
    question += formatted("g {}\n", name);
  }
  try {
    inquiry_.ask(
        {.command = "find-accounts", .input = question, .patience = kPatience, .account = {}},
        [this, profile, file](const std::string& answers) {
          asked_.reset();
          if (!have_changed({file})) {
            apply_now(profile, answers);
          }
          if (const auto next = std::exchange(next_, {})) {
            next();
          }
        });
    asked_ = file;
  } catch (const Error& error) {
    asked_.reset();
    log::failure(error.with_context(formatted("'{}': cannot apply [access]", profile.name)));
  }
}

void AccessKeeper::apply_now(const profile::Profile& profile, const std::string& answers) {
  std::vector<std::string> warnings;
  try {
    std::istringstream lines(answers);  // in the order of the questions
    const Admitted admitted =
        whom_it_admits(profile.access, profile.name, [&lines](AccountKind, const std::string&) {
          std::string line;
          std::getline(lines, line);
          return parse_answer(line);
        });
    admit(directory_, profile.name, admitted);
    tell_helper(directory_, profile);
    for (const Error& warning : admitted.warnings) {
      log::ignored(warning);
      warnings.emplace_back(warning.what());
    }
  } catch (const std::exception& error) {
    const auto* ours = dynamic_cast<const Error*>(&error);
    log::failure((ours != nullptr ? *ours : Error(error.what()))
                     .with_context(formatted("'{}': cannot apply [access]", profile.name)));
    warnings.push_back(formatted("[access] is as it was: {}", error.what()));
  }
  told_(warnings);
}

int find_accounts_main(int input, int output) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = ::read(input, buffer.data(), buffer.size()); got > 0;
       got = ::read(input, buffer.data(), buffer.size())) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  std::istringstream questions(text);
  for (std::string line; std::getline(questions, line);) {
    if (line.size() < 3) {
      return 1;
    }
    const std::string answer =
        answer_to(line.front() == 'g' ? AccountKind::kGroup : AccountKind::kUser, line.substr(2));
    if (::write(output, answer.data(), answer.size()) < 0) {
      return 1;
    }
  }
  return 0;
}

}  // namespace vpnrun::service
