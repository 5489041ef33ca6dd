// SPDX-License-Identifier: GPL-2.0-or-later
//
// A library for D-Bus would be loaded by every companion for this one question.
#include "systemd/service/link/network_manager.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/base/format.h"

namespace vpnrun::service {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMessageMax = 8192;
constexpr std::uint32_t kQuestionSerial = 2;

// D-Bus specification, "Message Format".
constexpr unsigned char kMethodCall = 1;
constexpr unsigned char kMethodReturn = 2;
constexpr unsigned char kRefusal = 3;
constexpr unsigned char kNoAutoStart = 2;
enum Field : unsigned char {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kReplySerial = 5,
  kDestination = 6,
  kSignature = 8
};

/// Values in the order of bytes that this machine has, which each message names.
class Writer {
 public:
  void align(std::size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to); }
  void put(unsigned char value) { bytes_.push_back(value); }
  void put(std::uint32_t value) {
    align(4);
    const auto raw = std::bit_cast<std::array<unsigned char, 4>>(value);
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
  }
  void put_string(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    put_text(text);
  }
  void put_signature(std::string_view text) {
    put(static_cast<unsigned char>(text.size()));
    put_text(text);
  }
  void put_field(Field field, const char* signature, std::string_view text) {
    align(8);
    put(static_cast<unsigned char>(field));
    put_signature(signature);
    if (field == kSignature) {
      put_signature(text);
    } else {
      put_string(text);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  void put_at(std::size_t offset, std::uint32_t value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }
  [[nodiscard]] std::vector<unsigned char> take() && { return std::move(bytes_); }

 private:
  void put_text(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    bytes_.push_back(0);
  }
  std::vector<unsigned char> bytes_;
};

struct Call {
  std::uint32_t serial;
  const char* destination;
  const char* path;
  const char* interface;
  const char* member;
  std::vector<const char*> arguments;
};

std::vector<unsigned char> encode(const Call& call) {
  Writer message;
  message.put(static_cast<unsigned char>(std::endian::native == std::endian::little ? 'l' : 'B'));
  message.put(kMethodCall);
  message.put(kNoAutoStart);
  message.put(static_cast<unsigned char>(1));  // version of the protocol
  constexpr std::size_t kBodySize = 4;
  constexpr std::size_t kFieldsSize = 12;
  message.put(std::uint32_t{0});
  message.put(call.serial);
  message.put(std::uint32_t{0});
  const std::size_t fields = message.size();
  message.put_field(kPath, "o", call.path);
  message.put_field(kInterface, "s", call.interface);
  message.put_field(kMember, "s", call.member);
  message.put_field(kDestination, "s", call.destination);
  if (!call.arguments.empty()) {
    message.put_field(kSignature, "g", std::string(call.arguments.size(), 's'));
  }
  message.put_at(kFieldsSize, static_cast<std::uint32_t>(message.size() - fields));
  message.align(8);
  const std::size_t body = message.size();
  for (const char* argument : call.arguments) {
    message.put_string(argument);
  }
  message.put_at(kBodySize, static_cast<std::uint32_t>(message.size() - body));
  return std::move(message).take();
}

/// Reads what a peer sent; each step throws Error if it is not there.
class Reader {
 public:
  Reader(std::span<const unsigned char> bytes, bool is_swapped)
      : bytes_(bytes), is_swapped_(is_swapped) {}
  void align(std::size_t to) { skip((to - offset_ % to) % to); }
  void skip(std::size_t count) {
    if (count > bytes_.size() - offset_) {
      throw_error(EBADMSG, "cannot read the answer of D-Bus");
    }
    offset_ += count;
  }
  unsigned char byte() {
    skip(1);
    return bytes_[offset_ - 1];
  }
  std::uint32_t number() {
    align(4);
    skip(4);
    std::uint32_t value = 0;
    std::memcpy(&value, bytes_.subspan(offset_ - 4, 4).data(), 4);
    return is_swapped_ ? __builtin_bswap32(value) : value;
  }
  /// A basic type's signature, as all header fields have.
  char signature() {
    const unsigned char size = byte();
    const auto type = static_cast<char>(byte());
    if (size != 1 || byte() != 0) {
      throw_error(EBADMSG, "cannot read the answer of D-Bus");
    }
    return type;
  }
  void skip_value(char type) {
    if (type == 'u' || type == 'b' || type == 'i') {
      (void)number();
    } else if (type == 's' || type == 'o') {
      const std::uint32_t size = number();
      skip(size);
      skip(1);
    } else if (type == 'g') {
      skip(std::size_t{byte()} + 1);
    } else {
      throw_error(EBADMSG, "cannot read the answer of D-Bus");
    }
  }
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

 private:
  std::span<const unsigned char> bytes_;
  std::size_t offset_ = 0;
  bool is_swapped_;
};

constexpr std::size_t kHeadSize = 16;

/// Waits until there is something to read; false: the time is over.
bool wait_for(int fd, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  ::pollfd waiting{fd, POLLIN, 0};
  return left > 0 && ::poll(&waiting, 1, static_cast<int>(left)) == 1;
}

bool send_all(int fd, std::span<const unsigned char> bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<::ssize_t>(bytes.size());
}

bool send_all(int fd, std::string_view text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<::ssize_t>(text.size());
}

/// Appends what has come; false: nothing more will, or it is too much.
bool receive(int fd, std::vector<unsigned char>& buffer) {
  std::array<unsigned char, 2048> more{};
  const ::ssize_t size = ::recv(fd, more.data(), more.size(), MSG_DONTWAIT);
  if (size <= 0 || buffer.size() + static_cast<std::size_t>(size) > kMessageMax) {
    return false;
  }
  buffer.insert(buffer.end(), more.begin(), more.begin() + size);
  return true;
}

UniqueFd connect_to(const std::string& path) {
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.ok() || path.size() >= sizeof address.sun_path) {
    return {};
  }
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
  if (::connect(fd.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) {
    return {};
  }
  return fd;
}

/// "Authentication Protocol": the bus asks the kernel who we are.
bool greet(int fd, Clock::time_point deadline) {
  std::string uid;
  for (const char digit : std::to_string(::geteuid())) {
    uid += formatted("{:02x}", static_cast<unsigned>(digit));
  }
  if (!send_all(fd, std::string_view("\0", 1)) || !send_all(fd, "AUTH EXTERNAL " + uid + "\r\n")) {
    return false;
  }
  std::vector<unsigned char> line;
  while (std::find(line.begin(), line.end(), '\n') == line.end()) {
    if (!wait_for(fd, deadline) || !receive(fd, line)) {
      return false;
    }
  }
  constexpr std::string_view kOk = "OK ";
  return line.size() > kOk.size() && std::equal(kOk.begin(), kOk.end(), line.begin()) &&
         send_all(fd, "BEGIN\r\n");
}

std::optional<Connectivity> ask(const std::string& socket, Clock::time_point deadline) {
  const UniqueFd fd = connect_to(socket);
  if (!fd.ok() || !greet(fd.get(), deadline) || !send_all(fd.get(), nm_question())) {
    return std::nullopt;
  }
  std::vector<unsigned char> buffer;
  for (;;) {
    const DbusAnswer answer = read_nm_answer(buffer);
    if (answer.is_last) {
      return answer.connectivity;
    }
    if (answer.size != 0) {
      buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(answer.size));
    } else if (!wait_for(fd.get(), deadline) || !receive(fd.get(), buffer)) {
      return std::nullopt;
    }
  }
}

}  // namespace

