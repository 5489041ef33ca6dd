// SPDX-License-Identifier: GPL-2.0-or-later
//
// Theory of operation
//
// The namespace is closed before this code runs and stays closed when it dies: nothing here is
// needed to keep a packet in. What happens here is that a closed namespace gets a tunnel.
//
//   1. begin_attempt  names of the configuration's servers are looked up, outside (Resolver).
//   2. resolved       the filter on both sides is opened for exactly these endpoints, host routes
//                     to them are set. Must not: open anything else, or leave an old one open.
//   3. connect        OpenVPN is started, or let off its hold if its list of servers is the same.
//                     Must not: give it a name to look up, a file to open, or a right.
//   4. connected      the server's settings are applied: address, MTU, resolvers, at last the
//                     default route. Should: be the only place that sets State::kUp.
//   5. lost           at the first sign of death (the process, its management connection or state,
//                     the device's carrier): the default route goes first, before anything that
//                     takes time. Then back to 1, with back-off.
//
// `down` is a loss that nobody answers with a new attempt: sealed, offline, endpoints closed.
#include "systemd/service/session.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <utility>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "profiles/profile_store.h"
#include "systemd/service/client/client_ids.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/os/log.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kAttemptLimit{20};
/// For what the client itself says will fail: its server may still think otherwise.
constexpr seconds kRefusalLimit{4};
constexpr seconds kLongPause{5};
/// A full /run has room again some time.
constexpr seconds kRepublish{1};
constexpr std::size_t kEndpointsMax = 32;
/// What a client may ask of its companion within this time: more than any person answers.
constexpr std::size_t kQuestionsMax = 10;
constexpr seconds kQuestionTime{60};

std::int64_t now_in_seconds() {
  return std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Loopback, unspecified, multicast, broadcast: nobody's own address.
bool is_special(const IpAddress& address) {
  return address.is_ipv4() ? check_address(address).has_value()
                           : address.is_loopback() || address.bytes().front() == 0xff ||
                                 address == *IpAddress::parse("::");
}

/// `name` led to `unusable`, or is it.
Failure no_server(const std::string& name, const UnusableAddress& unusable) {
  if (IpAddress::parse(name)) {
    return {unusable.forever ? Failure::Kind::kSetup : Failure::Kind::kPassing,
            "the configuration names no usable server: " + unusable.reason,
            unusable.hint.empty() ? "let a 'remote' of the configuration name the server itself"
                                  : unusable.hint};
  }
  std::string hint = unusable.hint;
  if (unusable.resolvers_block) {
    hint =
        "a DNS filter that blocks a name answers like that: let it answer this one, or ask "
        "another resolver" +
        (hint.empty() ? hint : "; " + hint);
  }
  return {Failure::Kind::kPassing,
          fmt::format("the name '{}' leads to no server: {}", printable(name), unusable.reason),
          hint};
}

Failure passing(const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  return {Failure::Kind::kPassing, error.what(), ours != nullptr ? ours->hint() : ""};
}

/// `first` is the configuration's first server; it may be one of those with an answer.
Failure unresolved(const std::string& first, const Resolver::Result& result) {
  auto error = result.errors.find(first);
  if (error == result.errors.end()) {
    error = result.errors.begin();
  }
  const std::string& name = error == result.errors.end() ? first : error->first;
  return {Failure::Kind::kPassing,
          fmt::format("cannot resolve the server's name '{}': {}", printable(name),
                      error == result.errors.end() ? "no answer" : error->second),
          fmt::format("is this machine online? getent ahostsv4 {}", printable(name))};
}

}  // namespace

Session::Session(EventLoop& loop, Loader load, PreparedNamespaces namespaces, Publisher publish)
    : loop_(loop),
      load_(std::move(load)),
      publish_(std::move(publish)),
      namespaces_(std::move(namespaces)),
      configuration_(load_()),
      account_(take_client_id(configuration_.profile.name, false)),
      host_(Netns::here()),
      inside_netns_(namespaces_.netns.dup_cloexec(), configuration_.profile.name),
      resolver_(loop, look_up_account()),
      hooks_(loop, namespaces_),
      up_lock_(namespaces_.directory.get()),
      view_watch_(loop, watched_folders(view_sources(configuration_.profile.name)),
                  [this] { renew_view(); }),
      automount_watch_(loop, [this] { renew_view(); }) {
  status_.profile = configuration_.profile.name;
  status_.pid = ::getpid();
  status_.since = now_in_seconds();
  end_processes_of(account_.uid);
  build_networks();
}

