// SPDX-License-Identifier: GPL-2.0-or-later
// verdict [ITEM…]: the application of the hostile cases. Prints where it runs and what it holds:
//
//   verdict net=INODE mnt=INODE uid=R,E,S gid=R,E,S caps=INH,PRM,EFF,AMB nnp=N seccomp=N
//
// and then what the items ask for:
//   argv      number, total size and checksum of the arguments after this word
//   environ   the environment as it stands in memory, each string with its final NUL
//   fds       the open descriptors     closed    which of 0, 1 and 2 are closed
//   state     what a process inherits, one "key value" a line
//   attempts  what must no longer work, one "name RESULT" a line
//   sleep     sleeps for long
// Needs no descriptor but the one that it writes to: 1, or 999 if that is open. Static.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

extern char** environ;
static int out_fd = 1;

__attribute__((format(printf, 1, 2))) static void say(const char* format, ...) {
  char line[8192];
  va_list list;
  va_start(list, format);
  const int size = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  if (write(out_fd, line, (size_t)size) != size) {
    _exit(98);
  }
}

static unsigned long inode(const char* path) {
  struct stat status;
  return stat(path, &status) == 0 ? (unsigned long)status.st_ino : 0;
}

static void say_verdict(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  unsigned long long ambient = 0;
  uid_t u[3];
  gid_t g[3];
  getresuid(&u[0], &u[1], &u[2]);
  getresgid(&g[0], &g[1], &g[2]);
  syscall(SYS_capget, &header, data);
  for (int cap = 0; cap < 64; ++cap) {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) {
      ambient |= 1ULL << cap;
    }
  }
#define WORDS(set) ((unsigned long long)data[1].set << 32 | data[0].set)
  say("verdict net=%lu mnt=%lu uid=%u,%u,%u gid=%u,%u,%u caps=%llx,%llx,%llx,%llx nnp=%d "
      "seccomp=%d\n",
      inode("/proc/self/ns/net"), inode("/proc/self/ns/mnt"), u[0], u[1], u[2], g[0], g[1], g[2],
      WORDS(inheritable), WORDS(permitted), WORDS(effective), ambient,
      prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_SECCOMP));
}

static void say_arguments(int argc, char** argv) {
  unsigned long long sum = 14695981039346656037ULL, size = 0;
  for (int i = 0; i < argc; ++i) {
    for (const char* at = argv[i];; ++at) {
      sum = (sum ^ (unsigned char)*at) * 1099511628211ULL;
      ++size;
      if (*at == '\0') {
        break;
      }
    }
  }
  say("argv %d %llu %llx\n", argc, size, sum);
}

static void say_descriptors(void) {
  DIR* folder = opendir("/proc/self/fd");
  for (struct dirent* entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    char target[4096] = "";
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(folder) &&
        readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1) > 0) {
      say("fd %d %s %#x %#x\n", fd, target, (unsigned)fcntl(fd, F_GETFL),
          (unsigned)fcntl(fd, F_GETFD));
    }
  }
  if (folder != NULL) {
    closedir(folder);
  }
}

static void say_file(const char* key, const char* path) {
  char text[4096] = "";
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  for (ssize_t i = 0; i < size; ++i) {
    if (text[i] == '\n' || text[i] == '\0') {
      text[i] = ' ';
    }
  }
  say("%s %s\n", key, text);
}

static void say_state(void) {
  struct itimerval timer = {{0, 0}, {0, 0}};
  struct sched_param parameters = {0};
  sigset_t set;
  cpu_set_t cpus;
  int value = 0;
  unsigned long long bounding = 0, mask[3] = {0, 0, 0};
  for (int cap = 0; cap < 64; ++cap) {
    if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) {
      bounding |= 1ULL << cap;
    }
  }
  say("bounding %llx\n", bounding);
  say("securebits %#x\n", (unsigned)prctl(PR_GET_SECUREBITS));
  say("keepcaps %d\n", prctl(PR_GET_KEEPCAPS));
  say("dumpable %d\n", prctl(PR_GET_DUMPABLE));
  prctl(PR_GET_CHILD_SUBREAPER, &value);
  say("subreaper %d\n", value);
  say("timerslack %d\n", prctl(PR_GET_TIMERSLACK));
  say("thp_disable %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  say("mce_kill %d\n", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
  say("io_priority %ld\n", syscall(SYS_ioprio_get, 1, 0));
  say("personality %#x\n", (unsigned)personality(0xffffffff));
  say("nice %d\n", getpriority(PRIO_PROCESS, 0));
  sched_getparam(0, &parameters);
  say("scheduler %d %d\n", sched_getscheduler(0), parameters.sched_priority);
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  say("affinity %d\n", CPU_COUNT(&cpus));
  value = -1;
  prctl(PR_GET_PDEATHSIG, &value);
  say("pdeathsig %d\n", value);
  sigprocmask(SIG_BLOCK, NULL, &set);
  for (int signal = 1; signal < 65; ++signal) {
    struct sigaction action;
    mask[0] |= (unsigned long long)(sigismember(&set, signal) == 1) << (signal - 1);
    if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL) {
      mask[1] |= 1ULL << (signal - 1);
    }
  }
  sigpending(&set);
  for (int signal = 1; signal < 65; ++signal) {
    mask[2] |= (unsigned long long)(sigismember(&set, signal) == 1) << (signal - 1);
  }
  say("blocked %llx\nignored %llx\npending %llx\n", mask[0], mask[1], mask[2]);
  getitimer(ITIMER_REAL, &timer);
  say("itimer %d\n", timer.it_value.tv_sec > 0 || timer.it_value.tv_usec > 0);
  say_file("posix_timers", "/proc/self/timers");
  say("session_keyring %ld\n",
      syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
  say("groups %d\n", getgroups(0, NULL));
  say("session %d %d %d\n", getsid(0) == getppid(), getpgrp() == getppid(), getppid() > 1);
  say_file("comm", "/proc/self/comm");
  say_file("cmdline", "/proc/self/cmdline");
  say_file("oom_score_adj", "/proc/self/oom_score_adj");
  say_file("coredump_filter", "/proc/self/coredump_filter");
  say_file("loginuid", "/proc/self/loginuid");
  say_file("cgroup", "/proc/self/cgroup");
  say("umask %03o\n", umask(0));
}

