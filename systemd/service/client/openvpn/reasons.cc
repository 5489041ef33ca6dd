// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/reasons.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

#include "profiles/base/error.h"

namespace vpnrun::service::openvpn {
namespace {

using Kind = Failure::Kind;
using enum Voice;

/// Of OpenSSL's lines that are kept: a stranger may bring about as many as he likes.
constexpr std::size_t kCausesMax = 2048;
constexpr std::string_view kOpenssl = "OpenSSL: ";
constexpr std::string_view kManagement = "MANAGEMENT: ";

// What to do about several of them.
constexpr std::string_view kDate = "check the clock: date";
constexpr std::string_view kOnline =
    "is this machine online? A network that wants a log-in in a browser first (captive portal) may "
    "answer like that, too";
constexpr std::string_view kNewFile = "get a new configuration from the provider";
constexpr std::string_view kInsecure =
    "add the line 'tls-cert-profile insecure' to the configuration, or get a new certificate from "
    "the provider";
constexpr std::string_view kServerInsecure =
    "add the line 'tls-cert-profile insecure' to the configuration, if the provider has nothing "
    "better";
constexpr std::string_view kLegacyKey =
    "add the line 'providers legacy default' to the configuration, or encrypt it anew by a method "
    "of today";
constexpr std::string_view kCipherNames =
    "an old one (BF, CAST, DES, RC2) needs the line 'providers legacy default' in the "
    "configuration; without a 'cipher' line a static key has BF-CBC";
constexpr std::string_view kStranger =
    "somebody in between answers, or the <ca> of the configuration does not match this server; in "
    "that case get a new one from the provider";
constexpr std::string_view kPortal =
    "a network that wants a log-in in a browser first (captive portal) answers like that: open a "
    "page whose address begins with http:// outside the tunnel; vpnrun goes on trying by itself; "
    "otherwise check the 'remote' of the configuration";
constexpr std::string_view kNoServer =
    "somebody in between may answer in the server's place; otherwise the provider has to mend it";
constexpr std::string_view kDataCiphers =
    "add the server's to 'data-ciphers' of the configuration, for example: data-ciphers "
    "AES-256-GCM:AES-128-GCM:AES-256-CBC";
constexpr std::string_view kTlsVersions =
    "lower 'tls-version-min' of the configuration, or take 'tls-version-max' away; an old server "
    "may also need 'tls-cert-profile insecure'";
constexpr std::string_view kTlsCiphers =
    "take 'tls-cipher', 'tls-ciphersuites' and 'tls-groups' out of the configuration; an old "
    "server may need 'tls-cert-profile insecure'";
constexpr std::string_view kControlKey =
    "the key of 'tls-auth' or 'tls-crypt', its direction ('key-direction') or 'auth' is not the "
    "server's: get a new configuration from the provider";
constexpr std::string_view kNotOurs = "the provider knows why; it is tried again";
constexpr std::string_view kManual = "correct the configuration; openvpn(8) explains its lines";
constexpr std::string_view kDeviceNode =
    "udev opens it to everybody: udevadm trigger /dev/net/tun; in a container its device list does";

// Each row has a line of its own in tests/unit/reasons_test.cc, in OpenVPN's words, and is brought
// about with the real program by tests/system/reasons.sh, which says of which it cannot be.
// clang-format off
constexpr Reason kReasons[] = {
    // --- our own certificate and key ---
    {"own_certificate_expired", kLine, "WARNING: Your certificate has expired", "", "", Kind::kPersistent,
     "the client certificate of this profile has expired",
     "get a new configuration from the provider; or check the clock: date"},
    {"own_certificate_not_yet_valid", kLine, "WARNING: Your certificate is not yet valid", "", "", Kind::kOutside,
     "the client certificate of this profile is not yet valid", kDate},
    {"own_certificate_old_signature", kLine, "Cannot load inline certificate|Cannot load certificate file", "",
     "ca md too weak|ee md too weak", Kind::kSetup,
     "the client certificate has a signature that is too old (MD5 or SHA-1)", kInsecure},
    {"own_certificate_short_key", kLine, "Cannot load inline certificate|Cannot load certificate file", "",
     "ee key too small|ca key too small", Kind::kSetup, "the key of the client certificate is too short", kInsecure},
    {"own_certificate_damaged", kLine, "Cannot load inline certificate|Cannot load certificate file", "", "",
     Kind::kSetup, "the client certificate of the configuration is damaged", kNewFile},
    {"private_key_of_another", kLine,
     "Private key does not match the certificate|Cannot load private key file", "",
     "key values mismatch|key type mismatch", Kind::kSetup,
     "private key and client certificate of the configuration do not belong together", kNewFile},
    {"private_key_old_encryption", kLine, "Cannot load private key file", "", "Algorithm (", Kind::kSetup,
     "the private key is encrypted by an old method ({word})", kLegacyKey},
    {"private_key_passphrase", kLine, "Cannot load private key file", "", "bad decrypt|bad password read|maybe wrong password",
     Kind::kPassing, "the passphrase of the private key is wrong", ""},
    {"private_key_damaged", kLine, "Cannot load private key file", "", "", Kind::kSetup,
     "the private key of the configuration is damaged", kNewFile},
    {"pkcs12_old_encryption", kLine, "Decoding PKCS12 failed", "", "Algorithm (", Kind::kSetup,
     "the PKCS#12 file is encrypted by an old method ({word})", kLegacyKey},
    {"pkcs12_passphrase", kLine, "Decoding PKCS12 failed", "", "mac verify failure", Kind::kPassing,
     "the passphrase of the PKCS#12 file is wrong", ""},
    {"pkcs12_damaged", kLine, "Decoding PKCS12 failed|Error reading inline PKCS|Error reading PKCS", "", "",
     Kind::kSetup, "the PKCS#12 file of the configuration is damaged", kNewFile},
    {"ca_damaged", kLine, "Cannot load CA certificate file", "", "", Kind::kSetup,
     "the certificate of the authority in the configuration (ca) is damaged", kNewFile},
    {"extra_certificates_damaged", kLine, "Cannot load extra-certs|Error reading extra certificate", "", "",
     Kind::kSetup, "a certificate in 'extra-certs' of the configuration is damaged", kNewFile},
    {"crl_unreadable", kLine, "CRL: cannot read", "", "", Kind::kSetup,
     "the revocation list of the configuration (crl-verify) is damaged", kNewFile},
    {"static_key_damaged", kLine, "File '|ERROR: invalid tls-crypt-v2 client key|ERROR: not enough data in tls-crypt-v2",
     "does not have OpenVPN Static Key format|format|client key", "", Kind::kSetup,
     "the key of 'tls-auth', 'tls-crypt' or 'secret' in the configuration is damaged", kNewFile},
    // --- what the cryptographic library does not have ---
    {"cipher_unknown", kLine, "Cipher ", "not supported", "", Kind::kSetup,
     "OpenVPN does not know the cipher '{first}'", kCipherNames},
    {"data_cipher_unknown", kLine, "Unsupported cipher in --data-ciphers: ", "", "", Kind::kSetup,
     "OpenVPN does not know the cipher '{word}' of data-ciphers", kCipherNames},
    {"data_cipher_unfit", kLine, "Unsupported cipher algorithm '|Cipher '", "It does not use|mode not supported", "",
     Kind::kSetup, "the cipher '{first}' cannot be used for a tunnel",
     "take one of the modes GCM or CBC; 'openvpn --show-ciphers' lists them"},
    {"digest_unknown", kLine, "Message hash algorithm '", "not found", "", Kind::kSetup,
     "OpenVPN does not know the digest '{first}' of 'auth'",
     "an old one (MD4, RIPEMD-160) needs the line 'providers legacy default' in the configuration; 'openvpn "
     "--show-digests' lists the others"},
    {"provider_missing", kLine, "failed to load provider '", "", "", Kind::kSetup,
     "this machine's cryptographic library has no provider '{word}'",
     "correct 'providers' in the configuration; 'openssl list -providers -provider legacy' shows whether it is there"},
    {"tls_cipher_unknown", kLine, "Failed to set restricted TLS", "", "", Kind::kSetup,
     "this machine's cryptographic library knows none of the ciphers in 'tls-cipher' or 'tls-ciphersuites'",
     "take the line out of the configuration; 'openvpn --show-tls' lists those that it knows"},
    {"tls_group_unknown", kLine, "Failed to set allowed TLS group list", "", "", Kind::kSetup,
     "this machine's cryptographic library knows none of the groups in 'tls-groups'",
     "take the line out of the configuration; 'openvpn --show-groups' lists those that it knows"},
    {"certificate_profile_unknown", kLine, "ERROR: Invalid cert profile: ", "", "", Kind::kSetup,
     "OpenVPN does not know the profile '{word}' of 'tls-cert-profile'", "it knows insecure, legacy, preferred, suiteb"},
    {"option_unknown", kLine, "Options error: Unrecognized option", ": ", "", Kind::kSetup,
     "this OpenVPN does not know this option, or takes other values for it: '{word}'",
     "correct the line, or remove it"},
    {"option_wrong", kLine, "Options error: ", "", "", Kind::kSetup, "OpenVPN rejects the configuration: {rest}", kManual},
    // --- the tunnel device ---
    {"tun_closed", kLine, "ERROR: Cannot open TUN/TAP dev", "", "", Kind::kSetup,
     "the VPN client may not open '/dev/net/tun'", kDeviceNode},
    {"tun_busy", kLine, "ERROR: Cannot ioctl TUNSETIFF", "Device or resource busy", "", Kind::kPassing,
     "the tunnel device is in use by another process", ""},
    {"tun_refused", kLine, "ERROR: Cannot ioctl TUNSETIFF", "", "", Kind::kSetup,
     "the VPN client cannot attach to the tunnel device", ""},
    // --- the certificate of whoever answers ---
    {"server_certificate_expired", kLine, "VERIFY ERROR: depth=0, error=certificate has expired: ", "", "", Kind::kPeer,
     "the certificate of the server has expired",
     "check the clock: date; if it is right, the provider has to renew the certificate"},
    {"authority_expired", kLine, "VERIFY ERROR: depth=#, error=certificate has expired: ", "", "", Kind::kPeer,
     "the certificate of the server's authority has expired",
     "check the clock: date; if it is right, get a new configuration from the provider"},
    {"server_certificate_not_yet_valid", kLine, "VERIFY ERROR: depth=#, error=certificate is not yet valid: ", "", "",
     Kind::kPeer, "the certificate of the server is not yet valid", kDate},
    {"crl_expired", kLine, "VERIFY ERROR: depth=#, error=CRL has expired: ", "", "", Kind::kPeer,
     "the revocation list of the configuration (crl-verify) is out of date",
     "get a new list from the provider, or check the clock: date"},
    {"crl_not_yet_valid", kLine, "VERIFY ERROR: depth=#, error=CRL is not yet valid: ", "", "", Kind::kPeer,
     "the revocation list of the configuration (crl-verify) is not yet valid", kDate},
    {"crl_of_another", kLine, "VERIFY ERROR: depth=#, error=CRL signature failure: ", "", "", Kind::kPeer,
     "the revocation list of the configuration (crl-verify) is not of this server's authority", kNewFile},
    {"server_certificate_revoked", kLine, "VERIFY ERROR: depth=#, error=certificate revoked: ", "", "", Kind::kPeer,
     "the certificate of the server has been revoked", kNoServer},
    {"server_certificate_old_signature", kLine, "VERIFY ERROR: depth=#, error=CA signature digest algorithm too weak: ",
     "", "", Kind::kPeer, "the certificate of the server has a signature that is too old (MD5 or SHA-1)", kServerInsecure},
    {"server_certificate_short_key", kLine, "VERIFY ERROR: depth=#, error=EE certificate key too weak: |"
     "VERIFY ERROR: depth=#, error=CA certificate key too weak: ", "", "", Kind::kPeer,
     "the key of the server's certificate is too short", kServerInsecure},
    {"server_certificate_purpose", kLine, "VERIFY ERROR: depth=#, error=unsuitable certificate purpose: |"
     "VERIFY ERROR: depth=#, error=unsupported certificate purpose: |VERIFY KU ERROR|VERIFY EKU ERROR|"
     "VERIFY nsCertType ERROR", "", "", Kind::kPeer, "the certificate of the server is not meant for a server", kNoServer},
    {"server_certificate_name", kLine, "VERIFY X509NAME ERROR", "", "", Kind::kPeer,
     "the server is not the one that verify-x509-name asks for", kNoServer},
    {"server_certificate_fingerprint", kLine,
     "TLS Error: --tls-verify/--peer-fingerprint certificate hash verification failed|"
     "TLS Error: --verify-hash/--peer-fingerprint certificate hash verification failed", "", "", Kind::kPeer,
     "the certificate of the server is not the one of 'peer-fingerprint' or 'verify-hash'", kNoServer},
    {"server_certificate_unknown", kLine, "VERIFY ERROR", "", "", Kind::kPeer,
     "the certificate of the server is not signed by the configuration's authority", kStranger},
    // --- something else answers ---
    // The number is the first two bytes of what came over TCP: "HT" of HTTP, and an alert of TLS.
    {"web_server", kLine, "WARNING: Bad encapsulated packet length from peer (18516)", "", "", Kind::kPeer,
     "what answers there is a web server, not the VPN server", kPortal},
    {"tls_server", kLine, "WARNING: Bad encapsulated packet length from peer (5379)", "", "", Kind::kPeer,
     "what answers there speaks TLS, but is not the VPN server", kPortal},
    // --- TLS with whoever answers ---
    {"tls_version", kLine, "TLS_ERROR: BIO read tls_read_plaintext error|TLS error: Unsupported protocol", "",
     "alert protocol version|unsupported protocol|wrong version number|no protocols available", Kind::kPeer,
     "server and configuration have no TLS version in common", kTlsVersions},
    {"tls_no_version", kLine, "TLS error: Unsupported protocol", "", "", Kind::kPeer,
     "server and configuration have no TLS version in common", kTlsVersions},
    {"tls_cipher", kLine, "TLS_ERROR: BIO read tls_read_plaintext error", "",
     "alert handshake failure|no shared cipher|no suitable|no ciphers available|alert insufficient security",
     Kind::kPeer, "server and configuration have no TLS cipher, group or signature in common", kTlsCiphers},
    {"tls_old_parameters", kLine, "TLS_ERROR: BIO read tls_read_plaintext error", "",
     "dh key too small|ee key too small|ca md too weak|legacy sigalg disallowed|wrong signature type|"
     "no suitable signature algorithm", Kind::kPeer, "the server's key exchange or signature is too weak", kServerInsecure},
    {"own_certificate_refused", kLine, "TLS_ERROR: BIO read tls_read_plaintext error|TLS_ERROR: BIO read tls_read_ciphertext error",
     "", "alert unknown ca|alert certificate|alert bad certificate|alert unsupported certificate|alert access denied",
     Kind::kPeer, "the server refuses the client certificate of this profile", kNewFile},
    // With TLS 1.3 the client has been through its handshake by then, and OpenVPN just waits.
    {"own_certificate_refused_late", kLine, "Received fatal SSL alert: ", "unknown CA|certificate|access denied", "",
     Kind::kPeer, "the server refuses the client certificate of this profile", kNewFile},
    {"control_key", kLine, "TLS Error: cannot locate HMAC in incoming packet|TLS Error: incoming packet authentication failed|"
     "TLS Error: tls-crypt unwrapping failed|Authenticate/Decrypt packet error: packet HMAC authentication failed|"
     "tls-crypt unwrap error: ", "", "", Kind::kPeer, "whoever answers has another control channel key", kControlKey},
    // --- what server and configuration make of each other ---
    {"data_cipher_of_server", kLine, "OPTIONS ERROR: failed to negotiate cipher with server.  Add the server's cipher ('",
     "", "", Kind::kOutside, "server and configuration have no data cipher in common: the server has {word}",
     kDataCiphers},
    {"data_cipher_pushed", kLine, "Error: negotiated cipher not allowed - ", "", "", Kind::kOutside,
     "server and configuration have no data cipher in common: the server wants {word}", kDataCiphers},
    {"data_cipher_unsaid", kLine, "OPTIONS ERROR: failed to negotiate cipher with server.", "", "", Kind::kOutside,
     "server and configuration have no data cipher in common, and the server does not say which it has",
     "add its cipher to the configuration, for example: data-ciphers-fallback AES-256-CBC"},
    {"compression", kLine, "OPTIONS ERROR: server pushed compression", "", "", Kind::kOutside,
     "the server wants the tunnel to be compressed, which OpenVPN refuses",
     "add the line 'allow-compression asym' to the configuration, if the provider does not switch it off"},
    {"pushed_options", kLine, "ERROR: Failed to apply push options|OPTIONS ERROR: failed to import", "", "",
     Kind::kOutside, "OpenVPN cannot use what the server pushes", kNotOurs},
    {"restart_pushed", kLine, "Connection reset command was pushed by server ('", "", "", Kind::kOutside,
     "the server sends the client away for a moment: {rest}", ""},
    {"halt_pushed", kLine, "Halt command was pushed by server ('", "", "", Kind::kOutside,
     "the server sends the client away: {rest}", kNotOurs},
    // --- the way to the server ---
    {"refused", kLine, "read |write |TCP: connect", "Connection refused", "", Kind::kPassing,
     "the server refuses the connection", ""},
    {"unreachable", kLine, "read |write |TCP: connect", "Network is unreachable|No route to host", "", Kind::kPassing,
     "there is no route to the server", kOnline},
    {"forbidden", kLine, "read |write |TCP: connect", "Operation not permitted|Permission denied", "", Kind::kPassing,
     "a firewall of this machine holds the VPN client's packets back",
     "'nft list ruleset' shows it; 'vpnrunctl doctor' looks for it"},
    {"timed_out", kLine, "TCP: connect", "timed out|Operation now in progress", "", Kind::kPassing,
     "the server does not answer", ""},
    {"negotiation_timed_out", kLine, "TLS Error: TLS key negotiation failed to occur within", "", "", Kind::kPassing,
     "no TLS connection with the server within the time of 'hand-window'", ""},
    {"no_push_reply", kLine, "No reply from server to push requests", "", "", Kind::kPassing,
     "the server assigns nothing: it does not answer the request for its settings", ""},
    {"handshake", kLine, "TLS Error: TLS handshake failed", "", "", Kind::kPassing,
     "the TLS handshake with the server failed", ""},

    // --- states ---
    {"state_ping_restart", kState, "ping-restart|ping-exit", "", "", Kind::kPassing, "the server {server} stopped answering", ""},
    {"state_auth_temporary", kState, "auth-temp-failure", "", "", Kind::kOutside, "the server refuses for now", ""},
    {"state_no_answer", kState, "server_poll|init_instance|tls-error|connection-failed", "", "", Kind::kPassing,
     "no connection to the server {server}", ""},
    {"state_reset", kState, "connection-reset", "", "", Kind::kPassing, "the server {server} closed the connection", ""},
    {"state_pushed_reset", kState, "server-pushed-connection-reset|server-pushed-halt", "", "", Kind::kPassing,
     "the server {server} sent the client away", ""},
    {"state_remote_exit", kState, "remote-exit", "", "", Kind::kPassing, "the server {server} was shut down", ""},
    {"state_no_push", kState, "no-push-reply|process-push-msg-failed", "", "", Kind::kPassing,
     "no usable settings from the server {server}", ""},
    {"state_inactive", kState, "inactive|session-timeout", "", "", Kind::kPassing,
     "the connection to {server} was ended by 'inactive' or 'session-timeout' of the configuration", ""},
    {"state_passphrase", kState, "private-key-password-failure", "", "", Kind::kPassing,
     "OpenVPN cannot use the private key of the configuration", ""},
    {"state_unreachable", kState, "network-unreachable", "", "", Kind::kPassing, "there is no route to the server", kOnline},
    {"state_other", kState, "", "", "", Kind::kPassing, "the connection to {server} ended ({rest})", ""},

    // --- silence: a server of OpenVPN drops whom it does not take without a word ---
    {"silent_with_key", kSilence, "WAIT", "", "", Kind::kPassing, "the server does not answer",
     "is it up, and does a firewall on the way let its port through? It does not answer either if the key of "
     "'tls-auth' or 'tls-crypt' or its direction is not the server's"},
    {"silent_in_handshake", kSilence, "AUTH", "", "", Kind::kPassing,
     "the server answers, but breaks the TLS handshake off without a word",
     "it may not take the client certificate, or have no TLS version ('tls-version-min') or cipher in common with "
     "the configuration; only its log says so"},

    // --- refusals; in the server's words, which stand behind ---
    {"refusal_data_cipher", kRefusal, "", "data channel cipher negotiation failed", "", Kind::kOutside,
     "server and configuration have no data cipher in common", kDataCiphers},
    {"refusal_session", kRefusal, "", "session", "", Kind::kOutside, "the server refuses this client", ""},
    {"refusal_for_now", kRefusal, "",
     "too many|too_many|limit|maximum|exceed|in use|already|busy|overload|full|capacity|maintenance|temporar|"
     "try again|later|locked|lockout|unavailable", "", Kind::kOutside,
     "the server refuses this client", ""},
    {"refusal_of_login", kRefusal, "",
     "password|passwd|credential|username|user name|invalid user|unknown user|no such user|authentication fail|"
     "authentication error|failed to authenticate|auth fail|login fail|login incorrect|invalid login|bad login",
     "", Kind::kCredentials, "the server refuses the user name or password", ""},
};
// clang-format on

/// Where in `text` the pattern ends that it begins with, '#' being a number; npos: it does not.
std::size_t end_of_start(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  for (const char expected : pattern) {
    if (expected == '#') {
      const auto end = std::min(text.find_first_not_of("0123456789", at), text.size());
      if (end == at) {
        return std::string_view::npos;
      }
      at = end;
    } else if (at < text.size() && text[at] == expected) {
      ++at;
    } else {
      return std::string_view::npos;
    }
  }
  return at;
}

/// The first of the alternatives that `find` finds, which is the place behind it; npos: none.
std::size_t first_of(std::string_view alternatives,
                     const std::function<std::size_t(std::string_view)>& find) {
  while (true) {
    const auto bar = std::min(alternatives.find('|'), alternatives.size());
    const auto place = find(alternatives.substr(0, bar));
    if (place != std::string_view::npos || bar == alternatives.size()) {
      return place;
    }
    alternatives.remove_prefix(bar + 1);
  }
}

std::size_t end_of_any(std::string_view text, std::string_view alternatives) {
  return first_of(alternatives, [text](std::string_view one) {
    const auto place = text.find(one);
    return place == std::string_view::npos ? place : place + one.size();
  });
}

std::string_view word_in(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" '\"("), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_first_of(" '\"),;"));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ') || text.ends_with("')")) {
    text.remove_suffix(text.ends_with(' ') ? 1 : 2);
  }
  return text;
}

