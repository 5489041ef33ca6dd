// SPDX-License-Identifier: GPL-2.0-or-later
// state: prints what a process has inherited, one "key value…" a line. With arguments: only the
// lines of these keys. "-o FILE" first: not to standard output. Static, so that it runs in any view
// and opens nothing but /proc.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char** keys;
static FILE* out;  // in memory, so that a closed standard output stays closed

static bool wanted(const char* key) {
  if (keys[0] == NULL) {
    return true;
  }
  for (char** at = keys; *at != NULL; ++at) {
    if (strcmp(*at, key) == 0) {
      return true;
    }
  }
  return false;
}

static void print_ids(void) {
  uid_t r, e, s;
  gid_t groups[256];
  if (wanted("uid") && getresuid(&r, &e, &s) == 0) {
    fprintf(out, "uid %u %u %u\n", r, e, s);
  }
  if (wanted("gid") && getresgid(&r, &e, &s) == 0) {
    fprintf(out, "gid %u %u %u\n", r, e, s);
  }
  const int count = getgroups(256, groups);
  if (wanted("groups")) {
    fprintf(out, "groups");
    for (int i = 0; i < count; ++i) {
      fprintf(out, " %u", groups[i]);
    }
    fprintf(out, "\n");
  }
}

// Cap*, Sig*, NoNewPrivs, Seccomp as the kernel shows them.
static void print_status(void) {
  char line[512];
  FILE* status = fopen("/proc/self/status", "re");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    char* colon = strchr(line, ':');
    if (colon == NULL) {
      continue;
    }
    *colon = '\0';
    if ((strncmp(line, "Cap", 3) == 0 || strncmp(line, "Sig", 3) == 0 ||
         strcmp(line, "NoNewPrivs") == 0 || strcmp(line, "Seccomp") == 0) &&
        wanted(line)) {
      fprintf(out, "%s %s", line, colon + 1 + strspn(colon + 1, " \t"));
    }
  }
  if (status != NULL) {
    fclose(status);
  }
}

static void print_namespaces(void) {
  static const char* const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    char path[64], target[64] = "";
    char key[16];
    snprintf(key, sizeof key, "ns_%s", names[i]);
    snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
    if (wanted(key) && readlink(path, target, sizeof target - 1) > 0) {
      fprintf(out, "%s %s\n", key, target);
    }
  }
}

static void print_limits(void) {
  static const char* const names[] = {
      "cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
      "memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};
  for (int i = 0; i < (int)(sizeof names / sizeof *names); ++i) {
    char key[32];
    struct rlimit limit;
    snprintf(key, sizeof key, "limit_%s", names[i]);
    if (wanted(key) && getrlimit(i, &limit) == 0) {
      fprintf(out, "%s %lld %lld\n", key, (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
  }
}

// Number, target, and flags of each open descriptor but our own.
static void print_descriptors(void) {
  DIR* folder = wanted("fd") ? opendir("/proc/self/fd") : NULL;
  for (struct dirent* entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    char target[4096] = "";
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(folder) &&
        readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1) > 0) {
      fprintf(out, "fd %d %s %#x\n", fd, target, (unsigned)fcntl(fd, F_GETFL));
    }
  }
  if (folder != NULL) {
    closedir(folder);
  }
}

int main(int argc, char** argv) {
  char cwd[4096] = "?";
  int pdeathsig = 0;
  char* text = NULL;
  size_t size = 0;
  const char* file = argc > 2 && strcmp(argv[1], "-o") == 0 ? argv[2] : NULL;
  out = open_memstream(&text, &size);
  keys = argv + (argc > 0) + (file != NULL ? 2 : 0);
  // Read before anything of ours is opened.
  print_descriptors();
  if (wanted("pid")) {
    fprintf(out, "pid %d\n", getpid());
  }
  if (wanted("argv")) {
    for (int i = 0; i < argc; ++i) {
      fprintf(out, "argv %d %s\n", i, argv[i]);
    }
  }
  print_ids();
  print_status();
  print_namespaces();
  print_limits();
  if (wanted("cwd")) {
    fprintf(out, "cwd %s\n", getcwd(cwd, sizeof cwd) != NULL ? cwd : "?");
  }
  if (wanted("umask")) {
    fprintf(out, "umask %03o\n", umask(0));
  }
  if (wanted("session")) {
    fprintf(out, "session %d %d\n", getsid(0), getpgrp());
  }
  if (wanted("dumpable")) {
    fprintf(out, "dumpable %d\n", prctl(PR_GET_DUMPABLE));
  }
  if (wanted("keepcaps")) {
    fprintf(out, "keepcaps %d securebits %d\n", prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS));
  }
  if (wanted("pdeathsig") && prctl(PR_GET_PDEATHSIG, &pdeathsig) == 0) {
    fprintf(out, "pdeathsig %d\n", pdeathsig);
  }
  fclose(out);
  const int fd =
      file == NULL ? STDOUT_FILENO : open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  return write(fd, text, size) == (ssize_t)size ? 0 : 1;
}
