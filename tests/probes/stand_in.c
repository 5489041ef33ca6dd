// SPDX-License-Identifier: GPL-2.0-or-later
// Stands in for OpenVPN: goes on as the script that the lab has put there. It is a program, since the
// copy that a client executes cannot be read, and a script has to be.
#include <unistd.h>

int main(int argc, char** argv) {
  (void)argc;
  execv("/usr/local/lib/lab/openvpn", argv);
  return 127;
}
