// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/process.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "profiles/base/secret.h"
#include "profiles/openvpn_inline.h"
#include "profiles/programs.h"
#include "systemd/service/client/openvpn/client_root.h"
#include "systemd/service/client/openvpn/completion.h"
#include "systemd/service/os/unix_listener.h"

namespace vpnrun::service::openvpn {
namespace {

constexpr std::size_t kOutputLineMax = 4096;
/// The cost of looking at one line, counted in bytes of a Flow.
constexpr std::size_t kLineCost = 64;

/// For a process that its server has taken over: they limit what it takes from the machine, and
/// what the kernel must undo when it is killed, which we wait for. OpenVPN itself has a dozen
/// descriptors, one process and some 20 MiB; files in memory are bounded by RLIMIT_FSIZE.
constexpr rlim_t kMiB = rlim_t{1} << 20U;
constexpr Limit kLimits[] = {{RLIMIT_NOFILE, 64},  {RLIMIT_NPROC, 4},
                             {RLIMIT_FSIZE, kMiB}, {RLIMIT_MEMLOCK, kMiB / 16},
                             {RLIMIT_MSGQUEUE, 0}, {RLIMIT_AS, 512 * kMiB}};

/// How often it says how much has come from the server, in seconds, if anything has come or gone.
constexpr int kBytesEvery = 30;

/// A folder next to the profile's, which OpenVPN's user must not be able to enter.
std::string management_folder(const std::string& profile_name) {
  return formatted("{}/.client-{}", kRuntimeRoot, profile_name);
}

UniqueFd listen_on(const std::string& folder, const std::string& path, uid_t uid) {
  if (::mkdir(folder.c_str(), 0711) != 0 && errno != EEXIST) {
    throw_errno("cannot create '{}'", folder);
  }
  if (::chown(folder.c_str(), 0, 0) != 0 || ::chmod(folder.c_str(), 0711) != 0) {
    throw_errno("cannot set up '{}'", folder);
  }
  return listen_unix(path, {.user = uid});
}

/// The process that has connected; unix(7).
pid_t peer_pid(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

}  // namespace

bool Flow::is_enough(EventLoop::Clock::time_point now, std::size_t bytes) noexcept {
  if (now - last_ >= kPause) {
    bytes_ = 0;
  }
  last_ = now;
  bytes_ += bytes;
  if (bytes_ < kPiece) {
    return false;
  }
  bytes_ = 0;
  return true;
}

std::string client_options(const profile::OpenvpnConfig& config,
                           const std::vector<Endpoint>& endpoints, const std::string& device,
                           const std::string& management_path) {
  std::string text = formatted(
      "dev {}\n"
      "dev-type tun\n"
      // Addresses and routes are the companion's work: OpenVPN has no right to change any.
      "ifconfig-noexec\n"
      "route-noexec\n"
      // By its user it is routed past its own tunnel. Without this it would take for its own what
      // applications send to another port of its server, and drop that.
      "allow-recursive-routing\n"
      "script-security 1\n"
      "management {} unix\n"
      "management-client\n"
      "management-hold\n"
      "management-up-down\n"
      "management-query-passwords\n"
      // It keeps what a person typed, and never asks by itself: what a refusal means is not its to
      // decide.
      "auth-retry nointeract\n"
      "connect-retry 1 10\n"  // so that it grows no pauses of its own: Attempts does
      "connect-timeout 10\n"
      "resolv-retry 0\n"
      "suppress-timestamps\n"
      // Data-channel offload needs rights that this process does not have; OpenVPN 2.7 would run
      // its own script for DNS.
      "ignore-unknown-option disable-dco dns-updown\n"
      "disable-dco\n"
      "dns-updown disable\n",
      device, management_path);
  for (const auto& endpoint : endpoints) {
    text += formatted("remote {} {} {}\n", endpoint.address.str(), endpoint.port,
                      endpoint.transport == Transport::kUdp ? "udp4" : "tcp4-client");
  }
  const bool all_udp =
      std::all_of(endpoints.begin(), endpoints.end(),
                  [](const Endpoint& endpoint) { return endpoint.transport == Transport::kUdp; });
  if (all_udp && config.text.find("shaper") == std::string::npos) {
    // No poll(2) before each write saves 5 to 10 % (openvpn(8)); not possible with TCP or shaper.
    text += "fast-io\n";
  }
  if (config.needs_user_pass) {
    text += "auth-user-pass\n";
  }
  const Completed completed = complete(config.text);
  return text + completed.before + completed.text + completed.after;
}

void remove_client_folder(const std::string& profile_name) noexcept {
  const std::string folder = management_folder(profile_name);
  (void)::unlink((folder + "/management").c_str());
  (void)::rmdir(folder.c_str());
}

std::string find_program() {
  std::string_view rest = kOpenvpnPrograms;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::string path(rest.substr(0, end));
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::string places = kOpenvpnPrograms;
  std::replace(places.begin(), places.end(), ':', ' ');
  throw Error("openvpn is not installed", std::error_code(ENOENT, std::generic_category()),
              formatted("install it, for example: apt install openvpn; looked for: {}", places));
}

Process::Process(EventLoop& loop, const ProcessPlace& place, const profile::OpenvpnConfig& config,
                 const std::vector<Endpoint>& endpoints, const std::string& device,
                 ProcessEvents events)
    : loop_(loop),
      events_(std::move(events)),
      pushed_dns_(config.text),
      parser_(with_pushed_dns(events_.management)),
      profile_name_(place.profile_name) {
  const std::string folder = management_folder(place.profile_name);
  const std::string socket_path = folder + "/management";
  listener_ = listen_on(folder, socket_path, place.uid);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw_errno("cannot create a pipe");
  }
  output_.reset(pipe[0]);
  const UniqueFd output_end(pipe[1]);
  // In memory only: it contains private keys.
  const UniqueFd options =
      memory_file("openvpn-config", client_options(config, endpoints, device, socket_path));
  SpawnOptions spawn_options;
  const ClientRoot root{find_program(), folder, {place.uid, place.gid}};
  spawn_options.program = program_inside(root);
  spawn_options.furnish = [&root] { enter_client_root(root); };
  spawn_options.alone = true;
  spawn_options.arguments = {"--config", "stdin"};
  spawn_options.environment = {kChildPath, "LC_ALL=C"};
  spawn_options.stdin_fd = options.get();
  spawn_options.output_fd = output_end.get();
  spawn_options.netns_fd = place.netns_fd;
  spawn_options.drop_privileges = true;
  spawn_options.uid = place.uid;
  spawn_options.gid = place.gid;
  spawn_options.parent_death_signal = SIGKILL;
  spawn_options.refuse_calls = true;
  spawn_options.limits.assign(std::begin(kLimits), std::end(kLimits));
  process_ = spawn(spawn_options);
  try {
    watch();
  } catch (...) {
    stop();
    throw;
  }
}

void Process::watch() {
  watches_.push_back(loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); }));
  watch_output();
  exit_watch_ = loop_.watch(process_.fd(), EPOLLIN, [this](std::uint32_t) {
    exit_watch_.reset();
    output_flow_ = Flow();  // to read its last output, which is in the pipe
    read_output();
    if (!std::exchange(reaped_, true)) {
      events_.on_exit(process_.wait());
    }
  });
}

