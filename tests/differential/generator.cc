// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/generator.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace vpnrun::differential {
namespace {

using namespace std::string_view_literals;

// Escapes side by side with what cannot be written raw are easier to compare.
// NOLINTBEGIN(modernize-raw-string-literal)

/// Where lexers part: marks, escapes, blanks of every kind, what looks like a tag or an option.
constexpr std::array kBits = {"\\"sv,
                              "\\\\"sv,
                              "\\\""sv,
                              "\\ "sv,
                              "\\\t"sv,
                              "\\'"sv,
                              "\\n"sv,
                              "\\#"sv,
                              "\\;"sv,
                              "\""sv,
                              "'"sv,
                              "\"\""sv,
                              "''"sv,
                              " "sv,
                              "  "sv,
                              "\t"sv,
                              "\v"sv,
                              "\f"sv,
                              "\r"sv,
                              "#"sv,
                              ";"sv,
                              " #"sv,
                              " ;"sv,
                              "--"sv,
                              "-"sv,
                              "<"sv,
                              ">"sv,
                              "<ca>"sv,
                              "</ca>"sv,
                              "[inline]"sv,
                              "$HOME"sv,
                              "\xEF\xBB\xBF"sv,
                              "\xC2\x85"sv,
                              "\xC3\xA9"sv,
                              "\xE2\x80\xA8"sv,
                              "\xFF"sv,
                              "\x7F"sv,
                              "\x01"sv,
                              "\0"sv,
                              "x"sv,
                              "ab"sv,
                              "setenv"sv,
                              "opt"sv,
                              "1"sv,
                              "0"sv};

constexpr std::array kWords = {"a"sv,    "b c"sv,
                               "1"sv,    "0"sv,
                               ""sv,     "C:\\dir"sv,
                               "#x"sv,   "a#b"sv,
                               "it's"sv, "say \"hi\""sv,
                               "\\"sv,   "\t"sv,
                               "  "sv,   ";"sv,
                               "<ca>"sv, "Z\xC3\xBCrich"sv,
                               "--x"sv,  "CN=my server, O=x"sv,
                               "-"sv,    "\"'\""sv};

constexpr std::array kTexts = {"setenv UV_A"sv,        "setenv UV_B"sv,
                               "setenv IV_C"sv,        "verify-x509-name"sv,
                               "tls-cipher"sv,         "auth-token-user"sv,
                               "tls-cert-profile"sv,   "setenv opt setenv UV_O"sv,
                               "remote-cert-eku"sv,    "tls-ciphersuites"sv,
                               "setenv CLIENT_CERT"sv, "static-challenge"sv,
                               "dhcp-option DOMAIN"sv, "pull-filter ignore"sv,
                               "setenv FRIENDLY"sv,    "--setenv UV_D"sv,
                               "ecdh-curve"sv};

constexpr std::array kOptions = {
    "setenv PUSH_PEER_INFO"sv,
    "setenv PUSH_PEER_INFO 1"sv,
    "setenv SERVER_POLL_TIMEOUT 4"sv,
    "connect-timeout 4"sv,
    "fragment 1200"sv,
    "tun-mtu-extra 32"sv,
    "mtu-disc yes"sv,
    "client"sv,
    "pull"sv,
    "tls-client"sv,
    "nobind"sv,
    "auth-nocache"sv,
    "verb 3"sv,
    "verb 4 # x"sv,
    "mute 20"sv,
    "reneg-sec 0"sv,
    "reneg-sec 77"sv,
    "reneg-bytes 5000"sv,
    "ping 9"sv,
    "ping-restart 33"sv,
    "keepalive 10 60"sv,
    "inactive 100"sv,
    "mssfix 1300"sv,
    "mssfix 0"sv,
    "tun-mtu 1400"sv,
    "sndbuf 1000"sv,
    "rcvbuf 0"sv,
    "cipher AES-256-CBC"sv,
    "auth SHA256"sv,
    "data-ciphers AES-256-GCM:AES-128-GCM"sv,
    "remote-cert-tls server"sv,
    "hand-window 30"sv,
    "tran-window 600"sv,
    "tls-timeout 3"sv,
    "tls-version-min 1.2"sv,
    "replay-window 32 10"sv,
    "explicit-exit-notify 2"sv,
    "key-direction 1"sv,
    "comp-lzo no"sv,
    "push-peer-info"sv,
    "single-session"sv,
    "tls-exit"sv,
    "shaper 1000"sv,
    "fast-io"sv,
    "topology subnet"sv,
    "session-timeout 9"sv,
    "remote-random"sv,
    "persist-tun"sv,
    "persist-key"sv,
    "dev tun"sv,
    "route 10.0.0.0 255.0.0.0"sv,
    "redirect-gateway def1"sv,
    "user nobody"sv,
    "float"sv,
    "auth-user-pass"sv,
    "setenv opt block-outside-dns"sv,
    "setenv opt ping 8"sv,
    "setenv opt frobnicate 1 2"sv,
    "setenv opt --ping 7"sv,
    "setenv FORWARD_COMPATIBLE 1"sv,
    "ignore-unknown-option foo --bar"sv,
    "--ping 5"sv,
    "ca ca.crt"sv,
    "cert client.crt"sv,
    "key client.key"sv,
    "tls-auth ta.key"sv,
    "\"ping\" 4"sv,
    "'ping' '3'"sv,
    "ifconfig 10.8.0.2 10.8.0.1"sv,
    "compress"sv,
    "disable-occ"sv,
    "connect-timeout 9"sv,
    "resolv-retry infinite"sv,
    "allow-compression no"sv,
    "peer-fingerprint 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"sv};

/// What OpenVPN takes in a client, and ours leaves out or reads as it does. Nothing of this is run,
/// written or opened before OpenVPN ends.
constexpr std::array kHarmless = {"script-security 2"sv,
                                  "script-security 1"sv,
                                  "script-security 0"sv,
                                  "up /bin/true"sv,
                                  "down \"/bin/true x\""sv,
                                  "route-up /bin/true"sv,
                                  "route-pre-down /bin/true"sv,
                                  "ipchange /bin/true"sv,
                                  "up-delay"sv,
                                  "down-pre"sv,
                                  "push \"redirect-gateway def1\""sv,
                                  "dh ca.crt"sv,
                                  "max-clients 5"sv,
                                  "tcp-queue-limit 64"sv,
                                  "bcast-buffers 300"sv,
                                  "max-routes-per-client 9"sv,
                                  "connect-freq-initial 10 10"sv,
                                  "ifconfig-push-constraint 10.0.0.0 255.0.0.0"sv,
                                  "verify-client-cert require"sv,
                                  "verb 3;"sv,
                                  "verb x"sv,
                                  "ping 9\f"sv,
                                  "\fping 9"sv,
                                  "\f"sv,
                                  "ping\v9"sv,
                                  "ping\r9"sv,
                                  "setenv OWNER caf\xE9"sv,
                                  "setenv UV_A caf\xE9"sv,
                                  "setenv OWNER \x01"sv,
                                  "ignore-unknown-option a b c d e f g h i j k l m n o p q"sv,
                                  "setenv FORWARD_COMPATIBLE 1\nfrobnicate 1"sv,
                                  "ignore-unknown-option news\n<news>\nup x\n</news>"sv,
                                  "remote-random-hostname"sv};

/// Refused by one side or the other, or read by them as something else.
constexpr std::array kDoubtful = {"setenv GENERIC_CONFIG"sv,
                                  "setenv U 1"sv,
                                  "setenv UV_A b c"sv,
                                  "dev-type tun"sv,
                                  "bind"sv,
                                  "mode p2p"sv,
                                  "auth-user-pass creds"sv,
                                  "setenv opt <ca>"sv,
                                  "setenv opt </connection>"sv,
                                  "setenv opt <connection>"sv,
                                  "setenv opt setenv opt ping 6"sv,
                                  "setenv opt"sv,
                                  "foo 1"sv,
                                  "bar"sv,
                                  "ignore-unknown-option </connection>x"sv,
                                  "</connection>x"sv,
                                  "----ping 5"sv,
                                  "tls-auth ta.key 1"sv,
                                  "tls-crypt ta.key"sv,
                                  "crl-verify crl.pem"sv,
                                  "pkcs12 client.p12"sv,
                                  "secret ta.key 0"sv,
                                  "ping\\ 4"sv,
                                  "up /bin/false"sv,
                                  "ping 4 extra"sv,
                                  "compress stub-v2"sv,
                                  "verify-hash AB:CD"sv};

constexpr std::array kRemotes = {"remote a.example"sv, "remote b.example 443"sv,
                                 "remote c.example 53 tcp"sv, "remote 192.0.2.1 1194 udp4"sv,
                                 "remote 2001:db8::1 0443 udp6"sv};

constexpr std::array kSettings = {"port 99"sv,         "rport 98"sv,         "proto tcp"sv,
                                  "proto udp"sv,       "proto tcp-client"sv, "lport 7"sv,
                                  "proto-force tcp"sv, "port 097"sv};

/// So many of the first may stand in a <connection> block.
constexpr std::size_t kOfConnection = 6;

constexpr std::array kBlocks = {
    "ca"sv, "cert"sv, "key"sv, "extra-certs"sv, "tls-auth"sv, "tls-crypt"sv, "peer-fingerprint"sv};

constexpr std::array kDoubtfulBlocks = {
    "crl-verify"sv, "pkcs12"sv, "verify-hash"sv, "secret"sv,    "auth-user-pass"sv, "CA"sv, "ca "sv,
    "ca x=y"sv,     ""sv,       "verb"sv,        "connection"sv};

constexpr std::array kPem = {"-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"sv,
                             "  -----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"sv,
                             "-----BEGIN X-----\nAAAA\n-----END X-----\n"sv,
                             "AP8Qeg==\n"sv,
                             "AB:CD:EF\n"sv,
                             "# a comment\n"sv,
                             "ping 2\n"sv,
                             "</c\n"sv,
                             "<ca>\n"sv,
                             "\n"sv,
                             " \t\n"sv,
                             "Subject: CN=x\n"sv,
                             "</ca\n"sv};

constexpr std::string_view kFingerprint =
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:"
    "FF\n";

constexpr std::array kLengths = {250, 252, 253, 254, 255, 256, 257,
                                 258, 259, 260, 509, 510, 511, 600};

}  // namespace

