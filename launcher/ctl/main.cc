// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "launcher/ctl/commands.h"

int main(int argc, char** argv) {
  return vpnrun::run_vpnrunctl(argc, argv, ::environ, vpnrun::installed_places(),
                               vpnrun::UnitPlaces{});
}
