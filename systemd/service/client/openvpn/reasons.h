// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "systemd/service/client/failure.h"

// Why a connection fails: from the words of OpenVPN 2.5 to 2.7, OpenSSL 3 and the server to what a
// person is told. One table, in reasons.cc.
namespace vpnrun::service::openvpn {

/// Of what a program or a server says in its own words, which a message repeats.
constexpr std::size_t kWordsMax = 200;

/// After which silence explains something: OpenVPN repeats a packet that was lost long before.
constexpr std::chrono::seconds kSilenceOf{6};

/// The row of a wrong passphrase, which OpenVPN tells twice: in a line, and over its management
/// connection, in any order.
constexpr std::string_view kKeyPassphrase = "private_key_passphrase";

/// Who speaks, and where it is heard.
enum class Voice : std::uint8_t {
  kLine,     ///< OpenVPN, in a line that it prints
  kState,    ///< OpenVPN, in the detail of its state RECONNECTING or EXITING
  kRefusal,  ///< the server, in what follows AUTH_FAILED
  kSilence,  ///< nobody, for kSilenceOf after OpenVPN has come to this state
};

/// One row of the table. In `start`, `content` and `cause` a '|' separates alternatives; in `start`
/// a '#' stands for a number. `error` may have {word} (what comes after the last part that was
/// looked for, up to a blank or a quote), {rest} (what comes after `start`) and {server}.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which the table is read
struct Reason {
  std::string_view name;  ///< Failure::reason; unique
  Voice voice = Voice::kLine;
  /// How it begins. What comes later in a line may be a stranger's words: a row without `start`
  /// is none of a line.
  std::string_view start;
  std::string_view content;  ///< anywhere after that; of a refusal in any case, small letters here
  std::string_view cause;    ///< in one of OpenSSL's lines right in front of this one
  Failure::Kind kind = Failure::Kind::kPassing;
  std::string_view error;
  std::string_view hint;
};

/// The first row that fits counts.
[[nodiscard]] std::span<const Reason> reasons() noexcept;

/// Follows the lines that one process prints. OpenSSL says what is wrong in lines of its own, and
/// OpenVPN in the next one what it was doing: only both together tell a damaged key of ours from
/// what a stranger sent.
class Explainer {
 public:
  /// nullopt: nothing that explains a failure.
  [[nodiscard]] std::optional<Failure> line(std::string_view line);
  /// From now on the private key has been decrypted by a passphrase. A wrong one gives what looks
  /// well padded, and is called damaged, about once in 256 times.
  void got_passphrase() noexcept { has_passphrase_ = true; }

 private:
  std::string causes_;  ///< OpenSSL's lines since the last one of OpenVPN
  bool has_passphrase_ = false;
};

/// What the detail of a state says ("ping-restart", "tls-error", …; management-notes.txt).
[[nodiscard]] Failure explain_state(std::string_view detail, const std::string& endpoint);

/// What it means that nothing follows the state WAIT or AUTH; nullopt: nothing that explains it.
/// `has_control_key`: the configuration has one (tls-auth, tls-crypt).
[[nodiscard]] std::optional<Failure> explain_silence(std::string_view state, bool has_control_key);

/// What a server's words for a refusal say; nullopt: no row knows them.
[[nodiscard]] std::optional<Failure> explain_refusal(std::string_view words);

/// Whether it is about the tunnel device, of which no server decides anything.
[[nodiscard]] bool is_of_device(const Failure& failure);

/// Whether it says that the passphrase of a private key or of a PKCS#12 file is wrong.
[[nodiscard]] bool is_wrong_passphrase(const Failure& failure);

/// The directive of the configuration that a line of OpenVPN is about ("--tls-auth and …", "in
/// [stdin]:7: foo (2.6.14)"); empty if it names none.
[[nodiscard]] std::string_view directive_in(std::string_view line);

}  // namespace vpnrun::service::openvpn
