// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/hand_over.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <exception>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "launcher/launch_environment.h"
#include "launcher/read_file.h"
#include "launcher/ssh_master.h"
#include "profiles/base/error.h"
#include "profiles/base/format.h"

namespace vpnrun {
namespace {

using std::string_view;

struct Found {
  bool certain = true;
  std::string who;  ///< "its server, process 42,"
};

struct Entry;

/// What a finder may look at.
struct Search {
  const Entry& entry;
  std::vector<string_view> words;  ///< the command's, its name first
  char* const* environment;
  UnixSockets& sockets;
  const OwnProcesses& processes;
};

using Finder = std::optional<Found> (*)(Search& search);

/// One kind of command. The sentence is: it would DO WHO, outside the tunnel.
struct Entry {
  string_view commands;  ///< names, with blanks between and around them
  Finder find;
  string_view to_do;
  string_view hint;
  string_view look_for = {};  ///< names of processes, as above
  string_view unless = {};    ///< words of the command with which it does its work itself
  /// If not empty: those are options, which end where the command of somebody else begins; these
  /// have their value in the next word.
  string_view with_value = {};
};

std::string value_of(const Search& search, string_view name, string_view otherwise = {}) {
  const char* value = environment_value(search.environment, name);
  return std::string(value == nullptr || *value == '\0' ? otherwise : string_view(value));
}

bool is_in(string_view list, string_view word) {
  for (std::size_t at = list.find(word); !word.empty() && at != string_view::npos;
       at = list.find(word, at + 1)) {
    if (at > 0 && list[at - 1] == ' ' && list.substr(at + word.size()).starts_with(' ')) {
      return true;
    }
  }
  return false;
}

bool has_word(const Search& search, string_view list) {
  const string_view with_value = search.entry.with_value;
  for (std::size_t i = 1; i < search.words.size(); ++i) {
    const string_view word = search.words[i];
    if (is_in(list, word)) {
      return true;
    }
    if (!with_value.empty() && (!word.starts_with('-') || word == "--")) {
      return false;  // what follows is the other command's
    }
    if (is_in(with_value, word)) {
      ++i;
    }
  }
  return false;
}

/// The value of an option of one letter, "-LNAME" or "-L NAME", or of a long one, "--name=NAME" or
/// "--name NAME", before the first word that is no option; the last one counts. `with_value`: the
/// letters of all options that take one.
std::string option_value(const Search& search, char letter, string_view name,
                         string_view with_value) {
  std::string value;
  for (std::size_t i = 1; i < search.words.size(); ++i) {
    const string_view word = search.words[i];
    const string_view next = i + 1 < search.words.size() ? search.words[i + 1] : string_view();
    if (word.size() < 2 || word.front() != '-' || word == "--") {
      break;
    }
    if (word == name) {
      value = next;
      ++i;
    } else if (!name.empty() && word.starts_with(name) &&
               word.substr(name.size()).starts_with('=')) {
      value = word.substr(name.size() + 1);
    } else if (word[1] != '-' && with_value.find(word[1]) != string_view::npos) {
      const bool is_apart = word.size() == 2;
      if (word[1] == letter) {
        value = is_apart ? next : word.substr(2);
      }
      i += is_apart ? 1 : 0;
    }
  }
  return value;
}

/// The same with no link on the way to its folder: a server may have bound it by that name.
std::string by_real_folder(const std::string& path) {
  std::error_code absent;
  const std::filesystem::path whole = std::filesystem::absolute(path, absent);
  const auto folder = std::filesystem::canonical(whole.parent_path(), absent);
  return absent ? path : (folder / whole.filename()).string();
}

std::optional<Found> server_at(const std::string& path, Search& search) {
  if (!search.sockets.listens(path) && !search.sockets.listens(by_real_folder(path))) {
    return std::nullopt;
  }
  return Found{true, formatted("the server at '{}'", printable(path))};
}

// --- finders ---

std::optional<Found> always(Search& /*search*/) {
  return Found{true, {}};
}

std::optional<Found> running_instance(Search& search) {
  string_view names = search.entry.look_for;
  while (!names.empty()) {
    names.remove_prefix(std::min(names.find_first_not_of(' '), names.size()));
    const string_view name = names.substr(0, names.find(' '));
    names.remove_prefix(name.size());
    if (name.empty()) {
      break;
    }
    if (const auto pid = search.processes.find_outside(name)) {
      return Found{true, formatted("the one that is open already, process {}", *pid)};
    }
  }
  return std::nullopt;
}

std::optional<Found> tmux_server(Search& search) {
  if (has_word(search, " -V ")) {
    return std::nullopt;
  }
  constexpr string_view kWithValue = "cfLST";
  std::string path = option_value(search, 'S', {}, kWithValue);
  if (path.empty()) {
    const std::string folder =
        formatted("{}/tmux-{}", value_of(search, "TMUX_TMPDIR", "/tmp"), ::getuid());
    const std::string label = option_value(search, 'L', {}, kWithValue);
    const std::string current = value_of(search, "TMUX");  // PATH,PID,SESSION
    path = !label.empty()    ? folder + "/" + label
           : current.empty() ? folder + "/default"
                             : current.substr(0, current.find(','));
  }
  return server_at(path, search);
}

/// Only who goes back to a session is in an old one; a new one has a new server.
std::optional<Found> screen_session(Search& search) {
  std::string wanted;
  bool goes_back = false;
  for (std::size_t i = 1; i < search.words.size(); ++i) {
    const string_view word = search.words[i];
    const bool is_back = word.starts_with('-') && !word.starts_with("--") &&
                         word.find_first_of("rRx", 1) != string_view::npos;
    goes_back = goes_back || is_back;
    if (is_back && i + 1 < search.words.size() && !search.words[i + 1].starts_with('-')) {
      wanted = search.words[i + 1];
    }
  }
  const std::string folder =
      value_of(search, "SCREENDIR",
               "/run/screen/S-" + value_of(search, "LOGNAME", value_of(search, "USER")));
  for (const std::string& name : search.sockets.listening()) {
    if (goes_back && name.starts_with(folder + "/") && name.find(wanted) != std::string::npos) {
      return Found{true, formatted("the session at '{}'", printable(name))};
    }
  }
  return std::nullopt;
}

std::optional<Found> emacs_server(Search& search) {
  std::string name = option_value(search, 's', "--socket-name", "sadFfTp");
  if (name.empty()) {
    name = value_of(search, "EMACS_SOCKET_NAME", "server");
  }
  if (name.starts_with('/')) {
    return server_at(name, search);
  }
  for (const std::string& folder :
       {value_of(search, "XDG_RUNTIME_DIR") + "/emacs",
        formatted("{}/emacs{}", value_of(search, "TMPDIR", "/tmp"), ::getuid())}) {
    if (auto found = server_at(formatted("{}/{}", folder, name), search)) {
      return found;
    }
  }
  return std::nullopt;
}

std::optional<Found> podman_pause(Search& search) {
  constexpr std::size_t kMostBytes = 64;
  const auto text = [&search]() -> std::optional<std::string> {
    try {
      return read_file(value_of(search, "XDG_RUNTIME_DIR") + "/libpod/tmp/pause.pid", kMostBytes);
    } catch (const std::exception&) {
      return std::nullopt;  // what is not known is not told
    }
  }();
  pid_t pid = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), pid).ec != std::errc{} ||
      !search.processes.is_outside(pid)) {
    return std::nullopt;
  }
  return Found{false, formatted("its pause process {}", pid)};
}

