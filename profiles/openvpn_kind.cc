// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_kind.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace vpnrun::profile {
namespace {

using namespace std::string_view_literals;

/// That much of a text tells what it is.
constexpr std::size_t kBeginning = 4096;
constexpr std::string_view kMarkOfUtf8 = "\xEF\xBB\xBF";
constexpr std::string_view kBlankBytes = " \t\r\n\v\f";

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

Error is_a(std::string_view what, std::string hint) {
  return Error(formatted("this is {}, not an OpenVPN configuration", what), {}, std::move(hint));
}

/// With a mark or without one: every other byte of the first words is NUL.
bool is_wide(std::string_view text) {
  constexpr std::size_t kEnough = 16;
  if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv)) {
    return true;
  }
  for (const std::size_t first : {0U, 1U}) {
    std::size_t wide = 0;
    for (std::size_t i = first; i + 1 < std::min(text.size(), 2 * kEnough); i += 2) {
      wide += text[i] == '\0' && text[i + 1 - 2 * first] != '\0' ? 1U : 0U;
    }
    if (wide + 1 >= kEnough) {
      return true;
    }
  }
  return false;
}

std::optional<Error> binary_kind(std::string_view text) {
  struct Magic {
    std::string_view bytes;
    std::string_view what;
  };
  constexpr std::array<Magic, 5> kMagic = {{{"PK\x03\x04"sv, "a ZIP archive"},
                                            {"\x1F\x8B"sv, "a gzip archive"},
                                            {"\xFD"
                                             "7zXZ"sv,
                                             "an xz archive"},
                                            {"7z\xBC\xAF"sv, "a 7-Zip archive"},
                                            {"%PDF-"sv, "a PDF document"}}};
  for (const Magic& magic : kMagic) {
    if (text.starts_with(magic.bytes)) {
      return is_a(magic.what, magic.what.ends_with("archive")
                                  ? "unpack it, and name the .ovpn file that is in it"
                                  : "get the .ovpn file from the provider");
    }
  }
  if (is_wide(text)) {
    return Error("the file is UTF-16, which OpenVPN cannot read; save it as UTF-8", {},
                 "iconv -f UTF-16 -t UTF-8 OLD > NEW");
  }
  return std::nullopt;
}

/// `name` is "[section]", in lower case.
bool has_section(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const std::size_t start = text.find_last_of('\n', at);
    const std::string_view before =
        text.substr(start == std::string_view::npos ? 0 : start + 1, at - start - 1);
    const std::string_view behind =
        text.substr(at + name.size(), text.find('\n', at) - at - name.size());
    if (before.find_first_not_of(kBlankBytes) == std::string_view::npos &&
        behind.find_first_not_of(kBlankBytes) == std::string_view::npos) {
      return true;
    }
  }
  return false;
}

/// `text` is in lower case. Of the sections, which nothing else has in this form.
std::optional<Error> sectioned_kind(std::string_view text) {
  if (has_section(text, "[interface]") || has_section(text, "[peer]")) {
    constexpr std::array kAmnezia = {"\njc"sv, "\njmin"sv, "\ns1"sv, "\nh1"sv};
    const bool is_amnezia =
        std::any_of(kAmnezia.begin(), kAmnezia.end(), [text](std::string_view key) {
          const std::size_t at = text.find(key);
          return at != std::string_view::npos &&
                 text.find_first_not_of(" \t", at + key.size()) == text.find('=', at + key.size());
        });
    return is_amnezia ? is_a("an AmneziaWG configuration",
                             "neither OpenVPN nor WireGuard knows its keys; ask the provider for a "
                             "configuration of one of them")
                      : is_a("a WireGuard configuration",
                             "write type = \"wireguard\" into [tunnel] of the profile");
  }
  if (has_section(text, "[connection]") &&
      (has_section(text, "[vpn]") || has_section(text, "[wireguard]"))) {
    return is_a("a connection of NetworkManager",
                "nmcli connection export NAME > NEW.ovpn writes one");
  }
  return std::nullopt;
}

/// `text` is in lower case, and begins with what is no blank.
std::optional<Error> marked_kind(std::string_view text) {
  for (const std::string_view start :
       {"<!doctype"sv, "<html"sv, "<head"sv, "<script"sv, "<body"sv, "<!--"sv}) {
    if (text.starts_with(start)) {
      return is_a("a web page",
                  "the provider asks for a login, perhaps: download the file in a browser");
    }
  }
  if (text.starts_with("<?xml")) {
    return text.find("<html") != std::string_view::npos
               ? is_a("a web page", "download the file in a browser")
               : is_a("an XML file", "get the .ovpn file from the provider");
  }
  const std::size_t second = text.find_first_not_of(kBlankBytes, 1);
  const char next = second == std::string_view::npos ? '\0' : text[second];
  if ((text.front() == '{' && (next == '"' || next == '}' || next == '/')) ||
      (text.front() == '[' && (next == '{' || next == '"'))) {
    return text.find("\"outbounds\"") != std::string_view::npos
               ? is_a("a JSON file, perhaps of sing-box or Xray",
                      "these programs are not supported; get the .ovpn file from the provider")
               : is_a("a JSON file", "get the .ovpn file from the provider");
  }
  if (text.starts_with("-----begin ")) {
    return is_a("a certificate or key",
                "it belongs beside the .ovpn file, which names it, or into a block of it");
  }
  const std::size_t colon = text.find("://");
  if (colon != std::string_view::npos && colon != 0 &&
      text.substr(0, colon).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") ==
          std::string_view::npos) {
    return is_a("a link", "get the .ovpn file that it leads to");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> other_kind(std::string_view text) {
  if (auto kind = binary_kind(text)) {
    return kind;
  }
  text.remove_prefix(text.starts_with(kMarkOfUtf8) ? kMarkOfUtf8.size() : 0);
  const std::size_t first = text.find_first_not_of(kBlankBytes);
  if (first == std::string_view::npos) {
    return Error("the file is empty", {}, "get the .ovpn file from the provider once more");
  }
  const std::string beginning = lower_case(text.substr(first, kBeginning));
  if (auto kind = marked_kind(beginning)) {
    return kind;
  }
  return sectioned_kind(beginning);
}

}  // namespace vpnrun::profile