Session::~Session() {
  stop_client();
  if (status_.state == State::kUp && inside_) {
    inside_->take_down();
  }
  try {
    hooks_.down();
    hooks_.finish(kHooksAtEnd);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

/// From nothing, or in place of what a former configuration had.
void Session::build_networks() {
  link_.reset();
  inside_.reset();
  tun_.reset();
  const auto& profile = configuration_.profile;
  status_.tunnel_type = "none";
  inside_ = std::make_unique<NetnsInside>(loop_, profile, inside_netns_, account_.uid, [this] {
    lost({Failure::Kind::kPassing, "the VPN client let go of the tunnel device", ""});
  });
  if (profile.tunnel.type == profile::TunnelType::kOpenvpn) {
    status_.tunnel_type = "openvpn";
    (void)openvpn::find_program();  // said now rather than at the end of a lookup
    tun_ = std::make_unique<TunDevice>(inside_netns_, account_.uid);
    status_.device = filter::kTunnelDevice;
    link_ = std::make_unique<VethLink>(loop_, profile, host_, inside_netns_, link_events());
  }
  renew_view();
}

LinkEvents Session::link_events() {
  LinkEvents events;
  events.way_back = [this] {
    if (retry_.active()) {
      // Not the rest of a back-off that a cable out for an hour has made long.
      attempts_.forget();
      retry_in(std::max(Attempts::kFirstRetry, attempts_.asked(EventLoop::Clock::now())));
    }
  };
  events.blocked = [this](const Failure& failure) {
    if (!is_attempting()) {
      return;
    }
    observed_ = failure;
    if (status_.error != failure.error) {
      status_.error = failure.error;
      status_.hint = failure.hint;
      log::warn("'{}': {}", status_.profile, failure.error);
      log::warn("hint: {}", failure.hint);
      publish();
    }
  };
  events.unblocked = [this] {
    if (is_attempting()) {
      stop_client();
      begin_attempt();  // rather than wait until the client sends again
    }
  };
  return events;
}

bool Session::is_attempting() const {
  return status_.state == State::kStarting || status_.state == State::kReconnecting;
}

void Session::renew_view() {
  try {
    renew_overlays(namespaces_, status_.profile);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

// --- orders ---

void Session::up() {
  if (configuration_.profile.tunnel.type == profile::TunnelType::kNone) {
    set_state(State::kUp);  // nothing but loopback, which is what was asked for
    return;
  }
  if (!link_) {
    build_networks();  // a restart could not; the reason may be gone
  }
  if (status_.state == State::kDown || status_.state == State::kFailed) {
    attempts_.forget();
    status_.attempt = 0;
    set_state(State::kStarting);
  } else if (!retry_.active()) {
    return;
  }
  // Somebody waits: not the rest of the back-off. Nor an attempt for each order.
  const auto delay = attempts_.asked(EventLoop::Clock::now());
  if (delay > milliseconds(0)) {
    retry_in(delay);
  } else {
    begin_attempt();
  }
}

void Session::down() {
  retry_.reset();
  attempt_limit_.reset();
  resolver_.cancel();
  if (inside_) {
    inside_->take_down();
  }
  stop_client();
  if (link_) {
    inside_->open(std::nullopt, {});
    link_->open({});
  }
  status_.error.clear();
  status_.hint.clear();
  status_.question.reset();
  login_.reset();
  set_state(State::kDown);
}

void Session::restart() {
  Configuration fresh = load_();
  down();
  configuration_ = std::move(fresh);
  build_networks();
  up();
}

void Session::answer(const Request& request) {
  if (!client_ || !status_.question || status_.question->id != request.question_id) {
    throw Error("this question is not asked any more");
  }
  const auto answer = login_.answer(&request);
  client_->answer(answer.realm, answer.user_name, answer.password);
  status_.question.reset();
  status_.error.clear();
  status_.hint.clear();
  if (status_.state != State::kUp) {  // in an hour's renegotiation nothing ends the limit
    attempt_limit_ = loop_.after(kAttemptLimit, [this] {
      attempt_failed({Failure::Kind::kPassing, "no answer from " + endpoint_text(), ""});
    });
  }
  publish();
}

void Session::resumed(seconds asleep) {
  attempts_.forget();
  if (status_.state == State::kUp && client_) {
    lost({Failure::Kind::kPassing,
          fmt::format("the machine was asleep for {} s; connecting anew", asleep.count()), ""});
    client_->reconnect();
  } else if (retry_.active()) {
    retry_in(Attempts::kFirstRetry);
  }
}

// --- the phases of an attempt ---

void Session::begin_attempt() {
  retry_.reset();
  attempt_limit_.reset();
  observed_.reset();
  attempts_.begin(EventLoop::Clock::now());
  tries_ = {};
  ++status_.attempt;
  publish();
  std::set<std::string> names;
  for (const auto& remote : configuration_.openvpn.remotes) {
    names.insert(remote.host);
  }
  try {
    resolver_.look_up({names.begin(), names.end()},
                      [this](const Resolver::Result& result) { resolved(result); });
  } catch (const std::exception& error) {
    attempt_failed({Failure::Kind::kPassing, error.what(), ""});  // no process, no descriptor left
  }
}

/// The endpoints that can be connected to. `refused`: why others cannot; of several the one that
/// time may mend.
std::vector<Endpoint> Session::usable_endpoints(const Resolver::Result& result,
                                                std::optional<Failure>& refused) {
  std::vector<Endpoint> endpoints;
  for (const auto& remote : configuration_.openvpn.remotes) {
    const auto found = result.addresses.find(remote.host);
    if (found == result.addresses.end()) {
      continue;
    }
    for (const auto& text : found->second) {
      const auto address = IpAddress::parse(text);
      const Endpoint endpoint{address.value_or(IpAddress()), remote.transport, remote.port};
      const bool known = std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end();
      if (!address || known || endpoints.size() >= kEndpointsMax) {
        continue;
      }
      if (const auto unusable = link_->check(*address)) {
        const Failure failure = no_server(remote.host, *unusable);
        if (!refused || failure.kind < refused->kind) {
          refused = failure;
        }
      } else {
        endpoints.push_back(endpoint);
      }
    }
  }
  return endpoints;
}

void Session::resolved(const Resolver::Result& result) {
  status_.endpoint_name = configuration_.openvpn.remotes.front().host;
  try {
    std::optional<Failure> refused;
    const auto endpoints = usable_endpoints(result, refused);
    if (!endpoints.empty()) {
      if (refused) {
        log::info("'{}': {}; the others are tried", status_.profile, refused->error);
      }
      connect(endpoints);
    } else if (refused && (refused->kind == Failure::Kind::kPassing || result.errors.empty())) {
      attempt_failed(*refused);
    } else {
      attempt_failed(unresolved(status_.endpoint_name, result));
    }
  } catch (const std::exception& error) {
    attempt_failed(passing(error));
  }
}

void Session::connect(const std::vector<Endpoint>& endpoints) {
  endpoints_ = endpoints;
  status_.endpoint = endpoints.front().str();
  link_->open(endpoints);
  inside_->open(link_->addresses(), endpoints);
  if (client_ && client_holds_ && client_endpoints_ == endpoints && !login_.is_used_up()) {
    let_client_go();
  } else {
    start_client(endpoints);
  }
  attempt_limit_ = loop_.after(kAttemptLimit, [this] {
    attempt_failed(
        {Failure::Kind::kPassing, "no answer from " + endpoint_text(),
         "is the server up, and does a firewall on the way let " + endpoint_text() + " through?"});
  });
}

void Session::start_client(const std::vector<Endpoint>& endpoints) {
  stop_client();
  const bool again = login_.has_challenge() && client_endpoints_ == endpoints;
  client_endpoints_ = endpoints;
  std::vector<Endpoint> order = endpoints;
  if (again) {
    order = client_order_;
  } else if (configuration_.openvpn.remote_random) {
    std::shuffle(order.begin(), order.end(), std::mt19937(std::random_device()()));
  } else {
    // One that does not answer must not keep the others from being tried.
    const auto first = static_cast<std::ptrdiff_t>(rotation_++ % order.size());
    std::rotate(order.begin(), order.begin() + first, order.end());
  }
  client_order_ = order;
  was_let_go_ = false;
  questions_.clear();
  status_.endpoint = order.front().str();
  const openvpn::ProcessPlace place{status_.profile, namespaces_.netns.get(), account_.uid,
                                    account_.gid};
  client_ = std::make_unique<openvpn::Process>(loop_, place, configuration_.openvpn, order,
                                               filter::kTunnelDevice, client_events());
}

void Session::connected() {
  if (!attempt_limit_.active()) {
    return;  // old news, of an attempt that is over: its end has been answered
  }
  attempt_limit_.reset();
  status_.question.reset();
  login_.connected();
  const auto servers = dns_servers();
  try {
    inside_->bring_up(checked_settings(), servers);
  } catch (const std::exception& error) {
    inside_->take_down();
    attempt_failed(passing(error));
    return;
  }
  status_.addresses.clear();
  for (const auto& address : settings_.addresses) {
    status_.addresses.push_back(address.str());
  }
  status_.mtu = settings_.mtu;
  status_.dns.clear();
  for (const auto& server : servers) {
    status_.dns.push_back(server.str());
  }
  if (settings_.endpoint) {
    status_.endpoint = settings_.endpoint->str();
  }
  const auto& dns = configuration_.profile.dns;
  write_resolvers(dns.search.empty() ? settings_.search_domains : dns.search);
  attempts_.connected(EventLoop::Clock::now());
  rotation_ = 0;
  status_.attempt = 0;
  status_.error.clear();
  status_.hint.clear();
  tell_of_resolvers(servers.empty());
  was_up_ = true;
  set_state(State::kUp);
  link_->settled();
  // From here on next to nothing is allocated, for days: what parsing and libnftables needed goes
  // back to the kernel.
  (void)::malloc_trim(0);
}

/// What a person has to know of the resolvers that the server pushed.
void Session::tell_of_resolvers(bool are_none) {
  const bool own = !configuration_.profile.dns.servers.empty();
  if (are_none) {
    const std::string reason =
        settings_.resolvers_left_out.empty()
            ? "the server names no resolver"
            : "the server's resolver cannot be used: " + settings_.resolvers_left_out;
    log::warn("'{}': {}; set [dns] servers", status_.profile, reason);
    status_.hint = reason + ": set [dns] servers in the profile";
  } else if (!own && !settings_.resolvers_left_out.empty()) {
    log::info("'{}': of the server's resolvers one is left out: {}", status_.profile,
              settings_.resolvers_left_out);
  } else if (!own && settings_.resolvers_are_split) {
    log::info("'{}': the server's resolver is meant for some domains; it is asked for all names",
              status_.profile);
  }
}

// --- what ends one ---

/// The server chooses them, and is not to get more by it than a tunnel that does not work.
TunnelSettings Session::checked_settings() const {
  TunnelSettings checked;
  checked.mtu = settings_.mtu;
  if (settings_.addresses.empty()) {
    throw Error("the server assigned no address");
  }
  const auto link = link_->addresses();
  for (const Prefix& prefix : settings_.addresses) {
    const bool endpoint =
        std::any_of(endpoints_.begin(), endpoints_.end(),
                    [&prefix](const auto& e) { return e.address == prefix.address; });
    if (prefix.length == 0 || is_special(prefix.address) || endpoint ||
        (link && (prefix.contains(link->inner) || prefix.contains(link->outer)))) {
      throw Error(
          fmt::format("the server assigned an address that cannot be used: {}", prefix.str()), {},
          "if it collides with the link's, set another [link] subnet in the profile");
    }
    checked.addresses.push_back(prefix);
  }
  return checked;
}

void Session::lost(const Failure& failure) {
  if (status_.state != State::kUp) {
    return;
  }
  inside_->take_down();
  status_.error = failure.error;
  status_.hint = failure.hint;
  const bool retry = !retry_.active();
  const auto delay = retry ? pause() : milliseconds(0);
  set_state(State::kReconnecting);
  if (retry) {
    log::info("'{}': next attempt in {:.1f} s", status_.profile,
              static_cast<double>(delay.count()) / 1000);
    retry_in(delay);
  }
}

void Session::attempt_failed(const Failure& failure) {
  attempt_limit_.reset();
  resolver_.cancel();
  inside_->take_down();
  status_.question.reset();
  const Failure& reason = observed_ && explains_more(*observed_, failure) ? *observed_ : failure;
  status_.error = reason.error;
  status_.hint = reason.hint;
  if (!is_passing(reason)) {
    give_up(Failure(reason));
    return;
  }
  if (!client_holds_) {
    stop_client();
  }
  const auto delay = pause();
  if (status_.state == State::kUp) {
    set_state(State::kReconnecting);
  }
  log::info("'{}': {}; next attempt in {:.1f} s", status_.profile, reason.error,
            static_cast<double>(delay.count()) / 1000);
  publish();
  retry_in(delay);
}

void Session::give_up(const Failure& failure) {
  stop_client();
  observed_.reset();
  set_state(State::kFailed);
  if (failure.kind == Failure::Kind::kStubborn) {
    retry_in(Attempts::kLastRetry);
  }
  if (!was_up_ && failure.kind != Failure::Kind::kAnswer) {
    final_ = failure;
    loop_.stop();
  }
}

// --- the client's events ---

openvpn::ProcessEvents Session::client_events() {
  openvpn::ProcessEvents events;
  events.management.on_hold = [this](std::uint32_t) { on_hold(); };
  events.management.on_state = [this](std::string_view name, std::string_view detail) {
    on_state(name, detail);
  };
  events.management.on_up = [this](const auto& environment) {
    settings_ = {};
    try {
      settings_ = openvpn::settings_from_environment(environment, endpoints_);
    } catch (const Error& error) {
      observed_ = Failure{Failure::Kind::kPassing, error.what(), error.hint()};
    }
  };
  events.management.on_down = [this] {
    lost({Failure::Kind::kPassing, "the VPN client took the tunnel down", ""});
  };
  events.management.on_need_password = [this](std::string_view realm, bool wants_user_name,
                                              const openvpn::Challenge& challenge) {
    on_need_password(realm, wants_user_name, challenge);
  };
  events.management.on_password_rejected = [this](std::string_view realm, std::string_view reason) {
    login_.rejected(realm, reason);
    if (realm != "Auth") {
      // At once: OpenVPN goes on to say that it cannot load the key, which explains less.
      observed_ = login_.failure();
      attempt_failed(*observed_);
    }
  };
  events.management.on_auth_token = [this] { login_.got_token(); };
  events.management.on_fatal = [](std::string_view text) {
    log::debug("OpenVPN ends: {}", printable(text));
  };
  events.on_refused = [this](std::string_view reason) {
    observed_ = Failure{Failure::Kind::kPassing, std::string(reason), ""};
    lost(*observed_);
  };
  events.on_output = [this](std::string_view line) {
    // Our own answer, repeated: OpenVPN leaves the password out of it, not the user name. And a
    // challenge has the user name, and what its answer begins with.
    if (line.find("MANAGEMENT: CMD 'username ") == std::string_view::npos) {
      const auto challenge = line.find(",CRV1:");
      log::debug("openvpn: {}", printable(line.substr(0, challenge)));
    }
    if (was_let_go_ && line.starts_with("Options error:")) {
      return;  // ours have all been read by then: about what the server pushes
    }
    // What a refused password comes to is on_auth_failure()'s to say.
    auto failure = failure_from_output(line);
    if (failure && failure->kind == Failure::Kind::kCredentials) {
      return;
    }
    if (failure && explains_more(*failure, observed_)) {
      observed_ = std::move(failure);
      expect_refusal();
    }
  };
  events.on_lost = [this] { lost({Failure::Kind::kPassing, "the VPN client ended", ""}); };
  events.on_exit = [this](int status) { on_exit(status); };
  return events;
}

/// A client with an expired certificate says so when it starts; the server just does not answer.
/// One that is not the server is told now; the attempt may still get to another one.
void Session::expect_refusal() {
  if (observed_->kind == Failure::Kind::kPeer && status_.state != State::kUp) {
    status_.error = observed_->error;
    status_.hint = observed_->hint;
    publish();
  }
  if (observed_->kind == Failure::Kind::kStubborn && attempt_limit_.active()) {
    attempt_limit_ = loop_.after(kRefusalLimit, [this] { attempt_failed(*observed_); });
  }
}

void Session::on_hold() {
  client_holds_ = true;
  if (!attempt_limit_.active() || status_.state == State::kUp || retry_.active()) {
    return;
  }
  if (tries_.may_go_on(EventLoop::Clock::now(), client_order_.size())) {
    let_client_go();  // its first hold, or the next server of its list: the attempt goes on
    return;
  }
  const Failure nobody{Failure::Kind::kPassing, "no connection to " + endpoint_text(), ""};
  attempt_failed(observed_.value_or(nobody));
}

void Session::let_client_go() {
  client_holds_ = false;
  was_let_go_ = true;
  tries_.let_go(EventLoop::Clock::now());
  client_->release_hold();
}

void Session::on_state(std::string_view name, std::string_view detail) {
  log::debug("openvpn state: {} {}", printable(name), printable(detail));
  if (name == "CONNECTED") {
    connected();
    return;
  }
  if (name != "RECONNECTING" && name != "EXITING") {
    return;
  }
  if (detail.starts_with("auth-failure")) {
    on_auth_failure();
    return;
  }
  const Failure failure = failure_from_state(detail, endpoint_text());
  if (status_.state == State::kUp) {
    lost(failure);
    return;
  }
  if (explains_more(failure, observed_)) {
    observed_ = failure;
  }
  if (!is_passing(*observed_)) {
    attempt_failed(*observed_);
  }
}

/// The client ends (it has no --auth-retry: a client that asks anew does so before it connects, and
/// a person has more time than a server's handshake), or goes back from a token to the password.
void Session::on_auth_failure() {
  const auto verdict = login_.verdict();
  if (verdict == Login::Verdict::kGoOn) {
    lost({Failure::Kind::kPassing, "the server does not take its own token any more", ""});
    return;
  }
  if (verdict != Login::Verdict::kAskAgain) {
    if (status_.state == State::kUp) {
      lost(login_.failure());
    } else {
      attempt_failed(login_.failure());
    }
    return;
  }
  lost({Failure::Kind::kPassing, "the server asks for another one-time password", ""});
  attempt_limit_.reset();
  stop_client();
  retry_in(Attempts::kFirstRetry);  // as often as somebody answers, and no more than Login's rounds
}

/// Each question is a line in the log and a new state file; who asks is the client, which its
/// server may have taken over.
bool Session::asks_too_often() {
  const auto now = EventLoop::Clock::now();
  while (!questions_.empty() && now - questions_.front() >= kQuestionTime) {
    questions_.pop_front();
  }
  questions_.push_back(now);
  return questions_.size() > kQuestionsMax;
}

void Session::on_need_password(std::string_view realm, bool wants_user_name,
                               const openvpn::Challenge& challenge) {
  const auto& profile = configuration_.profile;
  if (asks_too_often()) {
    stop_client();
    attempt_failed(
        {Failure::Kind::kPassing, "the VPN client asks for credentials without end", ""});
    return;
  }
  try {
    status_.question = login_.need(credential_files(profile, configuration_.openvpn), realm,
                                   wants_user_name, challenge);
    if (!status_.question) {
      const auto answer = login_.answer(nullptr);
      client_->answer(answer.realm, answer.user_name, answer.password);
      return;
    }
  } catch (const Error& error) {
    observed_ = Failure{Failure::Kind::kSetup, error.what(), error.hint()};
    attempt_failed(*observed_);
    return;
  }
  attempt_limit_.reset();  // a person takes the time that it takes
  status_.error = "waits for " + status_.question->text;
  status_.hint = fmt::format(
      "'vpnrunctl up {}' in a terminal asks; under systemd so does, as root, "
      "'systemd-tty-ask-password-agent --query'",
      profile.name);
  log::info("'{}' {}", profile.name, status_.error);
  publish();
}

void Session::on_exit(int status) {
  const bool was_up = status_.state == State::kUp;
  lost({Failure::Kind::kPassing,
        WIFSIGNALED(status)
            ? fmt::format("the VPN client was killed by signal {}", WTERMSIG(status))
            : "the VPN client ended",
        ""});
  stop_client();
  if (!was_up && !retry_.active()) {
    const Failure ended{Failure::Kind::kPassing, "the VPN client ended before it was connected",
                        ""};
    attempt_failed(observed_.value_or(ended));
  }
}

// --- small things ---

void Session::stop_client() {
  client_holds_ = false;
  login_.client_gone();
  if (client_) {
    client_->stop();
    stopped_clients_.push_back(std::move(client_));
    bury_ = loop_.after(milliseconds(0), [this] { stopped_clients_.clear(); });
  }
}

/// Until the next attempt. One that makes a person wonder is said.
milliseconds Session::pause() {
  const auto delay = attempts_.ended(EventLoop::Clock::now());
  if (delay >= kLongPause && status_.hint.empty()) {
    status_.hint = fmt::format("the next attempt is in {} s; 'vpnrunctl up {}' makes one now",
                               std::chrono::ceil<seconds>(delay).count(), status_.profile);
  }
  return delay;
}

/// In place of a retry that is pending already.
void Session::retry_in(milliseconds delay) {
  retry_ = loop_.after(delay, [this] { begin_attempt(); });
}

/// The only way into kUp and out of it: whoever changes the state cannot forget the hooks.
void Session::set_state(State state) {
  const bool was_up = status_.state == State::kUp;
  if (status_.state != state) {
    status_.state = state;
    status_.since = now_in_seconds();
    if (state != State::kUp) {
      status_.addresses.clear();
      status_.mtu = 0;
    }
    if (status_.error.empty()) {
      log::info("'{}' is {}{}", status_.profile, to_string(state),
                state == State::kUp && !status_.endpoint.empty() ? ", by " + status_.endpoint : "");
    } else {
      log::warn("'{}' is {}: {}", status_.profile, to_string(state), status_.error);
    }
  }
  publish();
  if (!was_up && state == State::kUp) {
    hooks_.up(configuration_.profile.hooks, hook_environment());
  } else if (was_up && state != State::kUp) {
    hooks_.down();
  }
}

void Session::leave() {
  status_.pid = 0;  // the number may soon be another process's
  publish();
}

void Session::publish() {
  // A reader of the mark may be in the way of its lock.
  bool done = up_lock_.set(status_.state == State::kUp);
  try {
    replace_file(namespaces_.directory.get(), kStateEntry, to_pretty_json(status_) + "\n");
  } catch (const std::exception& error) {
    log::ignored(error);  // the control socket still tells
    done = false;
  }
  if (!done) {
    republish_ = loop_.after(kRepublish, [this] {
      republish_.reset();
      publish();
    });
  }
  publish_(status_);
}

void Session::write_resolvers(const std::vector<std::string>& search_domains) const {
  try {
    const UniqueFd etc(::openat(namespaces_.directory.get(), kEtcEntry,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!etc.ok()) {
      throw_errno("cannot open '{}'", runtime_path(status_.profile, kEtcEntry));
    }
    write_resolv_conf(etc.get(), resolv_conf_text(status_.dns, search_domains));
  } catch (const std::exception& error) {
    log::ignored(error);  // the filter sends queries to the right place all the same
  }
}

std::vector<IpAddress> Session::dns_servers() const {
  const auto& own = configuration_.profile.dns.servers;
  return own.empty() ? settings_.resolvers : own;
}

std::vector<std::string> Session::hook_environment() const {
  std::vector<std::string> variables = {
      "VPNRUN_PROFILE=" + status_.profile,
      "VPNRUN_NETNS=" + runtime_path(status_.profile, kNetnsEntry),
      "VPNRUN_TUNNEL_DEVICE=" + status_.device,
      "VPNRUN_ENDPOINT=" + status_.endpoint,
  };
  if (const auto link = link_ ? link_->addresses() : std::nullopt) {
    variables.push_back("VPNRUN_HOST_LINK=" + link->outer_device);
    variables.push_back("VPNRUN_HOST_ADDRESS=" + link->outer.str());
    variables.push_back("VPNRUN_NAMESPACE_ADDRESS=" + link->inner.str());
  }
  return variables;
}

std::string Session::endpoint_text() const {
  return status_.endpoint.empty() ? "the server" : status_.endpoint;
}

}  // namespace vpnrun::service
