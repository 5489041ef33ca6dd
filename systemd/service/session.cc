// SPDX-License-Identifier: GPL-2.0-or-later
//
// Theory of operation
//
// The namespace is closed before this code runs and stays closed when it dies: nothing here is
// needed to keep packets from leaving. What this code does is to give a closed namespace a tunnel.
//
//   1. begin      the names of the configuration's servers are looked up, outside (Endpoints).
//   2. connect    the link and the namespace are opened for exactly the endpoints found; the client
//                 is told to connect. Must not open anything else, leave an old endpoint open, or
//                 give the client a name to look up.
//   3. connected  the server's settings are applied: address, MTU, resolvers, and last the default
//                 route. Should be the only place that leads to State::kUp.
//   4. ended      at the first sign that the connection is lost, the default route is removed,
//                 before anything that takes time. Then back to 1, with back-off.
//
// Attempts decides which state the tunnel is in, and when 1 comes next; enter() is the only way
// from one state to another, so that route, hooks and mark are never forgotten. `down` is an end
// after which no new attempt follows: sealed, offline, endpoints closed.
#include "systemd/service/session.h"

#include <algorithm>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/inbound.h"
#include "systemd/service/os/log.h"
#include "systemd/service/settings_check.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kAttemptLimit{20};
/// For an attempt that will fail according to the client itself: the server may yet accept it.
constexpr seconds kRefusalLimit{4};
/// A pause of this length would make a person wonder, so it is explained.
constexpr seconds kLongPause{5};

}  // namespace

Session::Session(Surroundings surroundings)
    : around_(std::move(surroundings)), configuration_(around_.load()), lookup_(around_.names) {
  tell_configuration();
  build();
}

Session::~Session() {
  if (parts_.client) {
    parts_.inside->take_down();  // first: stop() waits for the end of the client
    parts_.client->stop();
  }
  around_.hooks.down();
}

PartEvents Session::events() {
  PartEvents events;
  events.client.connected = [this](const TunnelSettings& settings) {
    if (at_work_) {
      connected(settings);
    }
  };
  events.client.ended = [this](const Failure& failure) {
    if (at_work_) {  // else the loss of the device has been handled already
      ended(failure);
    }
  };
  events.client.noticed = [this](const Failure& failure) { noticed(failure); };
  events.client.asks = [this](const auto& question) {
    if (at_work_) {  // else the next attempt may end the process that asks or has asked
      asks(question);
    }
  };
  events.client.waits_for_login = [this](const BrowserLogin& login) {
    if (at_work_) {
      sent_to_browser(login);
    }
  };
  events.link.maybe_online = [this] { retry_soon(); };
  events.link.blocked = [this](const Failure& failure) { blocked(failure); };
  events.link.unblocked = [this] {
    if (is_trying()) {  // rather than wait until the client sends again
      parts_.client->stop();
      at_work_ = false;
      begin();
    }
  };
  events.device_lost = [this] {
    if (attempts_.state() == State::kUp) {
      // The client is not stopped: it may be about to wait at its hold, with what somebody typed.
      ended(passing_failure("the VPN client let go of the tunnel device"));
    }
  };
  return events;
}

/// What the client does not get to hear of its configuration is said once, when that is read.
void Session::tell_configuration() {
  around_.board.edit().left_out = configuration_.left_out;
  std::vector<LeftOut> told;
  std::vector<LeftOut> missed;
  for (const LeftOut& entry : configuration_.left_out) {
    (entry.severity == Severity::kWarning ? missed : told).push_back(entry);
  }
  const std::string& path = profile().tunnel.config;
  if (!told.empty()) {
    log::info("{}: left out: {}", printable(path), describe(told, "'"));
  }
  if (!missed.empty()) {
    log::warn("{}: left out: {}", printable(path), describe(missed, "'"));
  }
}

/// The former configuration's parts are destroyed first: the new ones have the same names.
void Session::build() {
  parts_.client.reset();
  parts_.link.reset();
  parts_.inside.reset();
  parts_ = around_.build(configuration_, events());
  around_.board.edit().tunnel_type = parts_.type;
  around_.board.edit().device = parts_.device;
  around_.board.edit().exceptions = exceptions_of(configuration_.profile);
  inbound_ = configuration_.profile.ports.inbound;
  tell_inbound();
}

void Session::rebuild() {
  try {
    build();
  } catch (const std::exception&) {
    fail_with(std::current_exception());
  }
}

/// Is `failed` from now on, until the next order, and throws the reason.
void Session::fail_with(std::exception_ptr reason) {
  try {
    std::rethrow_exception(std::move(reason));
  } catch (const std::exception& error) {
    const Failure failure = passing_failure(error);
    around_.board.explain(failure.error, failure.hint);
    plan(attempts_.unusable());
    throw;
  }
}

/// What is on its way or up goes on with what it has; what is at rest has nothing to go on with.
Configuration Session::load_again() {
  try {
    return around_.load();
  } catch (const std::exception&) {
    if (attempts_.state() == State::kDown || attempts_.state() == State::kFailed) {
      fail_with(std::current_exception());
    }
    throw;
  }
}

