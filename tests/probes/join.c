// SPDX-License-Identifier: GPL-2.0-or-later
// join PROFILE: the three privileged calls of vpnrun-helper, without its checks, each with whatever
// privilege this file has: "netns RESULT", "view RESULT", "filter RESULT"; RESULT is ok or an
// errno. Static, because the view comes in between.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int entry(const char* profile, const char* name) {
  char path[256];
  snprintf(path, sizeof path, "/run/vpnrun/%s/%s", profile, name);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    perror(path);
    _exit(98);
  }
  return fd;
}

static void say(const char* what, long result) {
  printf("%s %s\n", what, result == 0 ? "ok" : strerrorname_np(errno));
}

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {1, &allow};
  const int netns = entry(argv[1], "netns");
  const int view = entry(argv[1], "mnt");
  say("netns", setns(netns, CLONE_NEWNET));
  say("view", setns(view, CLONE_NEWNS));
  say("filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
  return 0;
}
