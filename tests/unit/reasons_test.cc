// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/reasons.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service::openvpn {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Kind = Failure::Kind;

/// What OpenVPN 2.6.14 with OpenSSL 3.0 printed (OpenSSL's lines first), the detail of a state, or
/// a server's words; and the row.
struct Sample {
  std::string_view row;
  std::vector<std::string> words;
  std::string error;
};

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<Sample>& samples() {
  static const std::vector<Sample> table = {
      {"own_certificate_expired",
       {"WARNING: Your certificate has expired!"},
       "the client certificate of this profile has expired"},
      {"own_certificate_not_yet_valid",
       {"WARNING: Your certificate is not yet valid!"},
       "the client certificate of this profile is not yet valid"},
      {"own_certificate_old_signature",
       {"OpenSSL: error:0A00018E:SSL routines::ca md too weak:",
        "Cannot load inline certificate file"},
       "the client certificate has a signature that is too old (MD5 or SHA-1)"},
      {"own_certificate_short_key",
       {"OpenSSL: error:0A00018F:SSL routines::ee key too small:",
        "Cannot load inline certificate file"},
       "the key of the client certificate is too short"},
      {"own_certificate_damaged",
       {"OpenSSL: error:0A080009:SSL routines::PEM lib:", "Cannot load inline certificate file"},
       "the client certificate of the configuration is damaged"},
      {"private_key_of_another",
       {"OpenSSL: error:05800074:x509 certificate routines::key values mismatch:",
        "Cannot load private key file [[INLINE]]"},
       "private key and client certificate of the configuration do not belong together"},
      {"private_key_old_encryption",
       {"OpenSSL: error:0308010C:digital envelope routines::unsupported:Global default library "
        "context, Algorithm (DES-CBC : 8), Properties ()",
        "OpenSSL: error:04800065:PEM routines::bad decrypt:",
        "Cannot load private key file [[INLINE]]"},
       "the private key is encrypted by an old method (DES-CBC)"},
      {"private_key_passphrase",
       {"OpenSSL: error:1C800064:Provider routines::bad decrypt:",
        "OpenSSL: error:11800074:PKCS12 routines::pkcs12 cipherfinal error:maybe wrong password",
        "Cannot load private key file [[INLINE]]"},
       "the passphrase of the private key is wrong"},
      {"private_key_damaged",
       {"OpenSSL: error:1E08010C:DECODER routines::unsupported:No supported data to decode. Input "
        "type: PEM",
        "Cannot load private key file [[INLINE]]"},
       "the private key of the configuration is damaged"},
      {"pkcs12_old_encryption",
       {"OpenSSL: error:11800071:PKCS12 routines::mac verify failure:",
        "OpenSSL: error:0308010C:digital envelope routines::unsupported:Global default library "
        "context, Algorithm (RC2-40-CBC : 0), Properties ()",
        "Decoding PKCS12 failed. Probably wrong password or unsupported/legacy encryption"},
       "the PKCS#12 file is encrypted by an old method (RC2-40-CBC)"},
      {"pkcs12_passphrase",
       {"OpenSSL: error:11800071:PKCS12 routines::mac verify failure:",
        "Decoding PKCS12 failed. Probably wrong password or unsupported/legacy encryption"},
       "the passphrase of the PKCS#12 file is wrong"},
      {"pkcs12_damaged",
       {"OpenSSL: error:0688010A:asn1 encoding routines::nested asn1 error:Type=PKCS12",
        "Error reading inline PKCS#12 file"},
       "the PKCS#12 file of the configuration is damaged"},
      {"ca_damaged",
       {"OpenSSL: error:0488000D:PEM routines::ASN1 lib:",
        "Cannot load CA certificate file [[INLINE]] (no entries were read)"},
       "the certificate of the authority in the configuration (ca) is damaged"},
      {"extra_certificates_damaged",
       {"OpenSSL: error:0488000D:PEM routines::ASN1 lib:", "Error reading extra certificate"},
       "a certificate in 'extra-certs' of the configuration is damaged"},
      {"crl_unreadable",
       {"OpenSSL: error:0488000D:PEM routines::ASN1 lib:",
        "CRL: cannot read CRL from file [[INLINE]]"},
       "the revocation list of the configuration (crl-verify) is damaged"},
      {"static_key_damaged",
       {"File '[[INLINE]]' does not have OpenVPN Static Key format.  Using free-form passphrase "
        "file is not supported anymore.: No such file or directory (errno=2)"},
       "the key of 'tls-auth', 'tls-crypt' or 'secret' in the configuration is damaged"},
      {"cipher_unknown",
       {"Cipher bf-cbc not supported"},
       "OpenVPN does not know the cipher 'bf-cbc'"},
      {"data_cipher_unknown",
       {"Unsupported cipher in --data-ciphers: BF-CBC"},
       "OpenVPN does not know the cipher 'BF-CBC' of data-ciphers"},
      {"data_cipher_unfit",
       {"Unsupported cipher algorithm 'AES-256-ECB'. It does not use CFB, OFB, CBC, or a supported "
        "AEAD mode"},
       "the cipher 'AES-256-ECB' cannot be used for a tunnel"},
      {"digest_unknown",
       {"OpenSSL: error:0308010C:digital envelope routines::unsupported:Global default library "
        "context, Algorithm (FOO : 0), Properties (<null>)",
        "Message hash algorithm 'FOO' not found"},
       "OpenVPN does not know the digest 'FOO' of 'auth'"},
      {"provider_missing",
       {"OpenSSL: error:07880025:common libcrypto routines::reason(524325):name=fips",
        "failed to load provider 'fips'"},
       "this machine's cryptographic library has no provider 'fips'"},
      {"tls_cipher_unknown",
       {"OpenSSL: error:0A0000B9:SSL routines::no cipher match:",
        "Failed to set restricted TLS cipher list: TLS-FOO"},
       "this machine's cryptographic library knows none of the ciphers in 'tls-cipher' or "
       "'tls-ciphersuites'"},
      {"tls_cipher_unknown",
       {"OpenSSL: error:0A0000B9:SSL routines::no cipher match:",
        "Failed to set restricted TLS 1.3 cipher list: TLS_FOO"},
       "this machine's cryptographic library knows none of the ciphers in 'tls-cipher' or "
       "'tls-ciphersuites'"},
      {"tls_group_unknown",
       {"OpenSSL: error:0A080106:SSL routines::passed invalid argument:group 'foo' cannot be set",
        "Failed to set allowed TLS group list: foo"},
       "this machine's cryptographic library knows none of the groups in 'tls-groups'"},
      {"certificate_profile_unknown",
       {"ERROR: Invalid cert profile: foo"},
       "OpenVPN does not know the profile 'foo' of 'tls-cert-profile'"},
      {"option_unknown",
       {"Options error: Unrecognized option or missing or extra parameter(s) in stdin:27: "
        "hand-window (2.6.14)"},
       "this OpenVPN does not know this option, or takes other values for it: 'hand-window'"},
      {"option_wrong",
       {"Options error: unknown tls-version-min parameter: 9"},
       "OpenVPN rejects the configuration: unknown tls-version-min parameter: 9"},
      {"tun_closed",
       {"ERROR: Cannot open TUN/TAP dev /dev/net/tun: Permission denied (errno=13)"},
       "the VPN client may not open '/dev/net/tun'"},
      {"tun_busy",
       {"ERROR: Cannot ioctl TUNSETIFF tun0: Device or resource busy (errno=16)"},
       "the tunnel device is in use by another process"},
      {"tun_refused",
       {"ERROR: Cannot ioctl TUNSETIFF tun0: Operation not permitted (errno=1)"},
       "the VPN client cannot attach to the tunnel device"},
      {"server_certificate_expired",
       {"VERIFY ERROR: depth=0, error=certificate has expired: CN=stale-server, serial=1"},
       "the certificate of the server has expired"},
      {"authority_expired",
       {"VERIFY ERROR: depth=1, error=certificate has expired: CN=old-authority, serial=1"},
       "the certificate of the server's authority has expired"},
      {"server_certificate_not_yet_valid",
       {"VERIFY ERROR: depth=0, error=certificate is not yet valid: CN=late, serial=1"},
       "the certificate of the server is not yet valid"},
      {"crl_expired",
       {"VERIFY ERROR: depth=0, error=CRL has expired: CN=server, serial=1"},
       "the revocation list of the configuration (crl-verify) is out of date"},
      {"crl_not_yet_valid",
       {"VERIFY ERROR: depth=0, error=CRL is not yet valid: CN=server, serial=1"},
       "the revocation list of the configuration (crl-verify) is not yet valid"},
      {"crl_of_another",
       {"VERIFY ERROR: depth=0, error=CRL signature failure: CN=server, serial=1"},
       "the revocation list of the configuration (crl-verify) is not of this server's authority"},
      {"server_certificate_revoked",
       {"VERIFY ERROR: depth=0, error=certificate revoked: CN=server, serial=1"},
       "the certificate of the server has been revoked"},
      {"server_certificate_old_signature",
       {"VERIFY ERROR: depth=0, error=CA signature digest algorithm too weak: CN=md5-server, "
        "serial=1"},
       "the certificate of the server has a signature that is too old (MD5 or SHA-1)"},
      {"server_certificate_short_key",
       {"VERIFY ERROR: depth=0, error=EE certificate key too weak: CN=short-server, serial=1"},
       "the key of the server's certificate is too short"},
      {"server_certificate_purpose",
       {"VERIFY ERROR: depth=0, error=unsuitable certificate purpose: CN=client, serial=1"},
       "the certificate of the server is not meant for a server"},
      {"server_certificate_purpose",
       {"VERIFY KU ERROR"},
       "the certificate of the server is not meant for a server"},
      {"server_certificate_purpose",
       {"VERIFY EKU ERROR"},
       "the certificate of the server is not meant for a server"},
      {"server_certificate_purpose",
       {"VERIFY nsCertType ERROR: CN=client, require nsCertType=SERVER"},
       "the certificate of the server is not meant for a server"},
      {"server_certificate_name",
       {"VERIFY X509NAME ERROR: CN=server, must be somebody.example"},
       "the server is not the one that verify-x509-name asks for"},
      {"server_certificate_fingerprint",
       {"TLS Error: --tls-verify/--peer-fingerprint certificate hash verification failed. (got "
        "certificate fingerprint: b3:80)"},
       "the certificate of the server is not the one of 'peer-fingerprint' or 'verify-hash'"},
      {"server_certificate_unknown",
       {"VERIFY ERROR: depth=0, error=unable to get local issuer certificate: CN=of-old, serial=1"},
       "the certificate of the server is not signed by the configuration's authority"},
      {"server_certificate_unknown",
       {"VERIFY ERROR: depth=1, error=self-signed certificate in certificate chain: CN=a, "
        "serial=1"},
       "the certificate of the server is not signed by the configuration's authority"},
      {"tls_version",
       {"OpenSSL: error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70",
        "TLS_ERROR: BIO read tls_read_plaintext error"},
       "server and configuration have no TLS version in common"},
      {"tls_no_version",
       {"TLS error: Unsupported protocol. This typically indicates that client and server have no "
        "common TLS version enabled."},
       "server and configuration have no TLS version in common"},
      {"tls_cipher",
       {"OpenSSL: error:0A000410:SSL routines::sslv3 alert handshake failure:SSL alert number 40",
        "TLS_ERROR: BIO read tls_read_plaintext error"},
       "server and configuration have no TLS cipher, group or signature in common"},
      {"tls_old_parameters",
       {"OpenSSL: error:0A00018A:SSL routines::dh key too small:",
        "TLS_ERROR: BIO read tls_read_plaintext error"},
       "the server's key exchange or signature is too weak"},
      {"own_certificate_refused",
       {"OpenSSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48",
        "TLS_ERROR: BIO read tls_read_plaintext error"},
       "the server refuses the client certificate of this profile"},
      {"own_certificate_refused_late",
       {"Received fatal SSL alert: unknown CA"},
       "the server refuses the client certificate of this profile"},
      {"control_key",
       {"tls-crypt unwrap error: packet authentication failed"},
       "whoever answers has another control channel key"},
      {"control_key",
       {"Authenticate/Decrypt packet error: packet HMAC authentication failed"},
       "whoever answers has another control channel key"},
      {"data_cipher_of_server",
       {"OPTIONS ERROR: failed to negotiate cipher with server.  Add the server's cipher "
        "('AES-256-CBC') to --data-ciphers (currently 'AES-256-GCM') if you want to connect to "
        "this server."},
       "server and configuration have no data cipher in common: the server has AES-256-CBC"},
      {"data_cipher_pushed",
       {"Error: negotiated cipher not allowed - BF-CBC not in "
        "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305"},
       "server and configuration have no data cipher in common: the server wants BF-CBC"},
      {"data_cipher_unsaid",
       {"OPTIONS ERROR: failed to negotiate cipher with server. Configure --data-ciphers-fallback "
        "if you want to connect to this server."},
       "server and configuration have no data cipher in common, and the server does not say which "
       "it has"},
      {"compression",
       {"OPTIONS ERROR: server pushed compression settings that are not allowed and will result in "
        "a non-working connection. See also allow-compression in the manual."},
       "the server wants the tunnel to be compressed, which OpenVPN refuses"},
      {"pushed_options",
       {"ERROR: Failed to apply push options"},
       "OpenVPN cannot use what the server pushes"},
      {"restart_pushed",
       {"Connection reset command was pushed by server ('')"},
       "the server sends the client away for a moment"},
      {"halt_pushed",
       {"Halt command was pushed by server ('maintenance')"},
       "the server sends the client away: maintenance"},
      {"refused",
       {"read UDPv4 [ECONNREFUSED]: Connection refused (fd=3,code=111)"},
       "the server refuses the connection"},
      {"refused",
       {"TCP: connect to [AF_INET]198.51.100.10:81 failed: Connection refused"},
       "the server refuses the connection"},
      {"unreachable",
       {"read UDPv4 [ENETUNREACH]: Network is unreachable (fd=3,code=101)"},
       "there is no route to the server"},
      {"unreachable",
       {"write UDPv4 []: No route to host (fd=3,code=113)"},
       "there is no route to the server"},
      {"forbidden",
       {"write UDPv4 []: Operation not permitted (fd=3,code=1)"},
       "a firewall of this machine holds the VPN client's packets back"},
      {"timed_out",
       {"TCP: connect to [AF_INET]198.51.100.10:81 failed: Connection timed out"},
       "the server does not answer"},
      {"negotiation_timed_out",
       {"TLS Error: TLS key negotiation failed to occur within 2 seconds (check your network "
        "connectivity)"},
       "no TLS connection with the server within the time of 'hand-window'"},
      {"no_push_reply",
       {"No reply from server to push requests in 3s"},
       "the server assigns nothing: it does not answer the request for its settings"},
      {"handshake",
       {"TLS Error: TLS handshake failed"},
       "the TLS handshake with the server failed"},
      {"state_ping_restart",
       {"ping-restart"},
       "the server 198.51.100.10:1194/udp stopped answering"},
      {"state_ping_restart", {"ping-exit"}, "the server 198.51.100.10:1194/udp stopped answering"},
      {"state_auth_temporary",
       {"auth-temp-failure (server temporary reject)"},
       "the server refuses for now"},
      {"state_no_answer", {"tls-error"}, "no connection to the server 198.51.100.10:1194/udp"},
      {"state_no_answer", {"server_poll"}, "no connection to the server 198.51.100.10:1194/udp"},
      {"state_no_answer", {"init_instance"}, "no connection to the server 198.51.100.10:1194/udp"},
      {"state_no_answer",
       {"connection-failed"},
       "no connection to the server 198.51.100.10:1194/udp"},
      {"state_reset",
       {"connection-reset"},
       "the server 198.51.100.10:1194/udp closed the connection"},
      {"state_pushed_reset",
       {"server-pushed-connection-reset"},
       "the server 198.51.100.10:1194/udp sent the client away"},
      {"state_pushed_reset",
       {"server-pushed-halt"},
       "the server 198.51.100.10:1194/udp sent the client away"},
      {"state_remote_exit", {"remote-exit"}, "the server 198.51.100.10:1194/udp was shut down"},
      {"state_no_push",
       {"no-push-reply"},
       "no usable settings from the server 198.51.100.10:1194/udp"},
      {"state_no_push",
       {"process-push-msg-failed"},
       "no usable settings from the server 198.51.100.10:1194/udp"},
      {"state_inactive",
       {"inactive"},
       "the connection to 198.51.100.10:1194/udp was ended by 'inactive' or 'session-timeout' of "
       "the configuration"},
      {"state_inactive",
       {"session-timeout"},
       "the connection to 198.51.100.10:1194/udp was ended by 'inactive' or 'session-timeout' of "
       "the configuration"},
      {"state_passphrase",
       {"private-key-password-failure"},
       "OpenVPN cannot use the private key of the configuration"},
      {"state_unreachable", {"network-unreachable"}, "there is no route to the server"},
      {"state_other", {"SIGTERM"}, "the connection to 198.51.100.10:1194/udp ended (SIGTERM)"},
      {"silent_with_key", {"WAIT"}, "the server does not answer"},
      {"silent_in_handshake",
       {"AUTH"},
       "the server answers, but breaks the TLS handshake off without a word"},
      {"refusal_data_cipher",
       {"Data channel cipher negotiation failed (no shared cipher)"},
       "server and configuration have no data cipher in common"},
      {"refusal_session", {"SESSION: Your session has expired"}, "the server refuses this client"},
      {"refusal_for_now", {"[TOO_MANY] in use on all devices"}, "the server refuses this client"},
      {"refusal_of_login",
       {"Invalid username or password"},
       "the server refuses the user name or password"},
      {"web_server",
       {"WARNING: Bad encapsulated packet length from peer (18516), which must be > 0 and <= 1627"},
       "what answers there is a web server, not the VPN server"},
      {"tls_server",
       {"WARNING: Bad encapsulated packet length from peer (5379), which must be > 0 and <= 1627"},
       "what answers there speaks TLS, but is not the VPN server"},
  };
  return table;
}

