// SPDX-License-Identifier: GPL-2.0-or-later
// hostile ACTION… -- FILE [ARGV0 [ARG…]]: brings itself into an odd state, one action after the
// other, and execs FILE with exactly this argv. Each string of the environment gets the mark that
// `vpnrun` puts in front (helper/base/request_format.h), unless "raw" says no. Exit status 99 if an
// action or the exec fails.
//
// as UID                become UID, gid the same, group 64110; "keep" before it: with CAP_SYS_ADMIN
// ids R E S             real, effective, saved uid         groups COUNT         so many groups
// gids N                real, effective and saved gid, and no other group
// first S               S in front of the environment, never marked
// raw  clean  env S     no marks; start from an empty environment; append S
// fill COUNT BYTES      COUNT further arguments of BYTES   total BYTES          arguments of BYTES
// in all limit N SOFT [HARD]   number of the limit; "-" in place of SOFT: the hard one block ignore
// all signals                        pend                 make all blocked ones pending alarm S
// storm US     one SIGALRM in S seconds; one each US microseconds posix_timer           a timer of
// timer_create(2) umask OCTAL  close N  open PATH N   dup N M   files N (0: all)   cloexec N socket
// N   pipe_full N   pipe_broken N cd PATH  deep LEVELS  rmdir PATH nnp  trace  share_fs share_files
// thread  vfork execveat  by_fd  interpreter seccomp CALL ERRNO    this system call fails with this
// errno (0: pretends success) allow                 a filter that allows everything prctl A B
// prctl(A, B, 0, 0, 0)               securebits N         personality N nice N  batch  affinity
// subreaper  oom N  ioprio N keyring               a session keyring of its own identity a user
// namespace in which every id is what it is outside (root only) unshare FLAGS         unshare(2)
// cover SOURCE LINK    mount SOURCE over a link fork                  go on in a child; pass its
// exit status on
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;
enum { kMostEnvironment = 4096 };
static char* environment[kMostEnvironment];
static char* first;
static char* added[kMostEnvironment];
static int added_count;
static bool raw, clean, keep, by_execveat, by_fd, by_thread, by_vfork;
static char** command;
static char** next;

static void check(long result, const char* what) {
  if (result < 0) {
    fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
    _exit(99);
  }
}

static char* text(void) {
  if (*next == NULL) {
    errno = EINVAL;
    check(-1, "an argument is missing");
  }
  return *next++;
}
static long number(void) {
  return strtol(text(), NULL, 0);
}

static char* marked(char* entry) {
  if (raw) {
    return entry;
  }
  char* copy = malloc(strlen(entry) + 2);
  copy[0] = '+';
  strcpy(copy + 1, entry);
  return copy;
}

static void become(uid_t uid) {
  const gid_t group = 64110;
  check(setgroups(1, &group), "setgroups");
  check(setresgid(uid, uid, uid), "setresgid");
  check(prctl(PR_SET_KEEPCAPS, keep, 0, 0, 0), "keepcaps");
  check(setresuid(uid, uid, uid), "setresuid");
  if (keep) {
    // A filter without no_new_privs needs this; the exec takes it away again.
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{1U << CAP_SYS_ADMIN, 1U << CAP_SYS_ADMIN, 0},
                                             {0, 0, 0}};
    check(syscall(SYS_capset, &header, data), "capset");
    check(prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0), "keepcaps");
  }
  check(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable");  // as after a login's exec
}

static void install_filter(struct sock_filter* program, unsigned short length) {
  const struct sock_fprog filter = {length, program};
  check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
}

static void fail_call(unsigned call, unsigned error) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  by_execveat = call == SYS_execve;
  install_filter(program, 4);
}

static void fill(long count, long bytes) {
  long have = 0;
  while (command[have] != NULL) {
    ++have;
  }
  char** longer = calloc((size_t)(have + count + 1), sizeof *longer);
  char* filler = malloc((size_t)bytes + 1);
  memset(filler, 'x', (size_t)bytes);
  filler[bytes] = '\0';
  memcpy(longer, command, (size_t)have * sizeof *longer);
  for (long i = 0; i < count; ++i) {
    longer[have + i] = filler;
  }
  command = longer;
}

