// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/notifications.h"

#include <sys/socket.h>

#include <exception>
#include <utility>

#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "profiles/base/error.h"
#include "systemd/service/netlink/object.h"

namespace vpnrun::netlink {
namespace {

constexpr int kReceiveBuffer = 1 << 20;

using CallbackPtr = NlPtr<::nl_cb, ::nl_cb_put>;

struct DrainState {
  const std::function<void(::nl_msg*)>* handle = nullptr;
  std::exception_ptr exception;
};

int hand_over(::nl_msg* message, void* argument) noexcept {
  auto& state = *static_cast<DrainState*>(argument);
  try {
    (*state.handle)(message);
  } catch (...) {
    state.exception = std::current_exception();
    return NL_STOP;
  }
  return NL_OK;
}

/// What comes in here was not requested: there is no sequence to check.
int accept_sequence(::nl_msg* /*message*/, void* /*argument*/) noexcept {
  return NL_OK;
}

}  // namespace

Notifications::Notifications(int protocol, std::initializer_list<int> groups, std::string what)
    : what_(std::move(what)), socket_(checked(SocketPtr(::nl_socket_alloc()))) {
  int result = ::nl_connect(socket_.get(), protocol);
  result = result < 0 ? result : ::nl_socket_set_nonblocking(socket_.get());
  if (result < 0) {
    throw Error(formatted("cannot watch {}: {}", what_, ::nl_geterror(result)));
  }
  for (const int group : groups) {
    join(group);
  }
  // More room means fewer overruns; without the privilege the default must do.
  (void)::setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer));
}

void Notifications::join(int group) {
  const int result = ::nl_socket_add_membership(socket_.get(), group);
  if (result < 0) {
    throw Error(formatted("cannot watch {}: {}", what_, ::nl_geterror(result)));
  }
}

void Notifications::leave(int group) {
  const int result = ::nl_socket_drop_membership(socket_.get(), group);
  if (result < 0) {
    throw Error(formatted("cannot stop watching {}: {}", what_, ::nl_geterror(result)));
  }
}

int Notifications::fd() const noexcept {
  return ::nl_socket_get_fd(socket_.get());
}

void Notifications::drain(const std::function<void(::nl_msg*)>& on_message,
                          const std::function<void()>& on_overrun) {
  const CallbackPtr callbacks = checked(CallbackPtr(::nl_cb_alloc(NL_CB_DEFAULT)));
  DrainState state{&on_message, nullptr};
  ::nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, hand_over, &state);
  ::nl_cb_set(callbacks.get(), NL_CB_SEQ_CHECK, NL_CB_CUSTOM, accept_sequence, nullptr);
  for (;;) {
    const int result = ::nl_recvmsgs(socket_.get(), callbacks.get());
    if (state.exception) {
      std::rethrow_exception(state.exception);
    }
    if (result == -NLE_AGAIN) {
      return;
    }
    if (result == -NLE_NOMEM) {  // ENOBUFS
      on_overrun();
    } else if (result < 0) {
      throw Error(formatted("cannot read changes of {}: {}", what_, ::nl_geterror(result)));
    }
  }
}

}  // namespace vpnrun::netlink
