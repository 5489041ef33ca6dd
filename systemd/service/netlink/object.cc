// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/object.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>

#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/object.h>

#include "profiles/base/error.h"

namespace vpnrun::netlink {
namespace {

constexpr int kDumpAttempts = 5;

struct ParseState {
  const std::function<void(::nl_object*)>* handle;
  std::exception_ptr exception;
};

void on_object(::nl_object* object, void* argument) noexcept {
  auto& state = *static_cast<ParseState*>(argument);
  try {
    (*state.handle)(object);
  } catch (...) {
    state.exception = std::current_exception();
  }
}

}  // namespace

MessagePtr built(int result, ::nl_msg* message, const std::string& what) {
  if (result < 0) {
    throw Error("cannot " + what + ": " + ::nl_geterror(result),
                std::make_error_code(std::errc::invalid_argument));
  }
  return MessagePtr(message);
}

NlAddressPtr to_nl(const Prefix& prefix) {
  const std::span<const std::uint8_t> bytes = prefix.address.bytes();
  NlAddressPtr address = checked(
      NlAddressPtr(::nl_addr_build(prefix.address.address_family(), bytes.data(), bytes.size())));
  ::nl_addr_set_prefixlen(address.get(), prefix.length);
  return address;
}

NlAddressPtr to_nl(const IpAddress& address) {
  return to_nl(Prefix::host(address));
}

std::optional<Prefix> from_nl(const ::nl_addr* address) {
  if (address == nullptr) {
    return std::nullopt;
  }
  const int family = ::nl_addr_get_family(address);
  if (family != AF_INET && family != AF_INET6) {
    return std::nullopt;
  }
  const std::span<const std::uint8_t> bytes(
      static_cast<const std::uint8_t*>(::nl_addr_get_binary_addr(address)),
      ::nl_addr_get_len(address));
  const unsigned length = ::nl_addr_get_prefixlen(address);
  if (bytes.empty()) {  // libnl's form of a default route's destination
    return Prefix::default_network(family == AF_INET ? Family::kIpv4 : Family::kIpv6);
  }
  const std::optional<IpAddress> parsed = IpAddress::from_bytes(bytes);
  if (!parsed || length > parsed->bit_count()) {
    return std::nullopt;
  }
  return Prefix{*parsed, static_cast<std::uint8_t>(length)};
}

void parse_object(::nl_msg* message, const std::function<void(::nl_object*)>& handle) {
  ParseState state{&handle, nullptr};
  (void)::nl_msg_parse(message, on_object, &state);  // fails only for kinds nobody asked for
  if (state.exception) {
    std::rethrow_exception(state.exception);
  }
}

void dump(Socket& socket, int type, const std::string& what, const std::function<void()>& restart,
          const std::function<void(::nl_msg*)>& handle) {
  Reply reply;
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    restart();
    const MessagePtr message = checked(MessagePtr(::nlmsg_alloc_simple(type, NLM_F_DUMP)));
    ::rtgenmsg all_families{AF_UNSPEC};
    if (::nlmsg_append(message.get(), &all_families, sizeof(all_families), NLMSG_ALIGNTO) < 0) {
      throw std::bad_alloc();
    }
    reply = socket.request(message.get(), handle);
    if (reply.error != EAGAIN) {
      break;
    }
  }
  // A table that keeps changing was read as well as it can be.
  if (reply.error != 0 && reply.error != EAGAIN) {
    throw_reply(reply, "cannot list " + what);
  }
}

}  // namespace vpnrun::netlink