// Arguments and environment of exactly so many bytes as the kernel counts them: strings and
// pointers.
static void fill_to(long bytes) {
  const long pointer = (long)sizeof(char*), piece = 100000;
  long used = (long)strlen(command[0]) + 1;  // the file's name counts, too
  for (char** at = command + 1; *at != NULL; ++at) {
    used += (long)strlen(*at) + 1 + pointer;
  }
  for (char** at = environ; !clean && *at != NULL; ++at) {
    used += (long)strlen(*at) + 2 + pointer;
  }
  while (bytes - used > piece + 1 + pointer + 100) {
    fill(1, piece);
    used += piece + 1 + pointer;
  }
  if (bytes - used > 1 + pointer) {
    fill(1, bytes - used - 1 - pointer);
  }
}

static void all_signals(bool block, bool ignore, bool pend) {
  sigset_t set;
  sigfillset(&set);
  for (int signal = 1; signal < 65; ++signal) {
    if (ignore && signal != SIGKILL && signal != SIGSTOP && signal != 32 && signal != 33) {
      struct sigaction action = {.sa_handler = SIG_IGN};
      sigaction(signal, &action, NULL);
    }
  }
  if (block) {
    sigprocmask(SIG_BLOCK, &set, NULL);
  }
  for (int signal = 1; pend && signal < 65; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP && signal != 32 && signal != 33) {
      syscall(SYS_tgkill, getpid(), getpid(), signal);
    }
  }
}

static int linger(void* unused) {
  (void)unused;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sleep(5);
  return 0;
}

static void share(int flags) {
  static char stack[65536];
  check(clone(linger, stack + sizeof stack, flags | SIGCHLD, NULL), "clone");
}

static int pass_on(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    ptrace(PTRACE_CONT, child, NULL, NULL);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void in_child(bool traced) {
  const pid_t child = fork();
  check(child, "fork");
  if (child > 0) {
    _exit(pass_on(child));
  }
  if (traced) {
    check(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "ptrace");
  }
}

static void write_file(const char* path, const char* content) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  check(fd, path);
  check(write(fd, content, strlen(content)), path);
  close(fd);
}

