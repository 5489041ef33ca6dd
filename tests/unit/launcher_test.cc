// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/request_format.h"
#include "helper/base/runtime_layout.h"
#include "launcher/launch.h"
#include "launcher/standpoint.h"
#include "launcher/terminal_person.h"
#include "tests/unit/fake_companion.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using namespace std::string_literals;
using test::FakeCompanion;
using test::Machine;
using test::Outcome;
using test::reply_in;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

FakeCompanion::Script always(const ControlReply& reply) {
  return [reply](const ControlRequest&) { return std::vector{reply}; };
}

class Launcher : public ::testing::Test {
 protected:
  void SetUp() override {
    machine_.add_profile("office");
    machine_.prepare("office");
    machine_.write_helper("exit 42\n");
  }
  [[nodiscard]] Outcome vpnrun(const std::vector<std::string>& words,
                               std::vector<std::string> environment = {
                                   "PATH=/usr/bin:/bin"}) const {
    return machine_.run(run_vpnrun, test::command_line("vpnrun", words), std::move(environment));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return machine_.folder / name; }

  /// Makes the namespaces of this process those of the profile.

  Machine machine_;
};

TEST_F(Launcher, BecomesTheHelperAndItsExitStatusIsPassedOn) {
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  const Outcome outcome = vpnrun({"true"});
  EXPECT_EQ(outcome.status, 42);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Launcher, HandsOverArgumentsAndEnvironmentByteForByte) {
  machine_.write_helper("cat /proc/$$/cmdline > " + path("arguments") +
                        "\ncat /proc/$$/environ > " + path("environment") + "\n");
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  const std::vector<std::string> environment = {
      "LD_PRELOAD=", "B=2", "TMPDIR=/x", "A=\xff \x01", "B=3", "alone", "VPNRUN_PROFILE=office"};
  (void)vpnrun({"-v", "--", "app", "", "--profile", "a b\n"}, environment);
  EXPECT_THAT(machine_.read("arguments"), EndsWith("\0office\0app\0\0--profile\0a b\n\0"s));
  std::string expected;
  for (const std::string& variable : environment) {
    expected += "+" + variable + '\0';
  }
  EXPECT_EQ(machine_.read("environment"), expected);
}

TEST_F(Launcher, TellsOnceWhatIsLeftOutOfTheConfiguration) {
  auto up = reply_in(State::kUp);
  up.status.left_out = {{"up", {9}, "vpnrun sets names itself", Severity::kNotice, "work.ovpn"},
                        {"down", {10}, "vpnrun sets names itself", Severity::kNotice, "work.ovpn"},
                        {"persist-tun", {4}, "nobody misses it", Severity::kInfo, "work.ovpn"},
                        {"route-up", {12}, "see [hooks]\x1b", Severity::kWarning, "work.ovpn"}};
  const FakeCompanion companion(machine_.control("office"), always(up));
  EXPECT_EQ(vpnrun({"true"}).err,
            "vpnrun: left out of work.ovpn: up, down (lines 9, 10): vpnrun sets names itself\n"
            "vpnrun: warning: left out of work.ovpn: route-up (line 12): see [hooks]?\n");
  EXPECT_EQ(vpnrun({"-q", "true"}).err, "");
}

TEST_F(Launcher, LeavesNoDescriptorOfItsOwnToTheHelper) {
  machine_.write_helper("for fd in /proc/$$/fd/*; do readlink $fd; done > " + path("descriptors") +
                        "\ntrue\n");
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  EXPECT_EQ(vpnrun({"true"}).status, 0);
  const std::string descriptors = machine_.read("descriptors");
  EXPECT_THAT(descriptors, HasSubstr("/err"));  // standard error is still there
  EXPECT_THAT(descriptors, AllOf(Not(HasSubstr("socket:")), Not(HasSubstr("/run/office"))));
}

