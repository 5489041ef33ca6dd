// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/companion.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "systemd/service/client/client_ids.h"
#include "systemd/service/commands.h"
#include "systemd/service/os/log.h"
#include "systemd/service/os/notify.h"
#include "systemd/service/tunnel_parts.h"

namespace vpnrun::service {
namespace {

/// After this, READY=1 is sent even if the tunnel is not up: systemd must not hold up the boot for
/// it.
constexpr std::chrono::seconds kReadyPatience{30};
/// The time from the order or decision to end until the process has ended. Less than
/// TimeoutStopSec= of vpnrun@.service, and less than `release` waits; documented in
/// vpnrun-service(8).
constexpr std::chrono::seconds kEndLimit{40};
static_assert(kEndLimit > Companion::kHooksAtEnd);
/// By then a launch that has just seen the tunnel up has entered the namespace.
constexpr std::chrono::milliseconds kLastLook{500};

/// Bytes of the log in one reply, before JSON: far below what a launcher reads (control_client.cc)
/// and what may wait for a caller.
constexpr std::size_t kLogPage = 16384;

std::vector<LogLine> log_after(std::uint64_t number) {
  std::vector<LogLine> lines;
  for (auto& entry : log::recent().after(number, kLogPage)) {
    lines.push_back({entry.number, entry.time, std::string(entry.level), std::move(entry.text)});
  }
  return lines;
}

/// SIGTERM and SIGINT end the companion, SIGHUP restarts the tunnel. SIGCHLD tells of the children
/// that nobody watches by a pidfd: those of Nft. SIGPIPE, which a write to a caller that has gone
/// would raise, is ignored.
UniqueFd take_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
    ::sigaddset(&signals, signal);
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  // There is only one thread: sigprocmask(2) does the same as pthread_sigmask(3).
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0 ||  // NOLINT(concurrency-mt-unsafe)
      ::sigaction(SIGPIPE, &ignore, nullptr) != 0) {
    throw_errno("cannot set up signals");
  }
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.ok()) {
    throw_errno("cannot set up signals");
  }
  return fd;
}

/// Ending takes a few quick steps, and hooks, whose time is limited; but each step waits for a
/// child or for the kernel. Even if one of them hangs, the companion ends: the namespace stays
/// sealed, and the next companion takes over as after any crash. The client dies with this process
/// (PR_SET_PDEATHSIG).
void limit_the_end() noexcept {
  struct sigaction give_up {};
  give_up.sa_handler = [](int) {
    constexpr std::string_view kText = "vpnrun-tunnel: ending takes too long; skipping the rest\n";
    // Nothing can be done if nobody reads it.
    [[maybe_unused]] const auto put = ::write(STDERR_FILENO, kText.data(), kText.size());
    ::_exit(kExitFailed);
  };
  if (::sigaction(SIGALRM, &give_up, nullptr) == 0) {
    (void)::alarm(static_cast<unsigned>(kEndLimit.count()));
  }
}

}  // namespace

std::string summary(const Status& status) {
  const auto list = [](const char* label, const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) {
      text += (text.empty() ? label : ", ") + word;
    }
    return text;
  };
  std::string text(to_string(status.state));
  if (status.state == State::kUp) {
    if (!status.endpoint.empty()) {
      text += " by " + status.endpoint;
    }
    return text + list("; address ", status.addresses) + list("; names by ", status.dns);
  }
  if (status.question) {
    return formatted("{}, waiting for {}", text, printable(status.question->text));
  }
  if (status.attempt > 1) {
    text += formatted(", attempt {}", status.attempt);
  }
  if (!status.endpoint_name.empty() && status.state != State::kDown) {
    text += " to " + printable(status.endpoint_name);
  }
  return status.error.empty() ? text : formatted("{}: {}", text, printable(status.error));
}

