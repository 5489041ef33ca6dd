// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string>

#include "profiles/command_line.h"
#include "systemd/service/access.h"
#include "systemd/service/commands.h"
#include "systemd/service/link/resolver.h"
#include "systemd/service/os/log.h"

namespace {

struct Order {
  const char* name;
  const char* text;
  int (*run)(const std::string& profile_name);
};
constexpr std::array kOrders = {
    Order{"prepare", "make the namespaces, sealed", vpnrun::service::prepare},
    Order{"run", "keep the tunnel up, in the foreground", vpnrun::service::run},
    Order{"ended", "record why systemd ended it; for the unit", vpnrun::service::ended},
    Order{"waiting", "remember what waits for the namespace; for its unit",
          vpnrun::service::waiting},
    Order{"resume", "start what has waited for it; for its unit", vpnrun::service::resume},
    Order{"inside", "succeed in the profile's network only; for attached units",
          vpnrun::service::inside},
    Order{"release", "undo everything; repeating it is not an error", vpnrun::service::release}};

int run_main(int argc, char** argv) {
  // Keys and passwords pass through this process.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(S_IWGRP | S_IWOTH);

  CLI::App app{"Makes and keeps the tunnel of one vpnrun profile.", "vpnrun-tunnel"};
  vpnrun::add_usual_flags(app, VPNRUN_VERSION);
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "say what is done");
  app.require_subcommand(1);
  app.fallthrough();
  std::string name;
  for (const Order& order : kOrders) {
    app.add_subcommand(order.name, order.text)->add_option("NAME", name, "profile")->required();
  }
  // A program of its own to run the machine's name service modules; see resolver.h.
  const CLI::App* look_up = app.add_subcommand("look-up")->group("");
  const CLI::App* find_accounts = app.add_subcommand("find-accounts")->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::fputs(vpnrun::help_text(app).c_str(), stdout) < 0 ? vpnrun::service::kExitFailed
                                                                  : 0;
  } catch (const CLI::CallForVersion&) {
    return std::puts(VPNRUN_VERSION) < 0 ? vpnrun::service::kExitFailed : 0;
  } catch (const CLI::ParseError& error) {
    (void)std::fprintf(stderr, "vpnrun-tunnel: cannot understand the command line: %s\n",
                       vpnrun::reason(app, error).c_str());
    return vpnrun::service::kExitUsage;
  }
  if (look_up->parsed()) {
    return vpnrun::service::look_up_main(STDIN_FILENO, STDOUT_FILENO);
  }
  if (find_accounts->parsed()) {
    return vpnrun::service::find_accounts_main(STDIN_FILENO, STDOUT_FILENO);
  }
  using vpnrun::service::log::Level;
  vpnrun::service::log::set_up(verbose ? Level::kDebug : Level::kInfo);
  const auto* const order = std::find_if(kOrders.begin(), kOrders.end(), [&app](const Order& one) {
    return app.got_subcommand(one.name);
  });
  return order->run(name);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_main(argc, argv);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "vpnrun-tunnel: %s\n", error.what());
    return vpnrun::service::kExitFailed;
  }
}
