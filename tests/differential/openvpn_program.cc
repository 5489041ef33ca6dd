// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/openvpn_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::differential {
namespace {

constexpr const char* kStop = "end-of-the-differential-check";  // reveal.c

UniqueFd file_of(std::string_view text) {
  UniqueFd fd(::memfd_create("differential", MFD_CLOEXEC));
  while (fd.ok() && !text.empty()) {
    const ssize_t put = ::write(fd.get(), text.data(), text.size());
    if (put <= 0) {
      throw_errno("cannot write a memory file");
    }
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (!fd.ok() || ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    throw_errno("cannot make a memory file");
  }
  return fd;
}

/// All that comes until the writer is gone; nullopt if that takes too long.
std::optional<std::string> read_all(int fd) {
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, kPatienceMs) <= 0) {
      return std::nullopt;
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string from_hex(std::string_view hex) {
  std::string text;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    (void)std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    text += static_cast<char>(value);
  }
  return text;
}

/// Takes OpenVPN's output apart, line by line.
class OutputReader {
 public:
  Seen run(std::string_view output);

 private:
  void line(std::string_view text);
  void revealed(std::string_view text);
  void setting(std::string_view text);

  Seen seen_;
  std::string last_error_;
  std::string connection_;  ///< "connection 0: " inside of such a part
  bool in_settings_ = false;
  bool had_settings_ = false;
  bool ended_ = false;
};

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

/// "stdin:12" and "[CONNECTION-OPTIONS]:3" are other lines in another text.
std::string without_line_numbers(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    if (text[i] == ':' && (result.ends_with("stdin:") || result.ends_with("OPTIONS]:"))) {
      while (i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9') {
        ++i;
      }
    }
  }
  return result;
}

Seen OutputReader::run(std::string_view output) {
  while (!output.empty()) {
    const std::size_t end = output.find('\n');
    line(output.substr(0, end));
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
  }
  if (had_settings_ && last_error_ == "No usable connection profiles are present") {
    had_settings_ = false;
  }
  if (had_settings_ && !ended_) {
    seen_.ending = last_error_;
  }
  if (!had_settings_) {
    seen_.refusal = last_error_.empty() ? "OpenVPN said nothing" : last_error_;
  }
  return std::move(seen_);
}

void OutputReader::line(std::string_view text) {
  if (take(text, "@")) {
    return revealed(text);
  }
  if (text == "Current Parameter Settings:") {
    in_settings_ = had_settings_ = true;
  } else if (in_settings_ && text.starts_with("OpenVPN 2.")) {
    in_settings_ = false;
  } else if (in_settings_) {
    setting(text);
  } else if (!text.starts_with("Use --help") && !text.starts_with("Exiting due to fatal error") &&
             !text.starts_with("WARNING") && !text.starts_with("Note:") &&
             !text.starts_with("NOTE:") && !text.starts_with("DEPRECATED") && !text.empty()) {
    last_error_ = without_line_numbers(text);
  }
}

void OutputReader::revealed(std::string_view text) {
  if (text == "line") {
    seen_.plugins.emplace_back();
  } else if (text == "end") {
    ended_ = true;
  } else if (take(text, "word ")) {
    seen_.plugins.back().push_back(from_hex(text));
  } else if (take(text, "variable ")) {
    const std::string variable = from_hex(text);
    const std::size_t equals = variable.find('=');
    seen_.environment[variable.substr(0, equals)] =
        equals == std::string::npos ? "" : variable.substr(equals + 1);
  }
}

void OutputReader::setting(std::string_view text) {
  if (text.starts_with("Connection profiles [")) {
    connection_ = formatted("connection {}: ", seen_.remotes.size());
    seen_.remotes.push_back({});
    return;
  }
  if (text.starts_with("Connection profiles END")) {
    connection_.clear();
    return;
  }
  (void)take(text, "  ");
  const std::size_t equals = text.find(" = ");
  std::string name = connection_ + std::string(text.substr(0, equals));
  std::string value(equals == std::string_view::npos ? "" : text.substr(equals + 3));
  if (!connection_.empty()) {
    profile::Remote& remote = seen_.remotes.back();
    const std::string bare =
        value.size() >= 2 && value.front() == '\'' ? value.substr(1, value.size() - 2) : value;
    if (name.ends_with(": remote")) {
      remote.host = bare;
    } else if (name.ends_with(": remote_port")) {
      remote.port = static_cast<std::uint16_t>(std::strtoul(bare.c_str(), nullptr, 10));
    } else if (name.ends_with(": proto")) {
      remote.transport = bare.starts_with("tcp") ? Transport::kTcp : Transport::kUdp;
    }
  }
  std::string unique = name;
  for (int i = 2; seen_.settings.contains(unique); ++i) {
    unique = formatted("{} #{}", name, i);
  }
  seen_.settings[unique] = std::move(value);
}

}  // namespace

OpenvpnProgram::OpenvpnProgram(std::string plugin, std::string folder, std::string login)
    : plugin_(std::move(plugin)), folder_(std::move(folder)), login_(std::move(login)) {}

std::string OpenvpnProgram::output_for(std::string_view text) {
  const UniqueFd input = file_of(text);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot make a pipe");
  }
  const UniqueFd output(ends[0]);
  UniqueFd output_end(ends[1]);
  const std::array<const char*, 30> arguments = {
      "openvpn", "--suppress-timestamps", "--cd", folder_.c_str(),
      // What every client has, so that a file of a few lines is a whole one.
      "--client", "--ca", "ca.crt", "--cert", "client.crt", "--key", "client.key", "--config",
      "stdin",
      // Where the two texts differ on purpose, or could stop or hide what follows.
      "--dev", "tun", "--dev-type", "tun", "--disable-dco", "--verb", "4", "--mute", "0",
      "--auth-user-pass", login_.c_str(), "--askpass", login_.c_str(), "--plugin", plugin_.c_str(),
      kStop, nullptr};
  const std::array<const char*, 2> environment = {"LC_ALL=C", nullptr};
  const pid_t child = ::fork();
  if (child < 0) {
    throw_errno("cannot start a process");
  }
  if (child == 0) {
    if (::dup2(input.get(), 0) == 0 && ::dup2(output_end.get(), 1) == 1 && ::dup2(1, 2) == 2) {
      ::execve(kProgram, const_cast<char* const*>(arguments.data()),
               const_cast<char* const*>(environment.data()));
    }
    ::_exit(127);
  }
  output_end.reset();
  const std::optional<std::string> said = read_all(output.get());
  if (!said) {
    (void)::kill(child, SIGKILL);
  }
  int status = 0;
  (void)::waitpid(child, &status, 0);
  if (!said) {
    throw Error("OpenVPN does not end");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    throw Error(formatted("cannot run {}", kProgram));
  }
  if (WIFSIGNALED(status)) {
    return *said + "\nOpenVPN was ended by a signal\n";
  }
  return *said;
}

Seen OpenvpnProgram::read(std::string_view text) {
  ++runs_;
  return OutputReader().run(output_for(text));
}

}  // namespace vpnrun::differential
