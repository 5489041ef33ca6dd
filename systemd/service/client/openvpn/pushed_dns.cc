// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/pushed_dns.h"

#include <algorithm>
#include <charconv>

#include "profiles/base/error.h"
#include "profiles/openvpn_lexer.h"

namespace vpnrun::service::openvpn {
namespace {

constexpr std::string_view kReply = "PUSH: Received control message: 'PUSH_REPLY,";
constexpr std::size_t kAddressesMax = 8;  // of one server; openvpn(8)
constexpr std::size_t kSearchMax = 64;
// The configuration may have servers that precede those that can be pushed; openvpn(8).
constexpr int kOwnNumberMin = -128;
constexpr int kPushedNumberMin = 0;
constexpr int kNumberMax = 127;

/// The words of an option; none if it cannot be parsed.
std::vector<std::string> words_of_option(std::string_view text) {
  try {
    return profile::split_words(text);
  } catch (const Error&) {
    return {};
  }
}

/// OpenVPN skips leading blanks of what is pushed before it applies any filter.
std::string_view without_blanks(std::string_view option) {
  option.remove_prefix(std::min(option.find_first_not_of(" \t\n\v\f\r"), option.size()));
  return option;
}

/// "10.8.0.1:53" and "[fd00::1]:53" as address and port, which is empty if there is none.
std::pair<std::string, std::string> parted(const std::string& text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string::npos) {
      return {text, ""};
    }
    const std::string rest = text.substr(end + 1);
    return {text.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : rest};
  }
  const auto colon = text.find(':');
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) {
    return {text, ""};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

PushedDns::PushedDns(std::string_view config) {
  while (!config.empty()) {
    const auto end = std::min(config.find('\n'), config.size());
    std::string_view line = config.substr(0, end);
    config.remove_prefix(std::min(end + 1, config.size()));
    if (line.starts_with(profile::kOptional)) {
      line.remove_prefix(profile::kOptional.size());
    }
    if (!line.starts_with("dns") && !line.starts_with("pull-filter")) {
      continue;
    }
    const auto words = words_of_option(line);
    if (words.size() == 3 && words[0] == "pull-filter") {
      filters_.emplace_back(words[2], words[1] == "accept");
    } else {
      take(words, kOwnNumberMin, own_);
    }
  }
}

void PushedDns::read(std::string_view line) {
  if (!line.starts_with(kReply)) {
    return;
  }
  if (is_told_) {
    pushed_ = {};
    is_told_ = false;
  }
  line.remove_prefix(kReply.size());
  while (line.ends_with('\r') || line.ends_with('\'')) {
    line.remove_suffix(1);
  }
  while (!line.empty()) {
    const auto end = std::min(line.find(','), line.size());
    const std::string_view option = without_blanks(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    if (!is_filtered(option)) {
      take(words_of_option(option), kPushedNumberMin, pushed_);
    }
  }
}

void PushedDns::forget() noexcept {
  pushed_ = {};
  is_told_ = false;
}

/// The first line that matches counts; openvpn(8).
bool PushedDns::is_filtered(std::string_view option) const {
  const auto filter = std::ranges::find_if(
      filters_, [&](const auto& one) { return option.starts_with(one.first); });
  return filter != filters_.end() && !filter->second;
}

void PushedDns::take(const std::vector<std::string>& words, int lowest, Options& options) {
  if (words.size() < 3 || words[0] != "dns") {
    return;
  }
  if (words[1] == "search-domains") {
    for (auto word = words.begin() + 2;
         word != words.end() && options.search_domains.size() < kSearchMax; ++word) {
      options.search_domains.push_back(*word);
    }
    return;
  }
  int number = 0;
  const std::string& text = words[2];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (words.size() < 5 || words[1] != "server" || error != std::errc() ||
      end != text.data() + text.size() || number < lowest || number > kNumberMax) {
    return;
  }
  Server& server = options.servers[number];
  if (words[3] == "address") {
    const auto count = std::min(words.size() - 4, kAddressesMax - server.addresses.size());
    server.addresses.insert(server.addresses.end(), words.begin() + 4,
                            words.begin() + 4 + static_cast<long>(count));
  } else if (words[3] == "transport") {
    server.transport = words[4];
  } else if (words[3] == "dnssec") {
    server.dnssec = words[4];
  } else if (words[3] == "resolve-domains") {
    server.resolve_domain = words[4];
  }
}

void PushedDns::add_to(std::map<std::string, std::string>& environment) {
  is_told_ = true;
  const auto first = environment.lower_bound("dns_");
  if (first != environment.end() && first->first.starts_with("dns_")) {
    return;  // OpenVPN has reported them itself
  }
  std::map<int, Server> servers = pushed_.servers;
  // Of two servers with the same number the pushed one counts.
  servers.insert(own_.servers.begin(), own_.servers.end());
  int place = 0;
  for (const auto& [number, server] : servers) {
    if (server.addresses.empty()) {
      continue;
    }
    const std::string start = formatted("dns_server_{}_", ++place);
    int index = 0;
    for (const std::string& text : server.addresses) {
      const auto [address, port] = parted(text);
      environment[formatted("{}address_{}", start, ++index)] = address;
      if (!port.empty()) {
        environment[formatted("{}port_{}", start, index)] = port;
      }
    }
    for (const auto& [name, value] :
         {std::pair{"transport", &server.transport}, std::pair{"dnssec", &server.dnssec},
          std::pair{"resolve_domain_1", &server.resolve_domain}}) {
      if (!value->empty()) {
        environment[start + name] = *value;
      }
    }
  }
  std::vector<std::string> domains = own_.search_domains;
  domains.insert(domains.end(), pushed_.search_domains.begin(), pushed_.search_domains.end());
  for (std::size_t i = 0; i < std::min(domains.size(), kSearchMax); ++i) {
    environment[formatted("dns_search_domain_{}", i + 1)] = domains[i];
  }
}

}  // namespace vpnrun::service::openvpn
