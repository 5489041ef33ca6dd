// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"

namespace vpnrun::service {

/// The netfilter hooks, with the numbers of enum nf_inet_hooks (linux/netfilter.h), which are the
/// kernel's for the built-in chains.
enum class LegacyHook : std::uint8_t { kPrerouting, kInput, kForward, kOutput, kPostrouting };
constexpr std::size_t kLegacyHooks = 5;

/// One table of the kernel's old packet filter ("iptables-legacy"), as it hands it out: struct
/// ipt_getinfo and the entries of linux/netfilter_ipv4/ip_tables.h. nftables neither lists nor
/// traces it.
struct LegacyTable {
  std::string name;                                      ///< "filter", "mangle", …
  std::uint32_t valid_hooks{};                           ///< bit N: there is a chain for hook N
  std::array<std::uint32_t, kLegacyHooks> hook_entry{};  ///< where its first rule begins, …
  std::array<std::uint32_t, kLegacyHooks> underflow{};   ///< … and its policy
  std::uint32_t count{};                                 ///< of entries
  std::vector<unsigned char> entries;
  friend bool operator==(const LegacyTable&, const LegacyTable&) = default;
};

/// A packet as a rule sees it. What is not known may match or not.
struct LegacyPacket {
  std::string in;   ///< interface; empty where there is none yet, or none any more
  std::string out;  ///< the same
  std::optional<IpAddress> source;
  std::optional<IpAddress> destination;
  Transport transport = Transport::kUdp;
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;
  bool answers = false;  ///< of a connection that the other side began
};

/// A rule, or a policy, that drops a packet, or answers that it may not pass.
struct LegacyDrop {
  std::string table;
  std::string chain;
  std::uint32_t rule = 0;  ///< as `iptables -L --line-numbers` counts; 0: the policy
  /// False: it depends on something that is not looked at whether the packet gets there.
  bool is_certain = true;
  std::uint64_t packets = 0;  ///< that it has dropped
  std::uint32_t entry = 0;    ///< which one of the table's entries it is, from 0
  LegacyHook hook{};          ///< where the packet came into the table
  friend bool operator==(const LegacyDrop&, const LegacyDrop&) = default;
};

/// A packet at a hook.
struct LegacyProbe {
  LegacyHook hook{};
  LegacyPacket packet;
};

/// Everything that may drop one of the packets, each once, in the order in which they get there;
/// empty: all pass, or the table has no such chains. Pure. Throws Error if the table is malformed.
[[nodiscard]] std::vector<LegacyDrop> legacy_drops(const LegacyTable& table,
                                                   std::span<const LegacyProbe> probes);

/// What a rule of ours lets through: everything that comes in, or goes out, by one interface.
struct LegacyPass {
  std::string in;  ///< exactly one of the two is given
  std::string out;
  std::string comment;  ///< by which it is found again
};

/// A table to be loaded in place of another.
struct LegacyEdit {
  LegacyTable table;
  /// For each of its entries, which of the former table's it was; nullopt: a new one.
  std::vector<std::optional<std::uint32_t>> former;
};

/// Nothing is changed yet. Pure. Throws Error if the table is malformed.
[[nodiscard]] LegacyEdit edit_of(const LegacyTable& table);

/// Makes `pass` the first rule of the chain `chain`, one that is built in or one that somebody has
/// made, and changes nothing else. false: there is no such chain. Pure. Throws Error if the table
/// is malformed, or a name too long.
[[nodiscard]] bool add_pass(LegacyEdit& edit, const std::string& chain, const LegacyPass& pass);

/// Takes out the rules that have exactly this comment. false: there is none. Pure. Throws Error if
/// the table is malformed.
[[nodiscard]] bool remove_marked(LegacyEdit& edit, const std::string& comment);

/// "FORWARD" and so on.
[[nodiscard]] const char* name_of(LegacyHook hook) noexcept;

}  // namespace vpnrun::service
