// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "launcher/ctl/commands.h"
#include "launcher/ctl/processes.h"
#include "launcher/ctl/show.h"
#include "profiles/protocol/features.h"
#include "tests/unit/fake_companion.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using nlohmann::json;
using test::FakeCompanion;
using test::Machine;
using test::Outcome;
using test::reply_in;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

int vpnrunctl(int argc, char* const* argv, char* const* environment, const Places& places) {
  UnitPlaces units;
  units.system_units = std::filesystem::path(places.runtime_root).parent_path() / "units";
  units.systemctl = std::filesystem::path(places.runtime_root).parent_path() / "systemctl";
  return run_vpnrunctl(argc, argv, environment, places, units);
}

class Ctl : public ::testing::Test {
 protected:
  [[nodiscard]] Outcome ctl(std::vector<std::string> words) const {
    words.insert(words.begin(), "vpnrunctl");
    return machine_.run(vpnrunctl, std::move(words),
                        {"PATH=" + (machine_.folder / "bin").string()});
  }
  static FakeCompanion::Script obedient() {
    return [](const ControlRequest& request) {
      return std::vector{reply_in(request.command == Command::kDown ? State::kDown : State::kUp)};
    };
  }

  /// A machine under systemd whose systemctl says what it was told, with another one in the PATH of
  /// whoever calls, which says that it was taken.
  void install_systemctl() const {
    machine_.folder.write("systemd", "");
    std::filesystem::create_directory(machine_.folder / "bin");
    machine_.folder.write("systemctl", "#!/bin/sh\necho \"$@\" >>\"${0%/*}/orders\"\n");
    machine_.folder.write("bin/systemctl", "#!/bin/sh\necho PATH >>\"${0%/bin/*}/orders\"\n");
    ASSERT_EQ(::chmod((machine_.folder / "systemctl").c_str(), 0755), 0);
    ASSERT_EQ(::chmod((machine_.folder / "bin/systemctl").c_str(), 0755), 0);
    // One thread; posix_spawnp(3) would read the process' own.
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    ASSERT_EQ(::setenv("PATH", (machine_.folder / "bin").c_str(), 1), 0);
  }

  Machine machine_;
};

TEST_F(Ctl, ListShowsNamesStatesAdmissionAndDescriptions) {
  machine_.add_profile("home", "at home");
  machine_.add_profile("office", "the company");
  machine_.prepare("office");
  const FakeCompanion companion(machine_.control("office"), obedient());
  const Outcome outcome = ctl({"list"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out,
            "NAME    STATE  ACCESS        DESCRIPTION\n"
            "home    -      not prepared  at home\n"
            "office  up     admitted      the company\n");
  const json list = json::parse(ctl({"list", "--json"}).out);
  EXPECT_EQ(list.at(0).at("state"), nullptr);
  EXPECT_EQ(list.at(0).at("admission"), "not prepared");
  EXPECT_EQ(list.at(1).at("state"), "up");
  EXPECT_EQ(list.at(1).at("description"), "the company");
}

TEST_F(Ctl, ListOfNothingIsAnEmptyArray) {
  EXPECT_EQ(json::parse(ctl({"list", "--json"}).out), json::array());
  EXPECT_THAT(ctl({"list"}).err, HasSubstr("there is no profile in "));
}

TEST_F(Ctl, ListNamesWhatLiesBesideTheProfiles) {
  machine_.add_profile("office");
  machine_.folder.write("profiles/home.toml",
                        "[tunnel]\ntype = \"openvpn\"\nconfig = \"home.ovpn\"\n");
  for (const char* quiet : {"home.ovpn", "home.auth", "ca.crt"}) {
    machine_.folder.write(std::string("profiles/") + quiet, "");
  }
  EXPECT_EQ(ctl({"list"}).err, "");
  for (const char* stray : {"Work.toml", "my vpn.toml", "new.ovpn", "Old.OVPN", "wg0.conf",
                            "office.toml~", ".office.toml.swp", "home.ovpn.dpkg-old"}) {
    machine_.folder.write(std::string("profiles/") + stray, "");
  }
  const Outcome outcome = ctl({"list"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("/Work.toml' is no profile: a name is 1 to 32"),
                    HasSubstr("/my vpn.toml' is no profile"),
                    HasSubstr("/new.ovpn' is not named by 'config' of any profile"),
                    HasSubstr("/Old.OVPN' is not named"), HasSubstr("/wg0.conf' is not named")));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("/office.toml~' is what an editor or a package manager has left"),
                    HasSubstr("/.office.toml.swp' is what"),
                    HasSubstr("/home.ovpn.dpkg-old' is what"), Not(HasSubstr("ca.crt"))));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 8);
}

