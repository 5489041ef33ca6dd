// SPDX-License-Identifier: GPL-2.0-or-later
// A machine that slept, for one process alone, preloaded: the clock that goes on in a sleep is
// ahead by as many seconds as the file CLOCK_FILE says in digits, read again for each question.
// Clocks that stand still in a sleep are real.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static time_t slept(void) {
  char text[16] = "";
  const int fd = open(CLOCK_FILE, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    const ssize_t size = read(fd, text, sizeof(text) - 1);
    close(fd);
    return size > 0 ? atol(text) : 0;
  }
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec* out) {
  const int result = (int)syscall(SYS_clock_gettime, clock, out);
  if (result == 0 && clock == CLOCK_BOOTTIME) {
    out->tv_sec += slept();
  }
  return result;
}
