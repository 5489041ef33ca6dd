// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/nft.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <string_view>
#include <utility>

#include <nftables/libnftables.h>

#include "profiles/base/error.h"
#include "profiles/base/format.h"
#include "systemd/service/netlink/scoped_netns.h"
#include "systemd/service/os/rights.h"

namespace vpnrun::filter {
namespace {

/// The first line that says what is wrong; libnftables repeats the commands below it.
std::string first_line(std::string_view text) {
  while (!text.empty() && text.front() == '\n') {
    text.remove_prefix(1);
  }
  return printable(text.substr(0, text.find('\n')));
}

void write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ::ssize_t size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno != EINTR) {
      return;  // the reader is gone, and nobody else is interested
    }
    text.remove_prefix(size < 0 ? 0 : static_cast<std::size_t>(size));
  }
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ::ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(size));
    } else if (size == 0 || errno != EINTR) {
      return text;
    }
  }
}

/// What a dead companion had in mind is not to be done later: with it the host's lock is gone, and
/// somebody else may have changed the rules since.
void end_with_parent(int writer) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::pollfd reader{writer, 0, 0};
  if (::poll(&reader, 1, 0) != 0) {  // POLLERR: it died before
    throw Error("the companion died");
  }
}

/// What the child writes first when all went well, before the output; anything else is what went
/// wrong.
constexpr std::string_view kDone = "done\n";

}  // namespace

void Nft::Free::operator()(::nft_ctx* context) const noexcept {
  ::nft_ctx_free(context);
}

Nft::Nft(NftPlace place) : place_(place) {
  netns_.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!netns_.ok()) {
    throw_errno("cannot open the network namespace of this process");
  }
  if (place == NftPlace::kHere) {
    context_ = open_context();
  }
}

Nft::~Nft() {
  if (place_ != NftPlace::kLeft) {
    reap();
  }
}

Nft::Nft(Nft&& other) noexcept
    : context_(std::move(other.context_)),
      netns_(std::move(other.netns_)),
      chains_(std::move(other.chains_)),
      place_(other.place_),
      child_(std::exchange(other.child_, 0)) {}

Nft& Nft::operator=(Nft&& other) noexcept {
  if (this != &other) {
    reap();
    context_ = std::move(other.context_);
    netns_ = std::move(other.netns_);
    chains_ = std::move(other.chains_);
    place_ = other.place_;
    child_ = std::exchange(other.child_, 0);
  }
  return *this;
}

void Nft::apply(const std::string& commands) {
  const std::string failure = run(commands).failure;
  if (!failure.empty()) {
    throw Error("cannot load filter rules: " + failure);
  }
}

std::string Nft::list(const std::string& command) {
  Result result = run(command);
  return result.failure.empty() ? std::move(result.output) : std::string();
}

bool Nft::exists(const std::string& table, const char* family) {
  return run(formatted("list table {} {}", family, table)).failure.empty();
}

netlink::FilterChains& Nft::chains() {
  if (!chains_) {
    const netlink::ScopedNetns scope(netns_.get());
    chains_.emplace();
  }
  return *chains_;
}

bool Nft::has_chain(const std::string& table, const std::string& chain) {
  return chains().has(table, chain);
}

std::optional<std::uint64_t> Nft::number_of(const std::string& table) {
  return chains().number_of(table);
}

/// Looked for first: a transaction that fails is the one thing here that the kernel makes wait for
/// all its processors.
bool Nft::remove(const std::string& table, const char* family) {
  if (!exists(table, family)) {
    return false;
  }
  const std::string failure = run(formatted("delete table {} {}", family, table)).failure;
  if (failure.empty()) {
    return true;
  }
  if (failure.find("No such file or directory") != std::string::npos ||
      failure.find("not supported") != std::string::npos) {
    return false;
  }
  throw Error(formatted("cannot delete the filter table '{}': {}", table, failure));
}

Nft::Context Nft::open_context() {
  Context context(::nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) {
    throw Error("cannot open nftables");
  }
  // Otherwise libnftables writes to standard output and error.
  if (::nft_ctx_buffer_output(context.get()) != 0 || ::nft_ctx_buffer_error(context.get()) != 0) {
    throw Error("cannot open nftables: no memory for its messages",
                std::make_error_code(std::errc::not_enough_memory));
  }
  ::nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE);
  return context;
}

Nft::Result Nft::run(const std::string& commands) {
  return context_ ? run(context_.get(), commands) : run_in_child(commands);
}

Nft::Result Nft::run(::nft_ctx* context, const std::string& commands) {
  const int status = ::nft_run_cmd_from_buffer(context, commands.c_str());
  Result result;
  result.output = ::nft_ctx_get_output_buffer(context);  // reading empties it
  const std::string said = first_line(::nft_ctx_get_error_buffer(context));
  if (status != 0) {
    result.failure = said.empty() ? "libnftables failed without giving a reason" : said;
  }
  return result;
}

Nft::Result Nft::run_in_child(const std::string& commands) {
  reap();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot make a pipe");
  }
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  child_ = ::fork();
  if (child_ < 0) {
    child_ = 0;
    throw_errno("cannot start the process that loads filter rules");
  }
  if (child_ == 0) {
    Result result;
    Context context;
    try {
      if (::setns(netns_.get(), CLONE_NEWNET) != 0) {
        throw_errno("cannot enter the network namespace");
      }
      service::close_all_but({writer.get()});
      service::keep_capabilities({CAP_NET_ADMIN});
      end_with_parent(writer.get());
      context = open_context();
      result = run(context.get(), commands);
    } catch (const std::exception& error) {
      result.failure = error.what();
    }
    write_all(writer.get(),
              result.failure.empty() ? std::string(kDone) + result.output : result.failure);
    writer.reset();  // the answer is complete; closing nftables' socket may take the kernel a while
    ::_exit(0);      // nothing of the parent's is flushed or torn down here
  }
  writer.reset();
  std::string answer = read_all(reader.get());
  if (answer.starts_with(kDone)) {
    return {{}, answer.substr(kDone.size())};
  }
  return {answer.empty() ? "the process that loads filter rules died" : answer, {}};
}

void Nft::tidy() noexcept {
  if (child_ != 0 && ::waitpid(child_, nullptr, WNOHANG) == child_) {
    child_ = 0;
  }
}

void Nft::reap() noexcept {
  if (child_ != 0) {
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
    child_ = 0;
  }
}

}  // namespace vpnrun::filter
