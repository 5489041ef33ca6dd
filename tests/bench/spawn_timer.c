// SPDX-License-Identifier: GPL-2.0-or-later
// Times short commands against each other: every round starts each of them once, one after the
// other, so that whatever else the machine does meets all of them alike.
//
//   spawn_timer ROUNDS COMMAND ARG… [--- COMMAND ARG…]…      (COMMAND is searched in PATH)
//
// Prints for each command the median and the quartiles of the time from posix_spawn(3) to the end
// of the process, in microseconds: "MEDIAN LOWER UPPER". A command that fails ends the run.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { kMaxCommands = 16 };

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t time_once(char** command, char** environment) {
  const int64_t start = now_ns();
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, command[0], NULL, NULL, command, environment);
  int status = 0;
  if (error != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    fprintf(stderr, "spawn_timer: '%s' failed: %s, status %d\n", command[0], strerror(error),
            status);
    exit(1);
  }
  return now_ns() - start;
}

static int compare(const void* left, const void* right) {
  const int64_t a = *(const int64_t*)left;
  const int64_t b = *(const int64_t*)right;
  return (a > b) - (a < b);
}

int main(int argc, char** argv, char** environment) {
  if (argc < 3) {
    fprintf(stderr, "usage: spawn_timer ROUNDS COMMAND ARG... [--- COMMAND ARG...]...\n");
    return 2;
  }
  const long rounds = strtol(argv[1], NULL, 10);
  char** commands[kMaxCommands];
  int count = 0;
  commands[count++] = &argv[2];
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "---") == 0 && count < kMaxCommands) {
      argv[i] = NULL;
      commands[count++] = &argv[i + 1];
    }
  }
  int64_t* times = calloc((size_t)(rounds * count), sizeof(*times));
  if (rounds <= 0 || times == NULL) {
    return 2;
  }
  for (long round = 0; round < rounds; round++) {
    for (int i = 0; i < count; i++) {
      times[i * rounds + round] = time_once(commands[i], environment);
    }
  }
  for (int i = 0; i < count; i++) {
    int64_t* mine = times + i * rounds;
    qsort(mine, (size_t)rounds, sizeof(*mine), compare);
    printf("%lld %lld %lld\n", (long long)(mine[rounds / 2] / 1000),
           (long long)(mine[rounds / 4] / 1000), (long long)(mine[rounds * 3 / 4] / 1000));
  }
  return 0;
}