std::size_t Generator::below(std::size_t count) {
  return random_() % count;  // the same with every library, unlike its distributions
}

std::vector<std::string> files_found_before() {
  const std::string block = "<ca>\n" + std::string(kPem[0]);
  const std::string connection = "<connection>\nremote b 5\n";
  const std::string end = "</connection>\n";
  std::vector<std::string> files = {
      "verify-x509-name \\ x\n", "setenv UV_A \\ #x\n", "ping 9 #" + std::string(300, 'x') + "\n",
      block + "\v</ca>\nping 3\n</ca>\n", block + "\f</ca>\nping 3\n</ca>\n",
      block + "</ca>" + std::string(250, 'x') + "ping 3\n", block + "</ca> x\nping 3\n",
      block + std::string(255, 'x') + "</ca>\nping 3\n</ca>\n",
      "setenv opt <connection>\nport 7\nsetenv opt </connection>\n",
      "setenv opt <ca>\nping 3\n" + block + "setenv opt </ca>\n", "setenv opt setenv opt ping 3\n",
      // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text
      "ignore-unknown-option AB:CD </peer-fingerprint>\nsetenv opt "
      "<peer-fingerprint>\nAB:CD\n</peer-fingerprint> x\n",
      connection + end, connection + "port 7\nproto tcp\n" + end, connection + "'" + end,
      connection + "--" + end + end, connection + "</connection>x\nping 3\n",
      "ignore-unknown-option </connection>x\n" + connection + "</connection>x\nport 7\n" + end,
      "ignore-unknown-option x\n" + connection + "x\n" + end, connection + end + "mssfix 1300\n",
      connection + "explicit-exit-notify 2\n" + end + connection + end,
      "setenv PUSH_PEER_INFO\nsetenv SERVER_POLL_TIMEOUT 4\n"};
  for (std::string& file : files) {
    file.insert(0, "remote a\n");
  }
  return files;
}

