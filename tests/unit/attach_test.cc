// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/attach.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "launcher/ctl/attach_checks.h"
#include "launcher/ctl/commands.h"
#include "launcher/ctl/unit_text.h"
#include "tests/unit/judge.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// All of the machine lies in the folder that has its runtime root.
UnitPlaces units_of(const Places& places) {
  const std::string folder = std::filesystem::path(places.runtime_root).parent_path();
  UnitPlaces units;
  units.system_units = folder + "/units";
  units.etc = folder + "/etc";
  units.netns_etc = folder + "/netns";
  units.launcher = "/usr/bin/vpnrun";
  units.systemctl = folder + "/bin/systemctl";
  units.journalctl = folder + "/bin/journalctl";
  units.journals = {folder + "/journals"};
  units.settle = std::chrono::milliseconds(200);
  return units;
}

int vpnrunctl(int argc, char* const* argv, char* const* environment, const Places& places) {
  return run_vpnrunctl(argc, argv, environment, places, units_of(places));
}

class Attach : public ::testing::Test {
 protected:
  /// What systemd says of a unit without lists of its own.
  static constexpr const char* kFilter =
      "RestrictAddressFamilies=AF_INET AF_UNIX\nSystemCallFilter=~io_uring_setup:ENOSYS "
      "pidfd_getfd:ENOSYS\nSystemCallArchitectures=native\n";

  void SetUp() override {
    for (const char* name : {"bin", "units", "etc", "netns", "netns/one", "home", "journals"}) {
      std::filesystem::create_directory(machine_.folder / name);
    }
    machine_.add_profile("one");
    machine_.add_profile("two");
    // Says what its files say, and writes down what it was asked.
    program("systemctl",
            "cd \"${0%/bin/systemctl}\"\n"
            "echo \"$@\" >>calls\n"
            "case \"$*\" in\n"
            "  *--property=NetworkNamespacePath,*) cat in-force ;;\n"
            "  *--property=Version*) cat version ;;\n"
            "  *--property=ActiveState* | *--property=NRestarts*) cat active ;;\n"
            "  *' show '* | show*) cat shown ;;\n"
            "esac\n");
    shows("");
    machine_.folder.write("active", "ActiveState=inactive\n");
    machine_.folder.write("version", "Version=252.39-1~deb12u1\n");
    machine_.folder.write("etc/resolv.conf", "");
    machine_.folder.write("etc/nsswitch.conf", "");
    in_force("one");
  }

  void program(const std::string& name, const std::string& script) const {
    machine_.folder.write("bin/" + name, "#!/bin/sh\n" + script);
    ASSERT_EQ(::chmod((machine_.folder / "bin" / name).c_str(), 0755), 0);
  }
  /// d.service, with `text` as its file and `properties` beside the ordinary ones.
  void shows(const std::string& properties, const std::string& text = "[Service]\n",
             const std::string& id = "d.service") const {
    machine_.folder.write("unit", text);
    machine_.folder.write("shown", "Id=" + id + "\nLoadState=loaded\nFragmentPath=" +
                                       (machine_.folder / "unit").string() + "\n" + properties);
  }
  void in_force(const std::string& profile, const std::string& filter = kFilter) const {
    machine_.folder.write(
        "in-force",
        "BindsTo=x.service vpnrun-netns@" + profile + ".service\nNetworkNamespacePath=/run/netns/" +
            profile + "\nTemporaryFileSystem=/run:mode=0755\n" +
            "ExecCondition={ path=/x ; argv[]=/x inside " + profile + " ; ignore_errors=no }\n" +
            filter + "ExecStart={ path=/usr/bin/vpnrun ; argv[]=/usr/bin/vpnrun }\n");
  }
  [[nodiscard]] test::Outcome ctl(std::vector<std::string> words) const {
    words.insert(words.begin(), "vpnrunctl");
    return machine_.run(vpnrunctl, std::move(words),
                        {"HOME=" + (machine_.folder / "home").string(), "XDG_RUNTIME_DIR=/none"});
  }
  /// The reason and the hint for which `attach d one` is refused; nothing is written.
  [[nodiscard]] std::string refusal(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"attach", "d", "one"};
    words.insert(words.end(), more.begin(), more.end());
    const test::Outcome outcome = ctl(words);
    EXPECT_EQ(outcome.status, kCtlFailed) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("\nhint: "));
    EXPECT_FALSE(std::filesystem::exists(machine_.folder / "units/d.service.d"));
    EXPECT_FALSE(std::filesystem::exists(machine_.folder / "home/.config"));
    return outcome.err;
  }
  [[nodiscard]] std::string drop_in() const {
    return machine_.read("units/d.service.d/zz-vpnrun.conf");
  }

  test::Machine machine_;
};

class SystemAttach : public Attach {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root changes the machine's units: run as root";
    }
    Attach::SetUp();
  }
};