ManagementEvents Process::with_pushed_dns(ManagementEvents events) {
  events.on_hold = [this, next = std::move(events.on_hold)](std::uint32_t wait) {
    read_ahead();
    if (!stopped_) {
      pushed_dns_.forget();
      next(wait);
    }
  };
  events.on_up = [this, next = std::move(events.on_up)](
                     const std::map<std::string, std::string>& environment) {
    read_ahead();
    if (stopped_) {
      return;
    }
    auto whole = environment;
    pushed_dns_.add_to(whole);
    next(whole);
  };
  return events;
}

void Process::stop() noexcept {
  if (std::exchange(stopped_, true)) {
    return;
  }
  parser_.stop();
  watches_.clear();
  connection_watch_.reset();
  output_watch_.reset();
  exit_watch_.reset();
  refusal_.reset();
  if (!reaped_) {
    reaped_ = true;
    (void)process_.send_signal(SIGKILL);
    try {
      (void)process_.wait();
    } catch (const std::exception&) {
      process_ = {};  // somebody else waited for it: it is gone either way
    }
  }
  // A mere close(2) would not do: whoever waits to be accepted may have sent descriptors whose
  // close blocks (peer_socket.h).
  close_listener(std::move(listener_));
  // Removed now, not in the destructor: the next client listens at the same place.
  remove_client_folder(profile_name_);
}

void Process::accept() {
  uid_t uid = 0;
  PeerSocket connection = accept_peer(listener_.get(), uid);
  // It must be the process that we started, and not one that it started itself or another one of
  // its user. Its number cannot be reused before we have waited for it.
  if (!connection.ok() || connection_.ok() || peer_pid(connection.get()) != process_.pid()) {
    return;
  }
  connection_ = std::move(connection);
  watches_.clear();  // no other connection is expected
  close_listener(std::move(listener_));
  watch_connection();
  send(formatted("state on\nhold on\nbytecount {}\n", kBytesEvery));
}

