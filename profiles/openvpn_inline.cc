// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_inline.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "profiles/base/error.h"
#include "profiles/openvpn_lexer.h"

namespace vpnrun::profile {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kBase64Line = 64;

constexpr std::string_view kDashes = "-----";
constexpr const char* kKindHint =
    "each directive takes a file of its own kind: FILES OF A CONFIGURATION in vpnrun-profile(5)";

struct Kind {
  std::string_view directive;
  std::string_view what;
  std::array<std::string_view, 5> labels;  ///< the first is the one to name
};

/// As OpenSSL and OpenVPN look for them (openssl/pem.h, openvpn-static-key.txt).
constexpr std::array<Kind, 9> kKinds = {{
    {"ca", "certificate", {"CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE", "X509 CRL"}},
    {"cert", "certificate", {"CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"}},
    {"extra-certs", "certificate", {"CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"}},
    {"key",
     "private key",
     {"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY",
      "DSA PRIVATE KEY"}},
    {"crl-verify", "revocation list", {"X509 CRL"}},
    {"tls-auth", "static key", {"OpenVPN Static key V1"}},
    {"tls-crypt", "static key", {"OpenVPN Static key V1"}},
    {"secret", "static key", {"OpenVPN Static key V1"}},
    {"tls-crypt-v2", "client key", {"OpenVPN tls-crypt-v2 client key"}},
}};

/// "X" of "-----BEGIN X-----"; empty for another line.
std::string_view label_of(std::string_view line, std::string_view start) {
  return line.starts_with(start) && line.size() > start.size() + kDashes.size() &&
                 line.ends_with(kDashes)
             ? line.substr(start.size(), line.size() - start.size() - kDashes.size())
             : std::string_view();
}

const Kind& kind_of(std::string_view directive) {
  const auto* const found = std::find_if(kKinds.begin(), kKinds.end(),
                                         [=](const Kind& k) { return k.directive == directive; });
  if (found == kKinds.end()) {
    throw Error(formatted("'{}' takes no PEM", directive));
  }
  return *found;
}

bool is_asked_for(const Kind& kind, std::string_view label) {
  return !label.empty() &&
         std::find(kind.labels.begin(), kind.labels.end(), label) != kind.labels.end();
}

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

std::string pem_content(std::string_view text, std::string_view directive) {
  const Kind& kind = kind_of(directive);
  LineReader lines(text);
  std::string content;
  std::string_view label;  // of the part that is kept; empty: none
  while (const std::optional<std::string_view> raw = lines.next()) {
    const std::string_view line = trimmed(*raw);
    if (line.starts_with(kDashes) && !raw->starts_with(kDashes)) {
      throw Error(formatted("its line {} has blanks before '-----': OpenVPN would ignore it",
                            lines.number()));
    }
    const bool begins = line.starts_with(kBegin);
    if (label.empty()) {
      if (!begins || !is_asked_for(kind, label_of(line, kBegin))) {
        continue;
      }
      label = label_of(line, kBegin);
    } else if (begins || !is_pem_line(line)) {
      throw Error(formatted("its line {} is not PEM", lines.number()));
    }
    content += line;
    content += '\n';
    if (line.starts_with(kEnd)) {
      if (label_of(line, kEnd) != label) {
        throw Error(formatted("its line {} ends what has not begun", lines.number()));
      }
      label = {};
    }
  }
  if (!label.empty()) {
    throw Error("its PEM has no '-----END …' line");
  }
  if (content.empty()) {
    throw Error(formatted("it has no {} ('-----BEGIN {}-----')", kind.what, kind.labels.front()),
                {}, kKindHint);
  }
  return content;
}

void check_pkcs12(std::string_view bytes) {
  constexpr std::string_view kVersion("\x02\x01\x03", 3);
  constexpr std::string_view kPkcs7("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07", 10);
  constexpr std::size_t kLongestLength = 4;
  // Takes the head of a sequence, whatever its length says: OpenSSL looks at that.
  const auto sequence = [&bytes] {
    if (bytes.size() < 2 || bytes[0] != '\x30') {
      return false;
    }
    const auto length = static_cast<unsigned char>(bytes[1]);
    const std::size_t more = length > 0x80U ? length - 0x80U : 0;
    bytes.remove_prefix(std::min(2 + more, bytes.size()));
    return more <= kLongestLength;
  };
  bool is_one = sequence() && bytes.starts_with(kVersion);
  if (is_one) {
    bytes.remove_prefix(kVersion.size());
    is_one = sequence() && bytes.starts_with(kPkcs7);
  }
  if (!is_one) {
    throw Error("it is not a PKCS #12 file (.p12, .pfx)", {}, kKindHint);
  }
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
        throw Error(formatted("its line {} is not base64", lines.number()));
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
      throw Error(formatted("its line {} is not a fingerprint (AB:CD:…)", lines.number()));
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
  return formatted("<{0}>\n{1}</{0}>\n", name, content);
}

}  // namespace vpnrun::profile
