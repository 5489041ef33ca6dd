// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

struct nft_ctx;

namespace vpnrun::filter {

/// Runs nftables commands (libnftables(3)) in the network namespace that the calling thread is in
/// when this is made; it stays there.
class Nft {
 public:
  /// Throws Error.
  Nft();
  ~Nft();
  Nft(Nft&&) noexcept;
  Nft& operator=(Nft&&) noexcept;
  Nft(const Nft&) = delete;
  Nft& operator=(const Nft&) = delete;

  /// Runs `commands` as one transaction: all or nothing. Throws Error with libnftables' own text.
  void apply(const std::string& commands);

  /// Whether the table of family inet is there.
  [[nodiscard]] bool exists(const std::string& table);
  /// false: there was none.
  [[nodiscard]] bool remove(const std::string& table);

 private:
  struct Free {
    void operator()(::nft_ctx* context) const noexcept;
  };
  /// Empty: done; otherwise what libnftables says.
  [[nodiscard]] std::string run(const std::string& commands);

  std::unique_ptr<::nft_ctx, Free> context_;
};

}  // namespace vpnrun::filter