Failure explained(const Reason& row, const Sample& sample) {
  if (row.voice == Voice::kState) {
    return explain_state(sample.words.back(), "198.51.100.10:1194/udp");
  }
  if (row.voice == Voice::kSilence) {
    return explain_silence(sample.words.back(), true).value_or(Failure());
  }
  if (row.voice == Voice::kRefusal) {
    return explain_refusal(sample.words.back()).value_or(Failure());
  }
  Explainer explainer;
  std::optional<Failure> last;
  for (const std::string& line : sample.words) {
    last = explainer.line(line);
  }
  return last.value_or(Failure());
}

TEST(Reasons, HaveASampleEachInOpenvpnsWords) {
  std::set<std::string_view> sampled;
  for (const Sample& sample : samples()) {
    sampled.insert(sample.row);
    const auto row = std::ranges::find(reasons(), sample.row, &Reason::name);
    ASSERT_NE(row, reasons().end()) << sample.row;
    const Failure failure = explained(*row, sample);
    EXPECT_EQ(failure.reason, sample.row) << sample.words.back();
    EXPECT_EQ(failure.kind, row->kind) << sample.row;
    EXPECT_EQ(failure.error, sample.error) << sample.row;
    EXPECT_EQ(failure.hint, row->hint) << sample.row;
  }
  for (const Reason& row : reasons()) {
    EXPECT_TRUE(sampled.contains(row.name)) << row.name;
  }
}

