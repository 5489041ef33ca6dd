// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/legacy_firewall.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/fakes/legacy_table_text.h"

namespace vpnrun::service {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Endpoint endpoint(const char* address) {
  return {*IpAddress::parse(address), Transport::kUdp, 1194};
}

/// Tables in memory; `changes` counts what was loaded.
class FakeTables final : public LegacyTables {
 public:
  std::vector<std::string> names() override {
    std::vector<std::string> names;
    for (const auto& [name, table] : tables) {
      names.push_back(name);
    }
    return names;
  }
  LegacyTable read(const std::string& name) override { return tables.at(name); }
  void change(const std::string& name, const Change& change) override {
    LegacyEdit edit = edit_of(tables.at(name));
    if (change(edit)) {
      ++changes;
      tables[name] = edit.table;
    }
  }

  std::map<std::string, LegacyTable> tables;
  int changes = 0;
};

class LegacyFirewallTest : public ::testing::Test {
 protected:
  /// A chain FORWARD as it is once its policy has dropped so many packets.
  void filter(std::uint64_t packets, const std::vector<TextRule>& rules = {},
              const std::vector<TextChain>& others = {}) {
    std::vector<TextChain> chains = {
        {"INPUT", "ACCEPT", {}}, {"FORWARD", "DROP", rules, packets}, {"OUTPUT", "ACCEPT", {}}};
    chains.insert(chains.end(), others.begin(), others.end());
    tables.tables["filter"] = TableText::encode("filter", chains);
  }
  bool begin() { return firewall.begin({{endpoint("198.51.100.10"), "up0", false}}); }
  std::vector<std::string> listing() { return TableText::decode(tables.tables["filter"]); }

