// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/legacy_firewall.h"

#include <algorithm>
#include <array>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

/// Our rules are known by it, whoever has made them: there is no record that could be lost.
std::string comment_of(const std::string& profile_name) {
  return "vpnrun-" + profile_name;
}

/// Rules that match the interface by which a packet comes in can stand in all chains that a packet
/// gets to before it leaves; and the other way round.
bool knows_in(LegacyHook hook) {
  return hook == LegacyHook::kPrerouting || hook == LegacyHook::kInput ||
         hook == LegacyHook::kForward;
}
bool knows_out(LegacyHook hook) {
  return hook == LegacyHook::kForward || hook == LegacyHook::kOutput ||
         hook == LegacyHook::kPostrouting;
}

/// The chains that a forwarded packet passes, in the kernel's order, and one for the machine.
constexpr std::array<std::pair<const char*, LegacyHook>, 8> kForwarded = {{
    {"raw", LegacyHook::kPrerouting},
    {"mangle", LegacyHook::kPrerouting},
    {"nat", LegacyHook::kPrerouting},
    {"mangle", LegacyHook::kForward},
    {"filter", LegacyHook::kForward},
    {"security", LegacyHook::kForward},
    {"mangle", LegacyHook::kPostrouting},
    {"nat", LegacyHook::kPostrouting},
}};
constexpr std::array<std::pair<const char*, LegacyHook>, 6> kDelivered = {{
    {"raw", LegacyHook::kPrerouting},
    {"mangle", LegacyHook::kPrerouting},
    {"nat", LegacyHook::kPrerouting},
    {"mangle", LegacyHook::kInput},
    {"filter", LegacyHook::kInput},
    {"security", LegacyHook::kInput},
}};
constexpr std::array<std::pair<const char*, LegacyHook>, 5> kSent = {{
    {"raw", LegacyHook::kOutput},
    {"mangle", LegacyHook::kOutput},
    {"filter", LegacyHook::kOutput},
    {"security", LegacyHook::kOutput},
    {"mangle", LegacyHook::kPostrouting},
}};

}  // namespace

LegacyFirewall::LegacyFirewall(LegacyTables& tables, std::string profile_name, std::string link,
                               const IpAddress& ns_address)
    : tables_(tables),
      profile_name_(std::move(profile_name)),
      link_(std::move(link)),
      ns_address_(ns_address) {}

/// What the client and its servers send, in all the chains of one table that it gets to.
std::vector<LegacyProbe> LegacyFirewall::probes(const std::string& table) const {
  std::vector<LegacyProbe> probes;
  const auto add = [&](const auto& places, LegacyPacket packet, const std::string& from,
                       const std::string& to) {
    for (const auto& [name, hook] : places) {
      if (table != name) {
        continue;
      }
      packet.in = knows_in(hook) ? from : "";
      packet.out = knows_out(hook) ? to : "";
      if (packet.answers) {
        // Until conntrack has translated it, it is addressed to the machine.
        packet.destination =
            hook == LegacyHook::kPrerouting ? std::nullopt : std::optional(ns_address_);
      }
      probes.push_back({hook, packet});
    }
  };
  for (const auto& way : ways_) {
    LegacyPacket question;
    question.source = ns_address_;
    question.destination = way.endpoint.address;
    question.transport = way.endpoint.transport;
    question.destination_port = way.endpoint.port;
    LegacyPacket answer;
    answer.source = way.endpoint.address;
    answer.transport = way.endpoint.transport;
    answer.source_port = way.endpoint.port;
    answer.answers = true;
    if (way.is_local) {
      add(kDelivered, question, link_, "");
      add(kSent, answer, "", link_);
    } else {
      add(kForwarded, question, link_, way.uplink);
      add(kForwarded, answer, way.uplink, link_);
    }
  }
  return probes;
}

/// What is certain comes first.
std::vector<LegacyDrop> LegacyFirewall::drops_in(const LegacyTable& table) const {
  auto drops = legacy_drops(table, probes(table.name));
  std::stable_sort(drops.begin(), drops.end(), [](const LegacyDrop& one, const LegacyDrop& other) {
    return one.is_certain && !other.is_certain;
  });
  return drops;
}

bool LegacyFirewall::begin(std::vector<LegacyWay> ways) {
  ways_ = std::move(ways);
  counts_.clear();
  bool is_closed = false;
  for (const auto& name : tables_.names()) {
    const LegacyTable table = tables_.read(name);
    Count& count = counts_[name];
    count.size = table.entries.size();
    for (const auto& drop : drops_in(table)) {
      count.packets[drop.entry] = drop.packets;
      is_closed = true;
    }
  }
  return is_closed;
}

