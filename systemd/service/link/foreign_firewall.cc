// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/foreign_firewall.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <nlohmann/json.hpp>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

/// Records the chains that we opened, one per line ("ip filter DOCKER-USER"): written before the
/// first rule is inserted, so that a companion that is killed in between leaves nothing unrecorded.
std::string record_path(const std::string& profile_name) {
  return formatted("{}/.opened-{}", kRuntimeRoot, profile_name);
}

std::string comment_of(const std::string& profile_name) {
  return "vpnrun-" + profile_name;
}

std::vector<std::string> recorded(const std::string& profile_name) {
  std::vector<std::string> chains;
  std::ifstream file(record_path(profile_name));
  for (std::string line; std::getline(file, line);) {
    chains.push_back(line);
  }
  return chains;
}

void record(const std::string& profile_name, const std::string& chain) {
  for (const auto& known : recorded(profile_name)) {
    if (known == chain) {
      return;
    }
  }
  errno = 0;
  std::ofstream file(record_path(profile_name), std::ios::app);
  file << chain << std::endl;
  if (!file) {
    throw_error(errno != 0 ? errno : EIO, "cannot write '{}'", record_path(profile_name));
  }
}

/// Whether a name can be written in a command as it is. Only root can make such names, but root's
/// tools accept any characters.
bool is_plain(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

/// Commands that delete our rules from a chain; empty if it has none, or is gone.
std::string deletions(filter::Nft& nft, const std::string& chain, const std::string& comment) {
  std::string commands;
  const std::string listing = nft.list("list chain " + chain);
  const auto json = nlohmann::json::parse(listing, nullptr, false);
  if (!json.is_object() || !json.contains("nftables")) {
    return commands;
  }
  for (const auto& item : json["nftables"]) {
    const auto rule = item.find("rule");
    if (rule != item.end() && rule->value("comment", "") == comment) {
      commands += formatted("delete rule {} handle {}\n", chain, rule->value("handle", 0));
    }
  }
  return commands;
}

}  // namespace

ForeignFirewall::ForeignFirewall(Netns& outer, std::string profile_name, std::string link)
    : outer_(outer), profile_name_(std::move(profile_name)), link_(std::move(link)) {}

ForeignFirewall::Chain ForeignFirewall::place_for(const netlink::PacketDropped& drop) {
  Chain dropping{drop.family, drop.table, drop.chain};
  if (!is_plain(drop.table) || !is_plain(drop.chain)) {
    return dropping;
  }
  for (const char* meant_for_others : {"DOCKER-USER", "ufw-user-forward"}) {
    Chain chain{drop.family, drop.table, meant_for_others};
    if (!outer_.nft().list("list chain " + chain.text()).empty()) {
      return chain;
    }
  }
  return dropping;
}

Failure ForeignFirewall::explain(const netlink::PacketDropped& drop) {
  Failure failure;
  failure.error = formatted(
      "the machine's firewall drops the packets to the server: chain '{}' of table '{} {}'{}",
      printable(drop.chain), drop.family, printable(drop.table),
      drop.by_policy ? ", by its policy" : "");
  const Chain place = place_for(drop);
  std::string commands;
  if (place.name == "DOCKER-USER") {
    commands = formatted(
        "iptables -I DOCKER-USER -i {0} -j ACCEPT; iptables -I DOCKER-USER -o {0} -j ACCEPT",
        link_);
  } else if (place.name == "ufw-user-forward") {
    commands = formatted("ufw route allow in on {0}; ufw route allow out on {0}", link_);
  } else if (drop.table == "firewalld") {
    commands = formatted("firewall-cmd --zone=trusted --add-interface={}", link_);
  } else {
    commands =
        formatted("nft insert rule {0} iifname {1} accept; nft insert rule {0} oifname {1} accept",
                  place.text(), link_);
  }
  failure.hint = formatted("as root: {}; or set [link] firewall = \"integrate\" in the profile",
                           printable(commands));
  return failure;
}

std::string ForeignFirewall::open(const netlink::PacketDropped& drop) {
  if (!is_plain(drop.table) || !is_plain(drop.chain)) {
    throw Error(
        formatted("cannot open the chain '{}' of table '{} {}': its name cannot be "
                  "written in a command",
                  printable(drop.chain), drop.family, printable(drop.table)));
  }
  std::string chain = place_for(drop).text();
  const std::string comment = comment_of(profile_name_);
  record(profile_name_, chain);
  std::string commands = deletions(outer_.nft(), chain, comment);
  for (const char* direction : {"iifname", "oifname"}) {
    commands += formatted("insert rule {} {} \"{}\" counter accept comment \"{}\"\n", chain,
                          direction, link_, comment);
  }
  outer_.nft().apply(commands);
  return chain;
}

void close_foreign_firewalls(Netns& outer, const std::string& profile_name) {
  const std::string comment = comment_of(profile_name);
  for (const auto& chain : recorded(profile_name)) {
    const std::string commands = deletions(outer.nft(), chain, comment);
    if (!commands.empty()) {
      outer.nft().apply(commands);
    }
  }
  if (::unlink(record_path(profile_name).c_str()) != 0 && errno != ENOENT) {
    throw_errno("cannot remove '{}'", record_path(profile_name));
  }
}

}  // namespace vpnrun::service
