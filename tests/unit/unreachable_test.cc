// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/unreachable.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kTitles = "Num       RefCount Protocol Flags    Type St Inode Path\n";

std::string listener(const std::string& name) {
  return "0000000000000000: 00000002 00000000 00010000 0001 01 12345 " + name + "\n";
}
std::string connection(const std::string& name) {
  return "0000000000000000: 00000003 00000000 00000000 0001 03 12346 " + name + "\n";
}

class Unreachable : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "x11");
    places_.x11_sockets = folder_ / "x11";
    places_.machine_id = folder_ / "machine-id";
    listen("");
  }
  void listen(const std::string& lines) const { folder_.write("unix", kTitles + lines); }
  [[nodiscard]] std::vector<Warning> look(const std::vector<std::string>& environment) const {
    const test::Words variables(environment);
    UnixSockets sockets(folder_ / "unix");
    return unreachable_inside("one", variables.data(), places_, sockets);
  }
  [[nodiscard]] std::vector<std::string> texts(const std::vector<std::string>& environment) const {
    std::vector<std::string> all;
    for (const Warning& warning : look(environment)) {
      EXPECT_NE(warning.hint, "");
      all.push_back(warning.text);
    }
    return all;
  }

  test::ScratchFolder folder_;  // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
  Places places_;               // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
};

TEST_F(Unreachable, AnOrdinarySessionIsNone) {
  folder_.write("x11/X0", "");
  listen(listener("@" + (folder_ / "x11/X0").string()) + listener("/run/user/1000/bus"));
  EXPECT_THAT(look({"DISPLAY=:0", "WAYLAND_DISPLAY=wayland-0", "SSH_AUTH_SOCK=/run/user/1000/ssh",
                    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
                    "SESSION_MANAGER=local/box:@/tmp/.ICE-unix/1,unix/box:/tmp/.ICE-unix/1",
                    "PULSE_SERVER=unix:/run/user/1000/pulse/native", "http_proxy=",
                    "https_proxy=http://proxy.example.org:3128", "XMODIFIERS=@im=ibus",
                    "DOCKER_HOST=unix:///run/user/1000/docker.sock", "MPD_HOST=/run/mpd/socket",
                    "CUPS_SERVER=printer.example.org", "NOTIFY_SOCKET=/run/systemd/notify"}),
              IsEmpty());
  EXPECT_THAT(look({}), IsEmpty());
}

TEST_F(Unreachable, ADisplayOfTheLoopbackIsNamedWithAWayOut) {
  const auto warnings = look({"DISPLAY=localhost:10.0"});
  ASSERT_THAT(warnings, SizeIs(1));
  EXPECT_EQ(warnings.at(0).text,
            "DISPLAY=localhost:10.0 is a port of this machine's loopback, which profile 'one' does "
            "not reach");
  EXPECT_THAT(warnings.at(0).hint, AllOf(HasSubstr("x11/X10,mode=600,fork TCP:localhost:6010"),
                                         HasSubstr("DISPLAY=:10 vpnrun")));
  for (const char* value :
       {"127.0.0.1:0", "tcp/localhost:1", "[::1]:2", "ip6-localhost:3.1", "LOCALHOST:4"}) {
    EXPECT_THAT(texts({"DISPLAY=" + std::string(value)}),
                ElementsAre(HasSubstr("this machine's loopback")))
        << value;
  }
}

TEST_F(Unreachable, ADisplayOfAnotherComputerMayBe) {
  EXPECT_THAT(texts({"DISPLAY=192.168.77.50:0"}),
              ElementsAre("DISPLAY=192.168.77.50:0 is the display of another computer: profile "
                          "'one' reaches it through its tunnel or not at all"));
}

TEST_F(Unreachable, NoDisplayIsGuessedAt) {
  for (const char* value : {"", "0", "localhost", ":", ":x", "localhost:123456", "/tmp/x:0",
                            "unix:/tmp/x:0", ":7", "box/unix:7"}) {
    EXPECT_THAT(look({"DISPLAY=" + std::string(value)}), IsEmpty()) << value;
  }
}

TEST_F(Unreachable, ADisplayWithAnAbstractNameOnlyIsNamed) {
  const std::string name = "@" + (folder_ / "x11/X7").string();
  listen(connection(name));
  EXPECT_THAT(look({"DISPLAY=:7.0"}), IsEmpty());  // nobody listens
  listen(listener(name));
  EXPECT_THAT(texts({"DISPLAY=:7.0"}),
              ElementsAre(StartsWith("DISPLAY=:7.0 is an abstract Unix socket")));
  EXPECT_THAT(texts({"DISPLAY=box/unix:7"}), SizeIs(1));
  folder_.write("x11/X7", "");
  EXPECT_THAT(look({"DISPLAY=:7.0"}), IsEmpty());
}

TEST_F(Unreachable, ProxiesOfTheLoopbackAreNamedOnceAndWithoutTheirLogin) {
  const auto found = texts({"http_proxy=http://user:secret@localhost:3128/",
                            "https_proxy=http://user:secret@localhost:3128/",
                            "ALL_PROXY=socks5h://127.0.0.1:9050", "HTTP_PROXY=localhost:8080"});
  EXPECT_THAT(found, ElementsAre(HasSubstr("http_proxy (localhost:3128) is a port of"),
                                 HasSubstr("HTTP_PROXY (localhost:8080)"),
                                 HasSubstr("ALL_PROXY (127.0.0.1:9050)")));
  for (const std::string& text : found) {
    EXPECT_THAT(text, Not(HasSubstr("secret")));
  }
}

