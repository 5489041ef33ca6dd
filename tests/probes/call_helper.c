// SPDX-License-Identifier: GPL-2.0-or-later
// call_helper [OPTION…] -- FILE [ARGV0 [ARG…]]: execs FILE with exactly this argv, in odd states.
// Without -r it marks the environment as `vpnrun` does (helper/base/request_format.h).
//   -i         start from an empty environment          -e STRING  append STRING, whatever it is
//   -r         raw: do not put marks in front            -R STRING  put STRING first, without a
//   mark -x FD      close FD                                  -n         set no_new_privs -s share
//   file system state (CLONE_FS) with a process that lives on -d FOLDER  stand in FOLDER, then
//   remove it           -t         be traced by one's parent -S BYTES   set the soft stack limit
//   (-1: unlimited)
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;
enum { kMost = 4096 };
static char* added[kMost];
static char* result[kMost];

static void fail(const char* what) {
  fprintf(stderr, "call_helper: %s: %s\n", what, strerror(errno));
  exit(99);
}

static int sleep_for_long(void* unused) {
  (void)unused;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sleep(5);
  return 0;
}

static char* marked(const char* text) {
  char* copy = malloc(strlen(text) + 2);
  if (copy == NULL) {
    fail("malloc");
  }
  copy[0] = '+';
  strcpy(copy + 1, text);
  return copy;
}

static void share_file_system_state(void) {
  static char stack[65536];
  if (clone(sleep_for_long, stack + sizeof stack, CLONE_FS | SIGCHLD, NULL) < 0) {
    fail("clone");
  }
}

// Returns in a child that is traced; the parent lets it run and passes its status on.
static void be_traced(void) {
  int status = 0;
  const pid_t child = fork();
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
      fail("ptrace");
    }
    return;
  }
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    ptrace(PTRACE_CONT, child, NULL, NULL);
  }
  exit(WIFEXITED(status) ? WEXITSTATUS(status) : 98);
}

static void limit_stack(const char* bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  limit.rlim_cur = (rlim_t)atoll(bytes);
  if (setrlimit(RLIMIT_STACK, &limit) != 0) {
    fail("setrlimit");
  }
}

int main(int argc, char** argv) {
  bool raw = false, empty = false;
  char* first = NULL;
  int added_count = 0, count = 0;
  for (int option; (option = getopt(argc, argv, "+ire:R:x:nsd:tS:")) != -1;) {
    switch (option) {
      case 'i':
        empty = true;
        break;
      case 'r':
        raw = true;
        break;
      case 'e':
        added[added_count++] = optarg;
        break;
      case 'R':
        first = optarg;
        break;
      case 'x':
        close(atoi(optarg));
        break;
      case 'n':
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
          fail("no_new_privs");
        break;
      case 's':
        share_file_system_state();
        break;
      case 'd':
        if (chdir(optarg) != 0 || rmdir(optarg) != 0)
          fail(optarg);
        break;
      case 't':
        be_traced();
        break;
      case 'S':
        limit_stack(optarg);
        break;
      default:
        return 99;
    }
  }
  if (first != NULL) {
    result[count++] = first;
  }
  for (char** entry = environ; !empty && *entry != NULL && count < kMost - 1; ++entry) {
    result[count++] = raw ? *entry : marked(*entry);
  }
  for (int i = 0; i < added_count && count < kMost - 1; ++i) {
    result[count++] = raw ? added[i] : marked(added[i]);
  }
  execve(argv[optind], argv + optind + 1, result);
  fail(argv[optind]);
}
