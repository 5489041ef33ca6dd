// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/legacy_table.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/fakes/legacy_table_text.h"

namespace vpnrun::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr unsigned kNew = 1U << 3U;
constexpr unsigned kEstablished = 1U << 1U;

LegacyPacket question() {
  LegacyPacket packet;
  packet.in = "vr-one";
  packet.out = "up0";
  packet.source = IpAddress::parse("198.18.0.2");
  packet.destination = IpAddress::parse("198.51.100.10");
  packet.destination_port = 1194;
  return packet;
}

LegacyPacket answer() {
  LegacyPacket packet;
  packet.in = "up0";
  packet.out = "vr-one";
  packet.source = IpAddress::parse("198.51.100.10");
  packet.destination = IpAddress::parse("198.18.0.2");
  packet.source_port = 1194;
  packet.answers = true;
  return packet;
}

/// A table "filter" with this chain FORWARD, and what else is given.
LegacyTable filter(const std::string& policy, const std::vector<TextRule>& forward,
                   const std::vector<TextChain>& others = {}) {
  std::vector<TextChain> chains = {
      {"INPUT", "ACCEPT", {}}, {"FORWARD", policy, forward, 7}, {"OUTPUT", "ACCEPT", {}}};
  chains.insert(chains.end(), others.begin(), others.end());
  return TableText::encode("filter", chains);
}

std::vector<LegacyDrop> drops_at(const LegacyTable& table, LegacyHook hook,
                                 const LegacyPacket& packet) {
  return legacy_drops(table, std::vector<LegacyProbe>{{hook, packet}});
}

/// "CHAIN RULE", with a question mark for what is not certain.
std::vector<std::string> places(const std::vector<LegacyDrop>& drops) {
  std::vector<std::string> texts;
  texts.reserve(drops.size());
  for (const auto& drop : drops) {
    texts.push_back(formatted("{} {}{}", drop.chain, drop.rule, drop.is_certain ? "" : "?"));
  }
  return texts;
}

std::vector<std::string> places(const LegacyTable& table, const LegacyPacket& packet) {
  return places(drops_at(table, LegacyHook::kForward, packet));
}

TEST(LegacyTable, APolicyDrops) {
  const auto drops = drops_at(filter("DROP", {}), LegacyHook::kForward, question());
  ASSERT_THAT(drops, SizeIs(1));
  EXPECT_EQ(drops[0].table, "filter");
  EXPECT_EQ(drops[0].chain, "FORWARD");
  EXPECT_EQ(drops[0].rule, 0U);
  EXPECT_EQ(drops[0].packets, 7U);
  EXPECT_TRUE(drops[0].is_certain);
  EXPECT_THAT(places(filter("ACCEPT", {}), question()), IsEmpty());
}

TEST(LegacyTable, AnotherHookIsAnotherMatter) {
  EXPECT_THAT(drops_at(filter("DROP", {}), LegacyHook::kInput, question()), IsEmpty());
  EXPECT_THAT(drops_at(filter("DROP", {}), LegacyHook::kPostrouting, question()), IsEmpty());
}

TEST(LegacyTable, ARuleDropsOrRejects) {
  EXPECT_THAT(places(filter("ACCEPT", {{"LOG"}, {"DROP"}}), question()), ElementsAre("FORWARD 2"));
  EXPECT_THAT(places(filter("ACCEPT", {{"REJECT"}}), question()), ElementsAre("FORWARD 1"));
}

TEST(LegacyTable, InterfacesAreCompared) {
  EXPECT_THAT(places(filter("DROP", {{"ACCEPT", "vr-one"}}), question()), IsEmpty());
  EXPECT_THAT(places(filter("DROP", {{"ACCEPT", "vr-on"}}), question()), ElementsAre("FORWARD 0"));
  EXPECT_THAT(places(filter("DROP", {{"ACCEPT", "", "vr-one"}}), question()),
              ElementsAre("FORWARD 0"));
  EXPECT_THAT(places(filter("DROP", {{"ACCEPT", "", "vr-one"}}), answer()), IsEmpty());
}

TEST(LegacyTable, WhatBelongsToAConnectionPassesAsAnAnswerOnly) {
  TextRule established{"ACCEPT"};
  established.states = kEstablished;
  EXPECT_THAT(places(filter("DROP", {established}), answer()), IsEmpty());
  EXPECT_THAT(places(filter("DROP", {established}), question()), ElementsAre("FORWARD 0"));
  TextRule fresh{"DROP"};
  fresh.states = kNew;
  EXPECT_THAT(places(filter("ACCEPT", {fresh}), question()), ElementsAre("FORWARD 1"));
  EXPECT_THAT(places(filter("ACCEPT", {fresh}), answer()), IsEmpty());
}

