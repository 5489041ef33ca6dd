// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/login.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <random>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/secret.h"
#include "profiles/profile_store.h"
#include "systemd/service/client/openvpn/reasons.h"

namespace vpnrun::service {
namespace {

using openvpn::Challenge;

constexpr const char* kAuth = "Auth";
/// How many bytes of a challenge are shown: a server writes it.
constexpr std::size_t kTextMax = 200;

Secret read_secret(const std::string& path) {
  return Secret::take(profile::read_trusted_file(path, profile::Trust::kSecret));
}

/// The content of a systemd credential; nullopt: the unit was given none of this name.
std::optional<Secret> systemd_credential(const char* name, std::string& path) {
  const char* folder = ::secure_getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder != '/') {
    return std::nullopt;
  }
  path = formatted("{}/{}", folder, name);
  try {
    return read_secret(path);
  } catch (const Error& error) {
    if (error.code().value() == ENOENT) {
      return std::nullopt;
    }
    throw;
  }
}

profile::Credentials login_of_configuration(const CredentialFiles& files) {
  try {
    return named_login(files);
  } catch (const Error& error) {
    throw error.with_context(formatted("{}:{}", printable(files.place.configuration), files.line));
  }
}

/// Two answers of the same number are the same; another process makes others of them.
std::size_t number_for(const ClientAnswer& answer) {
  static const std::size_t salt = std::random_device()();
  const std::hash<std::string_view> hash;
  return (hash(answer.user_name.view()) * 31 + hash(answer.password.view())) ^ salt;
}

std::string shown(std::string_view text) {
  std::size_t end = std::min(text.size(), kTextMax);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;  // not within a character
  }
  return printable(text.substr(0, end));
}

}  // namespace

CredentialFiles credential_files(const profile::Profile& profile,
                                 const profile::OpenvpnConfig& configuration) {
  return {profile.name, profile.tunnel.credentials, configuration.user_pass_file,
          profile::place_of(profile), configuration.user_pass_line};
}

profile::Credentials named_login(const CredentialFiles& files) {
  const std::string& name = files.configuration_file;
  try {
    profile::OwnFiles own(files.place);
    const Secret text = Secret::take(own.read("auth-user-pass", name));
    return profile::parse_login_file(text.view(), name);
  } catch (const Error& error) {
    throw error.with_context(formatted("'auth-user-pass' file '{}'", printable(name)));
  }
}

std::optional<profile::Credentials> stored_login(const CredentialFiles& files) {
  if (files.profile_file.empty() && !files.configuration_file.empty()) {
    return login_of_configuration(files);
  }
  std::string path = files.profile_file;
  const std::optional<Secret> content =
      path.empty() ? systemd_credential("vpnrun.auth", path) : read_secret(path);
  if (!content) {
    return std::nullopt;
  }
  return profile::parse_credentials(content->view(), path);
}

std::optional<Secret> stored_passphrase() {
  std::string path;
  const std::optional<Secret> content = systemd_credential("vpnrun.passphrase", path);
  if (!content) {
    return std::nullopt;
  }
  const std::string_view text = content->view();
  const std::size_t end = text.find_first_of("\r\n");  // all of it if there is none
  if (end == 0 || text.empty()) {
    throw Error(formatted("{}: the passphrase is missing", printable(path)));
  }
  return Secret(text.substr(0, end));
}

std::optional<CredentialQuestion> Login::need(const CredentialFiles& files, std::string_view realm,
                                              bool wants_user_name, const Challenge& challenge) {
  realm_ = realm;
  files_ = files;
  wants_user_name_ = wants_user_name;
  challenge_ = {};
  if (realm == kPrivateKey) {
    wants_login_ = !stored_passphrase();
    if (!wants_login_) {
      return std::nullopt;
    }
    return question(files.profile_name, wants_user_name);
  }
  if (realm != kAuth) {
    wants_login_ = true;
    return question(files.profile_name, wants_user_name);
  }
  challenge_ = pending_ ? *std::exchange(pending_, std::nullopt) : challenge;
  if (challenge_.kind == Challenge::Kind::kDynamic) {
    wants_login_ = false;  // the server has them already
  } else {
    wants_login_ = !stored_login(files);
  }
  const bool wants_response =
      challenge_.kind != Challenge::Kind::kNone && challenge_.wants_response;
  if (!wants_login_ && !wants_response) {
    return std::nullopt;
  }
  return question(files.profile_name, wants_user_name);
}

std::uint64_t Login::next_question_id() noexcept {
  static std::uint64_t next_id = 1;
  return next_id++;
}

CredentialQuestion Login::question(const std::string& profile_name, bool wants_user_name) {
  CredentialQuestion question;
  question.id = next_question_id();
  question.wants_user_name = wants_login_ && wants_user_name;
  question.wants_password = wants_login_;
  question.wants_response = challenge_.kind != Challenge::Kind::kNone && challenge_.wants_response;
  const char* what = question.wants_user_name ? "user name and password" : "password";
  if (realm_ == kPrivateKey) {
    what = "passphrase of the private key";
  } else if (question.wants_response) {
    what = wants_login_ ? "user name, password and one-time password" : "one-time password";
  }
  question.text = realm_ == kAuth || realm_ == kPrivateKey
                      ? formatted("{} for '{}'", what, profile_name)
                      : formatted("{} of '{}' for '{}'", what, shown(realm_), profile_name);
  if (question.wants_response) {
    question.challenge = shown(challenge_.text);
    question.echo = challenge_.echo;
    if (std::exchange(response_refused_, false)) {
      question.text += "; the last one was refused";
    }
  }
  return question;
}

