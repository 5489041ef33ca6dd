// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <utility>

#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "profiles/base/error.h"
#include "profiles/base/format.h"
#include "systemd/service/netlink/message.h"

namespace vpnrun::netlink {
namespace {

using CallbackPtr = NlPtr<::nl_cb, ::nl_cb_put>;

/// State of one request; libnl's callbacks get a pointer to it.
struct Exchange {
  const std::function<void(::nl_msg*)>* handle = nullptr;
  Reply reply;
  std::exception_ptr exception;
  bool complete = false;
  std::uint32_t sequence = 0;
};

int on_error(::sockaddr_nl* /*from*/, ::nlmsgerr* error, void* argument) noexcept {
  auto& exchange = *static_cast<Exchange*>(argument);
  exchange.reply.error = -error->error;
  exchange.complete = true;
  try {
    exchange.reply.text = extended_text(*error);
  } catch (...) {
    exchange.exception = std::current_exception();
  }
  return NL_STOP;
}

int on_complete(::nl_msg* /*message*/, void* argument) noexcept {
  static_cast<Exchange*>(argument)->complete = true;
  return NL_STOP;
}

int on_message(::nl_msg* message, void* argument) noexcept {
  auto& exchange = *static_cast<Exchange*>(argument);
  if (exchange.handle != nullptr && !exchange.exception) {
    try {
      (*exchange.handle)(message);
    } catch (...) {
      // It must not pass through C code; and what follows must be read, or the next request would
      // find it.
      exchange.exception = std::current_exception();
    }
  }
  return NL_OK;
}

/// What is left of an answer to an earlier request, one that failed on the way, is passed over.
/// libnl's own check would fail then, and from then on for ever.
int on_sequence(::nl_msg* message, void* argument) noexcept {
  return ::nlmsg_hdr(message)->nlmsg_seq == static_cast<const Exchange*>(argument)->sequence
             ? NL_OK
             : NL_SKIP;
}

/// Takes the rest of an answer out of the way: the kernel refuses a second dump as long as the
/// first one has not been read to its end.
void discard_pending(::nl_sock* socket) noexcept {
  constexpr int kPatience = 10'000;
  std::array<std::byte, 64> part{};  // what does not fit is dropped
  for (int i = 0; i < kPatience; ++i) {
    if (::recv(::nl_socket_get_fd(socket), part.data(), part.size(), MSG_DONTWAIT) < 0 &&
        (errno == EAGAIN || errno == EBADF)) {
      return;
    }
  }
}

/// The errno that libnl's own failure stands for, as far as that can still be told.
int errno_of(int libnl_error) {
  switch (-libnl_error) {
    case NLE_DUMP_INTR:
      return EAGAIN;
    case NLE_NOMEM:
      return ENOMEM;
    case NLE_PERM:
      return EPERM;
    case NLE_NOACCESS:
      return EACCES;
    case NLE_AF_NOSUPPORT:
      return EAFNOSUPPORT;
    default:
      return EIO;
  }
}

Reply run(::nl_sock* socket, ::nl_msg* message, const std::function<void(::nl_msg*)>* handle) {
  const CallbackPtr callbacks(::nl_cb_alloc(NL_CB_DEFAULT));
  if (!callbacks) {
    throw std::bad_alloc();
  }
  Exchange exchange;
  exchange.handle = handle;
  ::nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &exchange);
  ::nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, on_complete, &exchange);
  ::nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, on_complete, &exchange);
  ::nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, &exchange);
  ::nl_cb_set(callbacks.get(), NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, &exchange);

  const int sent = ::nl_send_auto(socket, message);
  if (sent < 0) {
    return {errno_of(sent), ::nl_geterror(sent)};
  }
  exchange.sequence = ::nlmsg_hdr(message)->nlmsg_seq;
  while (!exchange.complete) {
    const int received = ::nl_recvmsgs(socket, callbacks.get());
    if (received < 0 && exchange.reply.error == 0) {
      exchange.reply = {errno_of(received), ::nl_geterror(received)};
      discard_pending(socket);
      break;
    }
  }
  if (exchange.exception) {
    std::rethrow_exception(exchange.exception);
  }
  return std::move(exchange.reply);
}

}  // namespace

std::string extended_text(const ::nlmsgerr& error) {
  const auto* payload = reinterpret_cast<const std::byte*>(&error);
  const void* before = payload - NLMSG_HDRLEN;
  const auto* header = static_cast<const ::nlmsghdr*>(before);
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) {
    return {};
  }
  std::size_t offset = sizeof(error);
  if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) {
    offset += NLMSG_ALIGN(error.msg.nlmsg_len) - NLMSG_HDRLEN;
  }
  const std::size_t size = header->nlmsg_len - static_cast<std::size_t>(NLMSG_HDRLEN);
  if (offset >= size) {
    return {};
  }
  const void* attributes = payload + offset;
  const ::nlattr* text = ::nla_find(static_cast<const ::nlattr*>(attributes),
                                    static_cast<int>(size - offset), NLMSGERR_ATTR_MSG);
  if (text == nullptr) {
    return {};
  }
  const char* begin = static_cast<const char*>(::nla_data(text));
  return {begin, ::strnlen(begin, static_cast<std::size_t>(::nla_len(text)))};
}

Socket::Socket(int protocol) : socket_(::nl_socket_alloc()) {
  if (!socket_) {
    throw std::bad_alloc();
  }
  const int result = ::nl_connect(socket_.get(), protocol);
  if (result < 0) {
    throw_error(errno_of(result), "cannot open a netlink socket");
  }
  // Both only make messages better and smaller; kernels that do not know them refuse them, which
  // does no harm.
  const int on = 1;
  const int fd = ::nl_socket_get_fd(socket_.get());
  (void)::setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  (void)::setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
}

Socket::~Socket() = default;

Reply Socket::request(::nl_msg* message) {
  return run(socket_.get(), message, nullptr);
}

Reply Socket::request(::nl_msg* message, const std::function<void(::nl_msg*)>& handle) {
  return run(socket_.get(), message, &handle);
}

void throw_reply(const Reply& reply, const std::string& text) {
  const std::error_code code(reply.error, std::generic_category());
  std::string message = text + ": " + code.message();
  if (!reply.text.empty()) {
    message += formatted(" ({})", reply.text);
  }
  throw Error(std::move(message), code);
}

}  // namespace vpnrun::netlink
