// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/legacy_table.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

/// Chains within chains; the kernel allows no more than there are chains, and people a handful.
constexpr int kDepthMax = 64;
/// Rules that are looked at for one packet. Chains that are jumped to again and again could make it
/// a great many.
constexpr int kStepsMax = 20'000;

constexpr std::size_t kEntrySize = sizeof(::ipt_entry);
constexpr std::size_t kTargetSize = sizeof(::xt_entry_target);
constexpr std::size_t kStandardSize = sizeof(::xt_standard_target);
constexpr std::size_t kMatchSize = sizeof(::xt_entry_match);
static_assert(kEntrySize % 8 == 0 && kStandardSize % 8 == 0 && kMatchSize % 8 == 0);

constexpr std::array<const char*, kLegacyHooks> kHookNames = {"PREROUTING", "INPUT", "FORWARD",
                                                              "OUTPUT", "POSTROUTING"};

[[noreturn]] void throw_malformed(const LegacyTable& table) {
  throw_error(EBADMSG, "cannot read the iptables table '{}'", printable(table.name));
}

/// A copy: nothing is said about how entries are aligned in `bytes`.
template <class T>
T read_at(std::span<const unsigned char> bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.subspan(offset, sizeof(T)).data(), sizeof(T));
  return value;
}

template <class T>
void write_at(std::vector<unsigned char>& bytes, std::size_t offset, const T& value) {
  std::memcpy(std::span(bytes).subspan(offset, sizeof(T)).data(), &value, sizeof(T));
}

std::string text_of(std::span<const char> field) {
  return {field.data(), ::strnlen(field.data(), field.size())};
}

/// One condition of a rule beyond addresses and interfaces.
struct Condition {
  std::string name;
  std::uint8_t revision = 0;
  std::span<const unsigned char> data;
};

struct Rule {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::size_t chain = 0;     ///< index in Rules::chains
  std::uint32_t number = 0;  ///< from 1 in its chain
  ::ipt_ip ip{};
  std::vector<Condition> conditions;
  std::string target;  ///< empty: a verdict or a jump
  int verdict = 0;
  std::uint32_t target_offset = 0;  ///< in the table
  std::uint64_t packets = 0;
};

/// A table, taken apart. What a table of the kernel's can be is checked as far as anything here
/// relies on it.
struct Rules {
  std::vector<Rule> all;
  std::map<std::uint32_t, std::size_t> at;  ///< by their offset
  std::vector<std::string> chains;
  std::map<std::string, std::uint32_t> heads;  ///< where a chain's first rule begins
};

std::vector<Condition> read_conditions(const LegacyTable& table, std::size_t begin,
                                       std::size_t end) {
  std::vector<Condition> conditions;
  const std::span<const unsigned char> bytes(table.entries);
  while (begin < end) {
    if (end - begin < kMatchSize) {
      throw_malformed(table);
    }
    const auto match = read_at<::xt_entry_match>(bytes, begin);
    const std::size_t size = match.u.user.match_size;
    if (size < kMatchSize || size > end - begin) {
      throw_malformed(table);
    }
    conditions.push_back({text_of(match.u.user.name), match.u.user.revision,
                          bytes.subspan(begin + kMatchSize, size - kMatchSize)});
    begin += size;
  }
  return conditions;
}

Rule read_rule(const LegacyTable& table, std::uint32_t offset) {
  const std::span<const unsigned char> bytes(table.entries);
  if (bytes.size() - offset < kEntrySize) {
    throw_malformed(table);
  }
  const auto entry = read_at<::ipt_entry>(bytes, offset);
  const std::size_t size = entry.next_offset;
  if (entry.target_offset < kEntrySize || size < entry.target_offset + kTargetSize ||
      size > bytes.size() - offset) {
    throw_malformed(table);
  }
  const auto target = read_at<::xt_entry_target>(bytes, offset + entry.target_offset);
  Rule rule;
  rule.offset = offset;
  rule.size = entry.next_offset;
  rule.ip = entry.ip;
  rule.conditions = read_conditions(table, offset + kEntrySize, offset + entry.target_offset);
  rule.target = text_of(target.u.user.name);
  rule.target_offset = offset + entry.target_offset;
  rule.packets = entry.counters.pcnt;
  if (rule.target.empty()) {
    if (size < entry.target_offset + kStandardSize) {
      throw_malformed(table);
    }
    rule.verdict = read_at<::xt_standard_target>(bytes, rule.target_offset).verdict;
  }
  return rule;
}