ClientAnswer Login::answer(const ControlRequest* typed) {
  ClientAnswer answer;
  answer.realm = realm_;
  const std::string_view response = typed != nullptr ? typed->response.view() : std::string_view();
  if (wants_login_) {
    if (typed == nullptr || (wants_user_name_ && typed->user_name.empty())) {
      throw Error("there is no user name in the answer");
    }
    answer.user_name = wants_user_name_ ? Secret(typed->user_name.view()) : Secret();
    answer.password = openvpn::password_for(challenge_, typed->password.view(), response);
  } else if (realm_ == kPrivateKey) {
    answer.password = stored_passphrase().value_or(Secret());
  } else if (challenge_.kind == Challenge::Kind::kDynamic) {
    answer.user_name = Secret(challenge_.user_name);
    answer.password = openvpn::password_for(challenge_, {}, response);
  } else {
    auto stored = stored_login(files_).value_or(profile::Credentials());
    answer.user_name = std::move(stored.user_name);
    answer.password = openvpn::password_for(challenge_, stored.password.view(), response);
  }
  one_time_ = challenge_.kind != Challenge::Kind::kNone;
  was_stored_ = typed == nullptr;
  if (realm_ == kAuth) {
    sent_ = number_for(answer);
  }
  if (one_time_) {
    ++rounds_;
  }
  if (typed != nullptr) {
    unasked_ = 0;
    has_typed_ = true;
  }
  return answer;
}

void Login::rejected(std::string_view realm, std::string_view reason) {
  if (realm == kPrivateKey) {
    failure_ = {Failure::Kind::kCredentials, "the passphrase of the private key is wrong",
                "the passphrase is typed, or comes from the credential 'vpnrun.passphrase'"};
    failure_.reason = openvpn::kKeyPassphrase;
    verdict_ = Verdict::kRefused;
    return;
  }
  refusal_ = openvpn::read_refusal(realm == kAuth ? reason : std::string_view());
  failure_ = openvpn::failure_of(refusal_, sent_.has_value() || realm != kAuth);
  verdict_ = is_passing(failure_) ? Verdict::kLater : Verdict::kRefused;
  if (realm != kAuth || refusal_.is_temporary) {
    return;  // what was sent is still good, the token as well
  }
  if (std::exchange(has_token_, false)) {
    // OpenVPN takes any refusal for one of its token, and goes back to the password that it had
    // before.
    verdict_ = one_time_ ? Verdict::kAskAgain : Verdict::kGoOn;
    return;
  }
  std::optional<Challenge> challenge = openvpn::dynamic_challenge(reason);
  if (challenge || one_time_) {
    rejected_response(std::move(challenge));
  } else if (verdict_ == Verdict::kRefused && sent_ == taken_ &&
             refusals_ < kRefusalsAfterSuccess) {
    ++refusals_;
    failure_.kind = Failure::Kind::kOutside;
    failure_.hint = "it took the same before: it is tried again";
    verdict_ = Verdict::kLater;
  }
  if (verdict_ == Verdict::kRefused) {  // the next attempt that is ordered starts over
    unasked_ = 0;
    pending_.reset();
  }
}

/// Of a one-time password, or of the answer to a challenge.
void Login::rejected_response(std::optional<Challenge> challenge) {
  if (rounds_ < kRoundsMax && unasked_ < kRoundsMax) {
    ++unasked_;
    response_refused_ = !challenge;
    pending_ = std::move(challenge);
    verdict_ = Verdict::kAskAgain;
    return;
  }
  verdict_ = Verdict::kRefused;
  failure_ = openvpn::failure_of({}, true);
  if (rounds_ >= kRoundsMax) {
    failure_.error = formatted("the server refused {} one-time passwords in a row", rounds_);
    failure_.hint = formatted("'vpnrunctl up {}' asks again", files_.profile_name);
    rounds_ = 0;
  }
}

void Login::connected() noexcept {
  rounds_ = unasked_ = refusals_ = 0;
  taken_ = sent_;
}

Failure Login::failure() const {
  Failure failure = failure_;
  if (!is_passing(failure)) {
    failure.kind = was_stored_ ? Failure::Kind::kCredentials : Failure::Kind::kAnswer;
  }
  return failure;
}

Login::Verdict Login::verdict() noexcept {
  return std::exchange(verdict_, Verdict::kNone);
}

void Login::client_gone() noexcept {
  one_time_ = false;
  has_token_ = false;
  has_typed_ = false;
  sent_.reset();
}

void Login::reset() noexcept {
  client_gone();
  pending_.reset();
  verdict_ = Verdict::kNone;
  response_refused_ = false;
  rounds_ = 0;
  unasked_ = 0;
}

}  // namespace vpnrun::service
