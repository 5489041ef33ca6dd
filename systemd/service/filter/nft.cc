// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/nft.h"

#include <cerrno>
#include <string_view>

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include "profiles/error.h"

namespace vpnrun::filter {
namespace {

/// The first line that says what is wrong; libnftables repeats the commands below it.
std::string first_line(std::string_view text) {
  while (!text.empty() && text.front() == '\n') {
    text.remove_prefix(1);
  }
  return printable(text.substr(0, text.find('\n')));
}

}  // namespace

void Nft::Free::operator()(::nft_ctx* context) const noexcept {
  ::nft_ctx_free(context);
}

Nft::Nft() : context_(::nft_ctx_new(NFT_CTX_DEFAULT)) {
  if (!context_) {
    throw Error("cannot open nftables");
  }
  // Otherwise libnftables writes to standard output and error.
  if (::nft_ctx_buffer_output(context_.get()) != 0 || ::nft_ctx_buffer_error(context_.get()) != 0) {
    throw Error("cannot open nftables: no memory for its messages",
                std::make_error_code(std::errc::not_enough_memory));
  }
}

Nft::~Nft() = default;
Nft::Nft(Nft&&) noexcept = default;
Nft& Nft::operator=(Nft&&) noexcept = default;

void Nft::apply(const std::string& commands) {
  const std::string failure = run(commands);
  if (!failure.empty()) {
    throw Error("cannot load filter rules: " + failure);
  }
}

bool Nft::exists(const std::string& table) {
  return run("list table inet " + table).empty();
}

bool Nft::remove(const std::string& table) {
  const std::string failure = run("delete table inet " + table);
  if (failure.empty()) {
    return true;
  }
  if (failure.find("No such file or directory") != std::string::npos) {
    return false;
  }
  throw Error(fmt::format("cannot delete the filter table '{}': {}", table, failure));
}

std::string Nft::run(const std::string& commands) {
  errno = 0;
  const int result = ::nft_run_cmd_from_buffer(context_.get(), commands.c_str());
  (void)::nft_ctx_get_output_buffer(context_.get());  // reading empties it
  if (result == 0) {
    return {};
  }
  std::string failure = first_line(::nft_ctx_get_error_buffer(context_.get()));
  return failure.empty() ? "libnftables failed without a reason" : failure;
}

}  // namespace vpnrun::filter