TEST(Reasons, HaveNamesOfTheirOwnAndMessagesOfOneLine) {
  std::set<std::string_view> names;
  for (const Reason& row : reasons()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.error.find('\n'), std::string_view::npos);
    EXPECT_FALSE(row.error.ends_with('.'));
    EXPECT_FALSE(row.voice == Voice::kLine && row.start.empty()) << row.name;
  }
}

/// Nobody on the way, and no server, ends a companion: their words come in these rows.
TEST(Reasons, OfWhoeverAnswersArePassing) {
  for (const Reason& row : reasons()) {
    const bool is_answer = row.start.starts_with("VERIFY") || row.start.starts_with("TLS") ||
                           row.start.starts_with("OPTIONS ERROR") ||
                           row.start.starts_with("read ") || row.voice == Voice::kState;
    if (is_answer) {
      EXPECT_LE(row.kind, Kind::kOutside) << row.name;
    }
  }
}

TEST(Explainer, TakesNoWordOfTheServerForAMistakeOfTheConfiguration) {
  const std::string line = "Unrecognized option or missing or extra parameter(s) in ";
  EXPECT_TRUE(Explainer().line("Options error: " + line + "[CMD-LINE]:1: odd (2.6.14)"));
  EXPECT_FALSE(Explainer().line("Options error: " + line + "[PUSH-OPTIONS]:1: odd (2.6.14)"));
}