std::vector<std::string> files_of_clients() {
  std::vector<std::string> files;
  const auto add = [&files](const auto& lines) {
    for (const std::string_view line : lines) {
      files.push_back("remote a\n" + std::string(line) + "\n");
    }
  };
  add(kHarmless);
  add(kOptions);
  add(std::array{"<connection>\nremote a\nconnect-timeout 9\n</connection>"sv,
                 "<connection>\nremote a 1\nremote b\n</connection>"sv, "tls-crypt ta.key 1"sv,
                 "<connection>\nremote a\ntls-auth ta.key 1\n</connection>"sv,
                 "<connection>\nremote a\nkey-direction 1\ntls-auth ta.key\n</connection>"sv,
                 "<connection>\nremote a\ntls-auth ta.key\nkey-direction 0\n</connection>"sv,
                 "key-direction 1\n<connection>\nremote a\ntls-crypt ta.key\n</connection>"sv,
                 "tls-auth ta.key 1\n<connection>\nremote a\n</connection>"sv,
                 "tls-auth ta.key 1\n<connection>\nremote a\ntls-crypt ta.key\n</connection>"sv,
                 "<connection>\nremote a\nserver-poll-timeout 9\nudp-mtu 1400\n</connection>"sv});
  return files;
}

bool Generator::noisy() {
  return noise_ != 0 && one_in(noise_);
}