/// Where the parts of a row were found.
struct Match {
  std::string_view rest;   ///< behind `start`
  std::string_view after;  ///< behind the last part that was looked for
};

std::string filled(std::string_view error, const Match& match, std::string_view server) {
  std::string text;
  while (!error.empty()) {
    const auto brace = std::min(error.find('{'), error.size());
    text += error.substr(0, brace);
    error.remove_prefix(brace);
    const auto end = error.find('}');
    if (error.empty() || end == std::string_view::npos) {
      break;
    }
    const std::string_view name = error.substr(1, end - 1);
    std::string_view words = server;
    if (name == "word") {
      words = word_in(match.after);
    } else if (name == "first") {
      words = word_in(match.rest);
    } else if (name == "rest") {
      words = trimmed(match.rest);
    }
    text += printable(words.substr(0, kWordsMax));
    error.remove_prefix(end + 1);
  }
  if (text.ends_with(": ")) {
    text.resize(text.size() - 2);  // nothing was said
  }
  return text;
}

Failure explanation(const Reason& reason, const Match& match, std::string_view server) {
  Failure failure;
  failure.kind = reason.kind;
  failure.error = filled(reason.error, match, server);
  failure.hint = std::string(reason.hint);
  failure.reason = reason.name;
  return failure;
}

