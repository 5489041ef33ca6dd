// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "systemd/service/link/legacy_table.h"

namespace vpnrun::service {

/// A rule of a test's table. `to` is ACCEPT, DROP, RETURN, the name of a chain of the table, or of
/// a target that the kernel has (LOG, REJECT).
struct TextRule {
  std::string to;
  std::string in{};
  std::string out{};
  std::string comment{};
  std::string other_match{};  ///< a match that nobody here knows
  unsigned states = 0;        ///< of xt_state; 0: any
  bool is_goto = false;
  std::uint64_t packets = 0;
};
struct TextChain {
  std::string name;
  std::string policy;  ///< empty: a chain that somebody has made
  std::vector<TextRule> rules;
  std::uint64_t packets = 0;  ///< of the policy
};

/// Encodes chains the way the kernel hands tables out: the built-in ones first, in the order of the
/// hooks. Written for itself, so that a mistake in the reader is not made here as well.
class TableText {
 public:
  static LegacyTable encode(const std::string& name, const std::vector<TextChain>& chains) {
    TableText text;
    text.chains_ = &chains;
    for (const bool measure : {true, false}) {
      text.table_ = {};
      text.measure_ = measure;
      text.table_.name = name;
      for (const auto& chain : chains) {
        text.add_chain(chain);
      }
      text.add_error("ERROR");
    }
    return std::move(text.table_);
  }

  /// Each rule as a line "CHAIN …" in the table's order.
  static std::vector<std::string> decode(const LegacyTable& table) {
    std::vector<std::string> lines;
    std::map<std::uint32_t, std::string> heads;
    for (std::uint32_t at = 0; at < table.entries.size();) {
      const auto entry = get<::ipt_entry>(table, at);
      const auto target = get<::xt_entry_target>(table, at + entry.target_offset);
      if (std::string(target.u.user.name) == XT_ERROR_TARGET) {
        heads[at + entry.next_offset] =
            get<::xt_error_target>(table, at + entry.target_offset).errorname;
      }
      for (std::size_t hook = 0; hook < kLegacyHooks; ++hook) {
        if ((table.valid_hooks & 1U << hook) != 0 && table.hook_entry[hook] == at) {
          heads[at] = name_of(static_cast<LegacyHook>(hook));
        }
      }
      at += entry.next_offset;
    }
    std::string chain;
    for (std::uint32_t at = 0; at < table.entries.size();) {
      chain = heads.contains(at) ? heads[at] : chain;
      lines.push_back(chain + line_of(table, at, heads));
      at += get<::ipt_entry>(table, at).next_offset;
    }
    return lines;
  }

 private:
  template <class T>
  static T get(const LegacyTable& table, std::size_t at) {
    T value{};
    std::memcpy(&value, table.entries.data() + at, sizeof value);
    return value;
  }

  static std::string line_of(const LegacyTable& table, std::uint32_t at,
                             std::map<std::uint32_t, std::string>& heads) {
    const auto entry = get<::ipt_entry>(table, at);
    std::string line;
    for (std::size_t hook = 0; hook < kLegacyHooks; ++hook) {
      if ((table.valid_hooks & 1U << hook) != 0 && table.underflow[hook] == at) {
        line += " policy";
      }
    }
    line += entry.ip.iniface[0] == '\0' ? "" : std::string(" -i ") + entry.ip.iniface;
    line += entry.ip.outiface[0] == '\0' ? "" : std::string(" -o ") + entry.ip.outiface;
    for (std::size_t match = at + sizeof entry; match < at + entry.target_offset;) {
      const auto head = get<::xt_entry_match>(table, match);
      const std::string data(
          reinterpret_cast<const char*>(table.entries.data() + match + sizeof head));
      line += std::string(" -m ") + head.u.user.name +
              (std::string(head.u.user.name) == "comment" ? " " + data : "");
      match += head.u.user.match_size;
    }
    const auto target = get<::xt_standard_target>(table, at + entry.target_offset);
    const std::string name = target.target.u.user.name;
    if (!name.empty()) {
      return line + " -j " + name;
    }
    line += (entry.ip.flags & IPT_F_GOTO) != 0 ? " -g " : " -j ";
    return line + (target.verdict < 0 ? std::to_string(target.verdict)
                                      : heads[static_cast<std::uint32_t>(target.verdict)]);
  }

