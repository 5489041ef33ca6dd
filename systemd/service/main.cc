// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

#include "profiles/command_line.h"
#include "systemd/service/access.h"
#include "systemd/service/commands.h"
#include "systemd/service/link/resolver.h"
#include "systemd/service/os/log.h"

namespace {

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
  const auto add = [&app, &name](const char* command, const char* text) {
    CLI::App* sub = app.add_subcommand(command, text);
    sub->add_option("NAME", name, "profile")->required();
    return sub;
  };
  const CLI::App* prepare = add("prepare", "make the namespaces, sealed");
  const CLI::App* run = add("run", "keep the tunnel up, in the foreground");
  const CLI::App* ended = add("ended", "record why systemd ended it; for the unit");
  const CLI::App* waiting = add("waiting", "remember what waits for the namespace; for its unit");
  const CLI::App* resume = add("resume", "start what has waited for it; for its unit");
  const CLI::App* inside =
      add("inside", "succeed in the profile's network only; for attached units");
  // A program of its own to run the machine's name service modules; see resolver.h.
  const CLI::App* look_up = app.add_subcommand("look-up")->group("");
  const CLI::App* find_accounts = app.add_subcommand("find-accounts")->group("");
  add("release", "undo everything; repeating it is not an error");
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
  if (prepare->parsed()) {
    return vpnrun::service::prepare(name);
  }
  if (ended->parsed()) {
    return vpnrun::service::ended(name);
  }
  if (waiting->parsed()) {
    return vpnrun::service::waiting(name);
  }
  if (resume->parsed()) {
    return vpnrun::service::resume(name);
  }
  if (inside->parsed()) {
    return vpnrun::service::inside(name);
  }
  return run->parsed() ? vpnrun::service::run(name) : vpnrun::service::release(name);
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
