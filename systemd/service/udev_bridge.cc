// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/udev_bridge.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

/// Group 1 is the kernel's own, this one is the udev daemon's.
constexpr std::uint32_t kUdevGroup = 2;

/// Between one burst of events and the next look. Each profile's companion gets every event.
constexpr int kReceiveBuffer = 1024 * 1024;
constexpr std::size_t kLongestEvent = 32768;

/// What libudev puts in front of the properties, which are "NAME=value" with a zero byte after
/// each. All programs that listen know this layout, so it does not change.
struct UdevHeader {
  std::array<char, 8> prefix;
  std::uint32_t magic;  // network byte order, like the hashes; the others are the machine's
  std::uint32_t header_size;
  std::uint32_t properties_offset;
  std::uint32_t properties_size;
  std::array<std::uint32_t, 4> hashes;
};
static_assert(sizeof(UdevHeader) == 40);
constexpr std::array<char, 8> kPrefix = {'l', 'i', 'b', 'u', 'd', 'e', 'v', '\0'};
constexpr std::uint32_t kMagic = 0xfeedcafe;

UniqueFd open_socket(const Netns& netns) {
  return netns.run([] {
    UniqueFd fd(
        ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
    if (!fd.ok()) {
      throw_errno("cannot open a socket for events of the udev daemon");
    }
    return fd;
  });
}

void listen_to_daemon(int fd) {
  // Without the right to (a namespace of an ordinary user) the limit of the machine applies.
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0) {
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  }
  const int on = 1;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kUdevGroup;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(fd, generic, sizeof address) != 0) {
    throw_errno("cannot listen for events of the udev daemon");
  }
}

std::optional<uid_t> uid_of_sender(msghdr& message) noexcept {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS &&
        part->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
      return credentials.uid;
    }
  }
  return std::nullopt;
}

bool has_property(std::string_view properties, std::string_view wanted) noexcept {
  while (!properties.empty()) {
    const std::string_view property = properties.substr(0, properties.find('\0'));
    if (property == wanted) {
      return true;
    }
    properties.remove_prefix(std::min(property.size() + 1, properties.size()));
  }
  return false;
}

}  // namespace

bool is_udev_event(std::string_view datagram, const UeventSender& sender) noexcept {
  UdevHeader header{};
  if (sender.groups != kUdevGroup || sender.uid != uid_t{0} || datagram.size() < sizeof header) {
    return false;
  }
  std::memcpy(&header, datagram.data(), sizeof header);
  return header.prefix == kPrefix && ntohl(header.magic) == kMagic &&
         header.properties_offset >= sizeof header && header.properties_offset <= datagram.size() &&
         header.properties_size <= datagram.size() - header.properties_offset &&
         !has_property(datagram.substr(header.properties_offset), "SUBSYSTEM=net");
}

UdevBridge::UdevBridge(EventLoop& loop, const Netns& host, const Netns& inside)
    : loop_(loop), outside_(open_socket(host)), inside_(open_socket(inside)) {
  listen_to_daemon(outside_.get());
  listen();
}

void UdevBridge::listen() {
  pause_.reset();
  watch_ = loop_.watch(outside_.get(), EPOLLIN, [this](std::uint32_t) { hand_on(); });
}

void UdevBridge::hand_on() {
  const Budget::Cost before = thread_time();
  for (int count = 0; count < kBatch && hand_on_one(); ++count) {
  }
  const auto now = EventLoop::Clock::now();
  budget_.charge(now, thread_time() - before);
  if (const auto wait = budget_.wait(now); wait > Budget::Cost::zero()) {
    watch_.reset();
    pause_ = loop_.after(std::chrono::ceil<std::chrono::milliseconds>(wait), [this] { listen(); });
  }
}

/// False: there is none.
bool UdevBridge::hand_on_one() {
  std::array<char, kLongestEvent> event;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  sockaddr_nl sender{};
  iovec part{event.data(), event.size()};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(outside_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) {
    return errno == ENOBUFS || errno == EINTR;  // some were lost; the next ones are there
  }
  const std::string_view datagram(event.data(), static_cast<std::size_t>(size));
  if (message.msg_namelen < sizeof sender || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
      !is_udev_event(datagram, {uid_of_sender(message), sender.nl_groups})) {
    return true;
  }
  sockaddr_nl everybody{};
  everybody.nl_family = AF_NETLINK;
  everybody.nl_groups = kUdevGroup;
  // Fails if nobody can take it in: whoever listens is told by the kernel what he has missed.
  (void)::sendto(inside_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                 // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as above
                 reinterpret_cast<const sockaddr*>(&everybody), sizeof everybody);
  return true;
}

}  // namespace vpnrun::service