TEST_F(Unreachable, OtherServicesOfTheLoopbackAreNamed) {
  EXPECT_THAT(texts({"PULSE_SERVER={abc}tcp:localhost:4713 tcp6:[::1]:4713"}), SizeIs(1));
  EXPECT_THAT(texts({"PULSE_SERVER=localhost unix:/run/pulse"}), IsEmpty());
  EXPECT_THAT(texts({"DOCKER_HOST=tcp://localhost:2375"}),
              ElementsAre(HasSubstr("localhost:2375")));
  EXPECT_THAT(texts({"MPD_HOST=word@localhost"}), ElementsAre(Not(HasSubstr("word"))));
  EXPECT_THAT(texts({"CUPS_SERVER=localhost:631"}), SizeIs(1));
  EXPECT_THAT(texts({"DBUS_SESSION_BUS_ADDRESS=tcp:host=localhost,port=5,family=ipv4"}),
              ElementsAre(HasSubstr("(localhost:5)")));
  EXPECT_THAT(texts({"SESSION_MANAGER=tcp/localhost:4711"}), SizeIs(1));
}

TEST_F(Unreachable, AbstractSocketsAreNamedIfThereIsNoPath) {
  listen(listener("@/tmp/dbus-x1") + listener("@/tmp/.ICE-unix/9") + listener("@ready"));
  EXPECT_THAT(texts({"DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/dbus-x1,guid=0a"}),
              ElementsAre(StartsWith("DBUS_SESSION_BUS_ADDRESS (@/tmp/dbus-x1) is an abstract")));
  EXPECT_THAT(texts({"DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/dbus-x1;unix:path=/run/bus"}),
              IsEmpty());
  EXPECT_THAT(texts({"DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/of-the-profile"}), IsEmpty());
  EXPECT_THAT(texts({"DBUS_SESSION_BUS_ADDRESS=autolaunch:"}), IsEmpty());
  EXPECT_THAT(texts({"SESSION_MANAGER=local/box:@/tmp/.ICE-unix/9"}), SizeIs(1));
  EXPECT_THAT(texts({"AT_SPI_BUS_ADDRESS=unix:abstract=/tmp/dbus-x1"}), SizeIs(1));
  EXPECT_THAT(texts({"NOTIFY_SOCKET=@ready"}), SizeIs(1));
}

TEST_F(Unreachable, AnInputMethodIsFoundByItsFile) {
  listen(listener("@/home/alice/.cache/ibus/dbus-7"));
  folder_.write("machine-id", "0123abcd\n");
  std::filesystem::create_directories(folder_ / "config/ibus/bus");
  folder_.write("config/ibus/bus/0123abcd-unix-0",
                "# This file is created by ibus-daemon, please do not modify it\n"
                "IBUS_ADDRESS=unix:abstract=/home/alice/.cache/ibus/dbus-7,guid=1\n"
                "IBUS_DAEMON_PID=12\n");
  const std::string configuration = "XDG_CONFIG_HOME=" + (folder_ / "config").string();
  EXPECT_THAT(texts({"DISPLAY=:0", configuration, "GTK_IM_MODULE=ibus"}),
              ElementsAre(AllOf(HasSubstr("ibus"), HasSubstr("abstract"))));
  EXPECT_THAT(texts({"DISPLAY=:0", configuration}), IsEmpty());
  EXPECT_THAT(texts({"DISPLAY=:1", configuration, "XMODIFIERS=@im=ibus"}), IsEmpty());
}

TEST_F(Unreachable, NoSocketsAreReadWithoutReason) {
  std::filesystem::remove(folder_ / "unix");
  EXPECT_THAT(look({"DISPLAY=localhost:10.0"}), SizeIs(1));
  EXPECT_THAT(look({"DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/x"}), IsEmpty());
}

TEST(HostInUrl, IsWhatTheNetworkIsAskedFor) {
  EXPECT_EQ(host_in_url("http://user:p@ss@proxy.example:3128/path"), "proxy.example");
  EXPECT_EQ(host_in_url("socks5://[::1]:9050"), "::1");
  EXPECT_EQ(host_in_url("localhost:80"), "localhost");
  EXPECT_EQ(host_in_url("localhost"), "localhost");
  EXPECT_EQ(host_in_url("::1"), "::1");
  EXPECT_EQ(host_in_url("/run/socket"), "");
  EXPECT_EQ(host_in_url("unix:/run/socket"), "");
  EXPECT_EQ(host_in_url("["), "");
  EXPECT_EQ(host_in_url(""), "");
}

TEST(ThisMachine, IsItsLoopbackAndItsName) {
  for (const char* host : {"localhost", "a.localhost", "127.3.2.1", "::1", "0.0.0.0", "::"}) {
    EXPECT_TRUE(is_this_machine(host)) << host;
  }
  for (const char* host : {"", "local", "localhost.example.org", "10.0.0.1", "2001:db8::1"}) {
    EXPECT_FALSE(is_this_machine(host)) << host;
  }
}

}  // namespace
}  // namespace vpnrun