/// The name of the chain that this entry begins; only such an entry has this target.
std::string chain_of(const LegacyTable& table, const Rule& rule) {
  if (rule.size < rule.target_offset - rule.offset + sizeof(::xt_error_target)) {
    throw_malformed(table);
  }
  const auto target = read_at<::xt_error_target>(table.entries, rule.target_offset);
  return text_of(target.errorname);
}

bool has_hook(const LegacyTable& table, std::size_t hook) {
  return (table.valid_hooks & (1U << hook)) != 0;
}

Rules read_rules(const LegacyTable& table) {
  Rules rules;
  const auto begin_chain = [&rules](const std::string& name, std::uint32_t offset) {
    rules.heads[name] = offset;
    rules.chains.push_back(name);
  };
  std::uint32_t number = 0;
  for (std::uint32_t offset = 0; offset < table.entries.size();) {
    for (std::size_t hook = 0; hook < kLegacyHooks; ++hook) {
      if (has_hook(table, hook) && table.hook_entry.at(hook) == offset) {
        begin_chain(kHookNames.at(hook), offset);
        number = 0;
      }
    }
    Rule rule = read_rule(table, offset);
    offset += rule.size;
    if (rule.target == XT_ERROR_TARGET && offset < table.entries.size()) {
      begin_chain(chain_of(table, rule), offset);
      number = 0;
    } else if (rule.target != XT_ERROR_TARGET && rules.chains.empty()) {
      throw_malformed(table);
    } else {
      rule.number = ++number;
    }
    rule.chain = rules.chains.empty() ? 0 : rules.chains.size() - 1;
    rules.at[rule.offset] = rules.all.size();
    rules.all.push_back(std::move(rule));
  }
  for (std::size_t hook = 0; hook < kLegacyHooks; ++hook) {
    if (has_hook(table, hook) && (!rules.at.contains(table.hook_entry.at(hook)) ||
                                  !rules.at.contains(table.underflow.at(hook)))) {
      throw_malformed(table);
    }
  }
  // As the kernel wants it too: a jump leads to a rule, also one that no packet takes.
  for (const Rule& rule : rules.all) {
    if (rule.target.empty() && rule.verdict >= 0 &&
        !rules.at.contains(static_cast<std::uint32_t>(rule.verdict))) {
      throw_malformed(table);
    }
  }
  return rules;
}

// --- what matches ---

enum class Match : std::uint8_t { kNo, kMaybe, kYes };

Match match_if(bool yes, bool is_inverted) {
  return yes != is_inverted ? Match::kYes : Match::kNo;
}

Match both(Match one, Match other) {
  return std::min(one, other);
}

/// As the kernel compares: the rest of the name's field is zero.
Match match_interface(const std::string& name, std::span<const char> wanted,
                      std::span<const unsigned char> mask, bool is_inverted) {
  bool same = true;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto have = static_cast<unsigned char>(i < name.size() ? name[i] : '\0');
    same = same && ((have ^ static_cast<unsigned char>(wanted[i])) & mask[i]) == 0;
  }
  return match_if(same, is_inverted);
}

Match match_address(const std::optional<IpAddress>& address, ::in_addr wanted, ::in_addr mask,
                    bool is_inverted) {
  if (mask.s_addr == 0) {
    return match_if(wanted.s_addr == 0, is_inverted);
  }
  if (!address || !address->is_ipv4()) {
    return Match::kMaybe;
  }
  ::in_addr have{};
  if (::inet_pton(AF_INET, address->str().c_str(), &have) != 1) {
    return Match::kMaybe;
  }
  return match_if((have.s_addr & mask.s_addr) == wanted.s_addr, is_inverted);
}

