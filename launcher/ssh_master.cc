// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ssh_master.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "launcher/launch_environment.h"
#include "launcher/program.h"

namespace vpnrun {
namespace {

using std::string_view;

std::string lower(string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool is_own_socket(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode) && info.st_uid == ::getuid();
}

/// "USER@HOST", with what is not given empty.
struct Destination {
  std::string_view user;
  std::string_view host;
};

Destination parse_destination(string_view text) {
  const std::size_t at = text.rfind('@');
  Destination destination;
  if (at != string_view::npos) {
    destination.user = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  destination.host = text;
  return destination;
}

/// What a command asks for.
struct Wish {
  bool shares_nothing = false;            ///< no connection of somebody else is used
  string_view control_path;               ///< given on the command line; may have '%' in it
  std::vector<Destination> destinations;  ///< empty: not to be seen
};

/// The value of ControlPath in "ControlPath=VALUE" or "ControlPath VALUE"; nullopt: another option.
std::optional<string_view> control_path_in(string_view option) {
  constexpr string_view kName = "controlpath";
  if (lower(option.substr(0, kName.size())) != kName) {
    return std::nullopt;
  }
  option.remove_prefix(kName.size());
  option.remove_prefix(std::min(option.find_first_not_of(" \t="), option.size()));
  return option;
}

bool is_master_option(string_view option) {
  const std::string text = lower(option);
  return text.starts_with("controlmaster") &&
         (text.ends_with("yes") || text.ends_with("ask"));  // a master of its own, or none
}

Destination without_scheme(string_view word) {
  constexpr string_view kScheme = "ssh://";
  if (word.starts_with(kScheme)) {
    word.remove_prefix(kScheme.size());
    word = word.substr(0, word.find('/'));
    word = word.substr(0, word.rfind(':'));
  }
  return parse_destination(word);
}

/// What the option `letter` of ssh says; a user goes to `user`.
void take_ssh_option(char letter, string_view value, Wish& wish, string_view& user) {
  if (letter == 'S') {
    wish.control_path = value;
  } else if (letter == 'l') {
    user = value;
  } else if (letter == 'o') {
    wish.control_path = control_path_in(value).value_or(wish.control_path);
    wish.shares_nothing = wish.shares_nothing || is_master_option(value);
  }
}

/// ssh's own command line, up to the destination.
Wish wish_of_ssh(const std::vector<string_view>& words) {
  constexpr string_view kWithValue = "bceilmopBDEFIJLOPQRSwW";
  constexpr string_view kSharesNothing = "MOQGV";  // a master itself, or no connection at all
  Wish wish;
  string_view user;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const string_view word = words[i];
    if (!word.starts_with('-') || word.size() < 2) {
      wish.destinations.push_back(without_scheme(word));
      break;
    }
    const std::size_t at = std::min(word.find_first_of(kWithValue, 1), word.size());
    const string_view letters = word.substr(1, at);  // the one with a value included
    wish.shares_nothing =
        wish.shares_nothing || letters.find_first_of(kSharesNothing) != string_view::npos;
    if (at < word.size()) {
      const bool is_apart = at + 1 == word.size();
      i += is_apart ? 1 : 0;
      const string_view next = i < words.size() ? words[i] : string_view();
      take_ssh_option(word[at], is_apart ? next : word.substr(at + 1), wish, user);
    }
  }
  wish.shares_nothing = wish.shares_nothing || wish.destinations.empty();
  if (!wish.destinations.empty() && wish.destinations.front().user.empty()) {
    wish.destinations.front().user = user;
  }
  return wish;
}

/// "none" for ssh, however it is said in a command for a shell.
bool says_none(string_view text) {
  const std::string words = lower(text);
  static constexpr std::array<string_view, 4> kWays = {"controlpath=none", "controlpath none",
                                                       "-s none", "-snone"};
  return std::any_of(kWays.begin(), kWays.end(),
                     [&words](string_view way) { return words.find(way) != std::string::npos; });
}

/// git works on what is here, except for these.
bool is_remote_git(const std::vector<string_view>& words) {
  static constexpr std::array<string_view, 8> kRemote = {
      "clone", "fetch", "pull", "push", "remote", "ls-remote", "submodule", "archive"};
  return std::any_of(words.begin(), words.end(), [](string_view word) {
    return std::find(kRemote.begin(), kRemote.end(), word) != kRemote.end();
  });
}

/// Of the programs that call ssh: what looks like HOST:PATH or ssh://HOST is a destination.
Wish wish_of_caller(const std::vector<string_view>& words, char* const* environment) {
  Wish wish;
  const bool is_git = command_name(words.front()) == "git";
  wish.shares_nothing = is_git && !is_remote_git(words);
  for (const char* name : {"GIT_SSH_COMMAND", "RSYNC_RSH"}) {
    const char* value = environment_value(environment, name);
    wish.shares_nothing = wish.shares_nothing || (value != nullptr && says_none(value));
  }
  bool goes_without_ssh = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const string_view word = words[i];
    wish.shares_nothing = wish.shares_nothing || says_none(word);
    if (word.starts_with('-') || word.starts_with('/') || word.find("::") != string_view::npos) {
      continue;
    }
    if (word.starts_with("ssh://") || word.starts_with("sftp://")) {
      const string_view rest = word.substr(word.find("//") + 2);
      wish.destinations.push_back(parse_destination(rest.substr(0, rest.find_first_of(":/"))));
    } else if (word.find("://") != string_view::npos) {
      goes_without_ssh = true;  // https://, rsync://
    } else if (const std::size_t colon = word.find(':');
               colon != string_view::npos && colon < word.find('/')) {
      wish.destinations.push_back(parse_destination(word.substr(0, colon)));
    }
  }
  // Without a remote place rsync and scp copy from here to here; sftp and git may name one
  // otherwise.
  const string_view name = command_name(words.front());
  if (wish.destinations.empty() && (goes_without_ssh || name == "rsync" || name == "scp")) {
    wish.shares_nothing = true;
  }
  if (wish.destinations.empty() && name == "sftp" && words.size() > 1) {
    wish.destinations.push_back(parse_destination(words.back()));
  }
  return wish;
}

bool is_part_of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

/// Whether `path` names the destination, as ControlPath with %h, %r@%h or %r@%h:%p makes it.
bool is_named_after(string_view path, const Destination& destination) {
  const string_view host = destination.host;
  for (std::size_t at = path.find(host); !host.empty() && at != string_view::npos;
       at = path.find(host, at + 1)) {
    const std::size_t end = at + host.size();
    if ((at > 0 && is_part_of_name(path[at - 1])) ||
        (end < path.size() && is_part_of_name(path[end]))) {
      continue;
    }
    const bool has_user = at > 0 && path[at - 1] == '@';
    const string_view before = path.substr(0, has_user ? at - 1 : 0);
    const bool is_user = !has_user || destination.user.empty() ||
                         (before.ends_with(destination.user) &&
                          (before.size() == destination.user.size() ||
                           std::isalnum(static_cast<unsigned char>(
                               before[before.size() - destination.user.size() - 1])) == 0));
    if (is_user) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> ssh_masters(UnixSockets& sockets) {
  constexpr std::size_t kRandom = 16;
  std::vector<std::string> paths;
  for (const std::string& name : sockets.listening()) {
    if (name.size() < kRandom + 2 || name[name.size() - kRandom - 1] != '.' ||
        !std::all_of(name.end() - kRandom, name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; })) {
      continue;
    }
    std::string path = name.substr(0, name.size() - kRandom - 1);
    if (is_own_socket(path)) {
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

std::optional<SshMaster> find_ssh_master(const std::vector<string_view>& words,
                                         char* const* environment, UnixSockets& sockets) {
  const std::vector<std::string> masters = ssh_masters(sockets);
  if (masters.empty()) {
    return std::nullopt;
  }
  const Wish wish = command_name(words.front()) == "ssh" ? wish_of_ssh(words)
                                                         : wish_of_caller(words, environment);
  if (wish.shares_nothing || lower(wish.control_path) == "none") {
    return std::nullopt;
  }
  if (!wish.control_path.empty() && wish.control_path.find('%') == string_view::npos) {
    const bool is_there =
        std::find(masters.begin(), masters.end(), wish.control_path) != masters.end();
    return is_there ? std::optional(SshMaster{true, std::string(wish.control_path)}) : std::nullopt;
  }
  for (const std::string& path : masters) {
    for (const Destination& destination : wish.destinations) {
      if (is_named_after(path, destination)) {
        return SshMaster{true, path};
      }
    }
  }
  return SshMaster{false, masters.front()};
}

}  // namespace vpnrun
