// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_inline.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "profiles/error.h"
#include "profiles/openvpn_lexer.h"

namespace vpnrun::profile {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kBase64Line = 64;

std::string_view trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

bool is_base64(char c) {
  return kBase64.find(c) != std::string_view::npos;
}

/// Base64, the headers of an encrypted key ("DEK-Info: AES-128-CBC,…"), the dashes of the frame.
bool is_pem_line(std::string_view line) {
  return line.size() < kOpenvpnLineMax && std::all_of(line.begin(), line.end(), [](char c) {
           return is_base64(c) || std::string_view("=-:,._ ").find(c) != std::string_view::npos;
         });
}

bool is_fingerprint_line(std::string_view line) {
  return line.size() < kOpenvpnLineMax &&
         line.find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos;
}

}  // namespace

std::string pem_content(std::string_view text) {
  LineReader lines(text);
  std::string content;
  bool inside = false;
  while (const std::optional<std::string_view> raw = lines.next()) {
    const std::string_view line = trimmed(*raw);
    inside = inside || line.starts_with(kBegin);
    if (!inside) {
      continue;
    }
    if (!is_pem_line(line)) {
      throw Error(fmt::format("its line {} is not PEM", lines.number()));
    }
    content += line;
    content += '\n';
    inside = !line.starts_with(kEnd);
  }
  if (inside) {
    throw Error("its PEM has no '-----END …' line");
  }
  if (content.empty()) {
    throw Error("it has no PEM ('-----BEGIN …')");
  }
  return content;
}

std::string base64_content(std::string_view bytes) {
  std::string content;
  std::size_t column = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8U) | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      content += j <= count ? kBase64[(group >> (18U - 6U * j)) & 0x3FU] : '=';
    }
    column += 4;
    if (column == kBase64Line || i + 3 >= bytes.size()) {
      content += '\n';
      column = 0;
    }
  }
  return content;
}

std::string rewrapped_base64(std::string_view text) {
  LineReader lines(text);
  std::string content;
  std::size_t column = 0;
  bool padded = false;
  while (const std::optional<std::string_view> raw = lines.next()) {
    for (const char c : trimmed(*raw)) {
      padded = padded || c == '=';
      if (padded ? c != '=' : !is_base64(c)) {
        throw Error(fmt::format("its line {} is not base64", lines.number()));
      }
      content += c;
      if (++column == kBase64Line) {
        content += '\n';
        column = 0;
      }
    }
  }
  if (content.empty()) {
    throw Error("it is empty");
  }
  return column == 0 ? content : content + '\n';
}

std::string fingerprint_content(std::string_view text) {
  LineReader lines(text);
  std::string content;
  while (const std::optional<std::string_view> raw = lines.next()) {
    const std::string_view line = trimmed(*raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') {
      continue;
    }
    if (!is_fingerprint_line(line)) {
      throw Error(fmt::format("its line {} is not a fingerprint (AB:CD:…)", lines.number()));
    }
    content += line;
    content += '\n';
  }
  if (content.empty()) {
    throw Error("it has no fingerprint");
  }
  return content;
}

std::string inline_block(std::string_view name, std::string_view content) {
  return fmt::format("<{0}>\n{1}</{0}>\n", name, content);
}

}  // namespace vpnrun::profile