TEST_F(Ctl, ListNamesTunnelsAndUnitsWhoseProfileIsGone) {
  machine_.add_profile("office");
  machine_.prepare("office");
  machine_.prepare("gone");
  std::filesystem::create_directories(machine_.folder / "units/multi-user.target.wants");
  std::filesystem::create_directories(machine_.folder / "units/sockets.target.wants");
  machine_.folder.write("units/multi-user.target.wants/vpnrun@office.service", "");
  machine_.folder.write("units/sockets.target.wants/vpnrun@past.socket", "");
  machine_.folder.write("units/sockets.target.wants/other@past.socket", "");
  const Outcome outcome = ctl({"list", "--json"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("tunnel 'gone' is prepared, and its profile is gone: as root, "),
                    HasSubstr("vpnrun-tunnel release gone"),
                    HasSubstr("unit 'vpnrun@past.socket' is enabled, and its profile is gone"),
                    Not(HasSubstr("office")), Not(HasSubstr("other@"))));
  EXPECT_EQ(json::parse(outcome.out).size(), 1U);
}

TEST_F(Ctl, StatusListsWhatIsLeftOutOfTheConfiguration) {
  machine_.prepare("office");
  auto reply = reply_in(State::kUp);
  reply.status.left_out = {{"up", {9}, "names\x1b", Severity::kNotice, "work.ovpn"},
                           {"persist-tun", {4, 5}, "reconnects", Severity::kInfo, "work.ovpn"}};
  const FakeCompanion companion(machine_.control("office"),
                                [&](const auto&) { return std::vector{reply}; });
  EXPECT_THAT(ctl({"status", "office"}).out,
              AllOf(HasSubstr("  left out   up (line 9): names?\n"),
                    HasSubstr("  left out   persist-tun (lines 4, 5): reconnects\n")));
  const json status = json::parse(ctl({"status", "office", "--json"}).out);
  EXPECT_EQ(status.at("left_out").at(0).at("directive"), "up");
  EXPECT_EQ(status.at("left_out").at(1).at("lines"), json::array({4, 5}));
  EXPECT_EQ(status.at("left_out").at(0).at("severity"), "notice");
}

TEST_F(Ctl, StatusShowsErrorAndHintWithoutControlCharacters) {
  machine_.prepare("office");
  ControlReply reply = reply_in(State::kFailed);
  reply.status.error = "bad\x1b[2J";
  reply.status.hint = "cure";
  reply.status.addresses = {"10.8.0.2/24", "fd00::2/64"};
  const FakeCompanion companion(machine_.control("office"),
                                [&](const ControlRequest&) { return std::vector{reply}; });
  const Outcome outcome = ctl({"status", "office"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("  state      failed\n"),
                                 HasSubstr("error      bad?[2J\n"), HasSubstr("hint       cure\n"),
                                 HasSubstr("addresses  10.8.0.2/24, fd00::2/64\n")));
  EXPECT_EQ(json::parse(ctl({"status", "office", "--json"}).out).at("state"), "failed");
}

TEST_F(Ctl, StatusWithoutCompanionIsDownWithTheReason) {
  machine_.add_profile("office");
  machine_.prepare("office");
  const json statuses = json::parse(ctl({"status", "--json"}).out);
  ASSERT_EQ(statuses.size(), 1U);
  EXPECT_EQ(statuses.at(0).at("state"), "down");
  EXPECT_EQ(statuses.at(0).at("error"), "its companion is not running");
}

TEST_F(Ctl, StatusOfAClosedProfileFails) {
  const Outcome outcome = ctl({"status", "office"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, HasSubstr("cannot use profile 'office'"));
}

TEST_F(Ctl, OrdersGoToTheCompanionAndTheOutcomeIsTheExitStatus) {
  machine_.prepare("office");
  const FakeCompanion companion(machine_.control("office"), obedient());
  EXPECT_EQ(ctl({"up", "office"}).err, "vpnrunctl: tunnel of profile 'office': up\n");
  EXPECT_EQ(ctl({"down", "office"}).err, "vpnrunctl: tunnel of profile 'office': down\n");
  EXPECT_EQ(ctl({"-q", "restart", "office"}).err, "");
  const std::vector<ControlRequest> requests = companion.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].command, Command::kUp);
  EXPECT_EQ(requests[1].command, Command::kDown);
  EXPECT_EQ(requests[2].command, Command::kRestart);
}