std::uint16_t number_of(Transport transport) {
  return transport == Transport::kTcp ? IPPROTO_TCP : IPPROTO_UDP;
}

Match match_header(const ::ipt_ip& ip, const LegacyPacket& packet) {
  const auto inverted = [&ip](unsigned flag) { return (ip.invflags & flag) != 0; };
  Match match = match_interface(packet.in, ip.iniface, ip.iniface_mask, inverted(IPT_INV_VIA_IN));
  match = both(
      match, match_interface(packet.out, ip.outiface, ip.outiface_mask, inverted(IPT_INV_VIA_OUT)));
  match = both(match, match_address(packet.source, ip.src, ip.smsk, inverted(IPT_INV_SRCIP)));
  match = both(match, match_address(packet.destination, ip.dst, ip.dmsk, inverted(IPT_INV_DSTIP)));
  if (ip.proto != 0) {
    match = both(match, match_if(ip.proto == number_of(packet.transport), inverted(IPT_INV_PROTO)));
  }
  if ((ip.flags & IPT_F_FRAG) != 0) {
    match = both(match, match_if(false, inverted(IPT_INV_FRAG)));
  }
  return match;
}

Match match_port(std::optional<std::uint16_t> port, std::span<const std::uint16_t, 2> range,
                 bool is_inverted) {
  if (!port) {
    return range[0] == 0 && range[1] == 0xffff ? match_if(true, is_inverted) : Match::kMaybe;
  }
  return match_if(*port >= range[0] && *port <= range[1], is_inverted);
}

Match match_ports(const LegacyPacket& packet, std::span<const std::uint16_t, 2> source,
                  std::span<const std::uint16_t, 2> destination, unsigned inverted) {
  return both(match_port(packet.source_port, source, (inverted & XT_UDP_INV_SRCPT) != 0),
              match_port(packet.destination_port, destination, (inverted & XT_UDP_INV_DSTPT) != 0));
}
static_assert(XT_UDP_INV_SRCPT == XT_TCP_INV_SRCPT && XT_UDP_INV_DSTPT == XT_TCP_INV_DSTPT);

/// The bit of what conntrack calls the packet: one that begins a connection, or answers in it.
unsigned state_of(const LegacyPacket& packet) {
  return 1U << static_cast<unsigned>((packet.answers ? IP_CT_ESTABLISHED : IP_CT_NEW) + 1);
}

template <class Info>
Match match_conntrack(std::span<const unsigned char> data, const LegacyPacket& packet) {
  if (data.size() < sizeof(Info)) {
    return Match::kMaybe;
  }
  const auto info = read_at<Info>(data, 0);
  // How it was written, "-m state" or "-m conntrack", does not matter.
  const unsigned asked = info.match_flags & ~unsigned{XT_CONNTRACK_STATE_ALIAS};
  if ((asked & XT_CONNTRACK_STATE) == 0) {
    return Match::kMaybe;
  }
  const Match state = match_if((info.state_mask & state_of(packet)) != 0,
                               (info.invert_flags & XT_CONNTRACK_STATE) != 0);
  return asked == XT_CONNTRACK_STATE ? state : both(state, Match::kMaybe);
}

