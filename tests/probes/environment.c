// SPDX-License-Identifier: GPL-2.0-or-later
// environment: writes the environment as it stands in memory, each string with its final NUL.
// Duplicates, empty strings and strings without '=' are kept.
#include <string.h>
#include <unistd.h>

extern char** environ;

int main(void) {
  for (char** entry = environ; *entry != NULL; ++entry) {
    const size_t size = strlen(*entry) + 1;
    if (write(STDOUT_FILENO, *entry, size) != (ssize_t)size) {
      return 1;
    }
  }
  return 0;
}
