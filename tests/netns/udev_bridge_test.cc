// SPDX-License-Identifier: GPL-2.0-or-later
//
// "Nothing arrives" is shown by an event that is sent later and arrives first.
#include "systemd/service/udev_bridge.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

#include "tests/netns/netns_process.h"

namespace vpnrun::service {
namespace {

using namespace std::string_literals;

/// A socket of the udev daemon or of one who listens to it.
class UeventSocket {
 public:
  UeventSocket(const Netns& netns, std::uint32_t groups)
      : fd_(netns.run([] {
          return UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT));
        })) {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = groups;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  void send(const std::string& datagram, std::uint32_t group = 2) const {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = group;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::sendto(fd_.get(), datagram.data(), datagram.size(), 0, generic, sizeof address),
              static_cast<ssize_t>(datagram.size()));
  }
  /// The next datagram that is there; empty if there is none.
  [[nodiscard]] std::string receive() const {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
  }

 private:
  UniqueFd fd_;
};

std::string event(const std::string& name, const std::string& subsystem = "input") {
  const std::string properties =
      "ACTION=add\0SUBSYSTEM="s + subsystem + "\0DEVNAME="s + name + "\0"s;
  std::string text = "libudev\0"s;
  for (const std::uint32_t number :
       {htonl(0xfeedcafe), std::uint32_t{40}, std::uint32_t{40},
        static_cast<std::uint32_t>(properties.size()), 0U, 0U, 0U, 0U}) {
    text.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return text + properties;
}

struct Bridged {
  EventLoop loop;
  Netns host = Netns::here(filter::NftPlace::kHere);
  Netns inside = Netns::fresh("one", filter::NftPlace::kHere);
  UdevBridge bridge{loop, host, inside};
  UeventSocket daemon{host, 0};
  UeventSocket listener{inside, 2};
  UeventSocket listener_outside{host, 2};

  /// What a listener inside hears once what has been sent so far was handed on.
  [[nodiscard]] std::string heard() {
    std::string text;
    auto ends = loop.after(std::chrono::seconds(10), [this] { loop.stop(); });
    Timers::Handle look;
    const std::function<void()> again = [&] {
      text = listener.receive();
      if (text.empty()) {
        look = loop.after(std::chrono::milliseconds(1), [&again] { again(); });
      } else {
        loop.stop();
      }
    };
    again();
    if (text.empty()) {
      loop.run();
    }
    return text;
  }
};

NETNS_TEST(UdevBridge, HandsEventsOnUnchanged) {
  Bridged world;
  world.daemon.send(event("event7"));
  EXPECT_EQ(world.heard(), event("event7"));
  EXPECT_EQ(world.listener_outside.receive(), event("event7"));  // once: nothing comes back
  EXPECT_EQ(world.listener_outside.receive(), "");
}

NETNS_TEST(UdevBridge, HandsNothingElseOn) {
  Bridged world;
  world.daemon.send("not of libudev");
  world.daemon.send(event("eth0", "net"));
  world.daemon.send(event("other-group"), 4);
  world.daemon.send(event("event8"));
  EXPECT_EQ(world.heard(), event("event8"));
  EXPECT_EQ(world.listener_outside.receive(), "not of libudev");  // control: the daemon is heard
}

NETNS_TEST(UdevBridge, HandsNothingOut) {
  Bridged world;
  const UeventSocket sender(world.inside, 0);
  sender.send(event("of-the-inside"));
  EXPECT_EQ(world.heard(), event("of-the-inside"));
  world.daemon.send(event("event9"));
  EXPECT_EQ(world.heard(), event("event9"));
  EXPECT_EQ(world.listener_outside.receive(), event("event9"));
}

NETNS_TEST(UdevBridge, SurvivesMoreEventsThanAnybodyCanKeep) {
  Bridged world;
  for (int i = 0; i < 4000; ++i) {  // nobody reads meanwhile: the kernel drops the rest
    world.daemon.send(event("burst"));
  }
  ASSERT_EQ(world.heard(), event("burst"));
  std::string text;
  for (int i = 0; i < 10000 && text != event("after"); ++i) {
    world.daemon.send(event("after"));
    text = world.heard();
  }
  EXPECT_EQ(text, event("after"));
}

NETNS_TEST(UdevBridge, LetsOthersHaveTheirTurn) {
  Bridged world;
  int turns = 0;
  for (int i = 0; i < 20 * UdevBridge::kBatch; ++i) {
    world.daemon.send(event("burst"));
  }
  // A timer that is due at once runs between two batches.
  Timers::Handle turn;
  const std::function<void()> take = [&] {
    ++turns;
    turn = world.loop.after(std::chrono::milliseconds(0), [&take] { take(); });
  };
  take();
  for (int i = 0; i < 5 * UdevBridge::kBatch; ++i) {
    ASSERT_EQ(world.heard(), event("burst"));
  }
  EXPECT_GE(turns, 4);
}

}  // namespace
}  // namespace vpnrun::service