TEST_F(SystemAttach, WritesTheDropInAndHasSystemdReadIt) {
  shows("RuntimeDirectory=d d/sub\nDynamicUser=yes\n");
  machine_.folder.write("etc/hosts", "");
  machine_.folder.write("netns/one/hosts", "");
  machine_.folder.write("netns/one/absent", "");
  const test::Outcome outcome = ctl({"attach", "d", "one", "--path", "/var/run//postgresql/"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("'d.service' is attached to profile 'one'"),
                    HasSubstr("netns/one/absent' is left out"), Not(HasSubstr("still runs"))));
  EXPECT_THAT(
      drop_in(),
      AllOf(HasSubstr("\nNetworkNamespacePath=/run/netns/one\n"),
            HasSubstr("\nFileDescriptorStoreMax=0\n"),
            HasSubstr("/run/vpnrun/one/etc/resolv.conf:/etc/resolv.conf\n"),
            HasSubstr("/run/vpnrun/one/etc/nsswitch.conf:/etc/nsswitch.conf\n"),
            HasSubstr("/etc/netns/one/hosts:/etc/hosts\n"), Not(HasSubstr("absent")),
            HasSubstr("\nBindPaths=/run/d\nBindPaths=/run/d/sub\nBindPaths=/run/postgresql\n"),
            HasSubstr("io.systemd.DynamicUser")));
  EXPECT_THAT(machine_.read("calls"), HasSubstr("daemon-reload\n"));
  struct stat info {};
  ASSERT_EQ(::stat((machine_.folder / "units/d.service.d/zz-vpnrun.conf").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0644U);
  ASSERT_EQ(::stat((machine_.folder / "units/d.service.d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0755U);
  const auto files = std::filesystem::directory_iterator(machine_.folder / "units/d.service.d");
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "no temporary file stays";
}

TEST_F(SystemAttach, TheAdministratorsResolverFileWins) {
  machine_.folder.write("etc/resolv.conf", "");
  machine_.folder.write("netns/one/resolv.conf", "");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  EXPECT_THAT(drop_in(), AllOf(HasSubstr("/etc/netns/one/resolv.conf:/etc/resolv.conf\n"),
                               Not(HasSubstr("vpnrun/one/etc/resolv.conf"))));
}

TEST_F(SystemAttach, TwiceMovesToAnotherProfileAndDetachTakesAllBack) {
  EXPECT_EQ(ctl({"attach", "d.service", "one"}).status, 0);
  in_force("two");
  EXPECT_EQ(ctl({"attach", "d", "two"}).status, 0);
  EXPECT_THAT(drop_in(), HasSubstr("\nNetworkNamespacePath=/run/netns/two\n"));
  EXPECT_EQ(ctl({"attach"}).out, "UNIT       PROFILE  STATE\nd.service  two      stopped\n");
  EXPECT_EQ(nlohmann::json::parse(ctl({"attach", "--json"}).out).at(0).at("profile"), "two");
  EXPECT_EQ(ctl({"detach", "d"}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(machine_.folder / "units/d.service.d"));
  const test::Outcome again = ctl({"detach", "d"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.err, HasSubstr("is not attached"));
  EXPECT_EQ(nlohmann::json::parse(ctl({"attach", "--json"}).out), nlohmann::json::array());
}

TEST_F(SystemAttach, DetachLeavesOtherDropInsAndWorksForAUnitThatIsGone) {
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  machine_.folder.write("units/d.service.d/90-own.conf", "");
  machine_.folder.write("shown", "Id=d.service\nLoadState=not-found\n");
  EXPECT_EQ(ctl({"detach", "d"}).status, 0);
  EXPECT_EQ(drop_in(), "");
  EXPECT_TRUE(std::filesystem::exists(machine_.folder / "units/d.service.d/90-own.conf"));
}

TEST_F(SystemAttach, SomebodyElsesFileIsLeftAlone) {
  std::filesystem::create_directory(machine_.folder / "units/d.service.d");
  machine_.folder.write("units/d.service.d/zz-vpnrun.conf", "[Service]\n");
  for (const auto& words : {std::vector<std::string>{"attach", "d", "one"}, {"detach", "d"}}) {
    const test::Outcome outcome = ctl(words);
    EXPECT_EQ(outcome.status, kCtlFailed);
    EXPECT_THAT(outcome.err, HasSubstr("was not written by vpnrunctl"));
  }
  EXPECT_EQ(drop_in(), "[Service]\n");
}

TEST_F(SystemAttach, WhatIsOverriddenIsTakenBack) {
  in_force("two");  // says systemd, whatever we write
  EXPECT_THAT(refusal(), HasSubstr("another drop-in of the unit overrides ours"));
  EXPECT_EQ(ctl({"attach", "d", "two"}).status, 0);
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, kCtlFailed);
  EXPECT_THAT(drop_in(), HasSubstr("# Profile two:")) << "what was there before is put back";
}

TEST_F(SystemAttach, AFilterThatIsTakenAwayLaterIsTakenBack) {
  for (const char* filter :
       {// a later RestrictAddressFamilies=, and lists of the unit's own
        "RestrictAddressFamilies=~\nSystemCallFilter=~io_uring_setup pidfd_getfd:EPERM\n"
        "SystemCallArchitectures=native\n",
        "RestrictAddressFamilies=AF_INET AF_VSOCK\nSystemCallFilter=~io_uring_setup pidfd_getfd\n"
        "SystemCallArchitectures=native\n",
        "RestrictAddressFamilies=~AF_VSOCK\nSystemCallFilter=~io_uring_setup pidfd_getfd\n"
        "SystemCallArchitectures=native\n",
        // a later SystemCallFilter=
        "RestrictAddressFamilies=\nSystemCallFilter=~\nSystemCallArchitectures=native\n",
        "RestrictAddressFamilies=\nSystemCallFilter=read io_uring_setup\n"
        "SystemCallArchitectures=native\n",
        // a later SystemCallArchitectures=: 32-bit system calls get past the list of families
        "RestrictAddressFamilies=\nSystemCallFilter=read\nSystemCallArchitectures=\n",
        "RestrictAddressFamilies=\nSystemCallFilter=read\nSystemCallArchitectures=native x86\n",
        "RestrictAddressFamilies=\nSystemCallFilter=read\nSystemCallArchitectures=x86 native\n"}) {
    in_force("one", filter);
    EXPECT_THAT(refusal(), HasSubstr("another drop-in of the unit overrides ours")) << filter;
  }
  // As systemd shows an allow-list in which ours are refused: without them, or with their errors.
  for (const char* filter :
       {"RestrictAddressFamilies=\nSystemCallFilter=read write\nSystemCallArchitectures=native\n",
        "RestrictAddressFamilies=~AF_KEY AF_VSOCK\n"
        "SystemCallFilter=read io_uring_setup:EPERM pidfd_getfd:EPERM\n"
        "SystemCallArchitectures=native\n"}) {
    in_force("one", filter);
    EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0) << filter;
  }
}

// The lines are those that systemctl(1) shows.
TEST_F(SystemAttach, TheErrorsOfSystemCallsFollowTheUnitsOwnList) {
  const std::string usual = "SystemCallFilter=~io_uring_setup:ENOSYS ";
  const std::string beside = "SystemCallFilter=~io_uring_setup:EPERM ";
  const std::string none = "SystemCallFilter=~io_uring_setup io_uring_enter ";
  for (const auto& [shown, expected] : std::map<std::string, std::string>{
           {"SystemCallFilter=~\nSystemCallErrorNumber=2147483646\n", usual},
           {"SystemCallFilter=\n", usual},
           {"SystemCallFilter=~\nSystemCallErrorNumber=1\n", usual},
           {"SystemCallFilter=~mount\nSystemCallErrorNumber=38\n", usual},
           {"SystemCallFilter=read write\nSystemCallErrorNumber=2147483646\n", beside},
           {"SystemCallFilter=read write\n", beside},
           {"SystemCallFilter=read write\nSystemCallErrorNumber=1\n", none},
           {"SystemCallFilter=read write\nSystemCallErrorNumber=38\n", none},
           {"SystemCallFilter=read write\nSystemCallErrorNumber=126\n", none}}) {
    shows(shown);
    EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
    EXPECT_THAT(drop_in(), HasSubstr("\n" + expected)) << shown;
  }
}

TEST_F(SystemAttach, AUnitThatDoesNotStartAnyMoreIsAnError) {
  shows("ActiveState=active\n");
  const auto attached_now = [&](const char* then) {
    machine_.folder.write("active", "ActiveState=active\nNRestarts=0\n");
    program("systemctl",
            "cd \"${0%/bin/systemctl}\"\n"
            "case \"$*\" in\n"
            "  *--property=NetworkNamespacePath,*) cat in-force ;;\n"
            "  *--property=NRestarts*) echo NRestarts=0 ;;\n"
            "  *--property=ActiveState*) cat active ;;\n"
            "  *try-restart*) printf '" +
                std::string(then) +
                "' >active; exit ${FAILS:-0} ;;\n"
                "  show*) cat shown ;;\n"
                "esac\n");
    return ctl({"attach", "d", "one", "--now"});
  };
  // As systemd has it of a unit whose filter cannot be made: try-restart itself succeeds.
  test::Outcome outcome = attached_now(
      R"(ActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=228\n)");
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err,
              HasSubstr("'d.service' does not start any more: its result is 'exit-code', status "
                        "228\nhint: 'systemctl status d.service' says why"));
  EXPECT_THAT(drop_in(), HasSubstr("NetworkNamespacePath=")) << "or it would start outside";
  outcome = attached_now(R"(ActiveState=activating\nSubState=auto-restart\nResult=signal\n)");
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, HasSubstr("its result is 'signal'"));
  outcome = attached_now(R"(ActiveState=active\nSubState=running\nNRestarts=2\n)");
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, HasSubstr("started again by systemd"));
  for (const char* fine : {R"(ActiveState=active\nSubState=running\nNRestarts=0\n)",
                           R"(ActiveState=inactive\nSubState=dead\nNRestarts=0\n)"}) {
    outcome = attached_now(fine);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  }
}

TEST_F(SystemAttach, ARunningUnitIsSaidToBeOutsideOrRestarted) {
  shows("ActiveState=active\n");
  machine_.folder.write("active", "ActiveState=active\n");
  EXPECT_THAT(ctl({"attach", "d", "one"}).err,
              HasSubstr("'d.service' still runs outside: 'systemctl restart d.service'"));
  EXPECT_THAT(machine_.read("calls"),
              AllOf(Not(HasSubstr("restart")),
                    HasSubstr("\nstart -- vpnrun-netns@one.service\ndaemon-reload\n")))
      << "or systemd would stop the unit, which is bound to the namespace";
  EXPECT_THAT(ctl({"attach", "d", "one", "--now"}).err, Not(HasSubstr("still runs")));
  EXPECT_THAT(machine_.read("calls"), HasSubstr("try-restart -- d.service\n"));
  EXPECT_THAT(ctl({"detach", "d"}).err, HasSubstr("still runs behind the tunnel"));
}

TEST_F(SystemAttach, RefusesUnitsThatAreAbsentOrNoServices) {
  machine_.folder.write("shown", "Id=d.service\nLoadState=not-found\n");
  EXPECT_THAT(refusal(), HasSubstr("there is no unit 'd.service'"));
  machine_.folder.write("shown", "Id=d.service\nLoadState=masked\n");
  EXPECT_THAT(refusal(), HasSubstr("its state is 'masked'"));
  for (const char* name : {"d.socket", "d@.service", "../d", "-d", "a b"}) {
    EXPECT_NE(ctl({"attach", "--", name, "one"}).status, 0) << name;
  }
  EXPECT_EQ(machine_.read("calls").find("reload"), std::string::npos);
}

TEST_F(SystemAttach, RefusesWhatTheMachineOrTheTunnelDependsOn) {
  for (const char* id : {"vpnrun@one.service", "vpnrun-netns@one.service", "dbus.service",
                         "systemd-journald.service", "user@1000.service"}) {
    shows("", "[Service]\n", id);
    EXPECT_THAT(refusal(), HasSubstr(id));
  }
  shows("Before=shutdown.target network.target\n");
  EXPECT_THAT(refusal(), HasSubstr("it is started before network.target"));
}

TEST_F(SystemAttach, RefusesWhatWouldLockTheAdministratorOutUnlessForced) {
  for (const char* id : {"ssh.service", "sshd@3-10.0.0.1.service", "getty@tty1.service",
                         "gdm3.service", "NetworkManager.service", "sssd.service"}) {
    shows("", "[Service]\n", id);
    EXPECT_THAT(refusal(), AllOf(HasSubstr("behind the tunnel nobody reaches it"),
                                 HasSubstr("hint: --force attaches it all the same")))
        << id;
  }
  shows("Names=d.service display-manager.service\n");
  EXPECT_THAT(refusal(), HasSubstr("it is there for logins at this machine, and"));
  shows("", "[Service]\nExecStart=-/usr/sbin/sshd -D $OPTIONS\n");
  EXPECT_THAT(refusal(), HasSubstr("logins from other machines"));
  const test::Outcome outcome = ctl({"attach", "d", "one", "--force"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("logins from other machines"));
  shows("", "[Service]\n", "dbus.service");
  EXPECT_THAT(ctl({"attach", "d", "one", "--force"}).err, HasSubstr("depends on it")) << "never";
}

TEST_F(SystemAttach, RefusesWhatASocketOutsideStartsUnlessForced) {
  const std::string listen =
      "TriggeredBy=d.socket\nListen=[::]:80 (Stream)\n"
      "Listen=/run/d (Stream)\n";
  shows(listen);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("'d.socket' listens outside, at [::]:80, and"),
                               HasSubstr("NetworkNamespacePath=/run/netns/one")));
  EXPECT_EQ(ctl({"attach", "d", "one", "--force"}).status, 0);
  EXPECT_EQ(ctl({"detach", "d"}).status, 0);
  // Of this machine alone: worth a warning.
  shows("TriggeredBy=d.socket\nListen=/run/d (Stream) @d (Datagram) vsock::2 (Stream)\n");
  EXPECT_THAT(ctl({"attach", "d", "one"}).err, HasSubstr("'d.socket' listens outside"));
  shows(listen + "NetworkNamespacePath=/run/netns/one\n");
  const test::Outcome outcome = ctl({"attach", "d", "one"});
  EXPECT_EQ(outcome.status, 0) << "its socket is inside";
  EXPECT_THAT(outcome.err, Not(HasSubstr("listens outside")));
}

