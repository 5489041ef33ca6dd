// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/unit/judge.h"

namespace vpnrun::test {
namespace {

// NOLINTBEGIN(readability-implicit-bool-conversion): the macros of GoogleTest
constexpr std::uint32_t refused(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
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

TEST(ApplicationFilter, RefusesToMakeRdmaOfATcpSocket) {
  const auto option = [](std::uint64_t level, std::uint64_t name) {
    return judge({SYS_setsockopt, kNative, 0, {3, level, name, 0x1000, 4}});
  };
  constexpr std::uint64_t kHigh = std::uint64_t{1} << 32U;
  EXPECT_EQ(option(6, 31), refused(ENOPROTOOPT));  // SOL_TCP, TCP_ULP
  EXPECT_EQ(option(kHigh | 6, 31), refused(ENOPROTOOPT));
  EXPECT_EQ(option(6, kHigh | 31), refused(ENOPROTOOPT));
  EXPECT_EQ(option(6, 1), SECCOMP_RET_ALLOW);   // TCP_NODELAY
  EXPECT_EQ(option(6, 30), SECCOMP_RET_ALLOW);  // TCP_FASTOPEN_CONNECT
  EXPECT_EQ(option(1, 31), SECCOMP_RET_ALLOW);  // another level's
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
  EXPECT_EQ(judge({366, AUDIT_ARCH_I386, 0, {3, 6, 31}}), refused(ENOPROTOOPT));  // setsockopt
  EXPECT_EQ(judge({366, AUDIT_ARCH_I386, 0, {3, 6, 1}}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(judge({102, AUDIT_ARCH_I386, 0, {14}}), refused(ENOPROTOOPT));  // by socketcall, unseen
  EXPECT_EQ(judge({425, AUDIT_ARCH_I386, 0, {}}), refused(ENOSYS));         // io_uring_setup
  EXPECT_EQ(judge({438, AUDIT_ARCH_I386, 0, {}}), refused(EPERM));          // pidfd_getfd
  EXPECT_EQ(judge({287, AUDIT_ARCH_I386, 0, {1, 2, 3}}), refused(ENOKEY));  // request_key
}

TEST(ApplicationFilter, OpensThe32BitSocketCallsWhereRootSaysSo) {
  const auto call = [](int number, std::uint64_t first) {
    return judge({number, AUDIT_ARCH_I386, 0, {first}}, kProgramOpenToI386);
  };
  constexpr int kSocketcall = 102;
  for (std::uint64_t what = 1; what <= 20; ++what) {
    EXPECT_EQ(call(kSocketcall, what), SECCOMP_RET_ALLOW) << what;
  }
  EXPECT_EQ(call(359, AF_INET), SECCOMP_RET_ALLOW);  // socket
  EXPECT_EQ(call(425, 0), refused(ENOSYS));          // io_uring_setup
  EXPECT_EQ(call(438, 0), refused(EPERM));           // pidfd_getfd
  EXPECT_EQ(judge({287, AUDIT_ARCH_I386, 0, {1, 2, 3}}, kProgramOpenToI386), refused(ENOKEY));
}

TEST(ApplicationFilter, OpensNothingElseWith32BitSocketCalls) {
  const auto same = [](int number, std::uint32_t architecture,
                       const std::array<std::uint64_t, 6>& words) {
    seccomp_data call{number, architecture, 0, {}};
    std::copy(words.begin(), words.end(), std::begin(call.args));
    EXPECT_EQ(judge(call, kProgramOpenToI386), judge(call))
        << number << " of " << architecture << " with " << words[0];
  };
  for (std::uint64_t family = 0; family < 300; ++family) {
    same(SYS_socket, kNative, {family, SOCK_STREAM, 0});
    same(SYS_socket, kNative, {family | (1ULL << 32U), SOCK_STREAM, 0});
    same(SYS_socket, kNative, {family, SOCK_STREAM, 256});
    same(SYS_socketpair, kNative, {family, SOCK_STREAM, 0});
    same(0x40000000 | SYS_socket, kNative, {family, SOCK_STREAM, 0});  // x32
    same(SYS_socket, kForeign, {family, SOCK_STREAM, 0});
  }
  for (int number = 0; number < 600; ++number) {
    same(number, kNative, {3, 6, 31});
    same(number, kNative, {0, 0, 0});
    same(0x40000000 | number, kNative, {3, 6, 31});
    if (number != 102 && (number < 359 || number > 373)) {
      same(number, AUDIT_ARCH_I386, {1, 2, 3});
    }
  }
}
#else
TEST(ApplicationFilter, IsTheSameEverywhereElse) {
  ASSERT_EQ(kProgramOpenToI386.size(), kProgram.size());
  EXPECT_EQ(std::memcmp(kProgramOpenToI386.data(), kProgram.data(), sizeof kProgram), 0);
}
#endif

// NOLINTEND(readability-implicit-bool-conversion)

}  // namespace
}  // namespace vpnrun::test