TEST_F(Launcher, AFailedTunnelIsOneLineAndAHint) {
  ControlReply failed = reply_in(State::kFailed);
  failed.status.error = "wrong password";
  failed.status.hint = "look into the credentials file";
  const FakeCompanion companion(machine_.control("office"), always(failed));
  const Outcome outcome = vpnrun({"true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_EQ(outcome.err,
            "vpnrun: cannot start the tunnel of profile 'office': wrong password\n"
            "hint: look into the credentials file\n");
}

TEST_F(Launcher, NoStartFailsAtOnceUnlessTheTunnelIsUp) {
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kDown)));
  const Outcome outcome = vpnrun({"--no-start", "true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(outcome.err, HasSubstr("it is down\nhint: "));
  EXPECT_THAT(companion.requests().at(0).command, Command::kStatus);
}

TEST_F(Launcher, NeverWaitsLongerThanItIsTold) {
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kStarting)));
  const Outcome outcome = vpnrun({"--wait", "0.02", "true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(outcome.err, HasSubstr("still starting after 0.02 s"));
}

TEST_F(Launcher, AQuestionWithoutTerminalIsAnErrorWithAHint) {
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question = CredentialQuestion{.id = 1, .text = "password?"};
  const FakeCompanion companion(machine_.control("office"), always(asking));
  const Outcome outcome = vpnrun({"true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("there is no terminal"), HasSubstr("\nhint: run it in a "
                                                                              "terminal")));
}

TEST_F(Launcher, WithoutACompanionSaysHowToStartOne) {
  const Outcome outcome = vpnrun({"true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("it is not running\nhint: as root: "),
                                 EndsWith("vpnrun-tunnel run office\n")));
  machine_.folder.write("systemd", "");
  EXPECT_THAT(vpnrun({"true"}).err, EndsWith("hint: as root: vpnrunctl up office\n"));
}

TEST_F(Launcher, AMissingHelperIsItsOwnFailureAndNotTheCommands) {
  machine_.places.helper = path("absent");
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  const Outcome outcome = vpnrun({"true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(outcome.err, HasSubstr("cannot start the helper"));
}

TEST_F(Launcher, UsageErrorsAreItsOwnFailure) {
  EXPECT_EQ(vpnrun({}).status, kExitOwnFailure);
  const Outcome outcome = vpnrun({"--frobnicate", "true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(outcome.err, StartsWith("vpnrun: cannot use option '--frobnicate'"));
}

TEST_F(Launcher, VersionGoesToStandardOutput) {
  const Outcome outcome = vpnrun({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "vpnrun " VPNRUN_VERSION "\n");
}

TEST_F(Launcher, TheUsersConfigurationChoosesByTheCommandsName) {
  machine_.add_profile("home");
  machine_.prepare("home");
  machine_.write_helper("printf %s \"$1\" > " + path("profile"));
  std::filesystem::create_directories(machine_.folder / "config/vpnrun");
  machine_.folder.write("config/vpnrun/config.toml", "[apps]\nbrowser = \"home\"\n");
  const FakeCompanion companion(machine_.control("home"), always(reply_in(State::kUp)));
  EXPECT_EQ(vpnrun({"/opt/browser"}, {"XDG_CONFIG_HOME=" + path("config")}).status, 0);
  EXPECT_EQ(machine_.read("profile"), "home");
}

TEST_F(Launcher, WarnsOfAnInheritedNetworkSocketAndGoesOn) {
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
  ASSERT_TRUE(socket.ok());
  const Outcome outcome = vpnrun({"true"});
  EXPECT_EQ(outcome.status, 42);
  EXPECT_THAT(outcome.err, HasSubstr("warning: inherited descriptor " +
                                     std::to_string(socket.get()) + " is a network socket"));
  EXPECT_EQ(vpnrun({"-q", "true"}).err, "");
}

TEST_F(Launcher, WarnsOfWhatIsOutOfReachInsideAndGoesOn) {
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  const std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "DISPLAY=localhost:10.0"};
  const Outcome outcome = vpnrun({"true"}, environment);
  EXPECT_EQ(outcome.status, 42);
  EXPECT_THAT(outcome.err,
              AllOf(StartsWith("vpnrun: warning: DISPLAY=localhost:10.0 is a port of "),
                    HasSubstr("\nhint: give it a path: ")));
  EXPECT_EQ(vpnrun({"-q", "true"}, environment).err, "");
}

TEST_F(Launcher, RefusesWhatAProgramOutsideWouldDoBeforeATunnelIsAskedFor) {
  machine_.places.proc = path("proc");
  std::filesystem::create_directories(machine_.folder / "proc/net");
  machine_.folder.write("proc/net/unix",
                        "Num RefCount Protocol Flags Type St Inode Path\n"
                        "0: 00000002 00000000 00010000 0001 01 12 /x/tmux-" +
                            std::to_string(::getuid()) + "/default\n");
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  const std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "TMUX_TMPDIR=/x"};
  const Outcome outcome = vpnrun({"tmux", "new"}, environment);
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(
      outcome.err,
      AllOf(StartsWith("vpnrun: cannot start 'tmux': it would have its windows in the server "),
            HasSubstr("\nhint: 'vpnrun tmux -L vpn …'"), HasSubstr("--force starts it")));
  EXPECT_THAT(companion.requests(), ::testing::IsEmpty());
  const Outcome forced = vpnrun({"--force", "tmux", "new"}, environment);
  EXPECT_EQ(forced.status, 42);
  EXPECT_THAT(forced.err,
              StartsWith("vpnrun: warning: 'tmux' will have its windows in the server "));
  EXPECT_EQ(vpnrun({"tmux", "-L", "vpn"}, environment).err, "");
}

TEST_F(Launcher, InheritedSocketsOfOtherFamiliesAreNoConcern) {
  const UniqueFd local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd internet(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(local.ok());
  if (!internet.ok()) {
    GTEST_SKIP() << "no IPv6 sockets on this machine";
  }
  for (const Look look : {Look::kQuick, Look::kAll}) {
    EXPECT_THAT(outside_sockets(look),
                ElementsAre(::testing::Field(&OutsideSocket::fd, internet.get())));
  }
}

TEST_F(Launcher, InheritedRingsThatCanMakeSocketsAreNamed) {
  std::array<char, 256> parameters{};
  const UniqueFd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 4, parameters.data())));
  if (!ring.ok()) {
    GTEST_SKIP() << "this machine has no io_uring";
  }
  const UniqueFd other(::eventfd(0, EFD_CLOEXEC));
  for (const Look look : {Look::kQuick, Look::kAll}) {
    EXPECT_THAT(outside_sockets(look),
                ElementsAre(::testing::Field(&OutsideSocket::fd, ring.get())));
  }
}

TEST_F(Launcher, ANamespaceEntryWithoutRecordDoesNotCountAsInside) {
  ASSERT_EQ(::symlink("/proc/self/ns/net", path("run/office/netns").c_str()), 0);
  EXPECT_FALSE(ProfileStandpoint(path("run/office")).is_inside());
}

TEST_F(Launcher, InsideTheProfileTheCommandIsExecutedDirectly) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "the record must belong to root: run as root";
  }
  machine_.record_this_process("office");
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  EXPECT_EQ(vpnrun({"sh", "-c", "exit 7"}).status, 7);
  const Outcome absent = vpnrun({"/no/such/program"});
  EXPECT_EQ(absent.status, kExitNotFound);
  EXPECT_EQ(absent.err, "vpnrun: cannot execute '/no/such/program': not found\n");
  EXPECT_EQ(vpnrun({"/etc/passwd"}).status, kExitNotExecutable);
}