/// wineserver(1) makes the sockets of all programs of a prefix. It stands in a folder that is named
/// after the prefix's device and inode.
std::optional<Found> wine_server(Search& search) {
  const std::string prefix = value_of(search, "WINEPREFIX", value_of(search, "HOME") + "/.wine");
  struct stat info {};
  if (::stat(prefix.c_str(), &info) != 0) {
    return std::nullopt;
  }
  const std::string folder = formatted("/.wine-{}/server-{:x}-{:x}", ::getuid(),
                                       static_cast<unsigned long long>(info.st_dev),
                                       static_cast<unsigned long long>(info.st_ino));
  for (const char* name : {"wineserver", "wineserver64", "wineserver32"}) {
    if (const auto pid = search.processes.find_outside(name, folder)) {
      return Found{true, formatted("the prefix's wineserver, process {}", *pid)};
    }
  }
  return std::nullopt;
}

/// What asks key servers is dirmngr(8), which listens in the runtime folder or in gpg's own; with
/// a GNUPGHOME of its own at a name that only gpg can work out.
std::optional<Found> key_fetcher(Search& search) {
  constexpr string_view kAsks =
      " --recv-keys --receive-keys --recv-key --search-keys --refresh-keys --send-keys "
      "--fetch-keys --locate-keys --locate-external-keys ";
  constexpr string_view kSocket = "/S.dirmngr";
  if (!has_word(search, kAsks)) {
    return std::nullopt;
  }
  const std::string run = value_of(search, "XDG_RUNTIME_DIR") + "/gnupg";
  const std::string own = value_of(search, "GNUPGHOME");
  const std::string home = own.empty() ? value_of(search, "HOME") + "/.gnupg" : own;
  for (const std::string& name : search.sockets.listening()) {
    const bool is_certain =
        name == home + std::string(kSocket) || (own.empty() && name == run + std::string(kSocket));
    const bool may_be = !own.empty() && name.starts_with(run + "/") && name.ends_with(kSocket);
    if (is_certain || may_be) {
      return Found{is_certain, formatted("dirmngr at '{}'", printable(name))};
    }
  }
  return std::nullopt;
}

