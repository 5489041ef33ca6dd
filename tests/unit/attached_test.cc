// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/attached.h"

#include <bit>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/ctl/attach_checks.h"
#include "launcher/ctl/listeners.h"
#include "launcher/ctl/lockout.h"
#include "launcher/ctl/unit_text.h"

namespace vpnrun {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr FileId kHost{.dev = 4, .ino = 1};
constexpr FileId kProfile{.dev = 4, .ino = 2};
constexpr FileId kOther{.dev = 4, .ino = 3};

UnitProperties good(const std::string& state) {
  return {{"LoadState", "loaded"},
          {"ActiveState", state},
          {"NetworkNamespacePath", "/run/netns/one"},
          {"TemporaryFileSystem", "/run:mode=0755"},
          {"BindsTo", "vpnrun-netns@one.service"},
          {"ExecCondition", "{ path=/x ; argv[]=/x inside one ; ignore_errors=no }"},
          {"RestrictAddressFamilies", "AF_INET AF_UNIX"},
          {"SystemCallFilter", "~io_uring_setup:ENOSYS pidfd_getfd:ENOSYS"},
          {"SystemCallArchitectures", "native"}};
}

AttachedState judged(const UnitProperties& properties, const Whereabouts& where,
                     const std::string& file = "/f") {
  return judge_attached({"d.service", "one", file}, properties, where, UnitScope::kSystem,
                        "/usr/bin/vpnrun");
}

TEST(Attached, AUnitIsInsideOutsideOrStopped) {
  const Whereabouts inside{
      .process = kProfile, .own = kHost, .wanted = kProfile, .named = kProfile};
  EXPECT_EQ(judged(good("active"), inside).state, "inside");
  EXPECT_EQ(judged(good("active"), inside).finding, "");
  EXPECT_EQ(judged(good("inactive"), inside).state, "stopped");
  EXPECT_EQ(judged(good("failed"), inside).state, "failed");
  UnitProperties waiting = good("activating");
  waiting["SubState"] = "auto-restart";
  EXPECT_EQ(judged(waiting, inside).state, "failed") << "until systemd tries again";
  Whereabouts where = inside;
  where.process = kHost;
  EXPECT_EQ(judged(good("active"), where).state, "outside");
  EXPECT_EQ(judged(good("active"), where).finding, "it still runs outside");
  EXPECT_EQ(judged(good("active"), where).hint, "systemctl restart d.service");
  where.process = kOther;  // that of before `release` and `prepare`
  EXPECT_EQ(judged(good("active"), where).state, "running");
  EXPECT_THAT(judged(good("active"), where).finding, HasSubstr("another network namespace"));
  where.process.reset();  // not for this caller
  EXPECT_EQ(judged(good("active"), where).state, "running");
  EXPECT_EQ(judged(good("active"), where).finding, "");
}

TEST(Attached, WhatKeepsItFromTheNamespaceIsSaid) {
  const Whereabouts where{.process = {}, .own = kHost, .wanted = kProfile, .named = kProfile};
  EXPECT_THAT(judged(good("inactive"), where, "").finding, HasSubstr("its drop-in is gone"));
  UnitProperties properties = good("inactive");
  properties["LoadState"] = "not-found";
  EXPECT_EQ(judged(properties, where).finding, "there is no such unit any more");
  for (const char* name : {"NetworkNamespacePath", "TemporaryFileSystem", "BindsTo",
                           "ExecCondition", "SystemCallArchitectures"}) {
    properties = good("inactive");
    properties.erase(name);
    EXPECT_THAT(judged(properties, where).finding, HasSubstr("is not in force")) << name;
  }
  properties = good("inactive");
  properties["JoinsNamespaceOf"] = "e.service";
  EXPECT_THAT(judged(properties, where).finding, HasSubstr("shares namespaces with 'e.service'"));
  // `ip netns del`, and another of the same name
  Whereabouts unnamed = where;
  for (const auto& named : {std::optional<FileId>(), std::optional(kOther)}) {
    unnamed.named = named;
    EXPECT_THAT(judged(good("inactive"), unnamed).finding, HasSubstr("/run/netns/one"));
    EXPECT_EQ(judged(good("inactive"), unnamed).hint, "systemctl reload vpnrun-netns@one");
  }
}

Unit unit_of(const std::string& text, const std::string& id = "d.service") {
  return {.id = id, .properties = {}, .settings = parse_unit_text(text)};
}

TEST(Lockout, ByTheNamesOfUnitsAndPrograms) {
  for (const char* id : {"ssh.service", "sshd@a-b.service", "autovt@tty2.service", "sddm.service",
                         "ifup@eth0.service", "wpa_supplicant@wlan0.service", "nscd.service"}) {
    EXPECT_NE(lockout_of(unit_of("", id)), "") << id;
  }
  for (const char* id : {"sshguard.service", "d.service", "network.service", "gettyish@a.service",
                         "transmission-daemon.service", "kodi.service"}) {
    EXPECT_EQ(lockout_of(unit_of("", id)), "") << id;
  }
  for (const char* command : {"/usr/sbin/sshd -D", "-@/sbin/agetty agetty tty1", "dropbear"}) {
    EXPECT_NE(lockout_of(unit_of("[Service]\nExecStart=" + std::string(command) + "\n")), "")
        << command;
  }
  EXPECT_EQ(lockout_of(unit_of("[Service]\nExecStart=/bin/a /usr/sbin/sshd\n")), "");
}

TEST(Lockout, AddressesOfSocketUnits) {
  const auto all = listen_addresses(
      "0.0.0.0:22 (Stream)\n[::]:22 (Stream)\n/run/a (Stream) @a (Datagram)\n"
      "vsock::22 (Stream)\n/dev/a (FIFO)\nkobject-uevent 1 (Netlink)");
  std::vector<std::string> reached;
  for (const ListenAddress& one : all) {
    if (is_internet(one)) {
      reached.push_back(one.address);
    }
  }
  EXPECT_THAT(reached, ElementsAre("0.0.0.0:22", "[::]:22"));
  EXPECT_THAT(listen_addresses(""), IsEmpty());
}

// Lines of proc(5), as a little-endian machine has them.
TEST(Listeners, AreThoseOfTheUnitThatWaitForOthers) {
  if constexpr (std::endian::native != std::endian::little) {
    GTEST_SKIP() << "the tables are those of a little-endian machine";
  }
  const std::string tcp =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:2383 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 "
      "11 1 0 100 0 0 10 0\n"
      "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "12 1 0 100 0 0 10 0\n"
      "   2: 0100007F:2384 0100007F:1F90 01 00000000:00000000 00:00000000 00000000   107        0 "
      "13 1 0 100 0 0 10 0\n";
  const std::string udp6 =
      "  100: 00000000000000000000000000000000:C8D5 00000000000000000000000000000000:0000 07 "
      "00000000:00000000 00:00000000 00000000   107        0 14 2 0 0\n"
      "  101: 000080FE000000000000000001000000:9C40 00000000000000000000000000000000:0000 07 "
      "00000000:00000000 00:00000000 00000000   107        0 15 2 0 0\n";
  const PortRange chosen{.first = 32768, .last = 40000};
  EXPECT_THAT(listeners_in(tcp, "tcp", {11, 13}, chosen),
              ElementsAre(Listener{"tcp", "127.0.0.1", 9091}));
  EXPECT_THAT(listeners_in(udp6, "udp", {14, 15}, chosen),
              ElementsAre(Listener{"udp", "[::]", 51413}))
      << "40000 has been chosen by the kernel";
  EXPECT_THAT(listeners_in("", "tcp", {11}, chosen), IsEmpty());
  EXPECT_THAT(listeners_in("no table\n 0: x:y z 0A a b c d e 11\n", "tcp", {11}, chosen),
              IsEmpty());
}

TEST(RestartPolicyOfAUnit, IsItsOwnWhereItSaysSomething) {
  const auto policy = [](const std::string& lines, const char* type = "simple") {
    Unit unit = unit_of("[Service]\n" + lines);
    unit.properties["Type"] = type;
    return restart_policy(unit);
  };
  EXPECT_EQ(policy(""), RestartPolicy::kAdded);
  EXPECT_EQ(policy("", "oneshot"), RestartPolicy::kUnits);
  EXPECT_EQ(policy("Restart=no\n"), RestartPolicy::kUnits);
  EXPECT_EQ(policy("Restart=always\n"), RestartPolicy::kQuick);
  for (const char* quick : {"100ms", "0", "1", "1s", "1 sec"}) {
    EXPECT_EQ(policy("Restart=always\nRestartSec=" + std::string(quick) + "\n"),
              RestartPolicy::kQuick)
        << quick;
  }
  for (const char* slow : {"2", "10s", "1min", "1min 30s", "5000ms"}) {
    EXPECT_EQ(policy("Restart=always\nRestartSec=" + std::string(slow) + "\n"),
              RestartPolicy::kSlow)
        << slow;
  }
}

}  // namespace
}  // namespace vpnrun