std::string Generator::soup() {
  std::string text;
  for (std::size_t i = below(12); i > 0; --i) {
    text += any(kBits);
  }
  return text;
}

std::string Generator::word() {
  return noisy() || noisy() ? soup() : any(kWords);
}

/// `word` in one of the ways to write it that a person may choose, not always a right one.
std::string Generator::written(std::string_view word) {
  const std::size_t way = 1 + below(7);
  if (noisy()) {
    return std::string(word);
  }
  if (way <= 2 && word.find('\'') == std::string_view::npos) {
    return "'" + std::string(word) + "'";
  }
  std::string text;
  const bool quoted =
      way < 6 || word.empty() || "#;'\" \t"sv.find(word.front()) != std::string_view::npos;
  for (const char c : word) {
    const bool blank = c == ' ' || c == '\t';
    if (c == '"' || c == '\\' || (!quoted && blank) || (blank && one_in(8))) {
      text += '\\';
    }
    text += c;
  }
  return quoted ? '"' + text + '"' : text;
}

std::string Generator::line(std::string_view start) {
  noise_ = std::max<std::size_t>(noise_, 6);
  std::string text(start);
  const std::size_t count = one_in(8) ? 10 + below(9) : below(5);
  for (std::size_t i = 0; i < count; ++i) {
    text += one_in(10) ? any(kBits) : one_in(6) ? "\t" : " ";
    text += one_in(5) ? soup() : written(word());
  }
  if (one_in(6)) {
    text += (one_in(2) ? " #" : ";") + soup();
  }
  if (one_in(8)) {
    const auto length = static_cast<std::size_t>(kLengths[below(kLengths.size())]);
    const std::string_view fill = one_in(3) ? "#"sv : one_in(2) ? "x"sv : " "sv;
    while (text.size() < length) {
      text += fill;
    }
    text += one_in(2) ? any(kBits) : "";
  }
  return text;
}

std::string Generator::line_end() {
  return one_in(10) ? "\r\n" : noisy() && one_in(3) ? "\r\r\n" : one_in(40) ? " \n" : "\n";
}

std::string Generator::option_with_text() {
  const std::string start = any(kTexts);
  if (noisy() && one_in(2)) {
    return line(start);
  }
  std::string text = start + (one_in(6) ? "\t" : " ") + written(word());
  text += start == "static-challenge" ? " 1" : "";
  if (one_in(6)) {
    text += one_in(2) ? " # rest" : "#rest";
  }
  if (noisy()) {
    text.resize(std::max<std::size_t>(text.size(), 250 + below(12)), one_in(2) ? 'x' : ' ');
  }
  return text;
}

std::string Generator::directive() {
  const std::size_t kind = below(10);
  std::string text = kind < 5   ? option_with_text()
                     : kind < 9 ? (noisy()     ? any(kDoubtful)
                                   : one_in(5) ? any(kHarmless)
                                               : any(kOptions))
                                : (one_in(2) ? "# " : ";") + soup();
  if (noisy()) {
    text.insert(0, any(std::array{" "sv, "\t"sv, "\f"sv, "\\ "sv, "--"sv, "\r"sv}));
  }
  return text;
}

std::string Generator::server_line() {
  return (one_in(2) ? any(kRemotes) : any(kSettings)) + (one_in(8) ? " # x" : "");
}