TEST_F(SystemAttach, RefusesWhatIsOrderedBeforeTheTunnel) {
  program("systemctl",
          "cd \"${0%/bin/systemctl}\"\n"
          "case \"$*\" in\n"
          "  *list-dependencies*) printf 'vpnrun@one.service\\n\\342\\227\\217 basic.target\\n  "
          "\\342\\227\\217 d.service\\n' ;;\n"
          "  *) cat shown ;;\n"
          "esac\n");
  EXPECT_THAT(refusal(), HasSubstr("it is started before what the tunnel itself waits for, and"));
}

TEST_F(SystemAttach, RefusesUnitsWithANetworkOfTheirOwn) {
  shows("", "[Service]\nPrivateNetwork=yes\n");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("PrivateNetwork=yes"), HasSubstr("PrivateNetwork=no")));
  shows("", "[Service]\nNetworkNamespacePath=/run/netns/other\n");
  EXPECT_THAT(refusal(), HasSubstr("NetworkNamespacePath=/run/netns/other"));
  shows("",
        "[Service]\nPrivateNetwork=yes\nPrivateNetwork=no\nNetworkNamespacePath=/a\n"
        "NetworkNamespacePath=/run/netns/one\n");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0) << "what was written by hand for the same";
}

TEST_F(SystemAttach, EachOfSeveralUnitsAndTheOthersIfOneIsRefused) {
  shows("", "[Service]\n", "d.service");
  const test::Outcome outcome = ctl({"attach", "e.socket", "d", "f@", "one"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'e.socket': it is not a service"),
                                 HasSubstr("'d.service' is attached to profile 'one'"),
                                 HasSubstr("'f@.service': it is a template")));
  EXPECT_NE(drop_in(), "");
  EXPECT_EQ(ctl({"detach", "d", "d"}).status, 0);
  EXPECT_EQ(drop_in(), "");
}

