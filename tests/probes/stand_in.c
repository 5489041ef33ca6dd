// SPDX-License-Identifier: GPL-2.0-or-later
// stand_in: what a companion starts in place of OpenVPN. Nobody but root may read the client's
// program, so that no script can be one: this runs the script.
#include <stdio.h>
#include <unistd.h>

int main(void) {
  execl("/bin/sh", "sh", "/usr/local/bin/stand-in", (char*)NULL);
  perror("stand_in");
  return 127;
}
