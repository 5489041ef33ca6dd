// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/secret.h"
#include "profiles/findings.h"
#include "profiles/protocol/left_out.h"
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
  /// Of the first block that nobody else may read (a private key), 0 if there is none.
  std::size_t secret_line = 0;
  /// What is not handed on although OpenVPN would take it, line by line: the companion does it
  /// (`redirect-gateway`, `user`), it does nothing in a client (`push`), or must not be done
  /// (`up`).
  std::vector<LeftOut> left_out;
  /// What is handed on, by directive: the line of its first. For check_client_config().
  std::map<std::string, std::size_t, std::less<>> given;
  /// Where each directive that is in the file stands first: its line, from 1.
  std::map<std::string, std::size_t> lines;
};

/// Reads the file that `directive` names by `name`, as written; throws Error if it may not be used.
/// See OwnFiles.
using FileReader = std::function<std::string(std::string_view directive, const std::string& name)>;

/// Parses an OpenVPN 2.6 client configuration by an allow-list of directives.
///
/// Nothing that runs a program, loads code, names a file or opens an interface is handed on. What
/// OpenVPN takes in a client, and can do without, is left out; refused is what would change the
/// meaning of the file (a plugin, an engine, a proxy, tap, a program that checks the server), and
/// what OpenVPN refuses: unknown directives (with the nearest known one), lines that it cannot
/// read, settings of servers, blocks that are not closed. A server that needs a proxy is left out
/// if there are others, and so is one with another key of the control channel than the first has:
/// the client has one for all.
///
/// Throws Error with all findings, see Findings. Lines, words, quotes, comments and the ends of
/// blocks are those of openvpn(8), or the file is refused: tests/differential compares. `setenv`
/// passes only for the names the manual lists as harmless (UV_*, IV_*, FORWARD_COMPATIBLE,
/// CLIENT_CERT) and for the old names of directives (PUSH_PEER_INFO, SERVER_POLL_TIMEOUT); `setenv
/// opt DIRECTIVE` is judged as DIRECTIVE but dropped instead of refused if unknown.
[[nodiscard]] OpenvpnConfig parse_openvpn_config(std::string_view text, const std::string& path,
                                                 const FileReader& read_file);

/// Whether the lines make a client together, by the rules of OpenVPN 2.6: there is something to
/// check the server by and something to log in with, and nothing that excludes the other. A tunnel
/// that is not encrypted, which OpenVPN allows, is refused. Throws Error with all findings.
void check_client_config(const OpenvpnConfig& config, const std::string& path);

/// What else is to be found in a file, of which nothing is read any more: `config` is what could be
/// used, and has servers only if they are all that the file has.
using FurtherCheck = std::function<void(OpenvpnConfig& config, Findings& findings)>;

/// parse_openvpn_config(), check_client_config() and `further` in one: whatever one of them finds,
/// the others are done as well, and Error has all findings.
[[nodiscard]] OpenvpnConfig parse_openvpn_client(std::string_view text, const std::string& path,
                                                 const FileReader& read_file,
                                                 const FurtherCheck& further = {});

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