TEST_F(SystemAttach, SaysWhatHasBecomeOfAUnit) {
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  EXPECT_EQ(machine_.read("attached/d.service"), "one\n");
  EXPECT_THAT(ctl({"list"}).err, Not(HasSubstr("d.service")));
  // A drop-in of somebody else's, later.
  in_force("two");
  for (const auto& words : {std::vector<std::string>{"list"}, {"attach"}}) {
    EXPECT_THAT(ctl(words).err, HasSubstr("'d.service' is attached to 'one', but "
                                          "NetworkNamespacePath= of its drop-in is not in force"));
  }
  in_force("one");
  // `systemctl revert`
  std::filesystem::remove_all(machine_.folder / "units/d.service.d");
  EXPECT_THAT(ctl({"list"}).err, HasSubstr("its drop-in is gone"));
  const auto json = nlohmann::json::parse(ctl({"attach", "--json"}).out).at(0);
  EXPECT_EQ(json.at("unit"), "d.service");
  EXPECT_EQ(json.at("file"), "");
  EXPECT_EQ(json.at("state"), "stopped");
  EXPECT_EQ(json.at("hint"), "vpnrunctl attach d.service one, or vpnrunctl detach d.service");
  EXPECT_THAT(ctl({"detach", "d"}).err, HasSubstr("'d.service' is detached"));
  EXPECT_FALSE(std::filesystem::exists(machine_.folder / "attached"));
  EXPECT_THAT(ctl({"list"}).err, Not(HasSubstr("d.service")));
}

