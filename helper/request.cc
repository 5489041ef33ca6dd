// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/request.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "helper/base/name.h"
#include "helper/base/request_format.h"
#include "helper/die.h"

namespace vpnrun {
namespace {

// Decimal digits only; false on anything else and on overflow. (strtoul(3) asks the locale.)
bool parse_limit(std::string_view text, rlim_t& out) noexcept {
  if (text == kUnlimited) {
    out = RLIM_INFINITY;
    return true;
  }
  out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || __builtin_mul_overflow(out, rlim_t{10}, &out) ||
        __builtin_add_overflow(out, static_cast<rlim_t>(c - '0'), &out)) {
      return false;
    }
  }
  return !text.empty();
}

}  // namespace

Request read_request(char** argv, char** envp) noexcept {
  Request request{argv[1], argv + 2, envp, nullptr};
  if (!is_valid_profile_name(request.profile)) {
    die(Text("'", Untrusted{request.profile}, "' is not a profile name"),
        Text("a name is up to 32 of a-z, 0-9, '_' and '-', and starts with a letter or digit"));
  }
  // Not string_view::starts_with(): it can throw, on paper.
  const std::size_t prefix = std::strlen(kStackLimitPrefix);
  if (envp[0] != nullptr && std::strncmp(envp[0], kStackLimitPrefix, prefix) == 0) {
    request.stack_limit = envp[0] + prefix;
    ++request.environment;
  }
  for (char** entry = request.environment; *entry != nullptr; ++entry) {
    if (**entry != kEnvironmentMark) {
      die(Text("vpnrun-helper was not started by vpnrun"), Text("call 'vpnrun COMMAND' instead"));
    }
  }
  return request;
}

void restore_environment(const Request& request) noexcept {
  for (char** entry = request.environment; *entry != nullptr; ++entry) {
    ++*entry;
  }
}

void restore_stack_limit(const Request& request) noexcept {
  if (request.stack_limit == nullptr) {
    return;
  }
  rlimit limit{};
  rlim_t soft = 0;
  if (!parse_limit(request.stack_limit, soft)) {
    die(Text("'", Untrusted{request.stack_limit}, "' is not a stack limit"),
        Text("call 'vpnrun COMMAND' instead of vpnrun-helper"));
  }
  if (::getrlimit(RLIMIT_STACK, &limit) != 0) {
    die(Text("cannot read the stack limit", Errno{errno}), Text("see getrlimit(2)"));
  }
  limit.rlim_cur = soft;
  if (::setrlimit(RLIMIT_STACK, &limit) != 0) {
    die(Text("cannot restore the stack limit", Errno{errno}),
        Text("lower it below the hard limit with 'ulimit -S -s'"));
  }
}

}  // namespace vpnrun
