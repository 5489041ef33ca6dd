// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/openvpn_client.h"

#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/completion.h"
#include "systemd/service/client/openvpn/login_link.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

/// What `auth-retry nointeract` makes of each pause, whatever came before: nobody asks for it.
constexpr std::chrono::seconds kRoutinePause{10};
/// How long a server keeps a log-in pending that does not say how long, and the longest that
/// counts.
constexpr std::chrono::seconds kLoginPatience{60};
constexpr std::chrono::seconds kLoginPatienceMax{600};

/// What may be logged of a line that OpenVPN prints; nullopt: nothing. It leaves passwords and
/// tokens out by itself, but repeats our other orders, among them the user name and the answer to
/// what the server asks, and the latter again when it is sent. A challenge and what a server pushes
/// for the next log-in have the user name, and stand at the end.
std::optional<std::string_view> without_secrets(std::string_view line) {
  if (line.find("MANAGEMENT: CMD '") != std::string_view::npos ||
      line.find("'CR_RESPONSE,") != std::string_view::npos) {
    return std::nullopt;
  }
  const auto secret = std::min(line.find(",CRV1:"), line.find(",auth-token-user "));
  return line.substr(0, secret);
}

}  // namespace

OpenvpnClient::OpenvpnClient(Timers& timers, CredentialFiles files, profile::OpenvpnConfig config,
                             openvpn::StartProcess start, std::shared_ptr<void> device,
                             TunnelEvents events)
    : timers_(timers),
      device_(std::move(device)),
      files_(std::move(files)),
      config_(std::move(config)),
      start_(std::move(start)),
      events_(std::move(events)) {}

OpenvpnClient::~OpenvpnClient() {
  stop_process();
}

// --- orders ---

std::vector<Endpoint> OpenvpnClient::choose(const std::vector<Endpoint>& endpoints) {
  is_part_ = endpoints.size() > kEndpointsMost;
  if (!is_part_) {
    return endpoints;
  }
  part_tried_ += std::max<std::size_t>(tries_.count(), 1);
  const auto is_there = [&endpoints](const Endpoint& one) {
    return std::find(endpoints.begin(), endpoints.end(), one) != endpoints.end();
  };
  const bool is_still_there = !endpoints_.empty() && endpoints_.size() <= kEndpointsMost &&
                              std::all_of(endpoints_.begin(), endpoints_.end(), is_there);
  const bool waits = process_ && holds_ && !is_spent_ && part_tried_ < endpoints_.size();
  if (is_still_there && (waits || login_.has_challenge())) {
    return endpoints_;
  }
  std::vector<Endpoint> part = endpoints;
  if (config_.remote_random) {
    std::shuffle(part.begin(), part.end(), std::mt19937(std::random_device()()));
  } else {
    part_first_ = part_first_ ? (*part_first_ + part_tried_) % part.size() : 0;
    std::rotate(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*part_first_), part.end());
  }
  part.resize(kEndpointsMost);
  part_tried_ = 0;
  return part;
}

std::optional<Endpoint> OpenvpnClient::connect(const std::vector<Endpoint>& endpoints) {
  if (endpoints.empty()) {
    throw Error("there is no server to connect to");
  }
  phase_ = Phase::kIdle;  // until the process runs
  observed_.reset();
  was_refused_ = false;
  pending_.reset();
  login_patience_ = {};
  tries_ = {};
  if (process_ && holds_ && !is_spent_ && endpoints_ == endpoints && !login_.is_used_up()) {
    endpoint_ = next_server();
    phase_ = Phase::kTrying;
    release_hold();
  } else {
    start_process(endpoints);
    endpoint_ = order_.front();
    phase_ = Phase::kTrying;
  }
  return endpoint_;
}