TEST_F(SystemAttach, NamesUnitsThatMeanToBeBehindATunnelAndAreNot) {
  shows("JoinsNamespaceOf=vpnrun@one.service\nPrivateNetwork=yes\n");
  EXPECT_THAT(ctl({"attach"}).err, HasSubstr("'d.service' has no network: JoinsNamespaceOf="));
  shows("NetworkNamespacePath=/run/netns/one\n");
  // The file that is shown for the first question.
  program("systemctl", "cat \"${0%/bin/systemctl}/shown\"\n");
  EXPECT_THAT(ctl({"attach"}).err, HasSubstr("by NetworkNamespacePath= alone"));
  EXPECT_THAT(ctl({"attach", "--user"}).err, HasSubstr("'d.service' runs outside"));
}

TEST_F(SystemAttach, UnitsHaveBackslashesInTheirNames) {
  // systemctl(1) shows the one as it is, the others as words.
  const std::string id = R"(a\x2db.service)";
  const std::string folder = machine_.folder / "";
  machine_.folder.write(id, "[Service]\n");
  machine_.folder.write(R"(a\x2db.conf)", "[Service]\nBindPaths=/run/x\n");
  machine_.folder.write("shown", "Id=" + id + "\nLoadState=loaded\nFragmentPath=" + folder + id +
                                     "\nDropInPaths=\"" + folder + R"(a\\x2db.conf")" + "\n");
  const test::Outcome outcome = ctl({"attach", id, "one"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("BindPaths=/run/x"));
}

TEST_F(SystemAttach, RefusesTheSystemBusUnlessItIsLetIn) {
  shows("Type=dbus\nBusName=org.example\n");
  EXPECT_THAT(refusal(), HasSubstr("hint: if you accept that: --path /run/dbus"));
  EXPECT_THAT(refusal({"--path", "/run/dbusy"}), HasSubstr("system bus"));
  const test::Outcome outcome = ctl({"attach", "d", "one", "--path", "/run/dbus"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("looked up outside"));
}

TEST_F(SystemAttach, RefusesAPidFileThatSystemdWouldNotSee) {
  shows("Type=forking\nPIDFile=/var/run/d.pid\n");
  EXPECT_THAT(refusal(), HasSubstr("PID file '/var/run/d.pid'"));
  shows("Type=forking\nPIDFile=/run/d/pid\nRuntimeDirectory=dd\n");
  EXPECT_THAT(refusal(), HasSubstr("PID file"));
  shows("Type=forking\nPIDFile=/run/d/pid\nRuntimeDirectory=d\n");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
}

TEST_F(SystemAttach, RefusesOtherTreesAndNamespaces) {
  shows("RootDirectory=/srv\n");
  EXPECT_THAT(refusal(), HasSubstr("RootDirectory=/srv"));
  shows("RootMStack=/srv/m.mstack\n");
  EXPECT_THAT(refusal(), HasSubstr("RootMStack=/srv/m.mstack"));
  shows("JoinsNamespaceOf=e.service\n");
  EXPECT_THAT(refusal(), HasSubstr("JoinsNamespaceOf="));
  // As systemctl(1) shows what the file has as `-/run`, `//run` or `%t`.
  for (const char* bind : {"/srv:/srv:rbind /run:/run:rbind", "-/run:/run:rbind",
                           "/srv:/run:norbind", "/run:/host:rbind", "/var/run:/var/run:rbind"}) {
    shows("BindPaths=" + std::string(bind) + "\n");
    EXPECT_THAT(refusal(), HasSubstr("it brings the host's /run with it (BindPaths=")) << bind;
  }
  shows("BindReadOnlyPaths=/srv/run:/srv/run:rbind /run/d:/run/d:rbind\n");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
}

TEST_F(SystemAttach, RefusesPathsElsewhereAndProfilesThatAreNone) {
  for (const char* path : {"/srv", "run", "/run", "/run/../srv", "/run/a\nb"}) {
    EXPECT_THAT(refusal({"--path", path}), HasSubstr("cannot bind")) << path;
  }
  const test::Outcome outcome = ctl({"attach", "d", "onee"});
  EXPECT_THAT(outcome.err, HasSubstr("hint: did you mean 'one'?"));
}

TEST_F(SystemAttach, NothingIsMadeOnTheHostForAFileToLieOver) {
  std::filesystem::remove(machine_.folder / "etc/nsswitch.conf");
  std::filesystem::remove(machine_.folder / "etc/resolv.conf");
  std::filesystem::create_symlink("/no/such/file", machine_.folder / "etc/resolv.conf");
  const test::Outcome outcome = ctl({"attach", "d", "one"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("no /etc/nsswitch.conf"), HasSubstr("no /etc/resolv.conf")));
  EXPECT_THAT(drop_in(), Not(HasSubstr("vpnrun/one/etc/")));
  // The service's own /run: what is made there goes with it.
  std::filesystem::remove(machine_.folder / "etc/resolv.conf");
  std::filesystem::create_symlink("/run/no/such/file", machine_.folder / "etc/resolv.conf");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  EXPECT_THAT(drop_in(), HasSubstr("/run/vpnrun/one/etc/resolv.conf:/etc/resolv.conf\n"));
}

TEST_F(SystemAttach, AUnitThatAllowsNoFamilyIsAllowedNoneByUs) {
  shows("", "[Service]\nRestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=none\n");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  EXPECT_THAT(drop_in(), AllOf(Not(HasSubstr("RestrictAddressFamilies=")),
                               HasSubstr("allows no family"), HasSubstr("SystemCallFilter=")));
  shows("", "[Service]\nRestrictAddressFamilies=none\nRestrictAddressFamilies=\n");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  EXPECT_THAT(drop_in(), HasSubstr("\nRestrictAddressFamilies=AF_UNIX AF_INET "));
}

/// What systemd makes of the lists `RestrictAddressFamilies=` in `text`: a socket(2) with `family`
/// in its register is refused. (systemd compares 64 bits, the kernel takes 32.)
bool systemd_refuses(const std::string& text, std::uint64_t family) {
  const std::map<std::string, std::uint64_t> numbers = {
      {"AF_UNIX", 1},      {"AF_INET", 2},      {"AF_AX25", 3},       {"AF_IPX", 4},
      {"AF_APPLETALK", 5}, {"AF_NETROM", 6},    {"AF_BRIDGE", 7},     {"AF_ATMPVC", 8},
      {"AF_X25", 9},       {"AF_INET6", 10},    {"AF_ROSE", 11},      {"AF_DECnet", 12},
      {"AF_NETBEUI", 13},  {"AF_SECURITY", 14}, {"AF_KEY", 15},       {"AF_NETLINK", 16},
      {"AF_PACKET", 17},   {"AF_ASH", 18},      {"AF_ECONET", 19},    {"AF_ATMSVC", 20},
      {"AF_RDS", 21},      {"AF_SNA", 22},      {"AF_IRDA", 23},      {"AF_PPPOX", 24},
      {"AF_WANPIPE", 25},  {"AF_LLC", 26},      {"AF_IB", 27},        {"AF_MPLS", 28},
      {"AF_CAN", 29},      {"AF_TIPC", 30},     {"AF_BLUETOOTH", 31}, {"AF_IUCV", 32},
      {"AF_RXRPC", 33},    {"AF_ISDN", 34},     {"AF_PHONET", 35},    {"AF_IEEE802154", 36},
      {"AF_CAIF", 37},     {"AF_ALG", 38},      {"AF_NFC", 39},       {"AF_VSOCK", 40},
      {"AF_KCM", 41},      {"AF_QIPCRTR", 42},  {"AF_SMC", 43},       {"AF_XDP", 44},
      {"AF_MCTP", 45}};
  std::set<std::uint64_t> listed;
  bool refusing = false;
  for (const std::string& value :
       service_values(parse_unit_text(text), "RestrictAddressFamilies")) {
    refusing = value.front() == '~';
    for (const std::string& name : words_of({value.substr(refusing ? 1 : 0)})) {
      listed.insert(numbers.at(name));
    }
  }
  return refusing == listed.contains(family);
}

// Family by family, against the program itself. What is left is in vpnrunctl(1).
TEST_F(SystemAttach, RefusesWhatTheApplicationsFilterRefuses) {
  constexpr std::uint64_t kLastNamed = 45;
  constexpr std::uint64_t kHighBits = 1ULL << 32U;
  const auto is_refused = [](std::uint64_t family) {
    return test::judge_socket(family) != SECCOMP_RET_ALLOW;
  };
  shows("", "[Service]\n");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  for (std::uint64_t family = 1; family < 300; ++family) {
    EXPECT_EQ(systemd_refuses(drop_in(), family), is_refused(family)) << family;
    EXPECT_TRUE(systemd_refuses(drop_in(), family | kHighBits)) << family;
  }
  shows("", "[Service]\nRestrictAddressFamilies=~AF_PACKET\n");
  EXPECT_EQ(ctl({"attach", "d", "one"}).status, 0);
  for (std::uint64_t family = 1; family <= kLastNamed; ++family) {
    EXPECT_EQ(systemd_refuses(drop_in(), family), is_refused(family)) << family;
  }
  for (const auto& [number, name] :
       std::map<int, std::string>{{SYS_pidfd_getfd, "pidfd_getfd"},
                                  {SYS_request_key, "request_key"},
                                  {SYS_io_uring_setup, "io_uring_setup"},
                                  {SYS_io_uring_enter, "io_uring_enter"},
                                  {SYS_io_uring_register, "io_uring_register"}}) {
    EXPECT_NE(test::judge({number, test::kNative, 0, {1, 2, 3}}), SECCOMP_RET_ALLOW) << name;
    EXPECT_THAT(drop_in(), testing::ContainsRegex("SystemCallFilter=~[a-z_:A-Z ]*" + name));
  }
  // To systemd it is a set: the unit's own would stay in it.
  EXPECT_THAT(drop_in(), HasSubstr("\nSystemCallArchitectures=\nSystemCallArchitectures=native\n"));
}

TEST_F(Attach, RefusesWhatStartsASnap) {
  for (const char* command : {"/usr/bin/snap run lxd.daemon", "/snap/bin/hello",
                              "/usr/bin/env /snap/bin/hello", "-/usr/lib/snapd/snap-exec x"}) {
    shows("", std::string("[Service]\nExecStart=") + command + "\n");
    EXPECT_THAT(refusal({"--user"}), HasSubstr("it starts a snap")) << command;
    if (::geteuid() == 0) {
      EXPECT_THAT(refusal(), HasSubstr("it starts a snap")) << command;
    }
  }
}

TEST_F(SystemAttach, WarnsOfWhatStaysOutside) {
  shows("TriggeredBy=d.socket d.timer\nUser=daemon\nKillMode=process\n",
        "[Service]\nExecStartPre=-+/bin/a\nExecReloadPost=+|/bin/b\nOpenFile=/run/s:s\n"
        "BindPaths=/run/x %t/y\n");
  const test::Outcome outcome = ctl({"attach", "d", "one"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'d.socket' listens outside"), Not(HasSubstr("d.timer")),
                                 HasSubstr("'ExecStartPre=+/bin/a'"), HasSubstr("setuid programs"),
                                 HasSubstr("BindPaths=/run/x"), HasSubstr("BindPaths=%t/y"),
                                 HasSubstr("'ExecReloadPost=+/bin/b'"),
                                 HasSubstr("OpenFile=/run/s:s"), HasSubstr("KillMode=process")));
}

TEST_F(Attach, OfAUserUnitGoesThroughVpnrun) {
  shows("", "[Service]\nExecStart=/bin/old\nExecStart=\nExecStart=-/bin/new '%h' $A ; b\n");
  const test::Outcome outcome = ctl({"attach", "--user", "d", "one"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const std::string text = machine_.read("home/.config/systemd/user/d.service.d/zz-vpnrun.conf");
  EXPECT_THAT(text, AllOf(HasSubstr("\nExecStart=\n"
                                    "ExecStart=-/usr/bin/vpnrun --profile one -- /bin/new '%h' $A\n"
                                    "ExecStart=/usr/bin/vpnrun --profile one -- b\n"),
                          HasSubstr("\nFileDescriptorStoreMax=0\n"), Not(HasSubstr("/bin/old"))));
  EXPECT_THAT(machine_.read("calls"), HasSubstr("--user daemon-reload\n"));
  EXPECT_EQ(ctl({"attach", "--user"}).out,
            "UNIT       PROFILE  STATE\nd.service  one      stopped\n");
  EXPECT_EQ(ctl({"detach", "--user", "d"}).status, 0);
  EXPECT_EQ(ctl({"attach", "--user"}).out, "");
}

TEST_F(Attach, OwnDropInIsLeftOutWhenTheCommandsAreRead) {
  const std::string own = machine_.folder / "home/.config/systemd/user/d.service.d/zz-vpnrun.conf";
  shows("DropInPaths=" + own + "\n", "[Service]\nExecStart=/bin/a\n");
  EXPECT_EQ(ctl({"attach", "--user", "d", "one"}).status, 0);
  EXPECT_EQ(ctl({"attach", "--user", "d", "one"}).status, 0);
  EXPECT_THAT(machine_.read("home/.config/systemd/user/d.service.d/zz-vpnrun.conf"),
              HasSubstr("ExecStart=/usr/bin/vpnrun --profile one -- /bin/a\n"));
}

TEST_F(Attach, UserUnitsInWhichNoSetuidProgramWorksAreRefused) {
  for (const char* setting : {"NoNewPrivileges=yes", "SystemCallFilter=~ptrace", "PrivateUsers=1",
                              "RestrictNamespaces=user", "LockPersonality=true"}) {
    shows("", std::string("[Service]\nExecStart=/bin/a\n") + setting + "\n");
    EXPECT_THAT(refusal({"--user"}), HasSubstr(setting));
  }
  shows("", "[Service]\nExecStart=/bin/a\nNoNewPrivileges=no\nPrivateTmp=yes\n");
  EXPECT_EQ(ctl({"attach", "--user", "d", "one"}).status, 0);
}

// systemd 254 and later make a user namespace for them, in which no setuid program has a right.
TEST_F(Attach, UserUnitsThatGetAUserNamespaceAreRefused) {
  for (const char* setting : {"PrivateTmp=yes",           "PrivateTmp=disconnected",
                              "ProtectSystem=strict",     "ProtectHome=read-only",
                              "PrivateMounts=yes",        "PrivateNetwork=yes",
                              "PrivateIPC=yes",           "PrivatePIDs=yes",
                              "ProtectControlGroups=yes", "MountAPIVFS=yes",
                              "BindLogSockets=yes",       "BindPaths=/mnt",
                              "BindReadOnlyPaths=/mnt",   "TemporaryFileSystem=/mnt",
                              "ReadWritePaths=/mnt",      "ReadOnlyPaths=/mnt",
                              "InaccessiblePaths=/mnt",   "ExecPaths=/mnt",
                              "NoExecPaths=/mnt",         "NetworkNamespacePath=/run/netns/one"}) {
    shows("", std::string("[Service]\nExecStart=/bin/a\n") + setting + "\n");
    machine_.folder.write("version", "Version=257.13-1~deb13u1\n");
    EXPECT_THAT(refusal({"--user"}), HasSubstr(setting));
    machine_.folder.write("version", "Version=253.5-1\n");
    EXPECT_EQ(ctl({"attach", "--user", "d", "one"}).status, 0) << setting;
    EXPECT_EQ(ctl({"detach", "--user", "d"}).status, 0);
    std::filesystem::remove_all(machine_.folder / "home/.config");
  }
  shows("", "[Service]\nExecStart=/bin/a\nPrivateTmp=yes\n");
  for (const char* version : {"254", "v258~rc1", "262", "unheard of", ""}) {
    machine_.folder.write("version", std::string("Version=") + version + "\n");
    EXPECT_THAT(refusal({"--user"}), HasSubstr("PrivateTmp=yes takes away")) << version;
  }
  shows("",
        "[Service]\nExecStart=/bin/a\nPrivateTmp=no\nProtectSystem=false\nProtectProc=invisible\n"
        "BindPaths=/mnt\nBindPaths=\nRuntimeDirectory=x\nLoadCredential=a:/b\n");
  EXPECT_EQ(ctl({"attach", "--user", "d", "one"}).status, 0);
}

TEST_F(Attach, AUserUnitThatGoesThroughVpnrunItselfIsRefused) {
  for (const char* command : {"vpnrun kodi", "-/usr/bin/vpnrun -p two -- kodi", "\"/opt/vpnrun\" a",
                              "/bin/a ; vpnrun b"}) {
    shows("", std::string("[Service]\nExecStart=") + command + "\n");
    EXPECT_THAT(refusal({"--user"}), HasSubstr("already goes through vpnrun")) << command;
  }
  shows("", "[Service]\nExecStart=/bin/vpnrun-like vpnrun\n");
  EXPECT_EQ(ctl({"attach", "--user", "d", "one"}).status, 0);
}

TEST_F(Attach, AUserUnitThatDoesNotHeedIsPutBack) {
  shows("", "[Service]\nExecStart=/bin/a\n");
  machine_.folder.write("in-force",
                        "ExecStart={ path=/usr/bin/vpnrun ; }\nExecStart={ path=/x ; }\n");
  const test::Outcome outcome = ctl({"attach", "--user", "d", "one"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, HasSubstr("overrides ours"));
  EXPECT_FALSE(std::filesystem::exists(machine_.folder / "home/.config/systemd/user/d.service.d"));
}

TEST_F(Attach, AManagerThatCannotBeAskedIsAnErrorWithAHint) {
  program("systemctl", "exit 1\n");
  const test::Outcome outcome = ctl({"attach", "--user", "d", "one"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, HasSubstr("cannot ask your service manager\nhint: "));
}

TEST_F(Attach, UsageErrorsExitWithTwo) {
  EXPECT_EQ(ctl({"attach", "d"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"attach", "--now"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"attach", "d", "one", "--json"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"attach", "--user", "d", "one", "--path", "/run/x"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"detach"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"log", "one", "-n", "some"}).status, kCtlUsage);
}

TEST_F(Attach, LogBecomesJournalctlForTheProfilesUnits) {
  program("journalctl", "echo \"$@\"\nexit 3\n");
  machine_.folder.write("systemd", "");
  std::filesystem::create_directory(machine_.folder / "journals/0123");
  machine_.folder.write("journals/0123/system.journal", "");
  const std::string units =
      "--unit=vpnrun@one.service --unit=vpnrun-netns@one.service --unit=vpnrun@one.socket";
  test::Outcome outcome = ctl({"log", "one"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_EQ(outcome.out, "--no-pager --full --lines=50 " + units + " --output=short-iso\n");
  outcome = ctl({"log", "one", "-f", "-n", "all", "--json"});
  EXPECT_EQ(outcome.out, "--no-pager --full --lines=all " + units + " --follow --output=json\n");
}

TEST_F(Attach, LogWithoutSystemdSaysWhereTheMessagesAre) {
  machine_.prepare("one");
  const test::Outcome outcome = ctl({"log", "one"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, HasSubstr("standard error"));
}

TEST_F(Attach, LogThatTheCallerMayNotReadSaysWhatHelps) {
  constexpr uid_t kNobody = 65534;
  machine_.folder.write("systemd", "");
  ASSERT_EQ(::chmod((machine_.folder / "").c_str(), 0777), 0);
  machine_.prepare("one");
  const uid_t self = ::geteuid();  // root may read every journal
  ASSERT_EQ(self == 0 ? ::seteuid(kNobody) : 0, 0);
  const auto outcome = ctl({"log", "one"});
  ASSERT_EQ(::seteuid(self), 0);
  EXPECT_THAT(outcome.err, HasSubstr("systemd-journal"));
}

}  // namespace
}  // namespace vpnrun
