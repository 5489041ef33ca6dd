// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/status_board.h"

#include <unistd.h>

#include <chrono>
#include <utility>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

/// When to try again: a full /run may have room by then.
constexpr std::chrono::seconds kRecordAgain{1};

std::int64_t seconds_since_epoch() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

StatusBoard::StatusBoard(Timers& timers, std::string profile_name, Recorder record,
                         Publisher publish)
    : timers_(timers), record_(std::move(record)), publish_(std::move(publish)) {
  status_.profile = std::move(profile_name);
  status_.pid = ::getpid();
  status_.since = seconds_since_epoch();
}

void StatusBoard::enter(State state) {
  if (status_.state != state) {
    status_.state = state;
    status_.since = seconds_since_epoch();
    if (state != State::kUp) {
      status_.addresses.clear();
      status_.mtu = 0;
    }
    if (status_.error.empty()) {
      log::info("'{}' {}{}", status_.profile, state_phrase(status_),
                state == State::kUp && !status_.endpoint.empty() ? ", by " + status_.endpoint : "");
    } else {
      log::warn("'{}' {}: {}", status_.profile, state_phrase(status_), status_.error);
    }
  }
  publish();
}

void StatusBoard::explain(const std::string& error, const std::string& hint) {
  status_.error = error;
  status_.hint = hint;
  status_.login_url.clear();
}

void StatusBoard::tell(const TunnelSettings& settings, const std::vector<IpAddress>& resolvers,
                       bool own) {
  status_.addresses.clear();
  for (const auto& address : settings.addresses) {
    status_.addresses.push_back(address.str());
  }
  status_.dns.clear();
  for (const auto& resolver : resolvers) {
    status_.dns.push_back(resolver.str());
  }
  status_.mtu = settings.mtu;
  if (settings.endpoint) {
    status_.endpoint = settings.endpoint->str();
  }
  status_.attempt = 0;
  status_.question.reset();
  explain("", "");
  if (!settings.addresses.empty()) {
    tell_of_resolvers(settings, resolvers.empty(), own);
  }
}

void StatusBoard::tell_of_resolvers(const TunnelSettings& settings, bool are_none, bool own) {
  if (are_none) {
    const std::string reason =
        settings.resolvers_left_out.empty()
            ? "the server names no resolver"
            : "the server's resolver cannot be used: " + settings.resolvers_left_out;
    log::warn("'{}': {}; set [dns] servers", status_.profile, reason);
    status_.hint = reason + ": set [dns] servers in the profile";
  } else if (!own && !settings.resolvers_left_out.empty()) {
    log::info("'{}': one of the server's resolvers is left out: {}", status_.profile,
              settings.resolvers_left_out);
  } else if (!own && settings.resolvers_are_split) {
    log::info(
        "'{}': the server's resolver is meant for some domains only; it is asked for all names",
        status_.profile);
  }
}

void StatusBoard::tell(const std::optional<CredentialQuestion>& question) {
  status_.question = question;
  if (!question) {
    explain("", "");
    return;
  }
  explain("waits for " + question->text,
          formatted("'vpnrunctl up {}' in a terminal asks for it; under systemd so does, as root, "
                    "'systemd-tty-ask-password-agent --query'",
                    status_.profile));
  log::info("'{}' {}", status_.profile, status_.error);
}

void StatusBoard::tell(const BrowserLogin& login) {
  if (login.url.empty()) {
    explain(
        "the server waits for " + login.what,
        formatted("it waits {} s; the device or page that you confirm log-ins with shows what it "
                  "wants",
                  login.patience.count()));
    log::info("'{}': {}", status_.profile, status_.error);
    return;
  }
  explain("the server waits for " + login.what,
          "open this link of the server in a browser, if you trust it: " + login.url);
  status_.login_url = login.url;
  log::info("'{}': {}: {}", status_.profile, status_.error, login.url);
}

void StatusBoard::publish() {
  again_.reset();
  if (!record_(status_)) {
    again_ = timers_.after(kRecordAgain, [this] { publish(); });
  }
  publish_(status_);
}

void StatusBoard::leave() {
  status_.pid = 0;
  publish();
}

bool StatusFiles::write(const Status& status) {
  // May fail while a reader of the mark has it locked.
  const bool is_marked = up_lock_.set(status.state == State::kUp);
  // 0.1.0 reads the file as well, and not one with a member that it does not know: a configuration
  // that it took has nothing of which a person is told.
  Status recorded = status;
  recorded.inbound.clear();
  std::erase_if(recorded.exceptions,
                [](const PromiseException& one) { return one.key == kExceptionOfPorts; });
  std::erase_if(recorded.left_out,
                [](const LeftOut& entry) { return entry.severity == Severity::kInfo; });
  try {
    replace_file(directory_, kStateEntry, to_pretty_json(recorded) + "\n");
  } catch (const std::exception& error) {
    log::ignored(error);
    return false;
  }
  return is_marked;
}

}  // namespace vpnrun::service
