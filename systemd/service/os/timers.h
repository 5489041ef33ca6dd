// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace vpnrun::service {

/// The time, and callbacks at a later time. Code that makes decisions reads no other clock, so that
/// a test can set it (tests/fakes/test_clock.h). For one thread only; needs nothing else of the
/// process.
class Timers {
 public:
  using Clock = std::chrono::steady_clock;
  using TimerCallback = std::function<void()>;

  /// Ends the timer or watch that it stands for when it is destroyed. Must not outlive its owner.
  class Handle {
   public:
    Handle() noexcept = default;
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&& other) noexcept;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { reset(); }
    void reset() noexcept;
    /// For a timer: true until reset(), which the handle's owner calls when the callback begins.
    [[nodiscard]] bool active() const noexcept { return owner_ != nullptr; }

   private:
    friend class Timers;
    Handle(Timers* owner, std::uint64_t id) noexcept : owner_(owner), id_(id) {}
    Timers* owner_ = nullptr;
    std::uint64_t id_ = 0;
  };

  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  Timers(Timers&&) = delete;
  Timers& operator=(Timers&&) = delete;
  virtual ~Timers() = default;
  [[nodiscard]] virtual Clock::time_point now() const noexcept = 0;
  /// Calls back once after `delay`, never from within this call, unless the handle is destroyed
  /// first.
  [[nodiscard]] virtual Handle after(std::chrono::milliseconds delay, TimerCallback callback) = 0;

 protected:
  Timers() = default;
  [[nodiscard]] Handle handle(std::uint64_t id) noexcept { return {this, id}; }
  virtual void remove(std::uint64_t id) noexcept = 0;
};

}  // namespace vpnrun::service