// --- orders ---

void Session::up() {
  if (!parts_.client) {
    rebuild();  // restart() could not; the reason may be gone
  }
  if (attempts_.state() == State::kDown || attempts_.state() == State::kFailed) {
    around_.board.edit().attempt = 0;
  }
  if (const auto next = attempts_.up(around_.timers.now())) {
    plan(*next);
  }
}

void Session::down() {
  limit_.reset();
  lookup_.cancel();
  at_work_ = false;
  if (parts_.client) {
    parts_.inside->take_down();
    parts_.client->forget();
  }
  around_.board.explain("", "");
  around_.board.edit().question.reset();
  plan(attempts_.down());
  if (parts_.client) {
    parts_.inside->open(std::nullopt, {});
    parts_.link->open({});
  }
}

void Session::restart() {
  Configuration fresh = load_again();
  down();
  configuration_ = std::move(fresh);
  tell_configuration();
  rebuild();
  up();
}

bool Session::is_outdated() const {
  return attempts_.state() != State::kUp && around_.is_outdated &&
         around_.is_outdated(configuration_);
}

void Session::answer(const ControlRequest& request) {
  auto& status = around_.board.edit();
  if (!status.question || status.question->id != request.question_id) {
    throw Error("this question is no longer asked");
  }
  parts_.client->answer(request);
  asks(std::nullopt);
}

void Session::change_inbound(const std::vector<profile::Port>& add,
                             const std::vector<profile::Port>& remove) {
  if (!parts_.inside || parts_.device.empty()) {
    throw Error("there is no tunnel from which a port could be open");
  }
  auto ports = with_changes(inbound_, add, remove);
  if (ports == inbound_) {
    return;
  }
  parts_.inside->set_inbound(ports);
  inbound_ = std::move(ports);
  log::info("'{}': ports open from the tunnel: {}", profile().name, text_of(inbound_));
  tell_inbound();
  around_.board.publish();
}

void Session::tell_inbound() {
  auto& told = around_.board.edit().inbound;
  told.clear();
  for (const auto& port : inbound_) {
    told.push_back(port.str());
  }
}

void Session::resumed(seconds asleep) {
  attempts_.forget();
  if (attempts_.state() != State::kUp) {
    retry_soon();
  } else if (parts_.client->drop()) {
    ended(passing_failure(
        formatted("the machine was asleep for {} s; connecting anew", asleep.count())));
  }
}

void Session::clock_set() {
  if (attempts_.state() != State::kUp) {
    retry_soon();
  }
}

void Session::retry_soon() {
  if (const auto next = attempts_.retry_soon(around_.timers.now())) {
    plan(*next);
  }
}

// --- from one state to another ---

void Session::plan(const Attempts::Next& next) {
  retry_.reset();
  enter(next.state);
  if (next.retry && *next.retry == milliseconds(0)) {
    begin();
  } else if (next.retry) {
    // This replaces an attempt that is already planned.
    retry_ = around_.timers.after(*next.retry, [this] { begin(); });
  }
}

/// The only way from one state to another.
void Session::enter(State state) {
  const bool was_up = around_.board.status().state == State::kUp;
  if (was_up && state != State::kUp) {
    parts_.inside->take_down();
  }
  around_.board.enter(state);
  if (!was_up && state == State::kUp) {
    around_.hooks.up(configuration_.profile.hooks,
                     hook_environment(around_.board.status(), parts_.link->addresses()));
  } else if (was_up && state != State::kUp) {
    around_.hooks.down();
  }
}

// --- the phases of an attempt ---

void Session::begin() {
  retry_.reset();
  limit_.reset();
  diagnosis_ = {};
  attempts_.begin(around_.timers.now());
  ++around_.board.edit().attempt;
  around_.board.publish();
  const auto servers = parts_.client->servers();
  if (servers.empty()) {
    connect({});
    return;
  }
  try {
    lookup_.find(servers, *parts_.link, [this](const Endpoints::Found& what) { found(what); });
  } catch (const std::exception& error) {
    ended(own_failure(error));  // for example, no process or descriptor is left
  }
}

void Session::found(const Endpoints::Found& found) {
  around_.board.edit().endpoint_name = parts_.client->servers().front().host;
  diagnosis_.behind(found.portal);
  if (found.endpoints.empty()) {
    ended(found.failure.value_or(Failure{}));
    return;
  }
  if (found.failure) {
    log::info("'{}': {}; the others are tried", profile().name, found.failure->error);
  }
  connect(parts_.client->choose(found.endpoints));
}

void Session::connect(std::vector<Endpoint> endpoints) {
  auto& status = around_.board.edit();
  endpoints_ = std::move(endpoints);
  status.endpoint = endpoints_.empty() ? "" : endpoints_.front().str();
  try {
    parts_.link->open(endpoints_);
    parts_.inside->open(parts_.link->addresses(), endpoints_);
    if (const auto first = parts_.client->connect(endpoints_)) {
      status.endpoint = first->str();
    }
  } catch (const std::exception& error) {
    ended(own_failure(error));
    return;
  }
  at_work_ = true;
  limit_attempt();
}