bool OpenvpnClient::drop() noexcept {
  if (phase_ == Phase::kTrying) {
    stop();  // nothing is connected yet
    return true;
  }
  if (std::exchange(phase_, Phase::kIdle) == Phase::kConnected) {
    question_.reset();
    process_->reconnect();
  }
  return true;
}

void OpenvpnClient::stop() noexcept {
  phase_ = Phase::kIdle;
  stop_process();
}

void OpenvpnClient::forget() noexcept {
  stop();
  login_.reset();
}

void OpenvpnClient::answer(const ControlRequest& request) {
  if (!process_ || question_ != request.question_id) {
    throw Error("this question is no longer asked");
  }
  if (std::exchange(asks_text_, false)) {
    process_->respond(request.response);
  } else {
    send(login_.answer(&request));
  }
  question_.reset();
}

// --- the process ---

void OpenvpnClient::start_process(const std::vector<Endpoint>& endpoints) {
  stop_process();
  order_ = order_of(endpoints);
  endpoints_ = endpoints;
  process_ = start_(config_, order_, process_events());
}

std::vector<Endpoint> OpenvpnClient::order_of(const std::vector<Endpoint>& endpoints) {
  if (login_.has_challenge() && endpoints_ == endpoints) {
    return order_;
  }
  if (is_part_) {
    return endpoints;
  }
  std::vector<Endpoint> order = endpoints;
  if (config_.remote_random) {
    std::shuffle(order.begin(), order.end(), std::mt19937(std::random_device()()));
  } else {
    // One that does not answer must not keep the others from being tried.
    const auto first = static_cast<std::ptrdiff_t>(rotation_++ % order.size());
    std::rotate(order.begin(), order.begin() + first, order.end());
  }
  return order;
}

/// It is not known which of them OpenVPN tries next, but for one that is passed over.
Endpoint OpenvpnClient::next_server() const {
  const auto now = std::ranges::find(order_, endpoint_.value_or(order_.front()));
  if (pass_over_ == PassOver::kNext && now != order_.end()) {
    return now + 1 == order_.end() ? order_.front() : *(now + 1);
  }
  return endpoints_.front();
}

void OpenvpnClient::release_hold() {
  holds_ = false;
  hold_released_ = true;
  tries_.release_hold(timers_.now());
  process_->release_hold();
}

/// Stops the process, and forgets what was known about it.
void OpenvpnClient::stop_process() noexcept {
  holds_ = false;
  is_spent_ = false;
  hold_released_ = false;
  questions_.clear();
  question_.reset();
  settings_.reset();
  asks_text_ = false;
  explainer_ = {};
  fatal_.clear();
  is_answered_ = false;
  silence_.reset();
  unheard_.reset();
  received_.reset();
  pass_over_ = PassOver::kNo;
  login_.client_gone();
  if (process_) {
    process_->stop();
    stopped_.push_back(std::move(process_));
    reap_ = timers_.after(std::chrono::milliseconds(0), [this] { stopped_.clear(); });
  }
}

// --- what ends an attempt, or a connection ---

/// The best explanation so far is reported while the attempt goes on: a client with an expired
/// certificate says so when it starts, and then the server just does not answer.
void OpenvpnClient::observe(const Failure& failure) {
  if (!failure.reason.empty()) {
    log::debug("openvpn reason: {}", failure.reason);
  }
  if (phase_ == Phase::kTrying && explains_more(failure, observed_)) {
    observed_ = failure;
    events_.noticed(failure);
  } else if (phase_ == Phase::kConnected && failure.kind == Failure::Kind::kOutside) {
    observed_ = failure;  // for the end that follows
  }
}

/// The connection, if there is one, is lost. The process is not ended: it goes back to its hold.
void OpenvpnClient::lose(const Failure& failure) {
  if (phase_ == Phase::kConnected) {
    phase_ = Phase::kIdle;
    question_.reset();  // without an event: the route has to go first
    events_.ended(failure);
  }
}

