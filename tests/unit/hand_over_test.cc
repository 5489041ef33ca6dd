// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/hand_over.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "launcher/ssh_master.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using ::testing::HasSubstr;

class HandOverTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_ / "proc"); }

  /// Somebody listens at `name` in the network of the caller.
  void listen(const std::string& name) {
    sockets_ += "0000000000000000: 00000002 00000000 00010000 0001 01 12345 " + name + "\n";
  }
  /// A control socket as ssh leaves it: bound under a random name, of which `path` is a link.
  void add_master(const std::string& path) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    listen(path + ".AbCdEfGh01234567");
  }
  /// A process of this user, with `netns` as its network.
  void add_process(const std::string& pid, const std::string& name,
                   const std::string& netns) const {
    std::filesystem::create_directories(folder_ / ("proc/" + pid + "/ns"));
    folder_.write("proc/" + pid + "/comm", name + "\n");
    folder_.write(netns, "");
    std::filesystem::create_hard_link(folder_ / netns, folder_ / ("proc/" + pid + "/ns/net"));
  }
  [[nodiscard]] FileId id(const std::string& name) const {
    struct stat info {};
    (void)::stat((folder_ / name).c_str(), &info);
    return FileId{.dev = info.st_dev, .ino = info.st_ino};
  }
  [[nodiscard]] std::optional<HandOver> find(const std::vector<std::string>& words,
                                             const std::vector<std::string>& variables = {},
                                             const std::string& program = {}) const {
    folder_.write("unix", "Num RefCount Protocol Flags Type St Inode Path\n" + sockets_);
    UnixSockets sockets(folder_ / "unix");
    const OwnProcesses processes(folder_ / "proc", id("profile"));
    const test::Words command(words);
    const test::Words environment(variables);
    return find_hand_over(command.data(), {.path = program, .beginning = {}}, environment.data(),
                          sockets, processes);
  }
  [[nodiscard]] bool is_certain(const std::vector<std::string>& words,
                                const std::vector<std::string>& variables = {}) const {
    const auto found = find(words, variables);
    return found && found->certain;
  }

  test::ScratchFolder folder_;  // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
  std::string sockets_;         // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
};

TEST_F(HandOverTest, OrdinaryCommandsAreNone) {
  for (const char* command : {"curl", "bash", "firefox", "", " ", "ssh-keygen", "s"}) {
    EXPECT_FALSE(may_hand_over(command, {})) << command;
    EXPECT_FALSE(find({command}));
  }
  for (const char* command :
       {"ssh", "/usr/bin/ssh", "tmux", "at", "docker", "gnome-terminal.real"}) {
    EXPECT_TRUE(may_hand_over(command, {})) << command;
  }
  EXPECT_TRUE(may_hand_over("x-terminal-emulator",
                            {.path = "/usr/bin/gnome-terminal.wrapper", .beginning = {}}));
}

TEST_F(HandOverTest, AServerOfTmuxIsFoundWhereTheCommandLooksForIt) {
  const std::string own = folder_ / ("tmux-" + std::to_string(::getuid()));
  const std::string folder = "TMUX_TMPDIR=" + folder_.path();
  EXPECT_FALSE(find({"tmux"}, {folder}));
  listen(own + "/default");
  const auto found = find({"tmux", "new", "-s", "x"}, {folder});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->certain);
  EXPECT_EQ(found->text,
            "have its windows in the server at '" + own + "/default', outside the tunnel");
  EXPECT_NE(found->hint, "");
  EXPECT_FALSE(find({"tmux", "-L", "vpn"}, {folder}));
  EXPECT_FALSE(find({"tmux", "-Lvpn", "new"}, {folder}));
  EXPECT_FALSE(find({"tmux", "-V"}, {folder}));
  EXPECT_TRUE(is_certain({"tmux", "-f", "/dev/null", "-S", own + "/default"}, {}));
  EXPECT_TRUE(is_certain({"tmux", "new", "cmd -L x"}, {folder}));
  EXPECT_TRUE(is_certain({"tmux", "new"}, {"TMUX=" + own + "/default,12,0"}));
  EXPECT_FALSE(find({"tmux", "new"}, {"TMUX=/nowhere,12,0", folder}));
}