/// Those that Docker, ufw, firewalld and people use for what concerns every packet; all others may
/// match or not.
Match match_condition(const Condition& condition, const LegacyPacket& packet) {
  const auto& data = condition.data;
  if (condition.name == "comment") {
    return Match::kYes;
  }
  if (condition.name == "udp" && data.size() >= sizeof(::xt_udp)) {
    const auto info = read_at<::xt_udp>(data, 0);
    return match_ports(packet, info.spts, info.dpts, info.invflags);
  }
  if (condition.name == "tcp" && data.size() >= sizeof(::xt_tcp)) {
    const auto info = read_at<::xt_tcp>(data, 0);
    const Match ports = match_ports(packet, info.spts, info.dpts, info.invflags);
    return info.option == 0 && info.flg_mask == 0 ? ports : both(ports, Match::kMaybe);
  }
  if (condition.name == "state" && data.size() >= sizeof(::xt_state_info)) {
    return match_if((read_at<::xt_state_info>(data, 0).statemask & state_of(packet)) != 0, false);
  }
  if (condition.name == "conntrack") {
    switch (condition.revision) {
      case 1:
        return match_conntrack<::xt_conntrack_mtinfo1>(data, packet);
      case 2:
        return match_conntrack<::xt_conntrack_mtinfo2>(data, packet);
      case 3:
        return match_conntrack<::xt_conntrack_mtinfo3>(data, packet);
      default:
        return Match::kMaybe;
    }
  }
  return Match::kMaybe;
}

Match match_rule(const Rule& rule, const LegacyPacket& packet) {
  Match match = match_header(rule.ip, packet);
  for (const auto& condition : rule.conditions) {
    match = both(match, match_condition(condition, packet));
  }
  return match;
}

// --- what becomes of a packet ---

enum class Action : std::uint8_t { kNext, kAccept, kDrop, kReturn, kJump };

/// NF_DROP and NF_ACCEPT are 0 and 1; what comes out of here some other way (a queue, a copy to
/// another machine) is not known to be dropped.
Action action_of(const Rule& rule) {
  if (!rule.target.empty()) {
    const auto is = [&rule](std::string_view name) { return rule.target == name; };
    if (is("REJECT") || is("DROP") || is("TARPIT")) {
      return Action::kDrop;
    }
    return is("NFQUEUE") || is("SNAT") || is("DNAT") || is("MASQUERADE") || is("REDIRECT") ||
                   is("NETMAP")
               ? Action::kAccept
               : Action::kNext;
  }
  if (rule.verdict >= 0) {
    return Action::kJump;
  }
  if (rule.verdict == XT_RETURN) {
    return Action::kReturn;
  }
  return rule.verdict == -NF_DROP - 1 ? Action::kDrop : Action::kAccept;
}

class Walk {
 public:
  Walk(const LegacyTable& table, const Rules& rules, const LegacyProbe& probe)
      : table_(table), rules_(rules), hook_(probe.hook), packet_(probe.packet) {}

  std::vector<LegacyDrop> run() {
    const auto hook = static_cast<std::size_t>(hook_);
    if (!has_hook(table_, hook)) {
      return {};
    }
    bool certain = true;
    if (chain(table_.hook_entry.at(hook), certain, 0)) {  // RETURN: the policy decides
      const Rule& policy = rules_.all.at(rules_.at.at(table_.underflow.at(hook)));
      if (action_of(policy) == Action::kDrop) {
        note(policy, certain);
      }
    }
    return std::move(drops_);
  }

 private:
  /// Whether the packet may come out of the chain that begins there; `certain`: it surely gets
  /// there, and afterwards, that it surely comes out.
  bool chain(std::uint32_t head, bool& certain, int depth);
  bool jump(const Rule& rule, Match match, bool& certain, bool& comes_out, int depth);
  void note(const Rule& rule, bool certain);

  const LegacyTable& table_;
  const Rules& rules_;
  LegacyHook hook_;
  const LegacyPacket& packet_;
  std::vector<LegacyDrop> drops_;
  int steps_ = 0;
};

void Walk::note(const Rule& rule, bool certain) {
  const auto hook = static_cast<std::size_t>(hook_);
  LegacyDrop drop;
  drop.table = table_.name;
  drop.chain = rules_.chains.at(rule.chain);
  drop.rule = rule.offset == table_.underflow.at(hook) ? 0 : rule.number;
  drop.is_certain = certain;
  drop.packets = rule.packets;
  drop.entry = static_cast<std::uint32_t>(rules_.at.at(rule.offset));
  drop.hook = hook_;
  drops_.push_back(std::move(drop));
}

