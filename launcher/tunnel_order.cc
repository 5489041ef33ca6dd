// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/tunnel_order.h"

#include <algorithm>
#include <thread>

#include "launcher/control_client.h"

namespace vpnrun {
namespace {

using std::chrono::milliseconds;

/// Long enough for systemd to have noticed, and recorded, the end of a companion.
constexpr milliseconds kPause{200};

}  // namespace

Status order_tunnel(const Places& places, const std::string& profile, const Order& order,
                    Start start, Person& person) {
  const auto begin = SteadyClock::now();
  Order rest = order;
  for (;;) {
    try {
      ControlClient client = start == Start::kAllowed
                                 ? ControlClient::connect(places, profile)
                                 : ControlClient::connect_if_running(places, profile);
      return carry_out(client, rest, person);
    } catch (const HungUp&) {
      const auto elapsed =
          std::chrono::duration_cast<milliseconds>(SteadyClock::now() - begin) + kPause;
      if (order.goal != State::kUp || start == Start::kNo || elapsed >= order.patience) {
        throw;
      }
      rest.patience = order.patience - elapsed;
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace vpnrun
