// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

// Contents of inline blocks, reduced to what OpenVPN needs of them, so that no line of theirs can
// be an end tag or a directive. Private to openvpn_config.cc. None of the messages has a byte of
// the content: it may be a key.
namespace vpnrun::profile {

/// The PEM parts ("-----BEGIN …" to "-----END …") of `text`, without what stands between them.
/// Throws Error if there is none, one is not closed, or one has characters that PEM has not.
[[nodiscard]] std::string pem_content(std::string_view text);

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