/// Returns whether the packet may get to the next rule.
bool Walk::jump(const Rule& rule, Match match, bool& certain, bool& comes_out, int depth) {
  bool inside = certain && match == Match::kYes;
  const bool returns = chain(static_cast<std::uint32_t>(rule.verdict), inside, depth + 1);
  if ((rule.ip.flags & IPT_F_GOTO) != 0) {  // what comes out of there comes out of here
    comes_out = comes_out || returns;
    certain = inside;
    return match != Match::kYes;
  }
  if (match == Match::kYes) {
    certain = inside;
    return returns;
  }
  certain = false;
  return true;
}

bool Walk::chain(std::uint32_t head, bool& certain, int depth) {
  bool comes_out = false;
  for (std::size_t i = rules_.at.at(head); i < rules_.all.size(); ++i) {
    if (++steps_ > kStepsMax || depth > kDepthMax) {
      certain = false;
      return true;
    }
    const Rule& rule = rules_.all[i];
    const Match match = match_rule(rule, packet_);
    if (match == Match::kNo) {
      continue;
    }
    const bool sure = match == Match::kYes;
    switch (action_of(rule)) {
      case Action::kNext:
        break;
      case Action::kJump:
        if (!jump(rule, match, certain, comes_out, depth)) {
          return comes_out;
        }
        break;
      case Action::kReturn:
        if (sure) {
          return true;
        }
        comes_out = true;
        certain = false;
        break;
      case Action::kDrop:
        note(rule, certain && sure);
        [[fallthrough]];
      case Action::kAccept:
        if (sure) {
          certain = false;  // for those who have come out before
          return comes_out;
        }
        certain = false;
        break;
    }
  }
  return comes_out;
}

// --- changes ---

/// A place in the table after `size` bytes have been added at `place` (or, if negative, taken away
/// there). What begins at `place` itself begins there still: whatever leads to the chain's first
/// rule leads to the new one.
std::uint32_t moved(std::uint32_t offset, std::uint32_t place, std::int64_t size) {
  return offset > place ? static_cast<std::uint32_t>(offset + size) : offset;
}

/// Adds or takes away so much; what the jumps, and the kernel, say about places follows.
void shift(LegacyTable& table, const Rules& rules, std::uint32_t place, std::int64_t size) {
  for (const Rule& rule : rules.all) {
    if (rule.target.empty() && rule.verdict >= 0) {
      auto target = read_at<::xt_standard_target>(table.entries, rule.target_offset);
      target.verdict =
          static_cast<int>(moved(static_cast<std::uint32_t>(rule.verdict), place, size));
      write_at(table.entries, rule.target_offset, target);
    }
  }
  for (std::size_t hook = 0; hook < kLegacyHooks; ++hook) {
    if (has_hook(table, hook)) {
      table.hook_entry.at(hook) = moved(table.hook_entry.at(hook), place, size);
      // A policy is what a chain ends with: what is put before it moves it.
      const std::uint32_t underflow = table.underflow.at(hook);
      table.underflow.at(hook) = underflow == place && size > 0
                                     ? static_cast<std::uint32_t>(underflow + size)
                                     : moved(underflow, place, size);
    }
  }
}

void set_interface(std::span<char> name, std::span<unsigned char> mask, const std::string& value) {
  if (value.size() >= name.size()) {
    throw_error(ENAMETOOLONG, "cannot let the interface '{}' through", printable(value));
  }
  std::copy(value.begin(), value.end(), name.begin());
  // The zero at its end as well: the name, not what begins with it.
  std::fill_n(mask.begin(), value.empty() ? 0 : value.size() + 1, 0xff);
}