Companion::Companion(const std::string& profile_name, std::function<Configuration()> load,
                     UniqueFd listener)
    : lock_(profile_name),
      signals_(take_signals()),
      activated_(listener.ok()),
      namespaces_(open_prepared(profile_name)),
      host_(Netns::here()),
      inside_(namespaces_.netns.dup_cloexec(), profile_name),
      alive_(profile_name),
      client_account_(take_client_id(profile_name, false)),
      agents_(loop_, profile_name,
              [this](const ControlRequest& answer) { session_->answer(answer); }),
      view_(loop_, namespaces_, profile_name),
      resolver_(loop_, look_up_account()),
      hooks_(loop_, namespaces_),
      files_(namespaces_.directory.get()),
      board_(
          loop_, profile_name, [this](const Status& status) { return files_.write(status); },
          [this](const Status& status) { publish(status); }),
      access_(loop_, namespaces_.directory.get(),
              [this](const std::vector<std::string>& warnings) {
                if (board_.status().warnings != warnings) {
                  board_.edit().warnings = warnings;
                  board_.publish();
                }
              }),
      heartbeat_(loop_, [this](std::chrono::seconds asleep) { session_->resumed(asleep); }),
      clock_(loop_, [this] { session_->clock_set(); }) {
  end_processes_of(client_account_.uid);
  session_ = std::make_unique<Session>(surroundings(std::move(load)));
  view_.renew();
  bridge_udev();
  control_ = std::make_unique<ControlServer>(
      loop_, runtime_path(profile_name, kControlEntry), std::move(listener),
      [this](const ControlRequest& request) { return carry_out(request); });
  control_->on_askers([this] { follow_question(); });
  control_->serve_log(log_after);
  follow_question();
  apply_access();
  signal_watch_ = loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  watch_idleness();
  // At last: if anything above fails there is no destructor that takes it back.
  log::on_line([this] { control_->log_grew(); });
}