/// Ends what connect() began. Ends the process as well, unless it waits at its hold for the next
/// attempt and there will be one.
void OpenvpnClient::end(const Failure& failure) {
  if (phase_ == Phase::kIdle) {
    return;
  }
  phase_ = Phase::kIdle;
  question_.reset();
  is_spent_ = !holds_ || !is_passing(failure);
  // The event comes first: its receiver has a route to remove, and ending a process takes time.
  events_.ended(failure);
  if (is_spent_) {  // and the receiver neither stopped nor replaced it
    stop_process();
  }
}

/// The same, and the process is not used for another attempt.
void OpenvpnClient::end_with_process(const Failure& failure) {
  if (phase_ == Phase::kIdle) {
    stop_process();
    return;
  }
  holds_ = false;
  end(failure);
}

/// The attempt has failed because of `failure`, unless what was observed explains more.
void OpenvpnClient::fail(Failure failure) {
  if (!failure.reason.empty()) {
    log::debug("openvpn reason: {}", failure.reason);
  }
  if (observed_ && explains_more(*observed_, failure)) {
    failure = *observed_;
  }
  end(failure);
}

/// Returns false if the receiver of the event has stopped the client.
bool OpenvpnClient::close_question() {
  const Phase before = phase_;
  if (std::exchange(question_, std::nullopt)) {
    events_.asks(std::nullopt);
  }
  return phase_ == before;
}

// --- the events of the process ---

openvpn::ProcessEvents OpenvpnClient::process_events() {
  openvpn::ProcessEvents events;
  events.management.on_hold = [this](std::uint32_t wait) { on_hold(std::chrono::seconds(wait)); };
  events.management.on_bytes = [this](std::uint64_t received) { on_bytes(received); };
  events.management.on_state = [this](std::string_view name, std::string_view detail) {
    on_state(name, detail);
  };
  events.management.on_up = [this](const auto& environment) { on_up(environment); };
  events.management.on_down = [this] {
    lose(passing_failure("the VPN client took the tunnel down"));
  };
  events.management.on_need_password = [this](std::string_view realm, bool wants_user_name,
                                              const openvpn::Challenge& challenge) {
    on_need_password(realm, wants_user_name, challenge);
  };
  events.management.on_password_rejected = [this](std::string_view realm, std::string_view reason) {
    on_password_rejected(realm, reason);
  };
  events.management.on_auth_token = [this] { login_.got_token(); };
  events.management.on_fatal = [this](std::string_view text) {
    fatal_ = printable(text.substr(0, openvpn::kWordsMax));
  };
  events.management.on_info_message = [this](std::string_view message) {
    on_info_message(message);
  };
  events.on_refused = [this](std::string_view reason) { on_refused(reason); };
  events.on_output = [this](std::string_view line) { on_output(line); };
  events.on_lost = [this] { lose(passing_failure("the VPN client ended")); };
  events.on_exit = [this](int status) { on_exit(status); };
  return events;
}

void OpenvpnClient::on_hold(std::chrono::seconds wait) {
  holds_ = true;
  if (phase_ != Phase::kTrying) {
    return;
  }
  if (pass_over_ == PassOver::kUnderWay) {
    pass_over_ = PassOver::kNo;
    release_hold();
    return;
  }
  // Released, it would be back at the server that has just refused it, unless that says otherwise.
  const auto advance = login_.refusal().advance;
  const bool is_refused =
      std::exchange(was_refused_, false) && advance != openvpn::Refusal::Advance::kNext;
  if (!is_refused && tries_.may_go_on(timers_.now(), order_.size())) {
    release_hold();  // its first hold, or the next server of its list: the attempt goes on
    return;
  }
  Failure failure = observed_.value_or(passing_failure("no connection to " + endpoint_text()));
  if (wait != kRoutinePause) {
    failure.retry_after = std::max(failure.retry_after, wait);
  }
  // Another server may take the client in; but nobody is asked again for what was typed.
  const bool takes_next =
      is_refused && order_.size() > 1 && advance != openvpn::Refusal::Advance::kStay;
  if (takes_next && !login_.was_typed()) {
    end_with_process(failure);
    return;
  }
  pass_over_ = takes_next ? PassOver::kNext : PassOver::kNo;
  end(failure);
}