std::vector<unsigned char> bytes_of(const LegacyPass& pass) {
  constexpr std::size_t kComment = kMatchSize + sizeof(::xt_comment_info);
  ::ipt_entry entry{};
  set_interface(entry.ip.iniface, entry.ip.iniface_mask, pass.in);
  set_interface(entry.ip.outiface, entry.ip.outiface_mask, pass.out);
  entry.target_offset = kEntrySize + kComment;
  entry.next_offset = entry.target_offset + kStandardSize;

  ::xt_entry_match match{};
  match.u.user.match_size = kComment;
  constexpr std::string_view kName = "comment";
  std::copy(kName.begin(), kName.end(), std::begin(match.u.user.name));
  ::xt_comment_info comment{};
  if (pass.comment.size() >= sizeof comment.comment) {
    throw_error(ENAMETOOLONG, "cannot mark a rule as '{}'", printable(pass.comment));
  }
  std::copy(pass.comment.begin(), pass.comment.end(), std::begin(comment.comment));

  ::xt_standard_target target{};
  target.target.u.user.target_size = kStandardSize;
  target.verdict = -NF_ACCEPT - 1;

  std::vector<unsigned char> bytes(entry.next_offset);
  write_at(bytes, 0, entry);
  write_at(bytes, kEntrySize, match);
  write_at(bytes, kEntrySize + kMatchSize, comment);
  write_at(bytes, entry.target_offset, target);
  return bytes;
}

bool has_comment(const Rule& rule, const std::string& comment) {
  return std::any_of(rule.conditions.begin(), rule.conditions.end(), [&](const Condition& one) {
    const std::string_view text(reinterpret_cast<const char*>(one.data.data()), one.data.size());
    return one.name == "comment" && text.substr(0, text.find('\0')) == comment;
  });
}

}  // namespace

const char* name_of(LegacyHook hook) noexcept {
  return kHookNames.at(static_cast<std::size_t>(hook));
}

std::vector<LegacyDrop> legacy_drops(const LegacyTable& table,
                                     std::span<const LegacyProbe> probes) {
  const Rules rules = read_rules(table);
  std::vector<LegacyDrop> drops;
  for (const auto& probe : probes) {
    for (auto& drop : Walk(table, rules, probe).run()) {
      if (std::find(drops.begin(), drops.end(), drop) == drops.end()) {
        drops.push_back(std::move(drop));
      }
    }
  }
  return drops;
}

LegacyEdit edit_of(const LegacyTable& table) {
  LegacyEdit edit{table, {}};
  const std::size_t count = read_rules(table).all.size();
  for (std::uint32_t i = 0; i < count; ++i) {
    edit.former.emplace_back(i);
  }
  return edit;
}

bool add_pass(LegacyEdit& edit, const std::string& chain, const LegacyPass& pass) {
  const Rules rules = read_rules(edit.table);
  const auto head = rules.heads.find(chain);
  if (head == rules.heads.end()) {
    return false;
  }
  const auto bytes = bytes_of(pass);
  const auto index = static_cast<std::ptrdiff_t>(rules.at.at(head->second));
  shift(edit.table, rules, head->second, static_cast<std::int64_t>(bytes.size()));
  auto& entries = edit.table.entries;
  entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(head->second), bytes.begin(),
                 bytes.end());
  edit.former.insert(edit.former.begin() + index, std::nullopt);
  ++edit.table.count;
  return true;
}

bool remove_marked(LegacyEdit& edit, const std::string& comment) {
  for (bool any = false;; any = true) {
    const Rules rules = read_rules(edit.table);
    const auto rule = std::find_if(rules.all.begin(), rules.all.end(),
                                   [&](const Rule& one) { return has_comment(one, comment); });
    if (rule == rules.all.end()) {
      return any;
    }
    const auto begin = static_cast<std::ptrdiff_t>(rule->offset);
    shift(edit.table, rules, rule->offset, -static_cast<std::int64_t>(rule->size));
    auto& entries = edit.table.entries;
    entries.erase(entries.begin() + begin,
                  entries.begin() + begin + static_cast<std::ptrdiff_t>(rule->size));
    edit.former.erase(edit.former.begin() + std::distance(rules.all.begin(), rule));
    --edit.table.count;
  }
}

}  // namespace vpnrun::service