static void attempt(const char* name, long result) {
  say("%s %s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
}

static void say_attempts(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  const gid_t no_group = 0;
  char path[64];
  const uid_t own = getuid();
  attempt("control: setresuid to itself", setresuid(own, own, own));
  attempt("setuid", setuid(0));
  attempt("seteuid", seteuid(0));
  attempt("setreuid", setreuid((uid_t)-1, 0));
  attempt("setresuid", setresuid((uid_t)-1, (uid_t)-1, 0));
  attempt("setgid", setgid(0));
  attempt("setegid", setegid(0));
  attempt("setresgid", setresgid((gid_t)-1, (gid_t)-1, 0));
  attempt("setgroups", setgroups(1, &no_group));
  attempt("setfsuid", setfsuid(0) >= 0 && setfsuid(-1) == 0 ? 0 : (errno = EPERM, -1));
  attempt("setfsgid", setfsgid(0) >= 0 && setfsgid(-1) == 0 ? 0 : (errno = EPERM, -1));
  data[0].permitted = data[0].effective = 1U << CAP_SYS_ADMIN;
  attempt("capset: sys_admin", syscall(SYS_capset, &header, data));
  data[0].permitted = data[0].effective = 1U << CAP_SYS_CHROOT;
  attempt("capset: sys_chroot", syscall(SYS_capset, &header, data));
  data[0].permitted = data[0].effective = 0;
  data[0].inheritable = 1U << CAP_SYS_ADMIN;
  attempt("capset: inheritable", syscall(SYS_capset, &header, data));
  attempt("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
  attempt("securebits", prctl(PR_SET_SECUREBITS, 1, 0, 0, 0));
  attempt("bounding", prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0));
  attempt("chroot", chroot("/"));
  attempt("mount", mount("none", "/", "tmpfs", 0, NULL));
  attempt("umount", umount2("/proc", MNT_DETACH));
  attempt("unshare: net", unshare(CLONE_NEWNET));
  attempt("unshare: mount", unshare(CLONE_NEWNS));
  attempt("sethostname", sethostname("x", 1));
  snprintf(path, sizeof path, "/proc/%d/ns/net", getppid());
  attempt("setns: the caller's network", syscall(SYS_setns, open(path, O_RDONLY | O_CLOEXEC), 0));
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", getppid());
  attempt("setns: the caller's mounts", syscall(SYS_setns, open(path, O_RDONLY | O_CLOEXEC), 0));
  attempt("setns: by process",
          syscall(SYS_setns, syscall(SYS_pidfd_open, getppid(), 0), CLONE_NEWNET));
}

int main(int argc, char** argv) {
  if (fcntl(999, F_GETFD) >= 0) {
    out_fd = 999;
  }
  say_verdict();
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "argv") == 0) {
      say_arguments(argc - i - 1, argv + i + 1);
      break;
    }
    if (strcmp(argv[i], "environ") == 0) {
      for (char** entry = environ; *entry != NULL; ++entry) {
        const size_t size = strlen(*entry) + 1;
        if (write(out_fd, *entry, size) != (ssize_t)size) {
          return 98;
        }
      }
    } else if (strcmp(argv[i], "fds") == 0) {
      say_descriptors();
    } else if (strcmp(argv[i], "closed") == 0) {
      say("closed%s%s%s\n", fcntl(0, F_GETFD) < 0 ? " 0" : "", fcntl(1, F_GETFD) < 0 ? " 1" : "",
          fcntl(2, F_GETFD) < 0 ? " 2" : "");
    } else if (strcmp(argv[i], "state") == 0) {
      say_state();
    } else if (strcmp(argv[i], "attempts") == 0) {
      say_attempts();
    } else if (strcmp(argv[i], "sleep") == 0) {
      sleep(30);
    }
  }
  return 0;
}
