// SPDX-License-Identifier: GPL-2.0-or-later
// What a request leaves in the memory of a process that overwrites what is given back: this one.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/secret.h"
#include "profiles/protocol/control_message.h"

namespace vpnrun {
namespace {

// Never in memory but where the test puts it: its bytes less one are.
constexpr std::string_view kLessOne =
    "zqd`kkxzcnmfzozrrvnqczgzqcz`qczcnmfzdmnrfgzenqzZczatesqzneziarzhvm";
constexpr std::size_t kPiece = 1U << 16U;

/// The secret, which is longer than a string has room for within itself.
Secret the_secret() {
  Secret secret;
  for (const char c : kLessOne) {
    const char next = static_cast<char>(c + 1);
    secret.append({&next, 1});
  }
  return secret;
}

bool has_secret(const char* begin, const char* end) {
  const auto is_next = [](char seen, char less) { return seen == static_cast<char>(less + 1); };
  // The first bytes of a block that was given back are the allocator's.
  const std::string_view wanted = kLessOne.substr(32);
  return std::search(begin, end, wanted.begin(), wanted.end(), is_next) != end;
}

/// Whether it is anywhere in what this process can write to. proc_pid_mem(5): what cannot be read
/// is left out.
bool is_in_memory() {
  void* const own =
      ::mmap(nullptr, 2 * kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto* const piece = static_cast<char*>(own);
  std::ifstream maps("/proc/self/maps");
  const UniqueFd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(memory.ok());
  bool found = false;
  for (std::string line; !found && std::getline(maps, line);) {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    char rights[8] = {};
    // NOLINTNEXTLINE(cert-err34-c): what the kernel writes
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &start, &end, rights) != 3 ||
        std::strncmp(rights, "rw", 2) != 0 || start == reinterpret_cast<std::uintptr_t>(own)) {
      continue;
    }
    for (std::uintptr_t at = start; !found && at < end; at += kPiece) {
      const auto wanted = std::min<std::uintptr_t>(kPiece + kLessOne.size(), end - at);
      const ssize_t got = ::pread(memory.get(), piece, wanted, static_cast<off_t>(at));
      found = got > 0 && has_secret(piece, piece + got);
    }
  }
  (void)::munmap(own, 2 * kPiece);
  return found;
}

TEST(GivenBackMemory, HoldsNothingOfARequestThatWasCarriedOut) {
  {
    Secret line(R"({"command":"answer","question_id":1,"password":")");
    line.append(the_secret().view()).append("\"}");
    const ControlRequest request = parse_request(line.view());
    EXPECT_EQ(request.password, the_secret());
    EXPECT_TRUE(is_in_memory());  // control
  }
  EXPECT_FALSE(is_in_memory());
}

TEST(GivenBackMemory, HoldsNothingOfWhatWasAnswered) {
  {
    ControlRequest request;
    request.command = Command::kAnswer;
    request.password = the_secret();
    const Secret line = Secret::take(encode(request));
    EXPECT_NE(line.view().find(the_secret().view()), std::string_view::npos);
  }
  EXPECT_FALSE(is_in_memory());
}

TEST(GivenBackMemory, IsFoundWhereItIsNotOverwritten) {  // control
  auto* const block = static_cast<char*>(std::malloc(200));
  {
    const Secret secret = the_secret();
    std::memcpy(block, secret.view().data(), secret.size());
  }
  asm volatile("" : : "r"(block) : "memory");  // or it would not be written at all
  std::free(block);
  EXPECT_TRUE(is_in_memory());
  auto* const again = static_cast<char*>(std::malloc(200));
  ::explicit_bzero(again, 200);
  std::free(again);
  EXPECT_FALSE(is_in_memory());
}

TEST(GivenBackMemory, IsOverwrittenHoweverItWasAskedFor) {
  struct alignas(128) Wide {
    char bytes[256];
  };
  {
    auto* const array = new char[200];
    auto* const wide = new Wide;
    const Secret secret = the_secret();
    std::memcpy(array, secret.view().data(), secret.size());
    std::memcpy(wide->bytes + 64, secret.view().data(), secret.size());
    EXPECT_TRUE(is_in_memory());
    delete[] array;
    delete wide;
  }
  EXPECT_FALSE(is_in_memory());
}

}  // namespace
}  // namespace vpnrun