/// `is_explained`: it needs no cause.
std::optional<Match> match_line(const Reason& reason, std::string_view line,
                                std::string_view causes, bool is_explained) {
  const auto start =
      first_of(reason.start, [line](std::string_view one) { return end_of_start(line, one); });
  if (start == std::string_view::npos || reason.start.empty()) {
    return std::nullopt;
  }
  Match match{line.substr(start), line.substr(start)};
  if (!reason.content.empty()) {
    const auto end = end_of_any(match.rest, reason.content);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    match.after = match.rest.substr(end);
  }
  if (!reason.cause.empty() && !is_explained) {
    const auto end = end_of_any(causes, reason.cause);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    match.after = causes.substr(end);
  }
  return match;
}

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char character) {
    return static_cast<char>(std::tolower(character));
  });
  return small;
}

}  // namespace

std::span<const Reason> reasons() noexcept {
  return kReasons;
}

std::optional<Failure> Explainer::line(std::string_view line) {
  if (line.starts_with(kOpenssl)) {
    if (causes_.size() + line.size() < kCausesMax) {
      causes_.append(line).append("\n");
    }
    return std::nullopt;
  }
  if (line.starts_with(kManagement)) {
    return std::nullopt;  // said in between, as before a fatal one
  }
  // The server's words, not ours.
  const bool is_pushed =
      line.starts_with("Options error:") && line.find("[PUSH-OPTIONS]") != std::string_view::npos;
  std::optional<Failure> found;
  for (const Reason& reason : kReasons) {
    if (reason.voice != kLine || is_pushed) {
      continue;
    }
    const bool is_explained = has_passphrase_ && reason.name == kKeyPassphrase;
    if (const auto match = match_line(reason, line, causes_, is_explained)) {
      found = explanation(reason, *match, "");
      break;
    }
  }
  causes_.clear();
  return found;
}