LegacyFirewall::Seen LegacyFirewall::look() {
  Seen seen;
  for (const auto& name : tables_.names()) {
    const LegacyTable table = tables_.read(name);
    const auto drops = drops_in(table);
    seen.is_closed = seen.is_closed || !drops.empty();
    Count& count = counts_[name];
    // Somebody has changed it: which entry is which, is not known.
    const bool same = count.size == table.entries.size();
    for (const auto& drop : drops) {
      const auto [before, is_new] = count.packets.try_emplace(drop.entry, drop.packets);
      if (!same) {
        before->second = drop.packets;
      } else if (!is_new && drop.packets > before->second &&
                 (!seen.drop || (drop.is_certain && !seen.drop->is_certain))) {
        seen.drop = drop;
      }
    }
    count.size = table.entries.size();
  }
  return seen;
}

std::vector<std::string> LegacyFirewall::places_for(const LegacyDrop& drop) {
  if (drop.table == "filter" && drop.hook == LegacyHook::kForward) {
    return {"DOCKER-USER", "ufw-user-forward", name_of(drop.hook)};
  }
  return {name_of(drop.hook)};
}

Failure LegacyFirewall::explain(const LegacyDrop& drop, const std::string& obstacle) const {
  Failure failure;
  const std::string name = name_of(drop.hook);
  const std::string where =
      drop.chain == name ? formatted("chain '{}'", name)
                         : formatted("chain '{}', by way of '{}',", printable(drop.chain), name);
  failure.error = formatted(
      "the machine's firewall {} the packets to the server: {} of table '{}' of iptables-legacy, "
      "by {}",
      drop.is_certain ? "drops" : "seems to drop", where, printable(drop.table),
      drop.rule == 0 ? "its policy" : formatted("rule {}", drop.rule));
  std::string commands;
  const auto add = [&](const char* option) {
    commands += formatted("{}iptables-legacy {}-I {} {} {} -j ACCEPT", commands.empty() ? "" : "; ",
                          drop.table == "filter" ? "" : "-t " + printable(drop.table) + " ", name,
                          option, link_);
  };
  if (knows_in(drop.hook)) {
    add("-i");
  }
  if (knows_out(drop.hook)) {
    add("-o");
  }
  failure.hint = formatted("as root: {} (the program may be called iptables here); ", commands);
  failure.hint += obstacle.empty() ? "or set [link] firewall = \"integrate\" in the profile"
                                   : "[link] firewall = \"integrate\" cannot do it: " + obstacle;
  return failure;
}

/// Whether the edited table lets the packets pass that the rule has dropped.
bool LegacyFirewall::opens(const LegacyEdit& edit, const LegacyDrop& drop) const {
  const auto left = drops_in(edit.table);
  return std::none_of(left.begin(), left.end(), [&](const LegacyDrop& one) {
    return one.hook == drop.hook && (one.is_certain || edit.former.at(one.entry) == drop.entry);
  });
}

std::string LegacyFirewall::open(const LegacyDrop& drop) {
  std::string opened;
  tables_.change(drop.table, [&](LegacyEdit& edit) {
    opened.clear();
    for (const auto& place : places_for(drop)) {
      LegacyEdit attempt = edit;
      (void)remove_marked(attempt, comment_of(profile_name_));
      bool is_there = true;
      if (knows_out(drop.hook)) {
        is_there = add_pass(attempt, place, {"", link_, comment_of(profile_name_)});
      }
      if (knows_in(drop.hook)) {
        is_there = is_there && add_pass(attempt, place, {link_, "", comment_of(profile_name_)});
      }
      if (is_there && opens(attempt, drop)) {
        opened = place;
        edit = std::move(attempt);
        return true;
      }
    }
    return false;
  });
  if (opened.empty()) {
    throw Error(formatted("no rule for '{}' alone opens the chain '{}' of the iptables table '{}'",
                          link_, printable(drop.chain), printable(drop.table)));
  }
  return formatted("{} {}", drop.table, opened);
}

void close_legacy_firewall(LegacyTables& tables, const std::string& profile_name) {
  const std::string comment = comment_of(profile_name);
  for (const auto& name : tables.names()) {
    LegacyEdit edit = edit_of(tables.read(name));
    if (remove_marked(edit, comment)) {  // only then is the lock taken
      tables.change(name, [&comment](LegacyEdit& now) { return remove_marked(now, comment); });
    }
  }
}

}  // namespace vpnrun::service