  FakeTables tables;
  LegacyFirewall firewall{tables, "one", "vr-one", *IpAddress::parse("198.18.0.2")};
};

TEST_F(LegacyFirewallTest, WithoutTablesThereIsNothingToSee) {
  EXPECT_FALSE(begin());
  const auto seen = firewall.look();
  EXPECT_FALSE(seen.is_closed);
  EXPECT_FALSE(seen.drop);
}

TEST_F(LegacyFirewallTest, ARuleThatHasDroppedSomethingSinceIsTheReason) {
  filter(5);
  EXPECT_TRUE(begin());
  EXPECT_TRUE(firewall.look().is_closed);
  EXPECT_FALSE(firewall.look().drop) << "nothing was sent yet";
  filter(6);
  const auto seen = firewall.look();
  ASSERT_TRUE(seen.drop);
  const Failure failure = firewall.explain(*seen.drop, "");
  EXPECT_EQ(failure.kind, Failure::Kind::kPassing);
  EXPECT_EQ(failure.error,
            "the machine's firewall drops the packets to the server: chain 'FORWARD' of table "
            "'filter' of iptables-legacy, by its policy");
  EXPECT_THAT(failure.hint, HasSubstr("iptables-legacy -I FORWARD -i vr-one -j ACCEPT; "
                                      "iptables-legacy -I FORWARD -o vr-one -j ACCEPT"));
  EXPECT_THAT(failure.hint, HasSubstr("firewall = \"integrate\""));
}

TEST_F(LegacyFirewallTest, WhatDropsOthersOnlyIsNotTheReason) {
  filter(5, {{"ACCEPT", "vr-one"}, {"ACCEPT", "", "vr-one"}});
  EXPECT_FALSE(begin());
  filter(9, {{"ACCEPT", "vr-one"}, {"ACCEPT", "", "vr-one"}});
  const auto seen = firewall.look();
  EXPECT_FALSE(seen.is_closed);
  EXPECT_FALSE(seen.drop);
}

TEST_F(LegacyFirewallTest, WhatIsNotCertainIsSaidSo) {
  TextRule unknown{"ACCEPT"};
  unknown.other_match = "set";
  filter(5, {unknown});
  (void)begin();
  filter(6, {unknown});
  const auto seen = firewall.look();
  ASSERT_TRUE(seen.drop);
  EXPECT_THAT(firewall.explain(*seen.drop, "").error, HasSubstr("seems to drop"));
}

TEST_F(LegacyFirewallTest, ATableThatHasChangedIsCountedAnew) {
  filter(5);
  (void)begin();
  filter(6, {{"LOG"}});
  EXPECT_FALSE(firewall.look().drop);
  filter(7, {{"LOG"}});
  EXPECT_TRUE(firewall.look().drop);
}

TEST_F(LegacyFirewallTest, ATableThatAppearsLaterIsSeen) {
  (void)begin();
  filter(1);
  EXPECT_TRUE(firewall.look().is_closed);
  filter(2);
  EXPECT_TRUE(firewall.look().drop);
}

TEST_F(LegacyFirewallTest, OpensTheChainThatIsMeantForOthers) {
  filter(5, {{"DOCKER-USER"}}, {{"DOCKER-USER", "", {{"RETURN"}}}});
  const auto before = tables.tables;
  (void)begin();
  filter(6, {{"DOCKER-USER"}}, {{"DOCKER-USER", "", {{"RETURN"}}}});
  EXPECT_EQ(firewall.open(*firewall.look().drop), "filter DOCKER-USER");
  EXPECT_THAT(listing(), Contains("DOCKER-USER -i vr-one -m comment vpnrun-one -j -2"));
  EXPECT_THAT(listing(), Contains("DOCKER-USER -o vr-one -m comment vpnrun-one -j -2"));
  EXPECT_FALSE(firewall.look().is_closed);
  close_legacy_firewall(tables, "two");
  EXPECT_EQ(tables.changes, 1) << "others' rules are left alone";
  close_legacy_firewall(tables, "one");
  filter(5, {{"DOCKER-USER"}}, {{"DOCKER-USER", "", {{"RETURN"}}}});
  EXPECT_EQ(tables.tables, before);
}

TEST_F(LegacyFirewallTest, OpensTheChainItselfIfTheOtherIsTooLate) {
  const std::vector<TextRule> rules = {{"DROP", "vr-one"}, {"DOCKER-USER"}};
  filter(5, rules, {{"DOCKER-USER", "", {}}});
  (void)begin();
  auto dropped = rules;
  dropped[0].packets = 1;
  filter(5, dropped, {{"DOCKER-USER", "", {}}});
  EXPECT_EQ(firewall.open(*firewall.look().drop), "filter FORWARD");
}

TEST_F(LegacyFirewallTest, OpeningAgainReplacesWhatIsThere) {
  filter(5);
  (void)begin();
  filter(6);
  const auto drop = *firewall.look().drop;
  (void)firewall.open(drop);
  const auto once = tables.tables;
  auto again = tables.tables["filter"];
  (void)firewall.begin({{endpoint("198.51.100.10"), "up0", false}});
  LegacyDrop same = drop;
  same.entry += 2;
  (void)firewall.open(same);
  EXPECT_EQ(tables.tables, once);
}

TEST_F(LegacyFirewallTest, WhatCannotBeOpenedForTheLinkAloneIsLeftAlone) {
  const auto raw = [this](std::uint64_t packets) {
    TextRule drops{"DROP", "up0"};
    drops.packets = packets;
    tables.tables["raw"] =
        TableText::encode("raw", {{"PREROUTING", "ACCEPT", {drops}}, {"OUTPUT", "ACCEPT", {}}});
  };
  raw(0);
  (void)begin();
  raw(1);
  const auto drop = firewall.look().drop;
  ASSERT_TRUE(drop);
  EXPECT_THROW((void)firewall.open(*drop), Error);
  EXPECT_EQ(tables.changes, 0);
  const Failure failure = firewall.explain(*drop, "it is somebody else's");
  EXPECT_THAT(failure.hint, HasSubstr("cannot do it: it is somebody else's"));
  EXPECT_THAT(failure.hint, HasSubstr("-t raw -I PREROUTING -i vr-one"));
}

TEST_F(LegacyFirewallTest, AnEndpointOnTheMachineItselfIsDelivered) {
  tables.tables["filter"] = TableText::encode(
      "filter", {{"INPUT", "DROP", {}, 1}, {"FORWARD", "DROP", {}, 1}, {"OUTPUT", "ACCEPT", {}}});
  EXPECT_TRUE(firewall.begin({{endpoint("192.0.2.1"), "lo", true}}));
  tables.tables["filter"] = TableText::encode(
      "filter", {{"INPUT", "DROP", {}, 2}, {"FORWARD", "DROP", {}, 2}, {"OUTPUT", "ACCEPT", {}}});
  const auto drop = firewall.look().drop;
  ASSERT_TRUE(drop);
  EXPECT_EQ(drop->chain, "INPUT");
  EXPECT_EQ(firewall.open(*drop), "filter INPUT");
  EXPECT_THAT(listing(), Contains("INPUT -i vr-one -m comment vpnrun-one -j -2"));
  EXPECT_THAT(listing(), Not(Contains("INPUT -o vr-one -m comment vpnrun-one -j -2")));
}

}  // namespace
}  // namespace vpnrun::service