/// OpenVPN stays with a server that has refused it, and goes on to the next one from a server that
/// it loses: it is made to lose it before anything is said. Its management could ask for each
/// server (management-query-remote), but that takes a second each time.
bool OpenvpnClient::passes_over(std::string_view state) {
  if (pass_over_ == PassOver::kNext && (state == "WAIT" || state == "TCP_CONNECT") &&
      phase_ == Phase::kTrying) {
    pass_over_ = PassOver::kUnderWay;
    process_->reconnect();
  }
  return pass_over_ == PassOver::kUnderWay;
}

void OpenvpnClient::on_up(const std::map<std::string, std::string>& environment) {
  settings_.reset();
  try {
    settings_ = openvpn::settings_from_environment(environment, endpoints_);
  } catch (const Error& error) {
    log::debug("OpenVPN reports no tunnel: {}", error.what());  // on_connected() reports it
  }
}

void OpenvpnClient::on_state(std::string_view name, std::string_view detail) {
  log::debug("openvpn state: {} {}", printable(name), printable(detail));
  if (passes_over(name)) {
    return;
  }
  watch_silence(name);
  if (name == "CONNECTED") {
    on_connected();
    return;
  }
  is_answered_ = is_answered_ || name == "AUTH" || name == "GET_CONFIG";
  if (name == "AUTH_PENDING") {
    on_auth_pending(detail);
    return;
  }
  if (name != "RECONNECTING" && name != "EXITING") {
    return;
  }
  if (detail.starts_with("auth-failure") || detail.starts_with("auth-temp-failure")) {
    on_auth_failure();
    return;
  }
  const Failure failure = openvpn::explain_state(detail, endpoint_text());
  if (phase_ == Phase::kConnected) {
    observe(failure);
    // What the server said as it sent the client away explains more.
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): who is told may change it
    const Failure reason = observed_.value_or(failure);
    lose(reason);
    return;
  }
  observe(failure);
  if (observed_ && !is_passing(*observed_)) {
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the event may change it
    const Failure failure_so_far = *observed_;
    end(failure_so_far);
  }
}

void OpenvpnClient::watch_silence(std::string_view state) {
  silence_.reset();
  const bool has_control_key = config_.lines.contains("tls-auth") ||
                               config_.lines.contains("tls-crypt") ||
                               config_.lines.contains("tls-crypt-v2");
  const auto silence = openvpn::explain_silence(state, has_control_key);
  if (silence && phase_ == Phase::kTrying) {
    silence_ = timers_.after(openvpn::kSilenceOf, [this, silence] {
      silence_.reset();
      observe(*silence);
    });
  }
}

void OpenvpnClient::on_bytes(std::uint64_t received) {
  if (received_ != received && phase_ == Phase::kConnected) {
    watch_server();
  }
  received_ = received;
}

/// Whatever the server makes OpenVPN believe about silence.
void OpenvpnClient::watch_server() {
  if (!config_.lines.contains("client") && !config_.lines.contains("pull")) {
    return;  // nothing says that the other end ever speaks by itself
  }
  unheard_ = timers_.after(std::chrono::seconds(openvpn::kSilenceEnd), [this] {
    unheard_.reset();
    if (phase_ == Phase::kConnected) {
      process_->reconnect();
      lose(openvpn::explain_state("ping-restart", endpoint_text()));
    }
  });
}