std::string Generator::tag(std::string_view name, bool closing) {
  std::string text = (closing ? "</" : "<") + std::string(name) + ">";
  switch (noisy() ? below(5) : 5) {
    case 0:
      return any(kBits) + text;
    case 1:
      return text + any(kBits);
    case 2:
      return text + any(std::array{" # x"sv, "x"sv, " "sv, "\t"sv, " x"sv, "\v"sv});
    case 3:
      return any(std::array{"  "sv, "\t"sv, "\v"sv, "\f"sv, "--"sv, "\r"sv, "\\ "sv}) + text;
    case 4:
      return written(text);
    default:
      return text;
  }
}

std::string Generator::block() {
  const std::string name = noisy() ? any(kDoubtfulBlocks) : any(kBlocks);
  std::string text = tag(name, false) + line_end();
  text += name == "pkcs12" ? kPem[3] : name == "peer-fingerprint" ? kFingerprint : kPem[0];
  for (std::size_t i = below(3); i > 0; --i) {
    text += noisy() ? any(kPem) : "";
    if (noisy()) {
      text += line("Subject:") + "\n";
    }
    if (noisy()) {
      text += std::string(static_cast<std::size_t>(kLengths[below(kLengths.size())]), 'A') +
              (one_in(2) ? "</" + name + ">" : "") + "\n";
    }
  }
  if (noisy() && one_in(2)) {
    return text;
  }
  text += tag(name, true);
  if (noisy()) {
    text.append(240 + below(20), one_in(2) ? ' ' : 'x');
    text += "ping 11";
  }
  return text + line_end();
}

std::string Generator::connection() {
  constexpr std::array kRest = {""sv, " 5"sv, " 6 tcp"sv, " 7 udp"sv};
  constexpr std::array kOthers = {"nobind"sv, "explicit-exit-notify 1"sv, "float"sv};
  std::string text = tag("connection", false) + line_end();
  const auto others = [&] {
    for (std::size_t i = below(3); i > 0; --i) {
      text += (noisy()     ? directive()
               : one_in(4) ? any(kOthers)
                           : std::string(kSettings[below(kOfConnection)])) +
              line_end();
    }
  };
  others();
  text += noisy() ? "" : "remote d.example" + any(kRest) + line_end();
  others();
  return text + (noisy() ? "" : tag("connection", true) + line_end());
}

std::string Generator::of_grammar() {
  std::string text = one_in(10) ? "\xEF\xBB\xBF" : "";
  text += one_in(12) ? "" : "remote a.example 1\n";
  for (std::size_t i = 1 + below(10); i > 0; --i) {
    const std::size_t kind = below(12);
    text += kind < 7    ? directive() + line_end()
            : kind < 9  ? server_line() + line_end()
            : kind < 11 ? block()
                        : connection();
  }
  if (one_in(10)) {
    text.pop_back();
  }
  return text;
}

void Generator::mutate(std::string& text) {
  for (std::size_t i = 1 + below(4); i > 0 && !text.empty(); --i) {
    const std::size_t place = below(text.size());
    switch (below(5)) {
      case 0:
        text.erase(place, 1 + below(3));
        break;
      case 1:
        text.replace(place, 1, any(kBits));
        break;
      case 2:
        text.insert(place, (one_in(2) ? "" : "\n") + directive() + (one_in(4) ? "" : "\n"));
        break;
      default:
        text.insert(place, any(kBits));
    }
  }
}

std::string Generator::file() {
  constexpr std::array<std::size_t, 5> kNoise = {0, 0, 40, 15, 5};
  noise_ = kNoise[below(kNoise.size())];
  std::string text;
  if (!samples_.empty() && one_in(4)) {
    text = samples_[below(samples_.size())];
    mutate(text);
  } else {
    text = of_grammar();
    if (one_in(4)) {
      mutate(text);
    }
  }
  return text;
}

std::string Generator::password() {
  std::string text = one_in(3) ? soup() : word();
  while (one_in(2)) {
    text += word();
  }
  if (one_in(10)) {
    text.append(200 + below(80), one_in(2) ? '"' : 'x');
  }
  return text;
}

// NOLINTEND(modernize-raw-string-literal)

}  // namespace vpnrun::differential