void Process::watch_connection() {
  connection_watch_ = loop_.watch(connection_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
}

void Process::receive() {
  std::array<char, 4096> buffer{};
  const ssize_t got = connection_.receive(buffer);
  if (got > 0) {
    if (connection_flow_.is_enough(EventLoop::Clock::now(), static_cast<std::size_t>(got))) {
      connection_watch_ = loop_.after(Flow::kPause, [this] { watch_connection(); });
    }
    try {
      parser_.feed({buffer.data(), static_cast<std::size_t>(got)});
    } catch (const Error& error) {
      // What the client reported may have come from the server.
      end_it(error.what());
    }
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    if (got < 0) {
      end_it("the VPN client sent what OpenVPN never sends");  // a descriptor
    }
    connection_watch_.reset();
    events_.on_lost();
  }
}

void Process::watch_output() {
  output_watch_ = loop_.watch(output_.get(), EPOLLIN, [this](std::uint32_t) {
    is_ahead_ = false;
    read_output();
  });
}

/// Reads what was printed before the event at hand. At most once between two regular reads of the
/// output, so that a client that sends events without end gets no more of our time that way.
void Process::read_ahead() {
  if (!std::exchange(is_ahead_, true)) {
    read_output();
  }
}

void Process::read_output() {
  std::array<char, 4096> buffer{};
  while (!stopped_) {
    const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      if (got == 0) {
        output_watch_.reset();
      }
      return;
    }
    pending_output_.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t cost = static_cast<std::size_t>(got) + tell_lines() * kLineCost;
    // The beginning of an unfinished line is kept: what follows must not look like a line of its
    // own.
    pending_output_.resize(std::min(pending_output_.size(), kOutputLineMax));
    if (output_flow_.is_enough(EventLoop::Clock::now(), cost)) {
      if (!stopped_) {
        output_watch_ = loop_.after(Flow::kPause, [this] { watch_output(); });
      }
      return;
    }
  }
}

/// Handles the complete lines of the output. Returns how many there were.
std::size_t Process::tell_lines() {
  const std::string text = std::exchange(pending_output_, {});
  const std::string_view view = text;
  std::size_t begin = 0;
  std::size_t lines = 0;
  for (auto end = text.find('\n'); end != std::string::npos && !stopped_;
       end = text.find('\n', begin)) {
    const std::string_view line = view.substr(begin, end - begin);
    pushed_dns_.read(line);
    events_.on_output(line);
    begin = end + 1;
    ++lines;
  }
  pending_output_ = text.substr(begin);
  return lines;
}

/// Kills the process. Nothing more is read from it until its exit, which is an event that is
/// handled anyway.
void Process::end_it(std::string_view reason) {
  connection_watch_.reset();
  output_watch_.reset();
  events_.on_refused(reason);
  if (!reaped_) {
    (void)process_.send_signal(SIGKILL);
  }
}

void Process::send(std::string_view command) {
  if (!connection_.ok()) {
    return;
  }
  const ssize_t put =
      ::send(connection_.get(), command.data(), command.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  const bool gone = put < 0 && (errno == EPIPE || errno == ECONNRESET);
  if (put != static_cast<ssize_t>(command.size()) && !gone) {
    // A command is far smaller than a socket's buffer: the process has left hundreds of them
    // unread. Reported in the next turn of the loop, because no event may come from within a call.
    refusal_ = loop_.after(std::chrono::milliseconds(0), [this] {
      end_it("the VPN client does not read its management connection");
    });
  }
}

void Process::release_hold() {
  send("hold release\n");
}

void Process::reconnect() {
  send("signal SIGUSR1\n");
}

void Process::answer(std::string_view realm, const Secret& user_name, const Secret& password) {
  const auto command = [&realm](std::string_view verb, const Secret& secret) {
    Secret text(formatted("{} {} ", verb, quote(realm)));
    text.append(Secret::take(quote(secret.view())).view()).append("\n");
    return text;
  };
  // Made before the user name is sent: it may be refused.
  const Secret password_command = command("password", password);
  if (!user_name.empty()) {
    send(command("username", user_name).view());
  }
  send(password_command.view());
}

void Process::respond(const Secret& response) {
  std::string text = profile::base64_content(response.view());
  std::erase(text, '\n');
  const Secret encoded = Secret::take(std::move(text));
  Secret command("cr-response ");
  command.append(encoded.view()).append("\n");
  send(command.view());
}

StartProcess process_starter(EventLoop& loop, ProcessPlace place, std::string device) {
  return [&loop, place = std::move(place), device = std::move(device)](
             const profile::OpenvpnConfig& config, const std::vector<Endpoint>& endpoints,
             ProcessEvents events) {
    return std::make_unique<Process>(loop, place, config, endpoints, device, std::move(events));
  };
}

}  // namespace vpnrun::service::openvpn
