// SPDX-License-Identifier: GPL-2.0-or-later
//
// The application's seccomp program, run by a small interpreter of classic BPF, so that also the
// instruction sets and system calls are judged that this machine does not have.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <gtest/gtest.h>

namespace {

// NOLINTBEGIN(readability-implicit-bool-conversion): the macros of GoogleTest
constexpr auto kProgram = std::to_array<sock_filter>({
#include "application_filter.inc"
});

constexpr std::uint32_t refused(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

bool jumps(const sock_filter& step, std::uint32_t accumulator) {
  switch (BPF_OP(step.code)) {
    case BPF_JEQ:
      return accumulator == step.k;
    case BPF_JGT:
      return accumulator > step.k;
    case BPF_JGE:
      return accumulator >= step.k;
    case BPF_JSET:
      return (accumulator & step.k) != 0;
    default:
      ADD_FAILURE() << "unknown jump " << step.code;
      return false;
  }
}

std::uint32_t judge(const seccomp_data& call) {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < kProgram.size(); ++at) {
    const sock_filter& step = kProgram.at(at);
    if (step.code == (BPF_LD | BPF_W | BPF_ABS)) {
      std::memcpy(&accumulator, reinterpret_cast<const char*>(&call) + step.k, sizeof accumulator);
    } else if (step.code == (BPF_ALU | BPF_AND | BPF_K)) {
      accumulator &= step.k;
    } else if (step.code == (BPF_JMP | BPF_JA)) {
      at += step.k;
    } else if (BPF_CLASS(step.code) == BPF_JMP) {
      at += jumps(step, accumulator) ? step.jt : step.jf;
    } else if (BPF_CLASS(step.code) == BPF_RET) {
      return step.k;
    } else {
      ADD_FAILURE() << "unknown instruction " << step.code;
      return SECCOMP_RET_KILL_PROCESS;
    }
  }
  ADD_FAILURE() << "ran over the end";
  return SECCOMP_RET_KILL_PROCESS;
}

#if defined(__x86_64__)
constexpr std::uint32_t kNative = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kForeign = AUDIT_ARCH_AARCH64;
#elif defined(__aarch64__)
constexpr std::uint32_t kNative = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kForeign = AUDIT_ARCH_X86_64;
#else
#error "say what AUDIT_ARCH_* this is"
#endif

std::uint32_t judge_socket(std::uint64_t family, std::uint64_t protocol = 0) {
  return judge({SYS_socket, kNative, 0, {family, SOCK_STREAM, protocol, 0, 0, 0}});
}

TEST(ApplicationFilter, AllowsExactlyTheListedFamilies) {
  for (int family = 0; family < 300; ++family) {
    const bool listed = family == AF_UNSPEC || family == AF_UNIX || family == AF_INET ||
                        family == AF_INET6 || family == AF_NETLINK || family == AF_PACKET ||
                        family == AF_ALG;
    EXPECT_EQ(judge_socket(static_cast<std::uint64_t>(family)),
              listed ? SECCOMP_RET_ALLOW : refused(EAFNOSUPPORT))
        << family;
  }
}

TEST(ApplicationFilter, IsNotFooledByBitsThatTheKernelCutsOff) {
  for (const std::uint64_t high : {1ULL << 32, ~0ULL << 32}) {
    for (const int family : {AF_VSOCK, AF_BLUETOOTH, AF_IPX, AF_QIPCRTR}) {
      EXPECT_EQ(judge_socket(high | static_cast<std::uint64_t>(family)), refused(EAFNOSUPPORT))
          << family;
    }
    EXPECT_NE(judge_socket(AF_INET, high | 256), SECCOMP_RET_ALLOW);
    EXPECT_NE(judge_socket(high | AF_INET, 256), SECCOMP_RET_ALLOW);
  }
}

TEST(ApplicationFilter, RefusesRdmaUnderTheNameOfTheInternet) {
  EXPECT_EQ(judge_socket(AF_INET, 256), refused(EPROTONOSUPPORT));
  EXPECT_EQ(judge_socket(AF_INET6, 256), refused(EPROTONOSUPPORT));
  EXPECT_EQ(judge_socket(AF_INET, 6), SECCOMP_RET_ALLOW);
  EXPECT_EQ(judge_socket(AF_PACKET, 256), SECCOMP_RET_ALLOW);  // htons(ETH_P_802_3)
}

TEST(ApplicationFilter, RefusesOtherWaysToASocket) {
  const auto call = [](int number) { return judge({number, kNative, 0, {}}); };
  EXPECT_EQ(call(SYS_pidfd_getfd), refused(EPERM));
  EXPECT_EQ(call(SYS_io_uring_setup), refused(ENOSYS));
  EXPECT_EQ(call(SYS_io_uring_enter), refused(ENOSYS));
  EXPECT_EQ(call(SYS_io_uring_register), refused(ENOSYS));
  EXPECT_EQ(judge({SYS_socketpair, kNative, 0, {AF_UNIX}}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(judge({SYS_socketpair, kNative, 0, {AF_TIPC}}), refused(EAFNOSUPPORT));
}

TEST(ApplicationFilter, LeavesNoKeyToBeMadeOutside) {
  EXPECT_EQ(judge({SYS_request_key, kNative, 0, {1, 2, 0, 4}}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(judge({SYS_request_key, kNative, 0, {1, 2, 3, 4}}), refused(ENOKEY));
  EXPECT_EQ(judge({SYS_request_key, kNative, 0, {1, 2, std::uint64_t{1} << 32U, 4}}),
            refused(ENOKEY));
}

TEST(ApplicationFilter, LeavesEveryOtherSystemCallAlone) {
  for (int number = 0; number < 600; ++number) {
    if (number == SYS_socket || number == SYS_socketpair || number == SYS_pidfd_getfd ||
        number == SYS_request_key ||
        (number >= SYS_io_uring_setup && number <= SYS_io_uring_register)) {
      continue;
    }
    EXPECT_EQ(judge({number, kNative, 0, {AF_VSOCK, 0, 256}}), SECCOMP_RET_ALLOW) << number;
  }
}

TEST(ApplicationFilter, GivesUnknownInstructionSetsNoSystemCalls) {
  EXPECT_EQ(judge({SYS_socket, kForeign, 0, {AF_INET}}), refused(ENOSYS));
}

#if defined(__x86_64__)
TEST(ApplicationFilter, ClosesTheX32WayRound) {
  EXPECT_EQ(judge({0x40000000 | SYS_socket, kNative, 0, {AF_VSOCK}}), refused(ENOSYS));
}

TEST(ApplicationFilter, ClosesTheI386WaysRound) {
  constexpr int kSocket = 359;
  constexpr int kSocketcall = 102;
  const auto call = [](int number, std::uint64_t first) {
    return judge({number, AUDIT_ARCH_I386, 0, {first}});
  };
  EXPECT_EQ(call(kSocket, AF_INET), SECCOMP_RET_ALLOW);
  EXPECT_EQ(call(kSocket, AF_VSOCK), refused(EAFNOSUPPORT));
  EXPECT_EQ(call(kSocketcall, 1), refused(EAFNOSUPPORT));  // SYS_SOCKET: the family is unseen
  EXPECT_EQ(call(kSocketcall, 8), refused(EAFNOSUPPORT));  // SYS_SOCKETPAIR
  EXPECT_EQ(call(kSocketcall, 3), SECCOMP_RET_ALLOW);      // SYS_CONNECT
}

TEST(ApplicationFilter, RefusesOtherWaysToASocketOnI386Too) {
  EXPECT_EQ(judge({425, AUDIT_ARCH_I386, 0, {}}), refused(ENOSYS));         // io_uring_setup
  EXPECT_EQ(judge({438, AUDIT_ARCH_I386, 0, {}}), refused(EPERM));          // pidfd_getfd
  EXPECT_EQ(judge({287, AUDIT_ARCH_I386, 0, {1, 2, 3}}), refused(ENOKEY));  // request_key
}
#endif

// NOLINTEND(readability-implicit-bool-conversion)

}  // namespace
