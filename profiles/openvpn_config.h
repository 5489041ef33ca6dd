// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/secret.h"
#include "profiles/remote.h"

namespace vpnrun::profile {

/// A provider's .ovpn after the allow-list: the part that is handed to OpenVPN, and what the
/// companion needs to know itself.
struct OpenvpnConfig {
  /// Lines for OpenVPN without any `remote`, `dev`, `proto`, `port`, `auth-user-pass`,
  /// `persist-tun` or directive that the companion sets itself; every file reference (ca, cert,
  /// key, tls-auth, tls-crypt, tls-crypt-v2, extra-certs, pkcs12, crl-verify, …) replaced by an
  /// inline block, so that OpenVPN opens no file.
  std::string text;
  std::vector<Remote> remotes;  ///< at least one
  bool remote_random = false;
  bool needs_user_pass = false;    ///< `auth-user-pass` is present
  std::string user_pass_file;      ///< its file argument, as written; empty if none
  std::size_t user_pass_line = 0;  ///< its line in the file
  /// Directives that were left out because the companion does their work (`redirect-gateway`,
  /// `user`, `nobind`…): "line 12: 'persist-tun'", for verbose output.
  std::vector<std::string> ignored;
};

/// Reads the file that `directive` names by `name`, as written; throws Error if it may not be used.
/// See OwnFiles.
using FileReader = std::function<std::string(std::string_view directive, const std::string& name)>;

/// Parses an OpenVPN 2.6 client configuration by an allow-list of directives.
///
/// Refused with "FILE:LINE: …" and the reason: whatever runs a program, loads a plugin or an
/// engine, writes a file, opens a management interface, changes user or directory, is for servers,
/// or is not known (with the nearest known directive); NUL and control characters; a line longer
/// than OpenVPN reads; an inline block that is not closed. Lines, words, quotes, comments and the
/// ends of blocks are those of openvpn(8), or the file is refused: tests/differential compares.
/// `setenv` passes only for the names the manual lists as harmless (UV_*, IV_*, FORWARD_COMPATIBLE,
/// CLIENT_CERT) and for the old names of directives (PUSH_PEER_INFO, SERVER_POLL_TIMEOUT); `setenv
/// opt DIRECTIVE` is judged as DIRECTIVE but dropped instead of refused if unknown.
[[nodiscard]] OpenvpnConfig parse_openvpn_config(std::string_view text, const std::string& path,
                                                 const FileReader& read_file);

/// A credentials file: user name in the first line, password in the second.
struct Credentials {
  Secret user_name;
  Secret password;
};

/// Throws Error naming the line that is missing, or if the file has PEM in it; never with the
/// content.
[[nodiscard]] Credentials parse_credentials(std::string_view text, const std::string& path);

/// For a file that a provider's file names: the same, and nothing may follow the two lines. They go
/// to the server, so this must not be any other kind of file.
[[nodiscard]] Credentials parse_login_file(std::string_view text, const std::string& path);

}  // namespace vpnrun::profile
