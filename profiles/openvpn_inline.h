// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

// Contents of inline blocks, reduced to what OpenVPN needs, so that no line in them can
// be an end tag or a directive. Private to openvpn_config.cc. None of the messages has a byte of
// the content: it may be a key.
namespace vpnrun::profile {

/// The PEM parts ("-----BEGIN …" to "-----END …") of `text` that `directive` asks for, without what
/// is between them: certificates for `ca`, which may include revocation lists, `cert` and
/// `extra-certs`, a private key for `key`, and so on. Parts of another kind are left out: a file
/// may have a key and its certificate. Throws Error if there is none, or if one is not closed, has
/// characters that PEM does not have, or starts or ends after blanks, where OpenVPN sees no part.
[[nodiscard]] std::string pem_content(std::string_view text, std::string_view directive);

/// Throws Error if `bytes` do not begin as PKCS #12 does (RFC 7292, section 4: a sequence of the
/// version, 3, and a content of PKCS #7).
void check_pkcs12(std::string_view bytes);

/// Base64 in lines of 64 characters: of the bytes of a file…
[[nodiscard]] std::string base64_content(std::string_view bytes);
/// …or of a text that is base64 already. Throws Error if it is not.
[[nodiscard]] std::string rewrapped_base64(std::string_view text);

/// Lines of hexadecimal fingerprints; comments and empty lines are dropped. Throws Error for
/// others.
[[nodiscard]] std::string fingerprint_content(std::string_view text);

/// "<name>", `content`, "</name>".
[[nodiscard]] std::string inline_block(std::string_view name, std::string_view content);

}  // namespace vpnrun::profile