  template <class T>
  void put(const T& value) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
    table_.entries.insert(table_.entries.end(), bytes, bytes + sizeof value);
  }
  void put_match(std::string_view name, const std::vector<unsigned char>& data) {
    ::xt_entry_match match{};
    match.u.user.match_size = static_cast<std::uint16_t>(sizeof match + data.size());
    std::copy(name.begin(), name.end(), std::begin(match.u.user.name));
    put(match);
    table_.entries.insert(table_.entries.end(), data.begin(), data.end());
  }
  [[nodiscard]] std::uint32_t size() const {
    return static_cast<std::uint32_t>(table_.entries.size());
  }
  [[nodiscard]] bool is_chain(const std::string& name) const {
    return std::any_of(chains_->begin(), chains_->end(),
                       [&name](const TextChain& chain) { return chain.name == name; });
  }

  int verdict_of(const std::string& to) {
    static const std::map<std::string, int> verdicts = {
        {"ACCEPT", -2}, {"DROP", -1}, {"RETURN", -5}};
    const auto known = verdicts.find(to);
    return known != verdicts.end() ? known->second : static_cast<int>(heads_[to]);
  }

  void add_rule(const TextRule& rule) {
    const std::uint32_t begin = size();
    ::ipt_entry entry{};
    const auto interface_of = [](const std::string& name, auto& field, auto& mask) {
      std::copy(name.begin(), name.end(), std::begin(field));
      std::fill_n(std::begin(mask), name.empty() ? 0 : name.size() + 1, 0xff);
    };
    interface_of(rule.in, entry.ip.iniface, entry.ip.iniface_mask);
    interface_of(rule.out, entry.ip.outiface, entry.ip.outiface_mask);
    entry.ip.flags = rule.is_goto ? IPT_F_GOTO : 0;
    entry.counters.pcnt = rule.packets;
    put(entry);
    if (rule.states != 0) {
      std::vector<unsigned char> data(8);
      std::memcpy(data.data(), &rule.states, sizeof rule.states);
      put_match("state", data);
    }
    if (!rule.other_match.empty()) {
      put_match(rule.other_match, std::vector<unsigned char>(16));
    }
    if (!rule.comment.empty()) {
      std::vector<unsigned char> data(sizeof(::xt_comment_info));
      std::copy(rule.comment.begin(), rule.comment.end(), data.begin());
      put_match("comment", data);
    }
    entry.target_offset = static_cast<std::uint16_t>(size() - begin);
    const bool is_verdict =
        rule.to == "ACCEPT" || rule.to == "DROP" || rule.to == "RETURN" || is_chain(rule.to);
    ::xt_standard_target target{};
    target.target.u.user.target_size = sizeof target;
    if (is_verdict) {
      target.verdict = verdict_of(rule.to);
    } else {
      std::copy(rule.to.begin(), rule.to.end(), std::begin(target.target.u.user.name));
    }
    put(target);
    entry.next_offset = static_cast<std::uint16_t>(size() - begin);
    std::memcpy(table_.entries.data() + begin, &entry, sizeof entry);
    ++table_.count;
  }

  void add_error(const std::string& name) {
    ::ipt_entry entry{};
    entry.target_offset = sizeof entry;
    ::xt_error_target target{};
    entry.next_offset = sizeof entry + sizeof target;
    target.target.u.user.target_size = sizeof target;
    constexpr std::string_view kError = XT_ERROR_TARGET;
    std::copy(kError.begin(), kError.end(), std::begin(target.target.u.user.name));
    std::copy(name.begin(), name.end(), std::begin(target.errorname));
    put(entry);
    put(target);
    ++table_.count;
  }

  void add_chain(const TextChain& chain) {
    if (chain.policy.empty()) {
      add_error(chain.name);
    }
    heads_[chain.name] = size();
    std::size_t hook = 0;
    if (!chain.policy.empty()) {
      while (name_of(static_cast<LegacyHook>(hook)) != chain.name) {
        ++hook;
      }
      table_.valid_hooks |= 1U << hook;
      table_.hook_entry[hook] = size();
    }
    for (const auto& rule : chain.rules) {
      add_rule(rule);
    }
    if (!chain.policy.empty()) {
      table_.underflow[hook] = size();
    }
    TextRule last;
    last.to = chain.policy.empty() ? "RETURN" : chain.policy;
    last.packets = chain.packets;
    add_rule(last);
  }

  const std::vector<TextChain>* chains_ = nullptr;
  LegacyTable table_;
  std::map<std::string, std::uint32_t> heads_;  ///< known once it has been measured
  bool measure_ = false;
};

}  // namespace vpnrun::service
