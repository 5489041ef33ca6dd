// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "helper/base/unique_fd.h"
#include "systemd/service/netlink/filter_chain.h"

struct nft_ctx;

namespace vpnrun::filter {

/// Where libnftables does its work. It takes about 4 MiB that do not come back; a process that
/// stays has it done by a child that ends. The answer is there before the child has ended: the
/// kernel makes it wait until what was deleted is out of use. It is reaped by tidy(), the next call
/// or the destructor, by its pid. A process that ends soon need not wait for that, and leaves the
/// last one to whoever inherits it (kLeft).
enum class NftPlace : std::uint8_t { kHere, kChild, kLeft };

/// Runs nftables commands (libnftables(3)) in the network namespace that the calling thread is in
/// when this is made, wherever the thread is later.
class Nft {
 public:
  /// Throws Error.
  explicit Nft(NftPlace place = NftPlace::kHere);
  ~Nft();
  Nft(Nft&& other) noexcept;
  Nft& operator=(Nft&& other) noexcept;
  Nft(const Nft&) = delete;
  Nft& operator=(const Nft&) = delete;

  /// Runs `commands` as one transaction: all or nothing. Throws Error with libnftables' own text.
  void apply(const std::string& commands);

  /// The JSON that "`command`" prints (libnftables-json(5), handles included); empty if there is no
  /// such thing. Throws Error only if no command can be run at all.
  [[nodiscard]] std::string list(const std::string& command);

  /// Whether the table is there.
  [[nodiscard]] bool exists(const std::string& table, const char* family = "inet");
  /// Whether the table of family inet is there and has the chain; cheap, whatever is in it.
  [[nodiscard]] bool has_chain(const std::string& table, const std::string& chain);
  /// See FilterChains::number_of(): whether a table is still the same one.
  [[nodiscard]] std::optional<std::uint64_t> number_of(const std::string& table);
  /// Removes the table. false: there was none, or the kernel does not know its family.
  [[nodiscard]] bool remove(const std::string& table, const char* family = "inet");

  /// Takes leave of a child that has ended (kChild); never waits. For whoever hears of its end.
  void tidy() noexcept;

 private:
  struct Free {
    void operator()(::nft_ctx* context) const noexcept;
  };
  using Context = std::unique_ptr<::nft_ctx, Free>;

  struct Result {
    std::string failure;  ///< what libnftables says; empty if all went well
    std::string output;
  };
  [[nodiscard]] static Context open_context();
  [[nodiscard]] static Result run(::nft_ctx* context, const std::string& commands);
  [[nodiscard]] Result run(const std::string& commands);
  [[nodiscard]] Result run_in_child(const std::string& commands);
  void reap() noexcept;
  netlink::FilterChains& chains();

  Context context_;  ///< kHere
  UniqueFd netns_;
  std::optional<netlink::FilterChains> chains_;  ///< once it was asked for
  NftPlace place_ = NftPlace::kHere;
  ::pid_t child_ = 0;  ///< the last one, which may still be on its way out; 0: none
};

}  // namespace vpnrun::filter
