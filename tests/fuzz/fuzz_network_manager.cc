// SPDX-License-Identifier: GPL-2.0-or-later
// What comes over the machine's bus in answer to the question for NetworkManager's findings.
//
// Held: nothing but Error is thrown, and nothing read beyond the end; a message is no longer than
// what has come; what is known comes with the answer alone.
#include <cstddef>
#include <cstdint>
#include <span>

#include "profiles/base/error.h"
#include "systemd/service/link/network_manager.h"
#include "tests/fuzz/hold.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vpnrun::fuzz::hold;
  std::span<const unsigned char> rest(data, size);
  try {
    for (;;) {
      const auto answer = vpnrun::service::read_nm_answer(rest);
      hold(answer.size <= rest.size(), "no longer than what has come");
      hold(!answer.connectivity || answer.is_last, "known from the answer alone");
      if (answer.size == 0 || answer.is_last) {
        return 0;
      }
      rest = rest.subspan(answer.size);
    }
  } catch (const vpnrun::Error&) {
    return 0;
  }
}
