// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "profiles/base/secret.h"
#include "profiles/openvpn_config.h"
#include "profiles/own_files.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/client/failure.h"
#include "systemd/service/client/openvpn/challenge.h"
#include "systemd/service/client/openvpn/refusal.h"

namespace vpnrun::service {

/// Where to find credentials that nobody has to type, in this order: the file of the profile, the
/// file of the configuration, `vpnrun.auth` in $CREDENTIALS_DIRECTORY (systemd.exec(5)).
struct CredentialFiles {
  std::string profile_name;
  std::string profile_file;           ///< absolute; empty: none
  std::string configuration_file;     ///< as `auth-user-pass` names it; empty: none
  profile::ConfigurationPlace place;  ///< of the configuration
  std::size_t line = 0;               ///< in the configuration, where the file is named
};

[[nodiscard]] CredentialFiles credential_files(const profile::Profile& profile,
                                               const profile::OpenvpnConfig& configuration);

/// User name and password from the first of `files` that is named; nullopt: none is. Throws Error
/// if it cannot be used. The file of the configuration, whose author is not trusted, is checked
/// again each time (profile::OwnFiles).
[[nodiscard]] std::optional<profile::Credentials> stored_login(const CredentialFiles& files);
/// Those of `files.configuration_file`. Throws Error, which does not say where that is named.
[[nodiscard]] profile::Credentials named_login(const CredentialFiles& files);
/// The passphrase of the private key: `vpnrun.passphrase` in $CREDENTIALS_DIRECTORY. nullopt: there
/// is none. Throws Error if it cannot be used.
[[nodiscard]] std::optional<Secret> stored_passphrase();

/// The realm of what decrypts the private key, as OpenVPN calls it.
inline constexpr std::string_view kPrivateKey = "Private Key";

/// What goes to the VPN client.
struct ClientAnswer {
  std::string realm;
  Secret user_name;  ///< empty: none is sent
  Secret password;
};

/// How the client of one session gets what the server wants to know: from files, from a person, or
/// in part from each. Keeps the server's last challenge, and never an answer: only a number that
/// tells whether the next one is the same.
class Login {
 public:
  /// How many one-time passwords may be refused in a row, or challenges follow each other; and how
  /// many challenges may pass without anybody having typed anything, whatever the client asked for.
  static constexpr unsigned kRoundsMax = 5;
  /// Refusals in a row of what the same server took before, that count as the server's own trouble:
  /// it may still count the connection that was lost. With the pauses of Attempts they are some six
  /// minutes, longer than a server usually remembers a client that is gone.
  static constexpr unsigned kRefusalsAfterSuccess = 15;

  /// What a refusal means.
  enum class Verdict : std::uint8_t {
    kNone,      ///< nothing was refused since the last call of verdict()
    kRefused,   ///< user name or password, or too many one-time passwords: failure() says it
    kLater,     ///< for the server's own reasons, or what it took before: failure() says it
    kAskAgain,  ///< the server wants (another) one-time password: start a client that asks
    kGoOn,      ///< a token has expired: the client goes back to the password by itself
  };

  /// Numbers of questions are never used again.
  [[nodiscard]] static std::uint64_t next_question_id() noexcept;

  /// The client asks (ManagementEvents::on_need_password). Returns the question for a person;
  /// nullopt: none is needed, answer() has everything. Throws Error if a file that is named cannot
  /// be used.
  [[nodiscard]] std::optional<CredentialQuestion> need(const CredentialFiles& files,
                                                       std::string_view realm, bool wants_user_name,
                                                       const openvpn::Challenge& challenge);
  /// The answer to what need() was last called with. `typed` is the person's part, null if there
  /// was no question. Throws Error, and may be called again, if it cannot be used.
  [[nodiscard]] ClientAnswer answer(const ControlRequest* typed);

  /// The server refused what was sent (ManagementEvents::on_password_rejected).
  void rejected(std::string_view realm, std::string_view reason);
  /// What the refusal means; to be called once the client says that it ends or starts over.
  [[nodiscard]] Verdict verdict() noexcept;
  /// Its kind is kAnswer, or kCredentials if the refused answer came from files alone: then nobody
  /// can type a better one.
  [[nodiscard]] Failure failure() const;
  /// The server's words for the last refusal.
  [[nodiscard]] const openvpn::Refusal& refusal() const noexcept { return refusal_; }

  void got_token() noexcept { has_token_ = true; }
  void connected() noexcept;
  /// The client is gone, and its token with it.
  void client_gone() noexcept;
  /// Starts over: a person is no longer to be asked about this.
  void reset() noexcept;

  /// Whether the client must not be used for another connection: it would send a one-time password
  /// again.
  [[nodiscard]] bool is_used_up() const noexcept { return one_time_ && !has_token_; }
  /// Whether a new client would have to ask a person for what this one has.
  [[nodiscard]] bool was_typed() const noexcept { return has_typed_; }
  /// Whether the next client is to try the same server first: it alone may know its challenge.
  [[nodiscard]] bool has_challenge() const noexcept { return pending_.has_value(); }

 private:
  void rejected_response(std::optional<openvpn::Challenge> challenge);
  [[nodiscard]] CredentialQuestion question(const std::string& profile_name, bool wants_user_name);

  std::string realm_;
  openvpn::Challenge challenge_;               ///< of the open question
  std::optional<openvpn::Challenge> pending_;  ///< from the server, for the next question
  CredentialFiles files_;
  bool wants_login_ = false;  ///< a person has to type user name and password
  bool wants_user_name_ = false;
  Failure failure_ = openvpn::failure_of({}, true);
  openvpn::Refusal refusal_;
  Verdict verdict_ = Verdict::kNone;
  unsigned rounds_ = 0;
  unsigned unasked_ = 0;  ///< how often kAskAgain since a person last typed anything
  bool response_refused_ = false;
  bool one_time_ = false;  ///< the last answer had a response in it
  bool has_token_ = false;
  bool was_stored_ = false;
  bool has_typed_ = false;            ///< a person, since this client began
  std::optional<std::size_t> sent_;   ///< stands for the user name and password that the client has
  std::optional<std::size_t> taken_;  ///< the same, of the last ones that a server took
  unsigned refusals_ = 0;             ///< of those, since then
};

}  // namespace vpnrun::service
