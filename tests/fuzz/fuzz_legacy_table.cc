// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's old tables, as getsockopt(2) hands them out.
//
// Held: nothing but Error is thrown, and nothing read beyond the end; a rule of ours that is added
// to a chain and taken out again leaves the table as it was, byte for byte; every entry is
// accounted for.
//
// Input: which hooks there are, where their chains begin and where their policies stand (eleven
// numbers of 32 bits), then the entries.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "profiles/base/error.h"
#include "systemd/service/link/legacy_table.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using namespace vpnrun::service;
using fuzz::hold;

LegacyTable table_of(const std::uint8_t* data, std::size_t size) {
  struct {
    std::uint32_t valid_hooks;
    std::array<std::uint32_t, kLegacyHooks> entries, underflows;
  } head{};
  LegacyTable table;
  table.name = "filter";
  if (size < sizeof head) {
    return table;
  }
  std::memcpy(&head, data, sizeof head);
  table.valid_hooks = head.valid_hooks % 32;
  table.hook_entry = head.entries;
  table.underflow = head.underflows;
  table.entries.assign(data + sizeof head, data + size);
  return table;
}

std::vector<LegacyProbe> probes() {
  LegacyPacket packet;
  packet.in = "vr-one";
  packet.out = "up0";
  packet.source = IpAddress::parse("198.18.0.2");
  packet.destination = IpAddress::parse("198.51.100.10");
  packet.destination_port = 1194;
  LegacyPacket answer = packet;
  answer.answers = true;
  return {
      {LegacyHook::kForward, packet}, {LegacyHook::kForward, answer}, {LegacyHook::kInput, packet}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  LegacyTable table = table_of(data, size);
  try {
    LegacyEdit edit = edit_of(table);
    table.count = static_cast<std::uint32_t>(edit.former.size());
    edit.table.count = table.count;
    for (const auto& drop : legacy_drops(table, probes())) {
      hold(drop.entry < table.count, "an entry of the table drops it");
    }
    (void)remove_marked(edit, "ours");  // the input may have some
    const LegacyTable before = edit.table;
    for (const char* chain : {"FORWARD", "DOCKER-USER"}) {
      if (add_pass(edit, chain, {"vr-one", "", "ours"})) {
        hold(edit.former.size() == edit.table.count, "every entry is accounted for");
        hold(remove_marked(edit, "ours"), "what was added is found");
        hold(edit.table == before, "what was added is taken out again");
      }
    }
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
