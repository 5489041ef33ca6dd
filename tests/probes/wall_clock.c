// SPDX-License-Identifier: GPL-2.0-or-later
// A wall clock that can be set for the processes of a lab alone, preloaded into all of them: the
// machine's own is shared by all namespaces. The file CLOCK_FILE holds the offset in seconds, a
// native 64-bit integer, and is read again for each question. Clocks that only run are real.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t offset(void) {
  static const volatile int64_t* shared;
  if (shared == NULL) {
    const int fd = open(CLOCK_FILE, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      return 0;
    }
    void* const mapped = mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED) {
      return 0;
    }
    shared = mapped;
  }
  return *shared;
}

int clock_gettime(clockid_t clock, struct timespec* out) {
  const int result = (int)syscall(SYS_clock_gettime, clock, out);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    out->tv_sec += offset();
  }
  return result;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}
