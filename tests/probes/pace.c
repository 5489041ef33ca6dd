// SPDX-License-Identifier: GPL-2.0-or-later
// pace ROUNDS HELPER NAME NAME: how long the helper takes to refuse the one profile and the other.
// Each round asks for both, in turn the one and the other first, so that whatever else the machine
// does meets both alike. Prints the medians and their ratio.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMost = 10000 };
static double taken[2][kMost];

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double refuse_once(char* helper, char* name) {
  char* arguments[] = {(char*)"vpnrun-helper", name, (char*)"/bin/true", NULL};
  char* nothing[] = {NULL};
  const double start = now_us();
  int status = 0;
  const pid_t child = vfork();
  if (child == 0) {
    execve(helper, arguments, nothing);
    _exit(99);
  }
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 125) {
    printf("'%s' was not refused: %d\n", name, status);
    exit(1);
  }
  return now_us() - start;
}

static int compare(const void* left, const void* right) {
  const double a = *(const double*)left, b = *(const double*)right;
  return (a > b) - (a < b);
}

int main(int argc, char** argv) {
  const int rounds = argc == 5 ? atoi(argv[1]) : 0;
  if (rounds < 1 || rounds > kMost) {
    return 2;
  }
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(null, STDERR_FILENO);
  for (int round = 0; round < rounds; ++round) {
    for (int turn = 0; turn < 2; ++turn) {
      const int which = (round + turn) % 2;
      taken[which][round] = refuse_once(argv[2], argv[3 + which]);
    }
  }
  for (int which = 0; which < 2; ++which) {
    qsort(taken[which], (size_t)rounds, sizeof **taken, compare);
  }
  const double a = taken[0][rounds / 2], b = taken[1][rounds / 2];
  printf("median %.1f us and %.1f us, ratio %.3f\n", a, b, a / b);
  return 0;
}