TEST(LegacyTable, WhatIsNotKnownMayMatchOrNot) {
  TextRule unknown{"ACCEPT"};
  unknown.other_match = "set";
  EXPECT_THAT(places(filter("DROP", {unknown}), question()), ElementsAre("FORWARD 0?"));
  unknown.to = "DROP";
  EXPECT_THAT(places(filter("ACCEPT", {unknown}), question()), ElementsAre("FORWARD 1?"));
  unknown.in = "docker0";
  EXPECT_THAT(places(filter("ACCEPT", {unknown}), question()), IsEmpty());
}

TEST(LegacyTable, ChainsAreFollowedAndLeft) {
  const std::vector<TextChain> chains = {{"DOCKER-USER", "", {{"RETURN"}, {"DROP"}}},
                                         {"isolate", "", {{"DROP", "", "up0"}}},
                                         {"empty", "", {}}};
  EXPECT_THAT(places(filter("DROP", {{"DOCKER-USER"}}, chains), question()),
              ElementsAre("FORWARD 0"));
  EXPECT_THAT(places(filter("ACCEPT", {{"DOCKER-USER"}, {"isolate"}}, chains), question()),
              ElementsAre("isolate 1"));
  EXPECT_THAT(places(filter("DROP", {{"empty"}, {"ACCEPT"}}, chains), question()), IsEmpty());
}

TEST(LegacyTable, GotoDoesNotComeBackToTheRule) {
  TextRule away{"empty"};
  away.is_goto = true;
  EXPECT_THAT(places(filter("DROP", {away, {"ACCEPT"}}, {{"empty", "", {}}}), question()),
              ElementsAre("FORWARD 0"));
}

TEST(LegacyTable, AMaybeInAChainIsAMaybeAfterIt) {
  TextRule unknown{"ACCEPT"};
  unknown.other_match = "set";
  const std::vector<TextChain> chains = {{"user", "", {unknown}}};
  EXPECT_THAT(places(filter("DROP", {{"user"}}, chains), question()), ElementsAre("FORWARD 0?"));
  TextRule jump{"user"};
  jump.other_match = "addrtype";
  EXPECT_THAT(places(filter("DROP", {jump}, {{"user", "", {{"ACCEPT"}}}}), question()),
              ElementsAre("FORWARD 0?"));
  EXPECT_THAT(places(filter("ACCEPT", {jump}, {{"user", "", {{"DROP"}}}}), question()),
              ElementsAre("user 1?"));
}

TEST(LegacyTable, ChainsWithinChainsDoNotTakeForEver) {
  std::vector<TextChain> chains;
  for (int i = 0; i < 30; ++i) {
    TextChain chain{formatted("c{}", i), "", {}};
    for (int jump = 0; i < 29 && jump < 10; ++jump) {
      chain.rules.push_back({formatted("c{}", i + 1)});
    }
    chains.push_back(chain);
  }
  EXPECT_THAT(places(filter("DROP", {{"c0"}}, chains), question()), ElementsAre("FORWARD 0?"));
}

TEST(LegacyTable, AMalformedTableIsRefused) {
  const LegacyTable good = filter("DROP", {{"user"}}, {{"user", "", {}}});
  LegacyTable cut = good;
  cut.entries.resize(cut.entries.size() - 8);
  EXPECT_THROW((void)drops_at(cut, LegacyHook::kForward, question()), Error);
  LegacyTable nowhere = good;
  nowhere.hook_entry[2] += 8;
  EXPECT_THROW((void)drops_at(nowhere, LegacyHook::kForward, question()), Error);
  for (std::size_t i = 0; i < good.entries.size(); ++i) {
    for (const int byte : {0, 1, 0x7f, 0xff}) {
      LegacyTable damaged = good;
      damaged.entries[i] = static_cast<unsigned char>(byte);
      try {
        (void)drops_at(damaged, LegacyHook::kForward, question());
        LegacyEdit edit = edit_of(damaged);
        (void)add_pass(edit, "FORWARD", {"vr-one", "", "vpnrun-one"});
        (void)remove_marked(edit, "vpnrun-one");
      } catch (const Error&) {  // refused, and nothing was read beyond the end
      }
    }
  }
}

/// What is added or taken away moves the jumps, and such a one might become a verdict by it.
TEST(LegacyTable, AJumpToNowhereIsRefusedWhereverItStands) {
  LegacyTable table = filter("DROP", {}, {{"never", "", {{"RETURN"}}}});
  // RETURN, for the last time: the end of the chain that nothing jumps to.
  const int verdict = -5;  // XT_RETURN of linux/netfilter/x_tables.h
  const std::span bytes(reinterpret_cast<const unsigned char*>(&verdict), sizeof verdict);
  const auto found =
      std::find_end(table.entries.begin(), table.entries.end(), bytes.begin(), bytes.end());
  ASSERT_NE(found, table.entries.end());
  (void)edit_of(table);
  for (const int to : {0x7fffffff, 0x7ffffff0, 8}) {
    std::memcpy(&*found, &to, sizeof to);
    EXPECT_THROW((void)edit_of(table), Error) << to;
    EXPECT_THROW((void)drops_at(table, LegacyHook::kForward, question()), Error) << to;
  }
}

