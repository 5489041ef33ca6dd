// SPDX-License-Identifier: GPL-2.0-or-later
// intruder held|dump UID FILE ARGV0 ARG…       holds FILE, a privileged program that is about to
// fail,
//     by a full pipe as its standard error, and tries as UID to get at it: one "name RESULT" a
//     line. "dump" kills it with SIGABRT instead and says whether a core was dumped.
// intruder stop|kill|term|limit ROUNDS EXPECTED UID FILE ARGV0 ARG…    at a different instant of
// each
//     round stops it, looks whether it holds a capability, tries to get at it then and lets it go
//     on; or kills it; or takes its descriptors away. Prints how often it held a capability
//     ("privileged"), how often it was got at while it did ("caught"), and how the rounds ended:
//     the application printed the line EXPECTED ("inside"), something else ("astray"), or nothing
//     ("nothing").
// The environment of FILE is empty; run it as root: it becomes UID itself, with group 64110.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char* nothing[] = {NULL};
static bool quiet;
static int successes;

static void attempt(const char* name, long result) {
  successes += result >= 0;
  if (!quiet) {
    printf("%s %s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
  }
}

static unsigned long long permitted(pid_t pid) {
  char path[64], text[4096] = "";
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t size = read(fd, text, sizeof text - 1);
  const char* at = size > 0 ? strstr(text, "CapPrm:") : NULL;
  close(fd);
  return at != NULL ? strtoull(at + 7, NULL, 16) : 0;
}

static void attempt_file(pid_t pid, const char* name, int flags) {
  char path[64], byte;
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  const int fd = open(path, flags | O_CLOEXEC);
  // Some of them open for everybody and refuse to be read.
  attempt(name, fd < 0 ? -1 : (flags & O_DIRECTORY) != 0 || read(fd, &byte, 1) > 0 ? 0 : -1);
  close(fd);
}

static void attempt_link(pid_t pid, const char* name) {
  char path[64], target[256];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  attempt(name, readlink(path, target, sizeof target));
}

static void get_at(pid_t pid) {
  static const char* const files[] = {"mem",   "environ", "maps", "smaps",       "pagemap", "auxv",
                                      "stack", "syscall", "io",   "personality", "timers"};
  static const char* const links[] = {"exe",  "cwd",  "root",   "fd/0",
                                      "fd/2", "fd/3", "ns/net", "ns/mnt"};
  char buffer[16];
  struct iovec here = {buffer, sizeof buffer}, there = {(void*)0x400000, sizeof buffer};
  errno = 0;
  const int process = (int)syscall(SYS_pidfd_open, pid, 0);
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
    errno = EACCES;
    attempt_file(pid, files[i], O_RDONLY);
  }
  for (size_t i = 0; i < sizeof links / sizeof *links; ++i) {
    attempt_link(pid, links[i]);
  }
  attempt_file(pid, "fd", O_RDONLY | O_DIRECTORY);
  attempt_file(pid, "map_files", O_RDONLY | O_DIRECTORY);
  attempt("process_vm_readv",
          process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT ? 0 : -1);
  attempt("process_vm_writev",
          process_vm_writev(pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT ? 0 : -1);
  attempt("pidfd_getfd", syscall(SYS_pidfd_getfd, process, 0, 0));
  attempt("setns by process", syscall(SYS_setns, process, 0x40000000));
  attempt("kcmp", syscall(SYS_kcmp, pid, getpid(), KCMP_VM, 0, 0));
  attempt("process_madvise", syscall(SYS_process_madvise, process, &there, 1, 20, 0));
  for (int how = 0; how < 2; ++how) {
    int status = 0;
    const long result = ptrace(how == 0 ? PTRACE_ATTACH : PTRACE_SEIZE, pid, NULL, NULL);
    attempt(how == 0 ? "ptrace attach" : "ptrace seize", result);
    if (result == 0) {
      ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
      waitpid(pid, &status, __WALL | WUNTRACED);
      ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
  }
  close(process);
}

static void become(uid_t uid) {
  const gid_t group = 64110;
  if (setgroups(1, &group) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) {
    perror("intruder: become");
    exit(99);
  }
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

// The state letter of /proc/PID/stat.
static char state(pid_t pid) {
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  const char* at = size > 0 ? strrchr(text, ')') : NULL;
  return at != NULL ? at[2] : '?';
}

static void pause_us(long us) {
  const struct timespec time = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&time, NULL);
}

// Starts the command with a standard error that takes nothing, and waits until it is stuck there.
static pid_t start_held(char** command, int* unblock) {
  static char page[4096];
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) != 0 || fcntl(pair[1], F_SETPIPE_SZ, 4096) < 0 ||
      write(pair[1], page, sizeof page) != sizeof page) {
    exit(99);
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(pair[1], 2);
    execve(command[0], command + 1, nothing);
    _exit(99);
  }
  close(pair[1]);
  *unblock = pair[0];
  for (int i = 0; i < 2000 && (permitted(child) == 0 || state(child) != 'S'); ++i) {
    pause_us(1000);
  }
  return child;
}