TEST_F(HandOverTest, AServerOfTmuxIsFoundByWayOfALink) {
  const std::string name = "tmux-" + std::to_string(::getuid());
  std::filesystem::create_directories(folder_ / ("real/" + name));
  std::filesystem::create_directory_symlink(folder_ / "real", folder_ / "link");
  listen((folder_ / ("real/" + name)).string() + "/default");
  EXPECT_TRUE(is_certain({"tmux"}, {"TMUX_TMPDIR=" + (folder_ / "link").string()}));
  EXPECT_FALSE(find({"tmux", "-L", "vpn"}, {"TMUX_TMPDIR=" + (folder_ / "link").string()}));
}

TEST_F(HandOverTest, NobodyHidesAServerBehindTheSocketsOfHisOwn) {
  const std::string own = "/tmp/tmux-" + std::to_string(::getuid());
  std::string others;
  for (int i = 0; i < 1000; ++i) {
    others += "0000000000000000: 00000002 00000000 00010000 0001 01 12345 @" +
              std::string(100, 'x') + std::to_string(i) + "\n";
  }
  for (int i = 0; i < 120; ++i) {  // some 20 MB
    sockets_ += others;
  }
  EXPECT_FALSE(find({"tmux"}));
  listen(own + "/default");
  EXPECT_TRUE(is_certain({"tmux"}));
}

TEST_F(HandOverTest, OnlyWhoGoesBackToAScreenIsInAnOldSession) {
  listen("/run/screen/S-alice/17.pts-1.box");
  const std::vector<std::string> alice = {"LOGNAME=alice"};
  EXPECT_FALSE(find({"screen"}, alice));
  EXPECT_FALSE(find({"screen", "-S", "work"}, alice));
  EXPECT_TRUE(is_certain({"screen", "-r"}, alice));
  EXPECT_TRUE(is_certain({"screen", "-dR"}, alice));
  EXPECT_TRUE(is_certain({"screen", "-x", "17"}, alice));
  EXPECT_FALSE(find({"screen", "-r", "18"}, alice));
  EXPECT_FALSE(find({"screen", "-r"}, {"LOGNAME=bob"}));
}

TEST_F(HandOverTest, AnEmacsServerIsFoundByItsName) {
  listen("/run/user/7/emacs/server");
  const std::vector<std::string> variables = {"XDG_RUNTIME_DIR=/run/user/7"};
  EXPECT_TRUE(is_certain({"emacsclient", "file"}, variables));
  EXPECT_FALSE(find({"emacsclient", "-s", "vpn", "file"}, variables));
  EXPECT_FALSE(find({"emacsclient", "--socket-name=vpn"}, variables));
  EXPECT_TRUE(is_certain({"emacsclient", "--socket-name", "server"}, variables));
  EXPECT_FALSE(find({"emacsclient"}, {"XDG_RUNTIME_DIR=/run/user/7", "EMACS_SOCKET_NAME=other"}));
}

TEST_F(HandOverTest, AWineserverIsFoundByThePrefixThatItIsOf) {
  std::filesystem::create_directories(folder_ / "prefix");
  std::filesystem::create_directories(folder_ / "other");
  const std::string prefix = "WINEPREFIX=" + folder_.path() + "/prefix";
  const auto server_of = [this](const std::string& name) {
    const FileId file = id(name);
    std::ostringstream folder;
    folder << "/tmp/.wine-" << ::getuid() << "/server-" << std::hex << file.dev << '-' << file.ino;
    return folder.str();
  };
  EXPECT_FALSE(find({"wine", "game.exe"}, {prefix}));
  add_process("41", "wineserver64", "host");
  std::filesystem::create_symlink(server_of("other"), folder_ / "proc/41/cwd");
  EXPECT_FALSE(find({"wine", "game.exe"}, {prefix})) << "of another prefix";
  add_process("42", "wineserver64", "host2");
  std::filesystem::create_symlink(server_of("prefix"), folder_ / "proc/42/cwd");
  const auto found = find({"wine", "game.exe"}, {prefix});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->certain);
  EXPECT_EQ(found->text,
            "have its sockets made by the prefix's wineserver, process 42, outside the tunnel");
  EXPECT_FALSE(find({"wine", "game.exe"}, {"WINEPREFIX=" + folder_.path() + "/absent"}));
  EXPECT_FALSE(find({"wine", "game.exe"}, {"HOME=" + folder_.path()})) << "no ~/.wine";
}

