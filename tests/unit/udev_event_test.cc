// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>

#include <cstdint>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "systemd/service/udev_bridge.h"

namespace vpnrun::service {
namespace {

using namespace std::string_literals;

constexpr UeventSender kDaemon{.uid = 0, .groups = 2};

/// As libudev lays it out; `surplus` is added to the size of the properties.
std::string event(const std::string& properties, std::uint32_t magic = 0xfeedcafe,
                  std::uint32_t offset = 40, std::uint32_t surplus = 0) {
  std::string text = "libudev\0"s;
  for (const std::uint32_t number :
       {htonl(magic), std::uint32_t{40}, offset,
        static_cast<std::uint32_t>(properties.size()) + surplus, std::uint32_t{0}, std::uint32_t{0},
        std::uint32_t{0}, std::uint32_t{0}}) {
    text.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return text + properties;
}

std::string plugged_in() {
  return "ACTION=add\0SUBSYSTEM=input\0DEVNAME=input/event7\0"s;
}

TEST(UdevEvent, OfTheDaemonIsOne) {
  EXPECT_TRUE(is_udev_event(event(plugged_in()), kDaemon));
  EXPECT_TRUE(is_udev_event(event(""), kDaemon));
}

TEST(UdevEvent, OfSomebodyElseIsNone) {
  const std::string datagram = event(plugged_in());
  EXPECT_FALSE(is_udev_event(datagram, {.uid = 1000, .groups = 2}));
  EXPECT_FALSE(is_udev_event(datagram, {.uid = std::nullopt, .groups = 2}));
  EXPECT_FALSE(is_udev_event(datagram, {.uid = 0, .groups = 0}));  // meant for one receiver
  EXPECT_FALSE(is_udev_event(datagram, {.uid = 0, .groups = 1}));  // the kernel's own
  EXPECT_FALSE(is_udev_event(datagram, {.uid = 0, .groups = 3}));
}

TEST(UdevEvent, HasTheHeadOfLibudev) {
  EXPECT_FALSE(is_udev_event("", kDaemon));
  EXPECT_FALSE(is_udev_event("add@/devices/x\0ACTION=add\0"s, kDaemon));
  EXPECT_FALSE(is_udev_event(event(plugged_in()).substr(0, 39), kDaemon));
  EXPECT_FALSE(is_udev_event(event(plugged_in(), 0xcafefeed), kDaemon));
  std::string other = event(plugged_in());
  other[3] = 'x';
  EXPECT_FALSE(is_udev_event(other, kDaemon));
}

TEST(UdevEvent, HasItsPropertiesInside) {
  EXPECT_FALSE(is_udev_event(event(plugged_in(), 0xfeedcafe, 39), kDaemon));
  EXPECT_FALSE(is_udev_event(event(plugged_in(), 0xfeedcafe, 41), kDaemon));
  EXPECT_FALSE(is_udev_event(event(plugged_in(), 0xfeedcafe, 0xffffffff), kDaemon));
  EXPECT_FALSE(is_udev_event(event(plugged_in(), 0xfeedcafe, 40, 1), kDaemon));
  EXPECT_FALSE(is_udev_event(event(plugged_in(), 0xfeedcafe, 40, 0xffffff00), kDaemon));
}

TEST(UdevEvent, OfAnInterfaceStaysOutside) {
  EXPECT_FALSE(is_udev_event(event("ACTION=add\0SUBSYSTEM=net\0INTERFACE=eth0\0"s), kDaemon));
  EXPECT_FALSE(is_udev_event(event("SUBSYSTEM=net"), kDaemon));
  EXPECT_TRUE(is_udev_event(event("SUBSYSTEM=nettle\0X=SUBSYSTEM=net\0"s), kDaemon));
}

}  // namespace
}  // namespace vpnrun::service