/// Places that are no files are reached by the daemons of the session.
std::optional<Found> session_mounts(Search& search) {
  const bool is_place =
      std::any_of(search.words.begin() + 1, search.words.end(), [](string_view word) {
        return word.find("://") != string_view::npos && !word.starts_with("file://");
      });
  return is_place ? std::optional(Found{true, {}}) : std::nullopt;
}

/// Wherever it is: they have no other way.
std::optional<Found> container_daemon(Search& /*search*/) {
  return Found{false, "the machine's daemon"};
}

/// A client of a machine that is reached by the network goes through the tunnel.
std::optional<Found> docker_daemon(Search& search) {
  constexpr string_view kWithValue = "Hcl";
  std::string host = option_value(search, 'H', "--host", kWithValue);
  host = host.empty() ? value_of(search, "DOCKER_HOST") : host;
  const bool has_context =
      !(option_value(search, 'c', "--context", kWithValue) + value_of(search, "DOCKER_CONTEXT"))
           .empty();
  if (has_context || (!host.empty() && !host.starts_with("unix:"))) {
    return std::nullopt;
  }
  return Found{false, "the machine's daemon"};
}

std::optional<Found> ssh_master(Search& search) {
  const auto use = find_ssh_master(search.words, search.environment, search.sockets);
  if (!use) {
    return std::nullopt;
  }
  return Found{use->certain, formatted("the shared connection at '{}'", printable(use->path))};
}

// --- the table ---

constexpr string_view kOpensWindowIn = "open its window in";
constexpr string_view kOtherTerminal =
    "a terminal that is a program of its own (xterm, foot, alacritty), or 'vpnrun bash' in this "
    "one";
constexpr string_view kSshHint =
    "'vpnrun ssh -S none …' makes a connection of its own, through the tunnel";
constexpr string_view kSshUses = "go over";

constexpr std::array kEntries = {
    Entry{" ssh ", ssh_master, kSshUses, kSshHint},
    Entry{" scp sftp sshfs ", ssh_master, kSshUses,
          "with '-o ControlPath=none' it makes a connection of its own, through the tunnel"},
    Entry{" rsync ", ssh_master, kSshUses,
          "with \"-e 'ssh -S none'\" it makes a connection of its own, through the tunnel"},
    Entry{
        " git ", ssh_master, kSshUses,
        "with GIT_SSH_COMMAND='ssh -S none' it makes a connection of its own, through the tunnel"},
    Entry{" tmux ", tmux_server, "have its windows in",
          "'vpnrun tmux -L vpn …' starts a server of its own, inside"},
    Entry{" screen ", screen_session, "go back to", "'vpnrun screen' begins a session inside"},
    Entry{" emacsclient ", emacs_server, "open files in",
          "'vpnrun emacs --daemon=vpn', then 'vpnrun emacsclient -s vpn …'"},
    Entry{" podman ", podman_pause,
          "take the machine's mounts, and for networks that exist already its way out, from",
          "'podman system migrate' ends that process and all containers; the first podman after it "
          "decides where they run"},
    Entry{" toolbox distrobox distrobox-enter ", podman_pause,
          "enter a container that was started beside",
          "'podman stop NAME' and then 'podman system migrate': the container is then started "
          "inside"},
    Entry{" lxc incus nerdctl ", container_daemon, "have containers run by",
          "containers of podman run inside: 'vpnrun podman run …'"},
    Entry{" wine wine64 wine-stable wine-staging wine-development wine-devel wineconsole winecfg "
          "winetricks ",
          wine_server, "have its sockets made by",
          "'wineserver -k' ends it, with all programs of the prefix; or 'WINEPREFIX=~/.wine-vpn "
          "vpnrun wine …' has a prefix of its own"},
    Entry{" gpg gpg2 ", key_fetcher, "have keys fetched by",
          "'systemctl --user stop dirmngr.socket' (where systemd listens for it) and 'gpgconf "
          "--kill dirmngr': gpg then starts one inside"},
    Entry{" gio ",
          session_mounts,
          "reach it by the gvfs daemons of the desktop session",
          "a program that connects by itself stays inside: curl, sftp, smbclient",
          {},
          " help version "},
    Entry{" docker docker-compose ", docker_daemon, "have containers run by",
          "containers of podman run inside: 'vpnrun podman run …'"},
    Entry{" at batch ",
          always,
          "leave its jobs to the machine's daemon",
          "the job itself can begin with vpnrun: 'echo \"vpnrun …\" | at …'",
          {},
          " -l -r -d -c -V "},
    Entry{" systemd-run ",
          always,
          "have the command started by the service manager",
          "'systemd-run … vpnrun COMMAND', or 'vpnrun systemd-run --scope …'",
          {},
          " --scope --version --help -h ",
          " -p --property -u --unit -E --setenv -H --host -M --machine --description --slice --uid "
          "--gid --nice --working-directory --service-type --job-mode --json --background "
          "--on-active --on-boot --on-startup --on-unit-active --on-unit-inactive --on-calendar "
          "--path-property --socket-property --timer-property "},
    Entry{" gnome-terminal gnome-terminal.wrapper gnome-terminal.real ",
          always,
          "open its window in a service of the desktop session",
          kOtherTerminal,
          {},
          " --app-id --version --help "},
    Entry{" kgx gnome-console ptyxis tilix ", running_instance, kOpensWindowIn, kOtherTerminal,
          " kgx ptyxis tilix "},
    Entry{" xfce4-terminal ", running_instance, kOpensWindowIn,
          "'vpnrun xfce4-terminal --disable-server' opens one of its own", " xfce4-terminal ",
          " --disable-server "},
    Entry{" mate-terminal ", running_instance, kOpensWindowIn,
          "'vpnrun mate-terminal --disable-factory' opens one of its own", " mate-terminal ",
          " --disable-factory "},
    Entry{" lxterminal ", running_instance, kOpensWindowIn,
          "'vpnrun lxterminal --no-remote' opens one of its own", " lxterminal ", " --no-remote "},
    Entry{" terminator ", running_instance, kOpensWindowIn,
          "'vpnrun terminator --no-dbus' opens one of its own", " terminator ", " -u --no-dbus "},
};