TEST_F(Launcher, FromAnotherNetworkNamespaceNoTunnelIsAskedFor) {
  Origin origin;
  if (::geteuid() != 0 || !current_standpoint(origin.host)) {
    GTEST_SKIP() << "the record must belong to root: run as root";
  }
  const FakeCompanion companion(machine_.control("office"), always(reply_in(State::kUp)));
  machine_.write_record("office", origin);
  EXPECT_EQ(vpnrun({"true"}).status, 42);
  origin.host.network_namespace.ino += 1;
  machine_.write_record("office", origin);
  const Outcome outcome = vpnrun({"true"});
  EXPECT_EQ(outcome.status, kExitOwnFailure);
  EXPECT_THAT(outcome.err,
              StartsWith("vpnrun: cannot enter profile 'office' from here: the caller is in "
                         "another network namespace than the host\nhint: as root: 'vpnrunctl "
                         "attach UNIT office'"));
  origin.from_namespaces = 1;
  machine_.write_record("office", origin);
  EXPECT_EQ(vpnrun({"true"}).status, 42);
}

TEST(ProgressLine, IsCutToTheTerminalBetweenCharacters) {
  Status status = test::status_in(State::kStarting);
  status.attempt = 3;
  status.error = "h\u00e4ngt";
  const std::string line = progress_line(status, std::chrono::seconds(12), 200);
  EXPECT_EQ(line, "vpnrun: tunnel of profile 'office': starting, 12 s, attempt 3 (h\u00e4ngt)");
  const std::size_t in_character = line.find('\xc3') + 1;
  EXPECT_EQ(progress_line(status, std::chrono::seconds(12), in_character),
            line.substr(0, in_character - 1));
}

}  // namespace
}  // namespace vpnrun
