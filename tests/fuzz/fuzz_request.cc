// SPDX-License-Identifier: GPL-2.0-or-later
// What the setuid helper reads of its caller: argument and environment strings.
//
// Held: of a request that is read, the profile's name is one, the command is the caller's own
// strings, and every string of the environment had the mark; taking the marks off gives each string
// back byte for byte, in place; a stack limit is set as it was written, within the hard limit, or
// the helper dies. The last words of a helper that dies can be shown on a terminal.
//
// Input: a byte with the number of arguments, then strings, each up to a NUL.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "helper/base/name.h"
#include "helper/base/request_format.h"
#include "helper/die.h"
#include "helper/request.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using fuzz::hold;

constexpr int kDied = 1;
constexpr rlim_t kHardLimit = rlim_t{1} << 32U;

std::jmp_buf after_death;
bool intercepted = false;
std::vector<rlimit> limits_set;

struct Call {
  explicit Call(std::string_view bytes) {
    const std::size_t arguments = static_cast<unsigned char>(bytes.front()) % 8;
    bytes.remove_prefix(1);
    while (!bytes.empty()) {
      const std::size_t end = std::min(bytes.find('\0'), bytes.size());
      strings.emplace_back(bytes.substr(0, end));
      bytes.remove_prefix(std::min(bytes.size(), end + 1));
    }
    // phases.cc lets no call with fewer pass.
    strings.resize(std::max<std::size_t>(strings.size(), 2));
    const std::size_t count = std::clamp<std::size_t>(arguments, 2, strings.size());
    copies = strings;
    argv.push_back(program.data());
    for (std::size_t i = 0; i < copies.size(); ++i) {
      (i < count ? argv : envp).push_back(copies[i].data());
    }
    first_of_environment = count;
    argv.push_back(nullptr);
    envp.push_back(nullptr);
  }

  std::string program = kHelperName;
  std::vector<std::string> strings;
  std::vector<std::string> copies;  ///< what the helper works on
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::size_t first_of_environment = 0;
};

void hold_environment(const Call& call, const Request& request) {
  std::size_t string = call.first_of_environment + (request.stack_limit != nullptr ? 1 : 0);
  for (char** entry = request.environment; *entry != nullptr; ++entry, ++string) {
    hold(string < call.strings.size(), "no string was added");
    const std::string& sent = call.strings[string];
    hold(sent.starts_with(kEnvironmentMark), "only marked strings are taken");
    hold(*entry == std::string_view(sent).substr(1), "the string is back");
  }
  hold(string == call.strings.size(), "no string was lost");
}

void hold_limit(const Request& request) {
  if (request.stack_limit == nullptr) {
    return hold(limits_set.empty(), "no limit is set unasked");
  }
  const std::string_view text = request.stack_limit;
  rlim_t wanted = RLIM_INFINITY;
  if (text != kUnlimited) {
    const auto [end, error] = std::from_chars(text.begin(), text.end(), wanted);
    hold(error == std::errc() && end == text.end(), "only a number is a limit");
  }
  hold(limits_set.size() == 1 && limits_set.front().rlim_cur == wanted, "the limit as written");
}

void read(Call& call) {
  const Request request = read_request(call.argv.data(), call.envp.data());
  hold(is_valid_profile_name(request.profile), "the profile's name is one");
  hold(request.profile == call.strings.front(), "it is the caller's");
  hold(request.command == call.argv.data() + 2, "the command is the caller's");
  for (char** entry = request.environment; *entry != nullptr; ++entry) {
    hold(**entry == kEnvironmentMark, "every string has its mark");
  }
  restore_environment(request);
  hold_environment(call, request);
  restore_stack_limit(request);
  hold_limit(request);
}

}  // namespace

// Put in place of the real ones by the linker. A name with two underscores is its convention.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" int __real_setrlimit(int resource, const rlimit* limit);

/// The fuzzer's own limit stays as it is.
extern "C" int __wrap_setrlimit(int resource, const rlimit* limit) {
  if (!intercepted) {
    return __real_setrlimit(resource, limit);
  }
  hold(resource == RLIMIT_STACK, "no other limit is touched");
  if (limit->rlim_cur > kHardLimit && limit->rlim_cur != RLIM_INFINITY) {
    errno = EINVAL;
    return -1;
  }
  limits_set.push_back(*limit);
  return 0;
}

extern "C" [[noreturn]] void __wrap__ZN6vpnrun3dieERKNS_4TextES2_i(const Text& what,
                                                                   const Text& hint,
                                                                   int exit_code) {
  hold(exit_code == kExitOwnFailure, "the exit code of vpnrun's own failures");
  for (const Text* text : {&what, &hint}) {
    const std::string_view shown = text->view();
    hold(!shown.empty() && shown.size() <= 480, "a message of a bounded size");
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const auto byte = static_cast<unsigned char>(shown[i]);
      const auto next = static_cast<unsigned char>(i + 1 < shown.size() ? shown[i + 1] : 0);
      hold(byte >= 0x20 && byte != 0x7f, "no control character");
      hold(byte != 0xc2 || next < 0x80 || next >= 0xa0, "no C1 control");
    }
  }
  std::longjmp(after_death, kDied);
}
// NOLINTEND(bugprone-reserved-identifier)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  Call call({reinterpret_cast<const char*>(data), size});
  limits_set.clear();
  intercepted = true;
  // Nothing between here and die() has a destructor: the helper has none at all.
  if (setjmp(after_death) == 0) {
    read(call);
  }
  intercepted = false;
  return 0;
}