TEST_F(Ctl, AFailedOrderIsReportedAndExitsWithOne) {
  machine_.prepare("office");
  ControlReply failed = reply_in(State::kFailed);
  failed.status.error = "no route";
  const FakeCompanion companion(machine_.control("office"),
                                [&](const ControlRequest&) { return std::vector{failed}; });
  const Outcome outcome = ctl({"restart", "office"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err,
              HasSubstr("vpnrunctl: cannot restart the tunnel of profile 'office': no route"));
}

TEST_F(Ctl, InboundShowsAndChangesWhichPortsAreOpen) {
  machine_.prepare("office");
  ControlReply reply = reply_in(State::kUp);
  reply.status.inbound = {"tcp/51413", "udp/7777"};
  reply.status.features = feature::own();
  const FakeCompanion companion(machine_.control("office"),
                                [&](const ControlRequest&) { return std::vector{reply}; });
  EXPECT_EQ(ctl({"inbound", "office"}).out, "tcp/51413\nudp/7777\n");
  EXPECT_EQ(json::parse(ctl({"inbound", "office", "list", "--json"}).out),
            json::array({"tcp/51413", "udp/7777"}));
  EXPECT_THAT(ctl({"status", "office"}).out, HasSubstr("inbound    tcp/51413, udp/7777\n"));
  EXPECT_EQ(ctl({"inbound", "office", "add", "tcp/1", "udp/2"}).status, 0);
  EXPECT_EQ(ctl({"inbound", "office", "remove", "tcp/1"}).status, 0);
  const std::vector<ControlRequest> requests = companion.requests();
  ASSERT_GE(requests.size(), 2U);
  const ControlRequest& add = requests[requests.size() - 2];
  EXPECT_EQ(add.command, Command::kInbound);
  EXPECT_EQ(add.add, (std::vector<profile::Port>{{Transport::kTcp, 1}, {Transport::kUdp, 2}}));
  EXPECT_TRUE(add.remove.empty());
  EXPECT_EQ(requests.back().remove, (std::vector<profile::Port>{{Transport::kTcp, 1}}));
}

TEST_F(Ctl, InboundSaysWhyItIsRefused) {
  machine_.prepare("office");
  ControlReply refusal = reply_in(State::kUp);
  refusal.ok = false;
  refusal.error = "only root may order that";
  refusal.hint = "with sudo";
  const FakeCompanion companion(machine_.control("office"), [&](const ControlRequest& request) {
    return std::vector{request.command == Command::kInbound ? refusal : reply_in(State::kUp)};
  });
  const Outcome outcome = ctl({"inbound", "office", "add", "tcp/1"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_EQ(outcome.err,
            "vpnrunctl: cannot change which ports are open from the tunnel of profile 'office': "
            "only root may order that\nhint: with sudo\n");
}

TEST_F(Ctl, InboundWithoutCompanionChangesNothing) {
  machine_.add_profile("office");
  machine_.prepare("office");
  EXPECT_EQ(ctl({"inbound", "office", "add", "tcp/1"}).status, kCtlFailed);
  EXPECT_EQ(ctl({"inbound", "office"}).out, "");
}

TEST_F(Ctl, InboundTakesPortsAndNothingElse) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"inbound"},
                                             {"inbound", "office", "open", "tcp/1"},
                                             {"inbound", "office", "add"},
                                             {"inbound", "office", "add", "51413"},
                                             {"inbound", "office", "add", "tcp/0"},
                                             {"inbound", "office", "list", "tcp/1"},
                                             {"inbound", "office", "add", "tcp/1", "--json"}}) {
    EXPECT_EQ(ctl(words).status, kCtlUsage);
  }
}

TEST_F(Ctl, DownWithoutCompanionHasNothingToDo) {
  machine_.prepare("office");
  EXPECT_EQ(ctl({"down", "office"}).status, 0);
  const Outcome up = ctl({"up", "office"});
  EXPECT_EQ(up.status, kCtlFailed);
  EXPECT_THAT(up.err, HasSubstr("hint: as root: "));
}