Companion::~Companion() {
  log::on_line({});
  session_.reset();
  try {
    hooks_.finish(kHooksAtEnd);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

/// A convenience of applications: no tunnel is refused for it.
void Companion::bridge_udev() noexcept {
  try {
    udev_.emplace(loop_, host_, inside_);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

Surroundings Companion::surroundings(std::function<Configuration()> load) {
  Surroundings around{loop_, resolver_, hooks_, board_, std::move(load), {}, {}, {}};
  around.build = [this](const Configuration& configuration, PartEvents events) {
    return make_parts(loop_, configuration, client_account_, host_, inside_, std::move(events));
  };
  around.write_resolvers = [this](const auto& resolvers, const auto& search_domains) {
    view_.write_resolvers(resolvers, search_domains);
  };
  around.gave_up = [this] { loop_.stop(); };
  around.is_outdated = [](const Configuration& configuration) {
    return have_changed(configuration.files);
  };
  return around;
}

int Companion::run() {
  session_->up();
  const auto patience = loop_.after(kReadyPatience, [this] {
    if (board_.status().state != State::kUp) {
      log::info("'{}' is not up yet; systemd stops waiting for it", session_->profile().name);
    }
    notify("READY=1");
  });
  loop_.run();
  limit_the_end();
  const auto& failure = session_->final_failure();
  // READY=1 also if the tunnel was never up: without it systemd would count the start as failed.
  notify(failure ? "STOPPING=1" : "READY=1\nSTOPPING=1");
  if (failure) {
    board_.leave();
    log::failure(Error(failure->error, {}, failure->hint));
    return kExitConfiguration;
  }
  session_->down();
  board_.leave();
  return 0;
}

std::optional<Companion::Refusal> Companion::refusal() const {
  const auto& failure = session_->final_failure();
  return failure && was_called_ ? std::optional(Refusal{*failure, session_->files()})
                                : std::nullopt;
}

void Companion::publish(const Status& status) {
  if (restarting_) {
    return;
  }
  const std::string line = "STATUS=" + summary(status);
  notify(status.state == State::kUp ? "READY=1\n" + line : line);
  if (status.state == State::kUp) {
    // From here on almost nothing is allocated for days, so return to the kernel what parsing and
    // libnftables needed.
    (void)::malloc_trim(0);
  }
  if (control_) {
    control_->publish(status);
    follow_question();
  }
}

/// Decides who asks the person: a connected caller that can, otherwise the machine's password
/// agents.
void Companion::follow_question() {
  agents_.follow(board_.status().question, control_->somebody_asks());
}

ControlReply Companion::carry_out(const ControlRequest& request) {
  was_called_ = true;
  switch (request.command) {
    case Command::kStatus:
    case Command::kHello:
    case Command::kLog:
      break;
    case Command::kUp:
      order([this] { up(); }, "start");
      break;
    case Command::kDown:
      session_->down();
      break;
    case Command::kRestart:
      order([this] { restart(); }, "restart");
      break;
    case Command::kAnswer:
      session_->answer(request);
      break;
    case Command::kInbound:
      session_->change_inbound(request.add, request.remove);
      break;
  }
  ControlReply reply;
  reply.status = board_.status();
  return reply;
}

/// What somebody has mended, in the profile or in a file that it names, counts at once.
void Companion::up() {
  if (session_->is_outdated()) {
    restart();
  } else {
    session_->up();
  }
}

/// That an order cannot be carried out is in the log when it happens, and not only in the answer to
/// whoever gave it. Throws what `carry_out` throws.
void Companion::order(const std::function<void()>& carry_out, const char* verb) {
  const State before = board_.status().state;
  try {
    carry_out();
  } catch (const std::exception& error) {
    const auto* ours = dynamic_cast<const Error*>(&error);
    const bool goes_on = board_.status().state == before && before != State::kFailed;
    log::failure((ours != nullptr ? *ours : Error(error.what()))
                     .with_context(formatted("'{}': cannot {}{}", session_->profile().name, verb,
                                             goes_on ? ", going on as before" : "")));
    throw;
  }
}

/// Each order is carried out, however soon it follows the one before: the profile may have been
/// edited in between, and ControlServer makes sure that no user gets more than his share. Callers
/// that wait for the tunnel are not told that it is down for a moment: nobody ordered it down.
void Companion::restart() {
  const auto tell = [this] {
    restarting_ = false;
    publish(board_.status());
  };
  restarting_ = true;
  try {
    session_->restart();
    apply_access();
    view_.renew();
  } catch (const std::exception&) {
    tell();
    throw;
  }
  tell();
  watch_idleness();
}

/// Who is admitted may have been edited since `prepare`.
void Companion::apply_access() {
  access_.apply(session_->profile(), session_->files().front());
}

void Companion::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return;
  }
  if (info.ssi_signo == static_cast<std::uint32_t>(SIGCHLD)) {
    host_.tidy();
    inside_.tidy();
    return;
  }
  if (info.ssi_signo != static_cast<std::uint32_t>(SIGHUP)) {
    loop_.stop();
    return;
  }
  try {
    order([this] { restart(); }, "restart");
  } catch (const std::exception&) {
    return;  // nobody waits for an answer; it is in the log
  }
}

// --- idleness ---

void Companion::watch_idleness() {
  last_look_.reset();
  idle_.reset();
  if (const auto limit = session_->profile().tunnel.idle_stop) {
    idle_ = std::make_unique<IdleWatch>(
        loop_, *limit, [this] { return is_used(); }, [this] { on_idle(); });
  }
}

bool Companion::is_used() const {
  return control_->is_used() || is_inhabited(namespaces_.netns.get());
}

/// Takes the tunnel down first, and only then checks once more: a launch that sees the mark of a
/// tunnel that is up enters without telling the companion.
void Companion::on_idle() {
  if (board_.status().state == State::kDown && !activated_) {
    return;  // nothing to do: we stay for the next launch
  }
  log::info("'{}' has not been used for {} s: stopping; the next launch starts it",
            session_->profile().name, session_->profile().tunnel.idle_stop->count());
  session_->down();
  last_look_ = loop_.after(kLastLook, [this] { look_again(); });
}

void Companion::look_again() {
  last_look_.reset();
  if (board_.status().state != State::kDown) {
    return;  // somebody ordered it up again
  }
  if (is_used()) {
    try {
      order([this] { up(); }, "start");
    } catch (const std::exception&) {
      return;  // nobody waits for an answer; it is in the log
    }
  } else if (activated_) {
    loop_.stop();
  }
}

}  // namespace vpnrun::service
