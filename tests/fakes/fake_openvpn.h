// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/process_control.h"

namespace vpnrun::service::openvpn {

/// One process that FakeOpenvpn was asked for. What it says is the test's; what it was told stands
/// in `orders`. Stopped, it says nothing.
struct FakeRun {
  std::vector<Endpoint> servers;
  ProcessEvents events;
  /// "release", "reconnect", "answer REALM USER PASSWORD", "respond TEXT"
  std::vector<std::string> orders;
  bool is_stopped = false;
  bool is_gone = false;  ///< the object

  void hold(std::uint32_t wait_seconds = 0) const {
    tell([&] { events.management.on_hold(wait_seconds); });
  }
  void bytes(std::uint64_t received) const {
    tell([&] { events.management.on_bytes(received); });
  }
  void info(std::string_view message) const {
    tell([&] { events.management.on_info_message(message); });
  }
  void fatal(std::string_view text) const {
    tell([&] { events.management.on_fatal(text); });
  }
  void state(std::string_view name, std::string_view detail = "") const {
    tell([&] { events.management.on_state(name, detail); });
  }
  void up(const std::map<std::string, std::string>& environment) const {
    tell([&] { events.management.on_up(environment); });
  }
  void down() const {
    tell([this] { events.management.on_down(); });
  }
  void need(std::string_view realm = "Auth", const Challenge& challenge = {}) const {
    tell([&] { events.management.on_need_password(realm, realm == "Auth", challenge); });
  }
  void rejected(std::string_view realm = "Auth", std::string_view reason = "") const {
    tell([&] { events.management.on_password_rejected(realm, reason); });
  }
  void token() const {
    tell([this] { events.management.on_auth_token(); });
  }
  void print(std::string_view line) const {
    tell([&] { events.on_output(line); });
  }
  void refused(std::string_view reason) const {
    tell([&] { events.on_refused(reason); });
  }
  void lost() const {
    tell([this] { events.on_lost(); });
  }
  void exit(int status = 0) const {
    tell([&] { events.on_exit(status); });
  }

 private:
  void tell(const std::function<void()>& event) const {
    if (!is_stopped) {
      event();
    }
  }
};

/// OpenVPN as OpenvpnClient drives it, without a process.
class FakeOpenvpn {
 public:
  /// Whether a process cannot be started.
  bool fails = false;
  std::vector<std::shared_ptr<FakeRun>> runs;

  [[nodiscard]] StartProcess starter() {
    return [this](const profile::OpenvpnConfig& /*config*/, const std::vector<Endpoint>& endpoints,
                  ProcessEvents events) -> std::unique_ptr<ProcessControl> {
      if (fails) {
        throw Error("cannot start the VPN client");
      }
      auto run = std::make_shared<FakeRun>();
      run->servers = endpoints;
      run->events = std::move(events);
      runs.push_back(run);
      return std::make_unique<Control>(run);
    };
  }
  [[nodiscard]] FakeRun& run() const { return *runs.back(); }
  /// How many have not been stopped.
  [[nodiscard]] int running() const {
    int count = 0;
    for (const auto& run : runs) {
      count += run->is_stopped ? 0 : 1;
    }
    return count;
  }

 private:
  class Control : public ProcessControl {
   public:
    explicit Control(std::shared_ptr<FakeRun> run) : run_(std::move(run)) {}
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    Control(Control&&) = delete;
    Control& operator=(Control&&) = delete;
    ~Control() override {
      run_->is_stopped = true;
      run_->is_gone = true;
    }
    void stop() noexcept override { run_->is_stopped = true; }
    void release_hold() override { run_->orders.emplace_back("release"); }
    void reconnect() override { run_->orders.emplace_back("reconnect"); }
    void answer(std::string_view realm, const Secret& user_name, const Secret& password) override {
      (void)quote(user_name.view());
      (void)quote(password.view());
      run_->orders.push_back(
          formatted("answer {} {} {}", realm, user_name.view(), password.view()));
    }
    void respond(const Secret& response) override {
      run_->orders.push_back(formatted("respond {}", response.view()));
    }

   private:
    std::shared_ptr<FakeRun> run_;
  };
};

}  // namespace vpnrun::service::openvpn