TEST_F(Ctl, RootsOrderHasSystemdListenIfNobodyDoesWhateverPathSays) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root orders systemd: run as root";
  }
  machine_.add_profile("office");
  machine_.prepare("office");
  install_systemctl();
  const Outcome outcome = ctl({"up", "office"});
  EXPECT_EQ(outcome.status, kCtlFailed);  // this systemctl starts nothing
  EXPECT_THAT(outcome.err, HasSubstr("it is not running"));
  EXPECT_EQ(ctl({"restart", "office"}).status, kCtlFailed);
  const std::string each =
      "reset-failed -- vpnrun-netns@office.service* vpnrun@office.*\n"
      "start -- vpnrun-netns@office.service\nstart -- vpnrun@office.socket\n";
  EXPECT_EQ(machine_.read("orders"), each + each);
  std::filesystem::remove(machine_.folder / "orders");
  EXPECT_EQ(ctl({"down", "office"}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(machine_.folder / "orders"));
  EXPECT_THAT(ctl({"up", "offcie"}).err, HasSubstr("did you mean 'office'?"));
}

TEST_F(Ctl, RootsOrderNamesAMistakeInTheProfileBeforeSystemdIsAsked) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root orders systemd: run as root";
  }
  machine_.folder.write("profiles/office.toml", "[tunnel]\ntipe = \"none\"\n");
  install_systemctl();
  const Outcome outcome = ctl({"up", "office"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("office.toml:2:1: unknown key 'tipe'"), HasSubstr("'type'"),
                    HasSubstr("\nhint: mend that, then: vpnrunctl up office\n")));
  EXPECT_FALSE(std::filesystem::exists(machine_.folder / "orders"));
}

TEST_F(Ctl, TheNearestWordIsNamed) {
  const auto said = [this](const std::vector<std::string>& words) { return ctl(words).err; };
  EXPECT_THAT(said({"statsu"}), HasSubstr("no command 'statsu'; did you mean 'status'?"));
  EXPECT_THAT(said({"lst", "--json"}), HasSubstr("did you mean 'list'?"));
  EXPECT_THAT(said({"start", "office"}), HasSubstr("did you mean 'up'?"));
  EXPECT_THAT(said({"stop"}), HasSubstr("did you mean 'down'?"));
  EXPECT_THAT(said({"list", "--jsn"}),
              HasSubstr("'--jsn' is not expected; did you mean '--json'?"));
  EXPECT_THAT(said({"up", "office", "--wiat=3"}), HasSubstr("did you mean '--wait'?"));
  EXPECT_THAT(said({"frobnicate"}), ::testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(said({"list", "-x"}), ::testing::Not(HasSubstr("did you mean")));
}

TEST_F(Ctl, WhatIsEmptySaysWhatComesNext) {
  for (const char* verb : {"list", "status", "ps"}) {
    const Outcome outcome = ctl({verb});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("there is no profile in "), HasSubstr("\nhint: as root, write ")))
        << verb;
  }
  EXPECT_THAT(ctl({"log"}).err,
              AllOf(HasSubstr("there is no profile in "), HasSubstr("\nhint: as root, write ")));
  machine_.add_profile("office");
  EXPECT_THAT(ctl({"status"}).err,
              AllOf(HasSubstr("no profile is prepared and open to you"), HasSubstr("\nhint: ")));
}

// --- the log of the companion ---