TEST_F(HandOverTest, AWineserverInsideIsNoReason) {
  std::filesystem::create_directories(folder_ / ".wine");
  add_process("42", "wineserver", "profile");
  const FileId file = id(".wine");
  std::ostringstream folder;
  folder << "/tmp/.wine-" << ::getuid() << "/server-" << std::hex << file.dev << '-' << file.ino;
  std::filesystem::create_symlink(folder.str(), folder_ / "proc/42/cwd");
  EXPECT_FALSE(find({"wine", "game.exe"}, {"HOME=" + folder_.path()}));
}

TEST_F(HandOverTest, KeysAreFetchedByDirmngr) {
  const std::vector<std::string> alice = {"XDG_RUNTIME_DIR=/run/user/7", "HOME=/home/alice"};
  const std::vector<std::string> fetch = {"gpg", "--recv-keys", "ABCD"};
  EXPECT_FALSE(find(fetch, alice));
  listen("/run/user/7/gnupg/S.dirmngr");
  EXPECT_TRUE(is_certain(fetch, alice));
  EXPECT_FALSE(find({"gpg", "--decrypt", "file"}, alice)) << "nobody is asked";
  auto other = alice;
  other.emplace_back("GNUPGHOME=/home/alice/other");
  ASSERT_TRUE(find(fetch, other));
  EXPECT_FALSE(is_certain(fetch, other)) << "its name is not known here";
  listen("/home/alice/other/S.dirmngr");
  EXPECT_TRUE(find({"gpg2", "--refresh-keys"}, other));
}

TEST_F(HandOverTest, PlacesThatAreNoFilesAreReachedByTheSession) {
  EXPECT_TRUE(is_certain({"gio", "cat", "https://example.org/"}));
  EXPECT_TRUE(is_certain({"gio", "mount", "smb://server/share"}));
  EXPECT_FALSE(find({"gio", "cat", "file:///etc/hostname"}));
  EXPECT_FALSE(find({"gio", "trash", "old.txt"}));
}

TEST_F(HandOverTest, ContainersThatRunAlreadyHaveTheirNetwork) {
  EXPECT_FALSE(find({"toolbox", "enter"}, {"XDG_RUNTIME_DIR=" + folder_.path()}));
  std::filesystem::create_directories(folder_ / "libpod/tmp");
  folder_.write("libpod/tmp/pause.pid", "7");
  add_process("7", "podman", "host");
  const auto found = find({"distrobox", "enter", "box"}, {"XDG_RUNTIME_DIR=" + folder_.path()});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->certain);
  EXPECT_TRUE(find({"incus", "exec", "box", "sh"}));
  EXPECT_FALSE(is_certain({"lxc", "list"}));
}

TEST_F(HandOverTest, ASharedConnectionOfSshIsKnownByItsSocket) {
  const std::string path = folder_ / "cm-alice@server.example:22";
  EXPECT_FALSE(find({"ssh", "server.example"}));
  listen(path);  // bound by that very name: not by ssh
  listen("/nonexistent/cm.AbCdEfGh01234567");
  EXPECT_FALSE(find({"ssh", "server.example"}));
  add_master(path);
  const auto found = find({"ssh", "-v", "-p", "22", "server.example", "ls", "-S", "none"});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->certain);
  EXPECT_EQ(found->text, "go over the shared connection at '" + path + "', outside the tunnel");
  EXPECT_THAT(found->hint, HasSubstr("ssh -S none"));
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"ssh", "alice@server.example"},
                                             {"ssh", "-l", "alice", "server.example"},
                                             {"ssh", "ssh://alice@server.example:22/"},
                                             {"ssh", "-S", path, "whatever"},
                                             {"ssh", "-oControlPath=" + path, "whatever"},
                                             {"ssh", "-o", "ControlPath " + path, "whatever"},
                                             {"scp", "server.example:a", "b"},
                                             {"sftp", "alice@server.example"},
                                             {"rsync", "-a", "a", "server.example:b"},
                                             {"sshfs", "server.example:", "far"},
                                             {"git", "clone", "ssh://server.example/x.git"},
                                             {"git", "push", "alice@server.example:x.git"}}) {
    EXPECT_TRUE(is_certain(words)) << words.back();
  }
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"ssh", "-S", "none", "server.example"},
           {"ssh", "-vSnone", "server.example"},
           {"ssh", "-o", "ControlPath=none", "server.example"},
           {"ssh", "-ocontrolpath none", "server.example"},
           {"ssh", "-M", "server.example"},
           {"ssh", "-o", "ControlMaster=yes", "server.example"},
           {"ssh", "-S", "/another", "server.example"},
           {"ssh", "-O", "exit", "server.example"},
           {"ssh", "-V"},
           {"ssh"},
           {"scp", "-o", "ControlPath=none", "server.example:a", "b"},
           {"scp", "a", "b"},
           {"rsync", "-a", "a/", "b/"},
           {"rsync", "-e", "ssh -S none", "a", "server.example:b"},
           {"rsync", "rsync://server.example/a", "b"},
           {"rsync", "server.example::a", "b"},
           {"git", "clone", "https://server.example/x.git"},
           {"git", "status"},
           {"git", "log", "server.example:x"}}) {
    EXPECT_FALSE(find(words)) << words.back();
  }
  EXPECT_FALSE(find({"git", "push", "server.example:x"}, {"GIT_SSH_COMMAND=ssh -S none"}));
}