void OpenvpnClient::on_connected() {
  if (phase_ != Phase::kTrying) {
    return;  // from an attempt that is over: its end has been reported
  }
  login_.connected();
  observed_.reset();
  if (!settings_) {
    end(passing_failure("the server assigned no address"));
    return;
  }
  if (!close_question()) {
    return;
  }
  phase_ = Phase::kConnected;
  if (settings_->endpoint) {
    endpoint_ = settings_->endpoint;
  }
  const TunnelSettings settings = *settings_;  // a stop() in the event resets the member
  watch_server();
  events_.connected(settings);
  if (phase_ == Phase::kConnected) {  // and the receiver accepted what the server assigned
    rotation_ = 0;
    part_first_.reset();
    part_tried_ = 0;
  }
}

/// The process goes to its hold, with the user name and the password that it has.
void OpenvpnClient::on_auth_failure() {
  const auto verdict = login_.verdict();
  const bool was_connected = phase_ == Phase::kConnected;
  if (verdict == Login::Verdict::kGoOn) {
    lose(passing_failure("the server no longer accepts its own token"));
    return;
  }
  Failure failure = login_.failure();
  if (verdict == Login::Verdict::kAskAgain) {
    failure = {Failure::Kind::kChallenge, "the server asks for another one-time password", ""};
  }
  if (was_connected && (verdict == Login::Verdict::kAskAgain || !is_passing(failure))) {
    // It took what it had before: the next attempt will show. And a server that lets the client in
    // and throws it out does not get another attempt at once that way.
    failure.kind = Failure::Kind::kPassing;
  }
  if (verdict == Login::Verdict::kAskAgain) {
    end_with_process(failure);
  } else if (was_connected) {
    lose(failure);
  } else if (verdict == Login::Verdict::kLater) {
    was_refused_ = true;
    observe(failure);
  } else {
    fail(std::move(failure));
  }
}

void OpenvpnClient::on_password_rejected(std::string_view realm, std::string_view reason) {
  login_.rejected(realm, reason);
  if (realm != "Auth") {
    // Ended at once: OpenVPN will go on to report that it cannot load the key, which explains less.
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the event may change it
    const Failure refused = login_.failure();
    observe(refused);
    end(refused);
  }
}

/// Each question costs a line in the log and a new state file, and comes from a process that its
/// server may have taken over.
bool OpenvpnClient::asks_too_often() {
  const auto now = timers_.now();
  while (!questions_.empty() && now - questions_.front() >= kQuestionTime) {
    questions_.pop_front();
  }
  questions_.push_back(now);
  return questions_.size() > kQuestionsMax;
}

/// What is waited for is told as often as the server says it. If so, the process is ended.
bool OpenvpnClient::wants_logins_without_end() {
  if (!asks_too_often()) {
    return false;
  }
  end_with_process(passing_failure("the server asks for a log-in without end"));
  return true;
}

void OpenvpnClient::send(const ClientAnswer& answer) {
  if (answer.realm == kPrivateKey) {
    explainer_.got_passphrase();
  }
  process_->answer(answer.realm, answer.user_name, answer.password);
}

void OpenvpnClient::on_need_password(std::string_view realm, bool wants_user_name,
                                     const openvpn::Challenge& challenge) {
  if (phase_ == Phase::kIdle) {
    return;  // the process waits for an answer until the next attempt ends it
  }
  if (asks_too_often()) {
    end_with_process(passing_failure("the VPN client asks for credentials without end"));
    return;
  }
  std::optional<CredentialQuestion> question;
  try {
    question = login_.need(files_, realm, wants_user_name, challenge);
    if (!question) {
      send(login_.answer(nullptr));
      return;
    }
  } catch (const Error& error) {
    end({Failure::Kind::kSetup, error.what(), error.hint()});
    return;
  }
  question_ = question->id;
  events_.asks(question);
}