/// A companion with so many lines of log, `at_once` in a reply.
FakeCompanion::Script with_log(std::size_t lines, std::size_t at_once) {
  return [lines, at_once](const ControlRequest& request) {
    ControlReply reply = reply_in(State::kUp);
    reply.log.emplace();
    for (std::uint64_t n = request.after + 1; n <= lines && reply.log->size() < at_once; ++n) {
      reply.log->push_back({n, 1700000000, "info", "line " + std::to_string(n)});
    }
    return std::vector{reply};
  };
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST_F(Ctl, WhoMayNotReadTheJournalIsShownTheCompanionsLog) {
  machine_.add_profile("office");
  machine_.prepare("office");
  const FakeCompanion companion(machine_.control("office"), with_log(120, 50));
  Outcome outcome = ctl({"log", "office"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(lines_in(outcome.out), 50U);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(" line 71\n"), HasSubstr(" line 120\n"),
                                 ::testing::Not(HasSubstr(" line 70\n"))));
  outcome = ctl({"log", "-n", "all", "--json"});  // the only profile
  EXPECT_EQ(lines_in(outcome.out), 120U);
  EXPECT_EQ(json::parse(outcome.out.substr(0, outcome.out.find('\n'))).at("text"), "line 1");
  EXPECT_EQ(lines_in(ctl({"log", "-n", "0"}).out), 0U);
}

TEST_F(Ctl, ALogThatNeverEndsAndTerminalSequencesDoNoHarm) {
  machine_.prepare("office");
  ControlReply reply = reply_in(State::kUp);
  reply.log = {{1, 0, "info", "a\x1b[2Jb"}};  // again and again, whatever is asked for
  const FakeCompanion companion(machine_.control("office"),
                                [reply](const ControlRequest&) { return std::vector{reply}; });
  const Outcome outcome = ctl({"log", "office"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(lines_in(outcome.out), 1U);
  EXPECT_THAT(outcome.out, HasSubstr("a?[2Jb"));
}

TEST_F(Ctl, ALogWithoutACompanionSaysHow) {
  machine_.add_profile("office");
  machine_.add_profile("home");
  machine_.prepare("office");
  machine_.prepare("home");
  const Outcome outcome = ctl({"log", "office"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("its companion is not running"), HasSubstr("hint: ")));
  EXPECT_THAT(ctl({"log"}).err, HasSubstr("vpnrunctl log NAME, with one of: home, office"));
}

TEST_F(Ctl, ACompanionWithoutALogIsNamed) {
  machine_.prepare("office");
  const FakeCompanion companion(machine_.control("office"), obedient(), test::greeting_of_first());
  const Outcome outcome = ctl({"log", "office"});
  EXPECT_EQ(outcome.status, kCtlFailed);
  EXPECT_THAT(outcome.err, HasSubstr("hint: the companion is older than this program"));
}

TEST_F(Ctl, WhatTheProfileDoesNotGetIsToldToWhoeverOrders) {
  machine_.prepare("office");
  ControlReply reply = reply_in(State::kUp);
  reply.status.warnings = {"office.toml:9:10: [access] users names 'x', which does not exist"};
  const FakeCompanion companion(machine_.control("office"),
                                [reply](const ControlRequest&) { return std::vector{reply}; });
  EXPECT_THAT(ctl({"restart", "office"}).err,
              HasSubstr("warning: office.toml:9:10: [access] users names 'x', which does not"));
  EXPECT_THAT(ctl({"status", "office"}).out, HasSubstr("  warning    office.toml:9:10: "));
}

TEST_F(Ctl, UsageErrorsExitWithTwo) {
  EXPECT_EQ(ctl({}).status, kCtlUsage);
  EXPECT_EQ(ctl({"up"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"frobnicate"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"up", "../x"}).status, kCtlUsage);
  EXPECT_EQ(ctl({"up", "office", "--wait", "soon"}).status, kCtlUsage);
}

TEST_F(Ctl, HelpNamesEveryCommand) {
  const Outcome outcome = ctl({"--help"});
  EXPECT_EQ(outcome.status, 0);
  for (const char* verb : {"list", "status", "up", "down", "restart", "ps"}) {
    EXPECT_THAT(outcome.out, HasSubstr(verb));
  }
  EXPECT_THAT(ctl({"up", "--help"}).out, HasSubstr("--wait"));
}

TEST_F(Ctl, HelpIsTheSameWithEveryOptionParser) {
  EXPECT_EQ(ctl({"--help"}).out,
            "Show and manage vpnrun's profiles and tunnels.\n"
            "Usage: vpnrunctl [OPTION…] COMMAND\n"
            "\n"
            "Options:\n"
            "  -h, --help                  print this text and exit\n"
            "  --version                   print the version and exit\n"
            "  -q, --quiet                 errors only: no progress\n"
            "\n"
            "Commands:\n"
            "  list                        show all profiles\n"
            "  status                      show what a tunnel does\n"
            "  up                          start a tunnel and wait for it\n"
            "  down                        stop a tunnel; its applications stay, offline\n"
            "  restart                     connect a tunnel anew and wait for it\n"
            "  ps                          show the processes in a profile's network namespace\n"
            "  log                         show what a tunnel and its namespace said\n"
            "  inbound                     show or change which ports are open from a tunnel\n"
            "  attach                      put a systemd service behind a tunnel; alone: list "
            "those that are\n"
            "  detach                      take a systemd service out again\n");
  EXPECT_EQ(ctl({"log", "--help"}).out,
            "show what a tunnel and its namespace said\n"
            "Usage: vpnrunctl log [OPTION…] [NAME]\n"
            "\n"
            "Options:\n"
            "  -h, --help                  print this text and exit\n"
            "  -f, --follow                show new lines as they come\n"
            "  -n, --lines N               how many (default 50), or all\n"
            "  --json                      print JSON\n");
}

TEST_F(Ctl, WhatIsWrongIsSaidInTheSameWordsWithEveryOptionParser) {
  const auto said = [this](const std::vector<std::string>& words) {
    const std::string text = ctl(words).err;
    return text.substr(0, text.find('\n'));
  };
  const std::string prefix = "vpnrunctl: cannot understand the command line: ";
  EXPECT_EQ(said({}), prefix + "no command is given");
  EXPECT_EQ(said({"nope\x1b"}), prefix + "there is no command 'nope?'");
  EXPECT_EQ(said({"up"}), prefix + "up: NAME is missing");
  EXPECT_EQ(said({"up", "a", "b"}), prefix + "'b' is not expected");
  EXPECT_EQ(said({"up", "a", "b", "--c"}), prefix + "'b', '--c' are not expected");
  EXPECT_EQ(said({"log", "a", "-n"}), prefix + "--lines: 1 required N missing");
  EXPECT_EQ(said({"log", "a", "--json=x"}), prefix + "Could not convert: --json = x");
}

TEST_F(Ctl, ProcessesAreThoseInTheNamespaceAndNoOthers) {
  for (const char* name : {"proc", "proc/12", "proc/12/ns", "proc/13", "proc/13/ns", "proc/tty"}) {
    std::filesystem::create_directory(machine_.folder / name);
  }
  machine_.folder.write("inside", "");
  machine_.folder.write("proc/13/ns/net", "");
  std::filesystem::create_symlink(machine_.folder / "inside", machine_.folder / "proc/12/ns/net");
  machine_.folder.write("proc/12/status", "Name:\tapp\nUid:\t1000\t4294967\t0\t0\n");
  machine_.folder.write("proc/12/cmdline", std::string("app\0-x\0", 7));
  struct stat info {};
  ASSERT_EQ(::stat((machine_.folder / "inside").c_str(), &info), 0);
  const ProcessList list =
      processes_in({.dev = info.st_dev, .ino = info.st_ino}, machine_.folder / "proc");
  EXPECT_EQ(show_processes({{"office", list}}),
            "PROFILE  PID  USER     COMMAND\noffice   12   4294967  app -x\n");
  EXPECT_EQ(json::parse(processes_to_json({{"office", list}})).at(0).at("uid"), 4294967);
}

TEST_F(Ctl, AProcessThatIsCalledSoWritesNothingOnATerminal) {
  // NOLINTBEGIN(misc-misleading-bidirectional): that is what the test is about
  ProcessList list;
  list.processes.push_back({.pid = 12,
                            .uid = 0,
                            .user = "root",
                            .command = "\x1b[2J\x7f\xc2\x9b"
                                       "2J\xe2\x80\xae \xc3\xa9"});
  const std::string text = processes_to_json({{"office", list}});
  for (const char* control : {"\x1b", "\x7f", "\xc2\x9b", "\xe2\x80\xae"}) {
    EXPECT_EQ(text.find(control), std::string::npos);
  }
  EXPECT_EQ(json::parse(text).at(0).at("command"), list.processes.front().command);
  EXPECT_NE(text.find("\xc3\xa9"), std::string::npos) << "what is harmless stays as it is";
  // NOLINTEND(misc-misleading-bidirectional)
}

TEST_F(Ctl, PsFindsThisVeryProcessInItsOwnNamespace) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "the record must belong to root: run as root";
  }
  machine_.prepare("office");
  machine_.record_this_process("office");
  const json processes = json::parse(ctl({"ps", "office", "--json"}).out);
  bool found = false;
  for (const json& process : processes) {
    found = found || process.at("pid") == ::getpid();
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(ctl({"ps", "absent"}).status, kCtlFailed);
}

}  // namespace
}  // namespace vpnrun