Failure explain_state(std::string_view detail, const std::string& endpoint) {
  for (const Reason& reason : kReasons) {
    const auto end = first_of(reason.start,
                              [detail](std::string_view one) { return end_of_start(detail, one); });
    if (reason.voice == kState && end != std::string_view::npos) {
      const std::string_view words = detail.empty() ? "no reason given" : detail;
      return explanation(reason, {words, words}, endpoint);
    }
  }
  return {};  // the last row fits all
}

std::optional<Failure> explain_silence(std::string_view state, bool has_control_key) {
  for (const Reason& reason : kReasons) {
    if (reason.voice == kSilence && reason.start == state &&
        (has_control_key || reason.name != "silent_with_key")) {
      return explanation(reason, {}, "");
    }
  }
  return std::nullopt;
}

std::optional<Failure> explain_refusal(std::string_view words) {
  const std::string small = lower(words);
  for (const Reason& reason : kReasons) {
    if (reason.voice == kRefusal && end_of_any(small, reason.content) != std::string_view::npos) {
      return explanation(reason, {words, words}, "");
    }
  }
  return std::nullopt;
}

bool is_of_device(const Failure& failure) {
  return failure.reason.starts_with("tun_");
}

bool is_wrong_passphrase(const Failure& failure) {
  return failure.reason == kKeyPassphrase || failure.reason == "pkcs12_passphrase";
}

std::string_view directive_in(std::string_view line) {
  constexpr std::string_view kPlace = "stdin:";
  const auto is_of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const auto name_at = [&](std::size_t begin) {
    std::size_t end = begin;
    while (end < line.size() && is_of_name(line[end])) {
      ++end;
    }
    return line.substr(begin, end - begin);
  };
  if (const auto place = line.find(kPlace); place != std::string_view::npos) {
    const auto colon = line.find(": ", place);
    return colon == std::string_view::npos ? std::string_view() : name_at(colon + 2);
  }
  if (const auto dashes = line.find("--"); dashes != std::string_view::npos) {
    return name_at(dashes + 2);
  }
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto name = name_at(at);
    if (name.size() > 2 && name.find('-', 1) < name.size() - 1 && !name.starts_with('-')) {
      return name;
    }
    at += name.size();
  }
  return {};
}

}  // namespace vpnrun::service::openvpn
