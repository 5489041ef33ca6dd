// SPDX-License-Identifier: GPL-2.0-or-later
// The least that a launcher can do: execute the helper with its own arguments. argv[1] is the
// helper.
#include <unistd.h>

int main(int argc, char** argv, char** environment) {
  return argc > 1 ? execve(argv[1], argv + 1, environment) : 2;
}