TEST_F(HandOverTest, ASharedConnectionOfSshThatMayBeAnothersIsOnlySuspected) {
  add_master(folder_ / "cm-alice@server.example:22");
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"ssh", "alias"},  // in the configuration another name may stand for it
           {"ssh", "bob@server.example"},
           {"ssh", "my-server.example"},
           {"ssh", "server"},
           {"ssh", "-S", "~/cm-%h", "alias"},
           {"git", "fetch"}}) {
    const auto found = find(words);
    ASSERT_TRUE(found) << words.back();
    EXPECT_FALSE(found->certain) << words.back();
  }
}

TEST_F(HandOverTest, AProgramThatRunsOutsideIsFoundByItsName) {
  add_process("7", "xfce4-terminal", "profile");
  add_process("8", "bash", "outside");
  EXPECT_FALSE(find({"xfce4-terminal"}));
  add_process("9", "xfce4-terminal", "outside");
  const auto found = find({"xfce4-terminal"});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->certain);
  EXPECT_THAT(found->text, HasSubstr("process 9, outside the tunnel"));
  EXPECT_FALSE(find({"xfce4-terminal", "--disable-server"}));
}

TEST_F(HandOverTest, APauseProcessOfPodmanMatters) {
  std::filesystem::create_directories(folder_ / "run/libpod/tmp");
  const std::vector<std::string> variables = {"XDG_RUNTIME_DIR=" + (folder_ / "run").string()};
  EXPECT_FALSE(find({"podman", "ps"}, variables));
  folder_.write("run/libpod/tmp/pause.pid", "12");
  EXPECT_FALSE(find({"podman", "ps"}, variables));  // it has ended
  add_process("12", "podman pause", "outside");
  const auto found = find({"podman", "run"}, variables);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->certain);
  EXPECT_THAT(found->text, HasSubstr("its pause process 12"));
  add_process("13", "podman pause", "profile");
  folder_.write("run/libpod/tmp/pause.pid", "13\n");
  EXPECT_FALSE(find({"podman", "run"}, variables));
}

TEST_F(HandOverTest, ADaemonOfThisMachineWorksOutside) {
  const auto found = find({"docker", "run", "-c", "x"});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->certain);
  EXPECT_FALSE(find({"docker", "-H", "tcp://build.example:2375", "ps"}));
  EXPECT_FALSE(find({"docker", "--context=far", "ps"}));
  EXPECT_FALSE(find({"docker", "ps"}, {"DOCKER_HOST=ssh://build.example"}));
  EXPECT_TRUE(find({"docker", "ps"}, {"DOCKER_HOST=unix:///run/docker.sock"}));
}

TEST_F(HandOverTest, JobsAndUnitsOfOthersAreStartedOutside) {
  EXPECT_TRUE(is_certain({"at", "noon"}));
  EXPECT_TRUE(is_certain({"batch"}));
  EXPECT_FALSE(find({"at", "-l"}));
  EXPECT_TRUE(is_certain({"systemd-run", "--user", "curl"}));
  EXPECT_FALSE(find({"systemd-run", "--user", "--scope", "curl"}));
  EXPECT_FALSE(find({"systemd-run", "-p", "A=b", "--unit", "x", "--scope", "curl"}));
  EXPECT_FALSE(find({"systemd-run", "--property=A=b", "--scope", "curl"}));
  for (const char* word : {"--scope", "--version", "-h"}) {  // of the command that it starts
    EXPECT_TRUE(is_certain({"systemd-run", "--user", "curl", word})) << word;
    EXPECT_TRUE(is_certain({"systemd-run", "-u", "x", "--", "curl", word})) << word;
  }
  EXPECT_TRUE(is_certain({"gnome-terminal"}));
}

}  // namespace
}  // namespace vpnrun