TEST(Explainer, TakesNoCertificatesNameForAMessage) {
  for (const char* name :
       {"nobody", "Your certificate has expired", "WARNING: Your certificate has expired!",
        "AUTH: Received control message: AUTH_FAILED", "Options error: no such option",
        "Options error: x [PUSH-OPTIONS]", "x [PUSH-OPTIONS]",
        "Cannot load inline certificate file", "ERROR: Cannot open TUN/TAP dev",
        "ERROR: Cannot ioctl TUNSETIFF", "Connection refused",
        "x, error=certificate has expired: y",
        "error=CRL has expired: ", "error=certificate is not yet valid: ", "VERIFY EKU ERROR"}) {
    for (const char* start : {"CN=", "C=XX, O=", ""}) {
      const std::string subject = start + std::string(name);
      const auto stranger = Explainer().line(
          "VERIFY ERROR: depth=0, error=self-signed certificate: " + subject + ", serial=1");
      ASSERT_TRUE(stranger) << subject;
      EXPECT_EQ(stranger->kind, Kind::kPeer) << subject;
      EXPECT_THAT(stranger->error, HasSubstr("not signed by")) << subject;
      const auto odd = Explainer().line("VERIFY ERROR: " + subject);
      ASSERT_TRUE(odd) << subject;
      EXPECT_THAT(odd->error, HasSubstr("not signed by")) << subject;
      const auto other = Explainer().line("VERIFY X509NAME ERROR: " + subject + ", must be a");
      ASSERT_TRUE(other) << subject;
      EXPECT_EQ(other->kind, Kind::kPeer) << subject;
      EXPECT_THAT(other->error, HasSubstr("verify-x509-name")) << subject;
      EXPECT_FALSE(Explainer().line("VERIFY OK: depth=0, " + subject)) << subject;
    }
  }
}

