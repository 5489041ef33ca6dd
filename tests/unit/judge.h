// SPDX-License-Identifier: GPL-2.0-or-later
//
// The application's seccomp programs, run by a small interpreter of classic BPF, so that also the
// instruction sets and system calls are judged that this machine does not have.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include <gtest/gtest.h>

namespace vpnrun::test {

// NOLINTBEGIN(readability-implicit-bool-conversion): the macros of GoogleTest
constexpr auto kProgram = std::to_array<sock_filter>({
#include "application_filter.inc"
});
/// Of profiles with i386 = true.
constexpr auto kProgramOpenToI386 = std::to_array<sock_filter>({
#include "application_filter_i386.inc"
});

inline bool jumps(const sock_filter& step, std::uint32_t accumulator) {
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

inline std::uint32_t judge(const seccomp_data& call,
                           std::span<const sock_filter> program = kProgram) {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
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

inline std::uint32_t judge_socket(std::uint64_t family, std::uint64_t protocol = 0) {
  return judge({SYS_socket, kNative, 0, {family, SOCK_STREAM, protocol, 0, 0, 0}});
}
// NOLINTEND(readability-implicit-bool-conversion)

}  // namespace vpnrun::test
