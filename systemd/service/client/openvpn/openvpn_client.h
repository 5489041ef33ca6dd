// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/openvpn_config.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/client/failure.h"
#include "systemd/service/client/openvpn/login.h"
#include "systemd/service/client/openvpn/process_control.h"
#include "systemd/service/client/openvpn/reasons.h"
#include "systemd/service/client/openvpn/tries.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/os/timers.h"

namespace vpnrun::service {

/// A TunnelClient that runs OpenVPN: one process at a time, which is used for as long as possible.
/// It waits at its hold between attempts, with what somebody typed; a new one is started if the
/// servers have changed, or if the process would send a one-time password again. A server that has
/// refused the client is passed over in the next attempt, if there are others and it does not ask
/// the client to stay.
///
/// A new process tries the endpoints in another order than the one before it, so that a server that
/// does not answer does not keep us from the others: each comes first in turn, or the order is
/// random if the configuration says `remote-random`. The turns start over after a connection,
/// unless the receiver of its `connected` event gave it up. The order is kept if the server sent a
/// challenge: it alone may know the answer.
class OpenvpnClient : public TunnelClient {
 public:
  /// How often the client may ask within kQuestionTime: more than any person answers.
  static constexpr std::size_t kQuestionsMax = 10;
  static constexpr std::chrono::seconds kQuestionTime{60};

  /// `device` keeps the tunnel device: it is destroyed after the last process has ended.
  OpenvpnClient(Timers& timers, CredentialFiles files, profile::OpenvpnConfig config,
                openvpn::StartProcess start, std::shared_ptr<void> device, TunnelEvents events);
  OpenvpnClient(const OpenvpnClient&) = delete;
  OpenvpnClient& operator=(const OpenvpnClient&) = delete;
  OpenvpnClient(OpenvpnClient&&) = delete;
  OpenvpnClient& operator=(OpenvpnClient&&) = delete;
  ~OpenvpnClient() override;

  [[nodiscard]] std::span<const profile::Remote> servers() const noexcept override {
    return config_.remotes;
  }
  [[nodiscard]] std::vector<Endpoint> choose(const std::vector<Endpoint>& endpoints) override;
  std::optional<Endpoint> connect(const std::vector<Endpoint>& endpoints) override;
  [[nodiscard]] bool drop() noexcept override;
  void stop() noexcept override;
  void forget() noexcept override;
  void answer(const ControlRequest& request) override;

 private:
  enum class Phase : std::uint8_t {
    kIdle,  ///< neither: what the process reports no longer matters
    kTrying,
    kConnected,
  };

  [[nodiscard]] openvpn::ProcessEvents process_events();
  void on_hold(std::chrono::seconds wait);
  void on_bytes(std::uint64_t received);
  void on_up(const std::map<std::string, std::string>& environment);
  void on_state(std::string_view name, std::string_view detail);
  void on_connected();
  void on_need_password(std::string_view realm, bool wants_user_name,
                        const openvpn::Challenge& challenge);
  void on_password_rejected(std::string_view realm, std::string_view reason);
  void watch_silence(std::string_view state);
  void watch_server();
  void on_auth_failure();
  void on_auth_pending(std::string_view detail);
  void wait_for_login(BrowserLogin login);
  void on_info_message(std::string_view message);
  void on_refused(std::string_view reason);
  void on_output(std::string_view line);
  void on_exit(int status);

  [[nodiscard]] bool asks_too_often();
  [[nodiscard]] bool wants_logins_without_end();
  void observe(const Failure& failure);
  void locate(Failure& failure, std::string_view line) const;
  void lose(const Failure& failure);
  void fail(Failure failure);
  void end(const Failure& failure);
  void end_with_process(const Failure& failure);
  [[nodiscard]] bool close_question();

  void start_process(const std::vector<Endpoint>& endpoints);
  [[nodiscard]] std::vector<Endpoint> order_of(const std::vector<Endpoint>& endpoints);
  [[nodiscard]] Endpoint next_server() const;
  [[nodiscard]] bool passes_over(std::string_view state);
  void release_hold();
  void send(const ClientAnswer& answer);
  void stop_process() noexcept;
  [[nodiscard]] std::string endpoint_text() const;

  Timers& timers_;
  std::shared_ptr<void> device_;
  CredentialFiles files_;
  profile::OpenvpnConfig config_;
  openvpn::StartProcess start_;
  TunnelEvents events_;

  Phase phase_ = Phase::kIdle;
  std::unique_ptr<openvpn::ProcessControl> process_;
  /// Stopped processes, kept until the event that they may be in has returned.
  std::vector<std::unique_ptr<openvpn::ProcessControl>> stopped_;
  Timers::Handle reap_;
  bool holds_ = false;     ///< it waits for release_hold()
  bool is_spent_ = false;  ///< it is not released from its hold again
  bool hold_released_ =
      false;  ///< this process, at least once: since then it reads from the network
  openvpn::Tries tries_;
  Timers::Handle silence_;                           ///< since the process came to its state
  std::deque<Timers::Clock::time_point> questions_;  ///< this process's latest
  std::optional<std::uint64_t> question_;            ///< the open one
  std::optional<TunnelSettings> settings_;           ///< what this process reported last
  bool was_refused_ = false;  ///< its try, for reasons that may pass; it goes to its hold
  /// Of the server that has refused what a person typed: OpenVPN would try it again.
  enum class PassOver : std::uint8_t {
    kNo,
    kNext,     ///< once the process is on its way there
    kUnderWay  ///< it was told to, and comes back to its hold
  };
  PassOver pass_over_ = PassOver::kNo;
  std::optional<std::uint64_t> received_;   ///< bytes, as the process last said
  Timers::Handle unheard_;                  ///< since it last said that more had come
  bool asks_text_ = false;                  ///< the open question is the server's: PendingLogin
  std::optional<BrowserLogin> pending_;     ///< what the server has said of it in this attempt
  std::chrono::seconds login_patience_{0};  ///< of the server for a log-in elsewhere
  openvpn::Explainer explainer_;            ///< of this process's lines
  bool is_answered_ =
      false;           ///< by a server: what this process says from now on may be of its making
  std::string fatal_;  ///< why this process is about to end, in its words
  std::optional<Failure> observed_;  ///< the best explanation that this attempt has given so far

  std::vector<Endpoint> endpoints_;
  std::vector<Endpoint> order_;            ///< the same, as the process tries them
  std::optional<Endpoint> endpoint_;       ///< the one in use, as far as is known
  unsigned rotation_ = 0;                  ///< which of them comes first
  std::optional<std::size_t> part_first_;  ///< where the present part of a long list begins
  std::size_t part_tried_ = 0;             ///< tries with it
  bool is_part_ = false;                   ///< the order is choose()'s own
  Login login_;
};

}  // namespace vpnrun::service
