// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "profiles/base/error.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/hooks.h"
#include "systemd/service/inside_network.h"
#include "systemd/service/link/link.h"
#include "systemd/service/link/resolver.h"

namespace vpnrun::service {

/// What a session does to the parts that it works with, in order: "link open
/// 198.51.100.10:1194/udp", "inside up", "hooks up", …
using Journal = std::vector<std::string>;

inline std::string text_of(const std::vector<Endpoint>& endpoints) {
  std::string text;
  for (const auto& endpoint : endpoints) {
    text += ' ' + endpoint.str();
  }
  return text.empty() ? " nothing" : text;
}

/// What a part does that is told to fail.
struct Mishap {
  std::optional<std::string> error;
  void happen() const {
    if (error) {
      throw Error(*error, {}, "try it again");
    }
  }
};

/// A client that does what the test says; `events` are what it tells.
class FakeClient : public TunnelClient {
 public:
  FakeClient(Journal& journal, TunnelEvents to, std::vector<profile::Remote> remotes)
      : events(std::move(to)), journal_(journal), remotes_(std::move(remotes)) {}
  FakeClient(const FakeClient&) = delete;
  FakeClient& operator=(const FakeClient&) = delete;
  FakeClient(FakeClient&&) = delete;
  FakeClient& operator=(FakeClient&&) = delete;
  ~FakeClient() override { journal_.emplace_back("client gone"); }

  [[nodiscard]] std::span<const profile::Remote> servers() const noexcept override {
    return remotes_;
  }
  std::optional<Endpoint> connect(const std::vector<Endpoint>& endpoints) override {
    journal_.push_back("client connect" + text_of(endpoints));
    mishap.happen();
    return endpoints.empty() ? std::nullopt : std::optional(endpoints.front());
  }
  bool drop() noexcept override {
    journal_.emplace_back("client drop");
    return can_drop;
  }
  void stop() noexcept override { journal_.emplace_back("client stop"); }
  void forget() noexcept override { journal_.emplace_back("client forget"); }
  void answer(const ControlRequest& request) override {
    mishap.happen();
    journal_.push_back("client answer " + std::string(request.user_name.view()));
  }

  TunnelEvents events;
  Mishap mishap;
  bool can_drop = true;

 private:
  Journal& journal_;
  std::vector<profile::Remote> remotes_;
};

class FakeLink : public Link {
 public:
  FakeLink(Journal& journal, LinkEvents to) : events(std::move(to)), journal_(journal) {}
  FakeLink(const FakeLink&) = delete;
  FakeLink& operator=(const FakeLink&) = delete;
  FakeLink(FakeLink&&) = delete;
  FakeLink& operator=(FakeLink&&) = delete;
  ~FakeLink() override { journal_.emplace_back("link gone"); }

  [[nodiscard]] std::optional<UnusableAddress> check(const IpAddress& address) override {
    const auto found = unusable.find(address.str());
    return found == unusable.end() ? std::nullopt : std::optional(found->second);
  }
  void open(const std::vector<Endpoint>& endpoints) override {
    journal_.push_back("link open" + text_of(endpoints));
    mishap.happen();
  }
  void settled() override { journal_.emplace_back("link settled"); }
  [[nodiscard]] PortalSigns portal_signs() override { return signs; }
  [[nodiscard]] std::optional<LinkAddresses> addresses() const override { return ends; }

  LinkEvents events;
  Mishap mishap;
  std::map<std::string, UnusableAddress> unusable;
  PortalSigns signs;
  std::optional<LinkAddresses> ends =
      LinkAddresses{"vr-work", *IpAddress::parse("198.18.0.1"), *IpAddress::parse("198.18.0.2")};

 private:
  Journal& journal_;
};

class FakeInside : public InsideNetwork {
 public:
  explicit FakeInside(Journal& journal) : journal_(journal) {}
  FakeInside(const FakeInside&) = delete;
  FakeInside& operator=(const FakeInside&) = delete;
  FakeInside(FakeInside&&) = delete;
  FakeInside& operator=(FakeInside&&) = delete;
  ~FakeInside() override { journal_.emplace_back("inside gone"); }

  void open(const std::optional<LinkAddresses>& link,
            const std::vector<Endpoint>& endpoints) override {
    journal_.push_back((link ? "inside open" : "inside close") + text_of(endpoints));
  }
  void bring_up(const TunnelSettings& settings, const std::vector<IpAddress>& to) override {
    mishap.happen();
    resolvers = to;
    journal_.push_back("inside up" +
                       (settings.addresses.empty() ? "" : " " + settings.addresses[0].str()));
  }
  void set_inbound(const std::vector<profile::Port>& ports) override {
    mishap.happen();
    std::string text = "inside ports";
    for (const auto& port : ports) {
      text += ' ' + port.str();
    }
    journal_.push_back(text);
  }
  void take_down() noexcept override { journal_.emplace_back("inside down"); }

  Mishap mishap;
  std::vector<IpAddress> resolvers;

 private:
  Journal& journal_;
};

/// Names are answered when the test says so.
class FakeNames : public NameLookup {
 public:
  explicit FakeNames(Journal& journal) : journal_(journal) {}
  void look_up(const std::vector<std::string>& names, Callback callback) override {
    journal_.push_back("names look up " + names.front());
    mishap.happen();
    callback_ = std::move(callback);
  }
  void cancel() noexcept override { callback_ = nullptr; }

  [[nodiscard]] bool is_asked() const noexcept { return callback_ != nullptr; }
  void answer() { std::exchange(callback_, nullptr)(result); }

  Result result;
  Mishap mishap;

 private:
  Journal& journal_;
  Callback callback_;
};

class FakeHooks : public Hooks {
 public:
  explicit FakeHooks(Journal& journal) : journal_(journal) {}
  void up(const profile::Hooks& /*hooks*/, std::vector<std::string> with) override {
    environment = std::move(with);
    journal_.emplace_back("hooks up");
  }
  void down() override { journal_.emplace_back("hooks down"); }

  std::vector<std::string> environment;

 private:
  Journal& journal_;
};

}  // namespace vpnrun::service
