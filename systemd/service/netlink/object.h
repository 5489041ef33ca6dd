// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <new>
#include <string>

#include "profiles/base/ip_address.h"
#include "systemd/service/netlink/nl_ptr.h"
#include "systemd/service/netlink/socket.h"

/// What the modules of this library share; not for others.
namespace vpnrun::netlink {

/// `pointer`, or bad_alloc: libnl's allocators fail for no other reason.
template <class Pointer>
[[nodiscard]] Pointer checked(Pointer pointer) {
  if (!pointer) {
    throw std::bad_alloc();
  }
  return pointer;
}

/// Calls `build(…, nl_msg**)` of libnl and owns the message. Throws Error "cannot <what>: …" if
/// libnl finds the object incomplete.
[[nodiscard]] MessagePtr built(int result, ::nl_msg* message, const std::string& what);

[[nodiscard]] NlAddressPtr to_nl(const Prefix& prefix);
[[nodiscard]] NlAddressPtr to_nl(const IpAddress& address);
/// nullopt for null, for families other than IP, and for a prefix longer than the address.
[[nodiscard]] std::optional<Prefix> from_nl(const ::nl_addr* address);

/// Parses `message` into the libnl object of its kind and hands it to `handle`, which must not keep
/// it. Nothing happens for a kind that libnl does not know.
void parse_object(::nl_msg* message, const std::function<void(::nl_object*)>& handle);

/// A dump request of `type` (RTM_GET…) for all families; `handle` gets each message. When the table
/// changed meanwhile it is read again: `restart` is called before each attempt. Throws Error
/// "cannot list <what>: …".
void dump(Socket& socket, int type, const std::string& what, const std::function<void()>& restart,
          const std::function<void(::nl_msg*)>& handle);

}  // namespace vpnrun::netlink