static int held(bool dump, char** command) {
  int unblock, status = 0;
  char text[8192];
  const pid_t child = start_held(command, &unblock);
  printf("holds %llx\n", permitted(child));
  if (dump) {
    kill(child, SIGABRT);
  } else {
    get_at(child);
    printf("still %llx\n", permitted(child));
    fflush(stdout);
    kill(child, SIGCONT);
    (void)!read(unblock, text, sizeof text);  // makes room
  }
  waitpid(child, &status, 0);
  printf("end %d core %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
         WIFSIGNALED(status) && WCOREDUMP(status));
  return 0;
}

struct Count {
  int privileged, caught, inside, astray, nothing;
};

static void one_round(const char* how, long delay, const char* expected, char** command,
                      struct Count* count) {
  int pair[2], status = 0;
  char text[4096] = "";
  size_t size = 0;
  if (pipe2(pair, O_CLOEXEC) != 0) {
    exit(99);
  }
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, 2);
    dup2(pair[1], 1);
    execve(command[0], command + 1, nothing);
    _exit(99);
  }
  close(pair[1]);
  pause_us(delay);
  if (strcmp(how, "stop") == 0) {
    kill(child, SIGSTOP);
    const unsigned long long before = permitted(child);
    if (before != 0 && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) &&
        permitted(child) != 0) {
      ++count->privileged;
      successes = 0;
      get_at(child);
      count->caught += successes > 0 && permitted(child) != 0;
    }
    kill(child, SIGCONT);
  } else if (strcmp(how, "limit") == 0) {
    const struct rlimit none = {0, 0};
    count->privileged += permitted(child) != 0;
    prlimit(child, RLIMIT_NOFILE, &none, NULL);
  } else {
    count->privileged += permitted(child) != 0;
    kill(child, strcmp(how, "kill") == 0 ? SIGKILL : SIGTERM);
  }
  for (ssize_t got;
       size < sizeof text - 1 && (got = read(pair[0], text + size, sizeof text - 1 - size)) > 0;) {
    size += (size_t)got;
  }
  close(pair[0]);
  kill(child, SIGKILL);
  while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status)) {
  }
  text[strcspn(text, "\n")] = '\0';
  ++*(size == 0 ? &count->nothing : strcmp(text, expected) == 0 ? &count->inside : &count->astray);
}

int main(int argc, char** argv) {
  if (argc > 4 && (strcmp(argv[1], "held") == 0 || strcmp(argv[1], "dump") == 0)) {
    become((uid_t)atoi(argv[2]));
    return held(argv[1][0] == 'd', argv + 3);
  }
  if (argc < 7) {
    return 99;
  }
  struct Count count = {0};
  const int rounds = atoi(argv[2]);
  quiet = true;
  become((uid_t)atoi(argv[4]));
  for (int round = 0; round < rounds; ++round) {
    one_round(argv[1], 3000L * round / rounds, argv[3], argv + 5, &count);
  }
  printf("privileged %d\ncaught %d\ninside %d\nastray %d\nnothing %d\n", count.privileged,
         count.caught, count.inside, count.astray, count.nothing);
  return 0;
}
