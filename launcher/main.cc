// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "launcher/launch.h"

int main(int argc, char** argv) {
  return vpnrun::run_vpnrun(argc, argv, ::environ, vpnrun::installed_places());
}