/// OpenSSL's lines tell about the next one of OpenVPN, and not about what comes later.
TEST(Explainer, ForgetsACauseThatWasAnothers) {
  Explainer explainer;
  EXPECT_FALSE(explainer.line("OpenSSL: error:0A00018E:SSL routines::ca md too weak:"));
  EXPECT_FALSE(explainer.line("something else"));
  EXPECT_THAT(explainer.line("Cannot load inline certificate file").value().error,
              HasSubstr("damaged"));
}

TEST(Explainer, PassesOverWhatIsSaidOfTheManagementConnection) {
  Explainer explainer;
  EXPECT_FALSE(explainer.line("OpenSSL: error:0A00018E:SSL routines::ca md too weak:"));
  EXPECT_FALSE(explainer.line("MANAGEMENT: Client disconnected"));
  EXPECT_THAT(explainer.line("Cannot load inline certificate file").value().error,
              HasSubstr("too old"));
}

TEST(Explainer, KeepsFewCauses) {
  Explainer explainer;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(explainer.line("OpenSSL: " + std::string(4000, 'x')));
  }
  EXPECT_TRUE(explainer.line("Cannot load inline certificate file"));
}

TEST(Explainer, SaysNothingOfAnOrdinaryLine) {
  for (const char* line :
       {"", "VERIFY OK: depth=1, CN=ca", "Initialization Sequence Completed", "reading",
        "AUTH: Received control message: AUTH_FAILED,bad",
        "Unsupported optional cipher in --data-ciphers: BF-CBC",
        "Cipher 'AES-256-GCM' initialized with 256 bit key",
        "DEPRECATED OPTION: --cipher set to 'AES-256-CBC' but missing in --data-ciphers"}) {
    EXPECT_FALSE(Explainer().line(line)) << line;
  }
}

