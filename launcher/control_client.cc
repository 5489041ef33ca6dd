// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "helper/base/runtime_layout.h"
#include "launcher/as_root.h"
#include "launcher/profile_choice.h"
#include "profiles/nearest.h"
#include "profiles/profile_store.h"
#include "profiles/protocol/features.h"

namespace vpnrun {
namespace {

/// A reply holds a few dozen addresses at most. A longer one is not from a companion of ours.
constexpr std::size_t kLongestReply = 65536;

constexpr std::string_view kHelloWord = "hello";

ControlRequest hello() {
  ControlRequest request;
  request.command = Command::kHello;
  return request;
}

/// The last status that a companion wrote; nullopt if none ever did, or if it cannot be read.
std::optional<Status> last_status(const Places& places, const std::string& profile) {
  try {
    return status_from_json(profile::read_trusted_file(
        runtime_directory(places, profile) + "/" + kStateEntry, profile::Trust::kAnyOwner));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string control_path(const Places& places, const std::string& profile) {
  return runtime_directory(places, profile) + "/" + kControlEntry;
}

/// What root types to have a companion.
std::string start_command(const Places& places, const std::string& profile) {
  if (!has_systemd(places)) {
    return VPNRUN_LIBEXECDIR "/vpnrun-tunnel run " + profile;
  }
  return "vpnrunctl up " + profile;  // makes the socket again, too
}

/// `listens`: systemd does, and starts the companion for the first who connects.
[[noreturn]] void throw_not_running(const Places& places, const std::string& profile,
                                    bool listens) {
  const auto last = last_status(places, profile);
  const std::string reason = last ? printable(last->error) : std::string();
  std::string hint =
      listens
          ? formatted("'vpnrunctl up {}' starts it, and so does vpnrun without --no-start", profile)
          : as_root(start_command(places, profile));
  if (!reason.empty() && !last->hint.empty()) {
    hint = formatted("{}; then {}", printable(last->hint), hint);
  }
  throw NotRunning(formatted("cannot reach the tunnel of profile '{}': it is not running{}",
                             profile, reason.empty() ? reason : "; it ended: " + reason),
                   std::make_error_code(std::errc::connection_refused), hint, reason);
}

[[noreturn]] void throw_connect_error(int error_number, const Places& places,
                                      const std::string& profile) {
  switch (error_number) {
    case ENOENT:
      // An admitted user sees that only the socket is missing; to others all is the same.
      if (is_usable(places, profile)) {
        throw_not_running(places, profile, false);
      }
      throw_unusable(places, profile);
    case EACCES:
    case ENOTDIR:
      throw_unusable(places, profile);
    case ECONNREFUSED:
      throw_not_running(places, profile, false);
    default:
      throw_error(error_number, "cannot reach the tunnel of profile '{}'", profile);
  }
}

UniqueFd make_socket(int type) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket.ok()) {
    throw_errno("cannot make a socket");
  }
  if (socket.get() <= STDERR_FILENO) {
    // We were started without standard streams: our messages must not go to the companion.
    socket = socket.dup_cloexec();
    if (!socket.ok()) {
      throw_errno("cannot make a socket");
    }
  }
  return socket;
}

/// connect(2). 0, or what errno was.
int connect_to(int socket_fd, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return ENAMETOOLONG;
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
  return ::connect(socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0
             ? 0
             : errno;
}

/// Whether no companion runs. One of a version without kAliveEntry is known only by its pid, which
/// may be another process's by now.
bool is_companion_gone(const Places& places, const std::string& profile) {
  const UniqueFd socket = make_socket(SOCK_DGRAM);
  const int failure =
      connect_to(socket.get(), runtime_directory(places, profile) + "/" + kAliveEntry);
  if (failure != ENOENT) {
    return failure == ECONNREFUSED;
  }
  const auto last = last_status(places, profile);
  const auto pid = static_cast<pid_t>(last ? last->pid : 0);
  return pid <= 0 || (::kill(pid, 0) != 0 && errno == ESRCH);
}

/// To root, if there is neither a file of that profile nor anything that was made for it: throws
/// that. To others it is the same as one that does not admit them.
void refuse_absent(const Places& places, const std::string& profile) {
  const std::vector<std::string> names = profile::list_profiles(places.profile_folder);
  if (::geteuid() != 0 || std::find(names.begin(), names.end(), profile) != names.end() ||
      ::access(runtime_directory(places, profile).c_str(), F_OK) == 0) {
    return;
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view nearest = nearest_name(profile, candidates);
  throw Unreachable(formatted("cannot use profile '{}': there is none of that name", profile),
                    std::make_error_code(std::errc::no_such_file_or_directory),
                    nearest.empty()
                        ? formatted("'vpnrunctl list' shows those that there are; a new one is a "
                                    "file {}/{}.toml, see vpnrun-profile(5)",
                                    places.profile_folder, profile)
                        : formatted("did you mean '{}'?", nearest));
}

int milliseconds_until(SteadyClock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
  return static_cast<int>(std::clamp<long long>(left.count(), 0, INT_MAX));
}

}  // namespace

void throw_unusable(const Places& places, const std::string& profile) {
  refuse_absent(places, profile);
  std::string hint = suggest_profile(profile, places);
  if (hint.empty()) {
    const std::string command =
        has_systemd(places) ? "vpnrunctl restart" : VPNRUN_LIBEXECDIR "/vpnrun-tunnel prepare";
    // Everything is open to root; whom [access] leaves out may not be who can change that.
    hint = ::geteuid() == 0
               ? formatted("'{} {}' prepares it", command, profile)
               : formatted("as root: name the user under [access] in {2}/{1}.toml, then: {0} {1}",
                           command, profile, places.profile_folder);
  }
  throw Unreachable(
      formatted("cannot use profile '{}': it is not prepared, or not open to you", profile),
      std::make_error_code(std::errc::permission_denied), hint);
}

ControlClient ControlClient::connect(const Places& places, const std::string& profile) {
  UniqueFd socket = make_socket(SOCK_STREAM);
  // Bounds connect(2) and send(2) alike: a full backlog would block for ever.
  const timeval patience{
      .tv_sec = std::chrono::duration_cast<std::chrono::seconds>(kReplyPatience).count(),
      .tv_usec = 0};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (const int failure = connect_to(socket.get(), control_path(places, profile)); failure != 0) {
    throw_connect_error(failure, places, profile);
  }
  return {std::move(socket), profile};
}

ControlClient ControlClient::connect_if_running(const Places& places, const std::string& profile) {
  // Only systemd listens on a companion's behalf.
  if (has_systemd(places) && is_usable(places, profile) && is_companion_gone(places, profile)) {
    throw_not_running(places, profile, ::access(control_path(places, profile).c_str(), F_OK) == 0);
  }
  return connect(places, profile);
}

void ControlClient::send(const ControlRequest& request) {
  if (feature::missing(request, feature::first())) {
    (void)features();
  }
  if (greeting_ == Greeting::kAnswered) {
    require_features(request);
  }
  const Secret line = Secret::take(encode(request));
  if (line.size() > kControlLineMax) {
    throw Error(
        formatted("cannot ask the tunnel of profile '{}': the answer is too long", profile_),
        std::make_error_code(std::errc::message_size));
  }
  Secret text;
  if (greeting_ == Greeting::kNotSaid) {
    text.append(encode(hello()));
    greeting_ = Greeting::kSaid;
  }
  text.append(line.view());
  transmit(text.view());
}

const std::vector<std::string>& ControlClient::features() {
  if (greeting_ == Greeting::kAnswered) {
    return features_;
  }
  if (greeting_ == Greeting::kNotSaid) {
    greeting_ = Greeting::kSaid;
    transmit(encode(hello()));
  }
  const auto reply = next_reply(SteadyClock::now() + kReplyPatience);
  if (!reply) {
    throw Error(formatted("cannot reach the tunnel of profile '{}': it does not answer", profile_),
                std::make_error_code(std::errc::timed_out));
  }
  greeting_ = Greeting::kAnswered;
  if (!take_greeting(*reply)) {
    throw Error(
        formatted("cannot ask the tunnel of profile '{}': {}", profile_, printable(reply->error)),
        {}, printable(reply->hint));
  }
  return features_;
}

/// False if it refuses more than the command `hello`.
bool ControlClient::take_greeting(const ControlReply& reply) {
  version_ = printable(reply.status.version);
  features_ = reply.status.features.value_or(feature::first());
  return reply.ok || reply.unknown == kHelloWord;
}

/// Empty for a companion of this version: a restarted one would be no different.
std::string ControlClient::age_hint() const {
  if (version_ == VPNRUN_VERSION) {
    return {};
  }
  const std::string age =
      version_.empty() ? std::string("is older than this program")
                       : formatted("is version {}, this program {}", version_, VPNRUN_VERSION);
  return formatted("the companion {}; {}", age, as_root("systemctl restart vpnrun@" + profile_));
}

void ControlClient::require_features(const ControlRequest& request) const {
  if (const auto missing = feature::missing(request, features_)) {
    throw Error(formatted("cannot ask the tunnel of profile '{}' for '{}': its companion does "
                          "not support that",
                          profile_, *missing),
                std::make_error_code(std::errc::not_supported), age_hint());
  }
}

void ControlClient::transmit(std::string_view line) {
  std::size_t sent = 0;
  int error_number = 0;
  while (sent < line.size() && error_number == 0) {
    const ssize_t count =
        // cppcheck-suppress danglingTemporaryLifetime; the caller's text lives until this returns
        ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      error_number = errno;
    }
  }
  if (error_number != 0 && error_number != EPIPE && error_number != ECONNRESET) {
    throw_error(error_number, "cannot ask the tunnel of profile '{}'", profile_);
  }
}

std::optional<ControlReply> ControlClient::receive(SteadyClock::time_point deadline) {
  auto reply = next_reply(deadline);
  if (reply && greeting_ == Greeting::kSaid) {
    greeting_ = Greeting::kAnswered;
    if (take_greeting(*reply)) {
      reply = next_reply(deadline);
    }
  }
  if (reply && !reply->ok && !reply->unknown.empty()) {
    reply->error =
        formatted("its companion does not know '{}' in a request", printable(reply->unknown));
    if (const std::string hint = age_hint(); !hint.empty()) {
      reply->hint = hint;
    }
  }
  return reply;
}

std::optional<ControlReply> ControlClient::next_reply(SteadyClock::time_point deadline) {
  for (;;) {
    if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return parse_reply(line);
    }
    if (buffer_.size() > kLongestReply) {
      throw_error(EMSGSIZE, "cannot take the reply of the tunnel of profile '{}'", profile_);
    }
    pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, milliseconds_until(deadline));
    if (count == 0) {
      return std::nullopt;
    }
    std::array<char, 4096> chunk{};
    const ssize_t size = count < 0 ? -1 : ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (size < 0 && errno != EINTR && errno != ECONNRESET) {
      throw_errno("cannot read from the tunnel of profile '{}'", profile_);
    }
    if (size == 0 || (size < 0 && errno == ECONNRESET)) {
      throw HungUp(formatted("lost the connection to the tunnel of profile '{}'", profile_),
                   std::make_error_code(std::errc::connection_reset),
                   formatted("'vpnrunctl status {}' shows whether it still runs", profile_));
    }
    if (size > 0) {
      buffer_.append(chunk.data(), static_cast<std::size_t>(size));
    }
  }
}

}  // namespace vpnrun
