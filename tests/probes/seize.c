// SPDX-License-Identifier: GPL-2.0-or-later
// seize ROUNDS FILE [ARGV0 [ARG…]]: an attacker. Starts FILE with a marked empty environment ROUNDS
// times, and at a different instant of each round tries to trace it as its own user's process, and
// to open its memory. A process that holds a capability must never be got hold of.
// Prints "caught N" (how often a process was got at all: the control) and "privileged N".
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long long permitted(pid_t pid) {
  char path[64], text[4096] = "";
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t size = read(fd, text, sizeof text - 1);
  const char* at = size > 0 ? strstr(text, "CapPrm:") : NULL;
  close(fd);
  return at != NULL ? strtoull(at + 7, NULL, 16) : 0;
}

int main(int argc, char** argv) {
  static char* nothing[] = {NULL};
  int caught = 0, privileged = 0;
  const int rounds = argc > 2 ? atoi(argv[1]) : 0;
  for (int round = 0; round < rounds; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      execve(argv[2], argv + 3, nothing);
      _exit(99);
    }
    const struct timespec delay = {0, 5000L * (round % 400)};
    nanosleep(&delay, NULL);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    const unsigned long long before = permitted(child);
    const int memory = open(path, O_RDWR | O_CLOEXEC);
    if (ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0) {
      ++caught;
      ptrace(PTRACE_INTERRUPT, child, NULL, NULL);
      int status = 0;
      waitpid(child, &status, __WALL);
      privileged += WIFSTOPPED(status) && permitted(child) != 0;
    }
    // Opened while it held a capability before and after: the memory of a privileged process.
    privileged += memory >= 0 && before != 0 && permitted(child) != 0;
    kill(child, SIGKILL);
    // It may have ended, and been waited for, before it could be stopped.
    int end = 0;
    while (waitpid(child, &end, __WALL) == child && WIFSTOPPED(end)) {
    }
    if (memory >= 0) {
      close(memory);
    }
  }
  printf("caught %d\nprivileged %d\n", caught, privileged);
  return 0;
}