TEST(Explainer, QuotesWithoutControlCharactersAndNotWithoutEnd) {
  const auto setup = Explainer().line("Options error: odd \x1b[31m" + std::string(4000, 'x'));
  ASSERT_TRUE(setup);
  EXPECT_EQ(setup->kind, Kind::kSetup);
  EXPECT_EQ(setup->error.find('\x1b'), std::string::npos);
  EXPECT_LT(setup->error.size(), 400U);
}

TEST(Reasons, SendNobodyToAWrongPlace) {
  for (const Reason& row : reasons()) {
    for (const std::string_view text : {row.error, row.hint}) {
      EXPECT_THAT(std::string(text), Not(HasSubstr("newer version"))) << row.name;
      if (row.voice != Voice::kRefusal) {
        EXPECT_THAT(std::string(text), Not(HasSubstr("password"))) << row.name;
      }
    }
  }
}

TEST(ExplainState, NamesTheServerAndKeepsTheBeginningOfALongReason) {
  EXPECT_EQ(explain_state("ping-restart", "198.51.100.10:1194/udp").error,
            "the server 198.51.100.10:1194/udp stopped answering");
  const Failure failure = explain_state(std::string(16000, 'x'), "198.51.100.1:1194/udp");
  EXPECT_THAT(failure.error, StartsWith("the connection to 198.51.100.1:1194/udp ended (xxx"));
  EXPECT_LT(failure.error.size(), 300U);
  EXPECT_EQ(explain_state("", "a").error, "the connection to a ended (no reason given)");
}

TEST(DirectiveIn, IsWhatALineIsAbout) {
  EXPECT_EQ(directive_in("Options error: Unrecognized option or missing or extra parameter(s) in "
                         "stdin:27: hand-window (2.6.14)"),
            "hand-window");
  EXPECT_EQ(directive_in("Options error: --tls-auth and --tls-crypt are mutually exclusive"),
            "tls-auth");
  EXPECT_EQ(directive_in("Options error: unknown tls-version-min parameter: 9"), "tls-version-min");
  EXPECT_EQ(directive_in("Unsupported cipher in --data-ciphers: BF-CBC"), "data-ciphers");
  EXPECT_EQ(directive_in("Cannot load inline certificate file"), "");
  EXPECT_EQ(directive_in(""), "");
}

}  // namespace
}  // namespace vpnrun::service::openvpn