const Entry* entry_of(string_view command, const Program& program) {
  for (const Entry& entry : kEntries) {
    if (is_in(entry.commands, command_name(command)) ||
        is_in(entry.commands, command_name(program.path))) {
      return &entry;
    }
  }
  return nullptr;
}

/// False also if it is not there or may not be looked at.
bool is_own_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && info.st_uid == ::getuid();
}

}  // namespace

bool OwnProcesses::is_outside(pid_t pid) const {
  struct stat info {};
  const std::string folder = formatted("{}/{}", proc_, pid);
  if (!is_own_folder(folder)) {
    return false;
  }
  return ::stat((folder + "/ns/net").c_str(), &info) != 0 ||
         FileId{.dev = info.st_dev, .ino = info.st_ino} != profile_;
}

bool OwnProcesses::stands_in(pid_t pid, string_view folder) const {
  std::error_code error;
  const auto current = std::filesystem::read_symlink(formatted("{}/{}/cwd", proc_, pid), error);
  return folder.empty() || (!error && current.native().ends_with(folder));
}

std::optional<pid_t> OwnProcesses::find_outside(string_view name, string_view folder) const {
  constexpr std::size_t kLongestName = 15;
  constexpr std::size_t kMostBytes = 64;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc_.c_str()), ::closedir);
  while (const dirent* entry =
             directory ? ::readdir(directory.get()) : nullptr) {  // NOLINT(concurrency-mt-unsafe)
    const string_view number = static_cast<const char*>(entry->d_name);
    pid_t pid = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), pid).ptr !=
            number.data() + number.size() ||
        number.empty() || !is_own_folder(formatted("{}/{}", proc_, number))) {
      continue;
    }
    try {
      const auto comm = read_file(formatted("{}/{}/comm", proc_, number), kMostBytes);
      if (comm && string_view{*comm}.substr(0, comm->find('\n')) == name.substr(0, kLongestName) &&
          stands_in(pid, folder) && is_outside(pid)) {
        return pid;
      }
    } catch (const std::exception&) {
      continue;  // it has ended
    }
  }
  return std::nullopt;
}

bool may_hand_over(string_view command, const Program& program) {
  return entry_of(command, program) != nullptr;
}

std::optional<HandOver> find_hand_over(char* const* words, const Program& program,
                                       char* const* environment, UnixSockets& sockets,
                                       const OwnProcesses& processes) {
  const Entry* entry = entry_of(*words, program);
  if (entry == nullptr) {
    return std::nullopt;
  }
  Search search{*entry, {}, environment, sockets, processes};
  for (; *words != nullptr; ++words) {
    search.words.emplace_back(*words);
  }
  if (has_word(search, entry->unless)) {
    return std::nullopt;
  }
  const auto found = entry->find(search);
  if (!found) {
    return std::nullopt;
  }
  return HandOver{found->certain,
                  formatted("{}{}{}, outside the tunnel", entry->to_do,
                            found->who.empty() ? "" : " ", found->who),
                  std::string(entry->hint)};
}

}  // namespace vpnrun