std::vector<unsigned char> nm_question() {
  std::vector<unsigned char> messages = encode(
      {1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", {}});
  const auto question = encode({kQuestionSerial,
                                "org.freedesktop.NetworkManager",
                                "/org/freedesktop/NetworkManager",
                                "org.freedesktop.DBus.Properties",
                                "Get",
                                {"org.freedesktop.NetworkManager", "Connectivity"}});
  messages.insert(messages.end(), question.begin(), question.end());
  return messages;
}

DbusAnswer read_nm_answer(std::span<const unsigned char> bytes) {
  if (bytes.size() < kHeadSize) {
    return {};
  }
  const bool is_little = bytes[0] == 'l';
  if (!is_little && bytes[0] != 'B') {
    throw_error(EBADMSG, "cannot read the answer of D-Bus");
  }
  Reader reader(bytes, is_little != (std::endian::native == std::endian::little));
  reader.skip(1);
  const unsigned char type = reader.byte();
  reader.skip(2);
  const std::size_t body_size = reader.number();
  (void)reader.number();
  const std::size_t fields_size = reader.number();
  if (body_size > kMessageMax || fields_size > kMessageMax) {
    throw_error(EMSGSIZE, "cannot read the answer of D-Bus");
  }
  const std::size_t body = (kHeadSize + fields_size + 7) / 8 * 8;
  if (bytes.size() < body + body_size) {
    return {};
  }
  DbusAnswer answer;
  answer.size = body + body_size;
  std::uint32_t answered = 0;
  while (reader.offset() < kHeadSize + fields_size) {
    reader.align(8);
    const unsigned char field = reader.byte();
    const char signature = reader.signature();
    if (field == kReplySerial && signature == 'u') {
      answered = reader.number();
    } else {
      reader.skip_value(signature);
    }
  }
  answer.is_last = answered == kQuestionSerial && (type == kMethodReturn || type == kRefusal);
  if (answer.is_last && type == kMethodReturn) {
    Reader value(bytes.subspan(body, body_size),
                 is_little != (std::endian::native == std::endian::little));
    const char signature = value.signature();
    const std::uint32_t number = signature == 'u' ? value.number() : 0;
    answer.connectivity = number <= static_cast<std::uint32_t>(Connectivity::kFull)
                              ? static_cast<Connectivity>(number)
                              : Connectivity::kUnknown;
  }
  return answer;
}

std::optional<Connectivity> nm_connectivity(const std::string& socket,
                                            std::chrono::milliseconds patience) noexcept {
  try {
    return ask(socket, Clock::now() + patience);
  } catch (const std::exception&) {
    return std::nullopt;  // nothing depends on it but what people are told
  }
}

}  // namespace vpnrun::service