TEST(LegacyTable, APassIsTheFirstRuleOfAChainAndOpensIt) {
  LegacyEdit edit = edit_of(filter("DROP", {{"user"}}, {{"user", "", {{"RETURN"}}}}));
  ASSERT_TRUE(add_pass(edit, "FORWARD", {"", "vr-one", "vpnrun-one"}));
  ASSERT_TRUE(add_pass(edit, "FORWARD", {"vr-one", "", "vpnrun-one"}));
  EXPECT_THAT(places(edit.table, question()), IsEmpty());
  EXPECT_THAT(places(edit.table, answer()), IsEmpty());
  LegacyPacket other = question();
  other.in = "vr-onetwo";
  EXPECT_THAT(places(edit.table, other), ElementsAre("FORWARD 0"));
  EXPECT_EQ(edit.table.count, edit.former.size());
}

TEST(LegacyTable, AChainThatIsNotThereGetsNoRule) {
  const LegacyTable table = filter("DROP", {});
  LegacyEdit edit = edit_of(table);
  EXPECT_FALSE(add_pass(edit, "DOCKER-USER", {"vr-one", "", "vpnrun-one"}));
  EXPECT_FALSE(add_pass(edit, "PREROUTING", {"vr-one", "", "vpnrun-one"}));
  EXPECT_FALSE(remove_marked(edit, "vpnrun-one"));
  EXPECT_EQ(edit.table, table);
}

TEST(LegacyTable, NamesThatDoNotFitAreRefused) {
  LegacyEdit edit = edit_of(filter("DROP", {}));
  EXPECT_THROW((void)add_pass(edit, "FORWARD", {"sixteen-letters-", "", "vpnrun-one"}), Error);
  EXPECT_THROW((void)add_pass(edit, "FORWARD", {"vr-one", "", std::string(256, 'x')}), Error);
}

TEST(LegacyTable, OnlyExactlyThatCommentIsOurs) {
  TextRule like_ours{"ACCEPT"};
  like_ours.comment = "vpnrun-one2";
  const LegacyTable table = filter("DROP", {like_ours});
  LegacyEdit edit = edit_of(table);
  EXPECT_FALSE(remove_marked(edit, "vpnrun-one"));
  EXPECT_EQ(edit.table, table);
}

/// Whatever is in the table: one rule more, everything else as it was, and after removal the same
/// bytes.
TEST(LegacyTable, ChangesAreUndoneExactlyWhateverIsInTheTable) {
  std::mt19937 random(2026);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
  const auto below = [&random](std::size_t n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    const std::size_t made = below(6);
    std::vector<std::string> targets = {"ACCEPT", "DROP", "RETURN", "LOG", "REJECT"};
    for (std::size_t i = 0; i < made; ++i) {
      targets.push_back(formatted("chain{}", i));
    }
    const auto rules = [&] {
      std::vector<TextRule> list(below(5));
      for (auto& rule : list) {
        rule.to = targets[below(targets.size())];
        rule.in = below(2) == 0 ? "eth0" : "";
        rule.comment = below(3) == 0 ? "somebody's" : "";
        rule.other_match = below(3) == 0 ? "set" : "";
        rule.is_goto = rule.to.starts_with("chain") && below(3) == 0;
        rule.packets = below(1000);
      }
      return list;
    };
    std::vector<TextChain> chains = {
        {"INPUT", "ACCEPT", rules()}, {"FORWARD", "DROP", rules()}, {"OUTPUT", "ACCEPT", rules()}};
    for (std::size_t i = 0; i < made; ++i) {
      chains.push_back({formatted("chain{}", i), "", rules()});
    }
    const LegacyTable table = TableText::encode("filter", chains);
    const auto before = TableText::decode(table);
    const std::string chain = chains[below(chains.size())].name;
    LegacyEdit edit = edit_of(table);
    ASSERT_TRUE(add_pass(edit, chain, {"vr-one", "", "vpnrun-one"}));
    auto after = TableText::decode(edit.table);
    const auto ours =
        std::find(after.begin(), after.end(), chain + " -i vr-one -m comment vpnrun-one -j -2");
    ASSERT_NE(ours, after.end());
    ASSERT_TRUE(ours == after.begin() || !std::prev(ours)->starts_with(chain + " -") ||
                (ours - 1)->ends_with("ERROR"))
        << "not the first";
    const auto index = static_cast<std::size_t>(ours - after.begin());
    EXPECT_EQ(edit.former[index], std::nullopt);
    after.erase(ours);
    EXPECT_EQ(after, before);
    ASSERT_TRUE(add_pass(edit, "FORWARD", {"", "vr-one", "vpnrun-one"}));
    ASSERT_TRUE(remove_marked(edit, "vpnrun-one"));
    EXPECT_EQ(edit.table, table);
    EXPECT_EQ(edit.former, edit_of(table).former);
  }
}

}  // namespace
}  // namespace vpnrun::service