void Session::connected(const TunnelSettings& settings) {
  const auto& own = profile().dns.servers;
  const auto& resolvers = own.empty() ? settings.resolvers : own;
  try {
    check_settings(settings, parts_.link->addresses(), endpoints_);
    parts_.inside->bring_up(settings, resolvers);
  } catch (const std::exception& error) {
    parts_.inside->take_down();
    give_up(passing_failure(error));
    return;
  }
  limit_.reset();
  diagnosis_ = {};
  around_.write_resolvers(
      resolvers, profile().dns.search.empty() ? settings.search_domains : profile().dns.search);
  around_.board.tell(settings, resolvers, !own.empty());
  plan(attempts_.connected(around_.timers.now()));
  parts_.link->settled();
}

void Session::ended(const Failure& failure) {
  limit_.reset();
  lookup_.cancel();
  at_work_ = false;
  const bool was_up = attempts_.state() == State::kUp;
  const Failure reason = was_up ? failure : diagnosis_.reason(failure);
  const auto next = attempts_.ended(reason, around_.timers.now());
  around_.board.edit().question.reset();
  around_.board.explain(reason.error, reason.hint);
  const bool is_repeated = is_passing(reason) && next.retry;
  if (is_repeated && *next.retry >= kLongPause && reason.hint.empty()) {
    around_.board.edit().hint =
        formatted("the next attempt is in {} s; 'vpnrunctl up {}' makes one now",
                  std::chrono::ceil<seconds>(*next.retry).count(), profile().name);
  }
  plan(next);  // removes the route before anything else is done
  if (next.state == State::kFailed && !is_passing(reason)) {
    parts_.client->stop();
  }
  if (is_repeated) {
    log::info("'{}': {}next attempt in {:.1f} s", profile().name, was_up ? "" : reason.error + "; ",
              std::chrono::duration<double>(*next.retry).count());
  }
  if (next.ends_process) {
    final_ = reason;
    around_.gave_up();
  }
}

// --- on the way ---

/// Ends the attempt, or the connection, from our side.
void Session::give_up(const Failure& failure) {
  parts_.client->stop();
  ended(failure);
}

/// A client with an expired certificate says so when it starts; the server just does not answer.
/// It is told now, although the attempt goes on and may still reach another server. What the link
/// has found out explains more than that nobody answers, and so does a log-in that is waited for.
void Session::noticed(const Failure& failure) {
  diagnosis_.noticed(failure);
  if (is_trying() && !diagnosis_.covers(failure, waits_for_login())) {
    around_.board.explain(failure.error, failure.hint);
    around_.board.publish();
  }
  if (failure.kind == Failure::Kind::kPersistent && limit_.active()) {
    limit_ = around_.timers.after(kRefusalLimit, [this] { give_up(*diagnosis_.noticed()); });
  }
}

void Session::blocked(const Failure& failure) {
  if (!is_trying() || around_.board.status().error == failure.error) {
    return;
  }
  diagnosis_.blocked(failure);
  around_.board.explain(failure.error, failure.hint);
  log::warn("'{}': {}", profile().name, failure.error);
  log::warn("hint: {}", failure.hint);
  around_.board.publish();
}

void Session::asks(const std::optional<CredentialQuestion>& question) {
  around_.board.tell(question);
  if (question) {
    limit_.reset();  // a person may take his time
  } else if (attempts_.state() !=
             State::kUp) {  // in an hourly renegotiation nothing would cancel the limit
    limit_attempt();
  }
  around_.board.publish();
}

/// The server keeps the attempt waiting for as long as it says. Its first message may not have the
/// link yet.
void Session::sent_to_browser(const BrowserLogin& login) {
  if (around_.board.status().question) {
    return;  // it is a person here who is waited for
  }
  const bool is_up = attempts_.state() == State::kUp;
  if (!login.url.empty() || !waits_for_login()) {
    around_.board.tell(login);
    around_.board.publish();
  }
  if (!is_up) {  // during an hourly renegotiation nothing would end it
    limit_ = around_.timers.after(login.patience + kAttemptLimit, [this] { end_of_patience(); });
  }
}

// --- small things ---

void Session::limit_attempt() {
  limit_ = around_.timers.after(kAttemptLimit, [this] { end_of_patience(); });
}

void Session::end_of_patience() {
  give_up(diagnosis_.reason_of_silence(endpoint_text(), waits_for_login()));
}

std::string Session::endpoint_text() const {
  const auto& endpoint = around_.board.status().endpoint;
  return endpoint.empty() ? "the server" : endpoint;
}

/// Whether a person is told to log in with a browser.
bool Session::waits_for_login() const noexcept {
  return !around_.board.status().login_url.empty();
}

/// Whether it is in an attempt, or waiting for the next one.
bool Session::is_trying() const noexcept {
  return attempts_.state() == State::kStarting || attempts_.state() == State::kReconnecting;
}

}  // namespace vpnrun::service