void OpenvpnClient::on_auth_pending(std::string_view detail) {
  constexpr std::string_view kTimeout = "timeout ";
  if (phase_ == Phase::kIdle || wants_logins_without_end()) {
    return;
  }
  login_patience_ = kLoginPatience;
  if (detail.starts_with(kTimeout)) {
    detail.remove_prefix(kTimeout.size());
    std::uint32_t seconds = 0;
    (void)std::from_chars(detail.data(), detail.data() + detail.size(), seconds);
    login_patience_ = std::min(std::chrono::seconds(seconds), kLoginPatienceMax);
  }
  wait_for_login(pending_.value_or(BrowserLogin{"", "a confirmation that is made elsewhere", {}}));
}

void OpenvpnClient::wait_for_login(BrowserLogin login) {
  login.patience = std::max(login_patience_, kLoginPatience);
  events_.waits_for_login(login);
}

/// What is to be confirmed, and how: the server says it before or after that it waits.
void OpenvpnClient::on_info_message(std::string_view message) {
  const auto login = openvpn::pending_login(message);
  if (!login || phase_ == Phase::kIdle || wants_logins_without_end()) {
    return;
  }
  if (login->wants_response) {
    question_ = Login::next_question_id();
    asks_text_ = true;
    CredentialQuestion question;
    question.id = *question_;
    question.text = formatted("answer for '{}'", files_.profile_name);
    question.wants_password = false;
    question.wants_response = true;
    question.challenge = login->text;
    question.echo = login->echo;
    events_.asks(question);
    return;
  }
  pending_ = BrowserLogin{login->url, "a confirmation: " + login->text, {}};
  if (login->is_link) {
    pending_->what = login->url.empty() ? "a log-in in a browser, by a link that is no usual one"
                                        : "a log-in in a browser";
  }
  wait_for_login(*pending_);
}

void OpenvpnClient::on_refused(std::string_view reason) {
  Failure failure = passing_failure(std::string(reason));
  if (phase_ == Phase::kTrying) {
    observed_ = std::move(failure);  // its exit follows
  } else {
    lose(failure);
  }
}

void OpenvpnClient::on_output(std::string_view line) {
  if (const auto shown = without_secrets(line)) {
    log::debug("openvpn: {}", printable(*shown));
  }
  if (hold_released_ && line.starts_with("Options error:")) {
    return;  // ours have all been read: this is about an option that the server pushes
  }
  if (auto failure = explainer_.line(line)) {
    if (is_answered_ && failure->kind == Failure::Kind::kSetup &&
        !openvpn::is_of_device(*failure)) {
      failure->kind = Failure::Kind::kOutside;  // of a cipher, a digest that the server chose
    }
    locate(*failure, line);
    observe(*failure);
    if (openvpn::is_wrong_passphrase(*failure) && phase_ != Phase::kIdle) {
      // Which OpenVPN does not say of a PKCS#12 file, nor of a key that decrypts to something.
      on_password_rejected(kPrivateKey, "");
    }
  }
}

/// Names the file and its line, if OpenVPN does not take one: it has got them in other places.
void OpenvpnClient::locate(Failure& failure, std::string_view line) const {
  if (failure.kind != Failure::Kind::kSetup) {
    return;
  }
  const auto found = config_.lines.find(std::string(openvpn::directive_in(line)));
  if (found != config_.lines.end()) {
    failure.error =
        formatted("{}:{}: {}", printable(files_.place.configuration), found->second, failure.error);
  }
}

void OpenvpnClient::on_exit(int status) {
  if (phase_ == Phase::kTrying) {
    const std::string words = fatal_.empty() ? "" : ": " + fatal_;
    end_with_process(observed_.value_or(
        passing_failure("the VPN client ended before it was connected" + words)));
    return;
  }
  end_with_process(passing_failure(
      WIFSIGNALED(status) ? formatted("the VPN client was killed by signal {}", WTERMSIG(status))
                          : "the VPN client ended"));
}

std::string OpenvpnClient::endpoint_text() const {
  return endpoint_ ? endpoint_->str() : "the server";
}

}  // namespace vpnrun::service
