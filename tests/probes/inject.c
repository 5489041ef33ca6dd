// SPDX-License-Identifier: GPL-2.0-or-later
// inject calls UID FILE ARGV0 ARG…         the system calls between the exec of FILE and the next
//                                          successful one, one "NUMBER" a line, in order
// inject N ERRNO UID FILE ARGV0 ARG…       the N-th of them (from 1) fails with ERRNO and is not
// made;
//                                          ERRNO 0: it pretends success. Exit status of FILE.
// Root only: a tracer with every capability leaves a privileged program its privilege. FILE gets no
// environment but what "inject" has, with marks.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static void run(char** argv) {
  const uid_t uid = (uid_t)atoi(argv[0]);
  const gid_t group = 64110;
  static char* environment[256];
  for (int i = 0; environ[i] != NULL && i < 255; ++i) {
    environment[i] = malloc(strlen(environ[i]) + 2);
    environment[i][0] = '+';
    strcpy(environment[i] + 1, environ[i]);
  }
  if (setgroups(1, &group) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) {
    _exit(99);
  }
  raise(SIGSTOP);  // the parent takes hold of us here
  execve(argv[1], argv + 2, environment);
  _exit(99);
}

static struct __ptrace_syscall_info look(pid_t child) {
  struct __ptrace_syscall_info info = {0};
  ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
  return info;
}

static void set_call(pid_t child, long call, long result) {
#ifdef __x86_64__
  ptrace(PTRACE_POKEUSER, child, offsetof(struct user, regs.orig_rax), call);
  ptrace(PTRACE_POKEUSER, child, offsetof(struct user, regs.rax), result);
#else
  (void)child, (void)call, (void)result;
  _exit(77);
#endif
}

int main(int argc, char** argv) {
  const int listing = argc > 1 && strcmp(argv[1], "calls") == 0;
  const int wanted = listing || argc < 3 ? -1 : atoi(argv[1]);
  const long error = listing || argc < 3 ? 0 : atol(argv[2]);
  int status = 0, count = 0, execs = 0, pretended = 0;
  if (argc < (listing ? 5 : 6)) {
    return 99;
  }
  const pid_t child = fork();
  if (child == 0) {
    run(argv + (listing ? 2 : 3));
  }
  waitpid(child, &status, WUNTRACED);
  if (ptrace(PTRACE_SEIZE, child, NULL,
             PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) != 0) {
    perror("inject: seize");
    return 99;
  }
  kill(child, SIGCONT);
  while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status)) {
    const int signal = WSTOPSIG(status);
    long deliver = 0;
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
      if (++execs == 2) {
        ptrace(PTRACE_DETACH, child, NULL, NULL);
        waitpid(child, &status, 0);
        break;
      }
    } else if (signal == (SIGTRAP | 0x80) && execs == 1) {
      const struct __ptrace_syscall_info info = look(child);
      if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        ++count;
        if (listing) {
          printf("%llu\n", (unsigned long long)info.entry.nr);
        }
        if (count == wanted) {
          set_call(child, -1, -ENOSYS);
          pretended = 1;
        }
      } else if (pretended) {
        set_call(child, -1, -error);
        pretended = 0;
      }
    } else if (status >> 16 == 0 && signal != (SIGTRAP | 0x80)) {
      deliver = signal;
    }
    ptrace(PTRACE_SYSCALL, child, NULL, deliver);
  }
  fflush(stdout);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