// The parent maps, because the child has no rights outside any more.
static void identity_namespace(void) {
  int ready[2], done[2];
  char byte, path[64];
  check(pipe2(ready, O_CLOEXEC), "pipe");
  check(pipe2(done, O_CLOEXEC), "pipe");
  const pid_t child = fork();
  check(child, "fork");
  if (child == 0) {
    check(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
    check(write(ready[1], "x", 1), "write");
    check(read(done[0], &byte, 1), "read");
    return;
  }
  check(read(ready[0], &byte, 1), "read");
  snprintf(path, sizeof path, "/proc/%d/uid_map", child);
  write_file(path, "0 0 100000\n");
  snprintf(path, sizeof path, "/proc/%d/gid_map", child);
  write_file(path, "0 0 100000\n");
  check(write(done[1], "x", 1), "write");
  _exit(pass_on(child));
}

static void cover(const char* source, const char* link) {
  const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | O_CLOEXEC);
  check(tree, "open_tree");
  check(syscall(SYS_move_mount, tree, "", AT_FDCWD, link, MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
}

static void descriptor(const char* action) {
  int pair[2];
  if (strcmp(action, "close") == 0) {
    close((int)number());
  } else if (strcmp(action, "open") == 0) {
    const char* path = text();
    const int fd = open(path, O_RDONLY | O_NONBLOCK);
    const int wanted = (int)number();
    check(fd, path);
    if (fd != wanted) {
      check(dup2(fd, wanted), "dup2");
      close(fd);
    }
  } else if (strcmp(action, "dup") == 0) {
    const int from = (int)number();
    check(dup2(from, (int)number()), "dup2");
  } else if (strcmp(action, "files") == 0) {
    const long count = number();
    for (long i = 0; i < count || count == 0; ++i) {
      const int fd = open("/dev/null", O_RDWR);
      if (fd < 0 && count == 0 && errno == EMFILE) {
        break;
      }
      check(fd, "open");
    }
  } else if (strcmp(action, "cloexec") == 0) {
    check(fcntl((int)number(), F_SETFD, FD_CLOEXEC), "cloexec");
  } else if (strcmp(action, "socket") == 0) {
    const int wanted = (int)number();
    check(dup2(socket(AF_UNIX, SOCK_STREAM, 0), wanted), "socket");
  } else {
    const int wanted = (int)number();
    check(pipe(pair), "pipe");
    fcntl(pair[1], F_SETPIPE_SZ, 4096);
    if (strcmp(action, "pipe_full") == 0) {
      static const char page[4096];
      check(write(pair[1], page, sizeof page), "write");
      check(dup2(pair[0], 60), "dup2");  // somebody could still read
    }
    check(dup2(pair[1], wanted), "dup2");
    close(pair[0]);
    close(pair[1]);
  }
}

static void set_limit(void) {
  const int limit = (int)number();
  const char* value = text();
  struct rlimit both;
  getrlimit((__rlimit_resource_t)limit, &both);
  both.rlim_cur = strcmp(value, "-") == 0 ? both.rlim_max : (rlim_t)strtoull(value, NULL, 0);
  if (both.rlim_cur > both.rlim_max) {
    both.rlim_max = both.rlim_cur;
  }
  if (strcmp(*next, "hard") == 0) {
    ++next;
    both.rlim_max = both.rlim_cur;
  }
  check(setrlimit((__rlimit_resource_t)limit, &both), "setrlimit");
}

static void timer(const char* action) {
  if (strcmp(action, "alarm") == 0) {
    alarm((unsigned)number());
  } else if (strcmp(action, "storm") == 0) {
    const long us = number();
    const struct itimerval each = {{0, us}, {0, us}};
    setitimer(ITIMER_REAL, &each, NULL);
  } else {
    timer_t made;
    const struct itimerspec later = {{0, 0}, {3600, 0}};
    check(timer_create(CLOCK_MONOTONIC, NULL, &made), "timer_create");
    check(timer_settime(made, 0, &later, NULL), "timer_settime");
  }
}

static void go_deep(long levels) {
  char name[201];
  memset(name, 'd', 200);
  name[200] = '\0';
  for (; levels > 0; --levels) {
    mkdir(name, 0755);
    check(chdir(name), "chdir");
  }
}

static bool act_on_ids(const char* action) {
  if (strcmp(action, "as") == 0) {
    become((uid_t)number());
  } else if (strcmp(action, "keep") == 0) {
    keep = true;
  } else if (strcmp(action, "ids") == 0) {
    const uid_t r = (uid_t)number(), e = (uid_t)number(), s = (uid_t)number();
    check(setresuid(r, e, s), "setresuid");
  } else if (strcmp(action, "gids") == 0) {
    const gid_t group = (gid_t)number();
    check(setgroups(0, NULL), "setgroups");
    check(setresgid(group, group, group), "setresgid");
  } else if (strcmp(action, "groups") == 0) {
    static gid_t groups[65536];
    const long count = number();
    for (long i = 0; i < count; ++i) {
      groups[i] = (gid_t)(100000 + i);
    }
    check(setgroups((size_t)count, groups), "setgroups");
  } else if (strcmp(action, "securebits") == 0) {
    check(prctl(PR_SET_SECUREBITS, number(), 0, 0, 0), "securebits");
  } else if (strcmp(action, "identity") == 0) {
    identity_namespace();
  } else {
    return false;
  }
  return true;
}

static bool act_on_process(const char* action) {
  if (strcmp(action, "nnp") == 0) {
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  } else if (strcmp(action, "trace") == 0) {
    in_child(true);
  } else if (strcmp(action, "fork") == 0) {
    in_child(false);
  } else if (strcmp(action, "share_fs") == 0) {
    share(CLONE_FS);
  } else if (strcmp(action, "share_files") == 0) {
    share(CLONE_FILES);
  } else if (strcmp(action, "thread") == 0) {
    by_thread = true;
  } else if (strcmp(action, "vfork") == 0) {
    by_vfork = true;
  } else if (strcmp(action, "execveat") == 0) {
    by_execveat = true;
  } else if (strcmp(action, "by_fd") == 0) {
    by_fd = true;
  } else if (strcmp(action, "seccomp") == 0) {
    const unsigned call = (unsigned)number();
    fail_call(call, (unsigned)number());
  } else if (strcmp(action, "allow") == 0) {
    struct sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    install_filter(program, 1);
  } else if (strcmp(action, "prctl") == 0) {
    const int what = (int)number();
    check(prctl(what, (unsigned long)number(), 0, 0, 0), "prctl");
  } else if (strcmp(action, "personality") == 0) {
    check(personality((unsigned long)number()), "personality");
  } else if (strcmp(action, "nice") == 0) {
    check(setpriority(PRIO_PROCESS, 0, (int)number()), "nice");
  } else if (strcmp(action, "batch") == 0) {
    const struct sched_param none = {0};
    check(sched_setscheduler(0, SCHED_BATCH, &none), "scheduler");
  } else if (strcmp(action, "affinity") == 0) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((unsigned)sched_getcpu(), &cpus);
    check(sched_setaffinity(0, sizeof cpus, &cpus), "affinity");
  } else if (strcmp(action, "oom") == 0) {
    write_file("/proc/self/oom_score_adj", text());
  } else if (strcmp(action, "coredump_filter") == 0) {
    write_file("/proc/self/coredump_filter", text());
  } else if (strcmp(action, "ioprio") == 0) {
    check(syscall(SYS_ioprio_set, 1, 0, number()), "ioprio");
  } else if (strcmp(action, "keyring") == 0) {
    check(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "keyring");
  } else if (strcmp(action, "unshare") == 0) {
    check(unshare((int)number()), "unshare");
  } else {
    return false;
  }
  return true;
}

static void act(const char* action) {
  if (act_on_ids(action) || act_on_process(action)) {
    return;
  }
  if (strcmp(action, "raw") == 0) {
    raw = true;
  } else if (strcmp(action, "clean") == 0) {
    clean = true;
  } else if (strcmp(action, "first") == 0) {
    first = text();
  } else if (strcmp(action, "env") == 0) {
    added[added_count++] = text();
  } else if (strcmp(action, "fill") == 0) {
    const long count = number();
    fill(count, number());
  } else if (strcmp(action, "total") == 0) {
    fill_to(number());
  } else if (strcmp(action, "limit") == 0) {
    set_limit();
  } else if (strcmp(action, "block") == 0 || strcmp(action, "pend") == 0) {
    all_signals(true, false, *action == 'p');
  } else if (strcmp(action, "ignore") == 0) {
    all_signals(false, true, false);
  } else if (strcmp(action, "alarm") == 0 || strcmp(action, "storm") == 0 ||
             strcmp(action, "posix_timer") == 0) {
    timer(action);
  } else if (strcmp(action, "umask") == 0) {
    umask((mode_t)strtol(text(), NULL, 8));
  } else if (strcmp(action, "cd") == 0) {
    const char* path = text();
    check(chdir(path), path);
  } else if (strcmp(action, "rmdir") == 0) {
    const char* path = text();
    check(rmdir(path), path);
  } else if (strcmp(action, "deep") == 0) {
    go_deep(number());
  } else if (strcmp(action, "cover") == 0) {
    const char* source = text();
    cover(source, text());
  } else if (strstr("close open dup files cloexec socket pipe_full pipe_broken", action) != NULL) {
    descriptor(action);
  } else {
    errno = EINVAL;
    check(-1, action);
  }
}

static void* execute(void* unused) {
  (void)unused;
  if (by_fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", open(command[0], O_PATH | O_CLOEXEC));
    execve(path, command + 1, environment);
  } else if (by_execveat) {
    syscall(SYS_execveat, open(command[0], O_PATH | O_CLOEXEC), "", command + 1, environment,
            AT_EMPTY_PATH);
  } else {
    execve(command[0], command + 1, environment);
  }
  check(-1, command[0]);
  return NULL;
}

int main(int argc, char** argv) {
  (void)argc;
  next = argv + 1;
  for (command = next; *command != NULL && strcmp(*command, "--") != 0; ++command) {
  }
  check(*command == NULL ? -1 : 0, "no command");
  char** const last = command++;
  while (next < last) {
    act(text());
  }
  int count = 0;
  if (first != NULL) {
    environment[count++] = first;
  }
  for (char** entry = environ; !clean && *entry != NULL; ++entry) {
    environment[count++] = marked(*entry);
  }
  for (int i = 0; i < added_count; ++i) {
    environment[count++] = marked(added[i]);
  }
  if (by_thread) {
    pthread_t thread;
    pthread_create(&thread, NULL, execute, NULL);
    pthread_join(thread, NULL);
  }
  if (by_vfork) {
    const pid_t child = vfork();
    if (child > 0) {
      _exit(pass_on(child));
    }
  }
  execute(NULL);
}
