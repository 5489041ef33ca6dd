// SPDX-License-Identifier: GPL-2.0-or-later
// refusals: tries what an application must not be able to do (and, as the control, what it must),
// one "name RESULT" a line, RESULT being "ok" or the name of the errno.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void show(const char* name, long result) {
  printf("%s %s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
}

static void try_family(const char* name, int family, int type, int protocol) {
  const int fd = socket(family, type, protocol);
  show(name, fd);
  if (fd >= 0) {
    close(fd);
  }
}

#ifdef __x86_64__
// socketcall(2) as a 32-bit program calls it: the arguments lie below 4 GiB.
static void try_i386(const char* name, unsigned number, unsigned first, unsigned family) {
  unsigned* arguments =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  long result = -1;
  unsigned long second = (unsigned long)arguments;
  if (arguments == MAP_FAILED) {
    show(name, -1);
    return;
  }
  arguments[0] = family;
  arguments[1] = SOCK_STREAM;
  arguments[2] = 0;
  if (number == 359) {  // socket(2) itself, by registers
    second = SOCK_STREAM;
    first = family;
  }
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"((long)number), "b"((long)first), "c"(second), "d"(0L)
                   : "memory", "r8", "r9", "r10", "r11");
  errno = result < 0 ? (int)-result : 0;
  show(name, result < 0 ? -1 : 0);
}
#endif

int main(void) {
  int pair[2];
  unsigned char ring[256] = {0};
  try_family("inet", AF_INET, SOCK_DGRAM, 0);
  try_family("unix", AF_UNIX, SOCK_STREAM, 0);
  try_family("netlink", AF_NETLINK, SOCK_RAW, 0);
  try_family("vsock", AF_VSOCK, SOCK_STREAM, 0);
  try_family("bluetooth", AF_BLUETOOTH, SOCK_SEQPACKET, 0);
  try_family("qipcrtr", AF_QIPCRTR, SOCK_DGRAM, 0);
  try_family("tipc", AF_TIPC, SOCK_STREAM, 0);
  try_family("unheard", 200, SOCK_STREAM, 0);
  try_family("smc_protocol", AF_INET, SOCK_STREAM, 256);
  show("smc_ulp", setsockopt(socket(AF_INET, SOCK_STREAM, 0), 6, 31, "smc", 4));
  show("vsock_high_bits", syscall(SYS_socket, 0x100000000L | AF_VSOCK, SOCK_STREAM, 0));
  show("pair_unix", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  show("pair_tipc", socketpair(AF_TIPC, SOCK_STREAM, 0, pair));
  show("pidfd_getfd", syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getppid(), 0), 0, 0));
  show("io_uring", syscall(SYS_io_uring_setup, 4, ring));
  show("setuid0", setuid(0));
  show("setgid0", setgid(0));
  show("setns", syscall(SYS_setns, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), 0));
  show("mount", syscall(SYS_mount, "none", "/", "tmpfs", 0L, NULL));
#ifdef __x86_64__
  try_i386("i386_socket_vsock", 359, 0, AF_VSOCK);
  try_i386("i386_socket_inet", 359, 0, AF_INET);
  try_i386("i386_socketcall_vsock", 102, 1, AF_VSOCK);
  show("x32_socket_vsock", syscall(0x40000000 | SYS_socket, AF_VSOCK, SOCK_STREAM, 0));
#endif
  return 0;
}
