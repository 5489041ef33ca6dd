// SPDX-License-Identifier: GPL-2.0-or-later
// vpnrun-filter-compiler ARCHITECTURE [i386]: writes the application's seccomp filter as C
// initialisers to standard output, while vpnrun is built, on the machine that builds it.
// ARCHITECTURE is that of the kernel which will run the filter, by libseccomp's name: "x86_64",
// "aarch64". Not installed.
//
// The filter keeps applications from sockets that a network namespace does not confine, and from
// sockets that somebody else made. It allows all other system calls: it is not a sandbox.
//
// With "i386" it is the one for profiles with [application] i386 = true: the same, but for the
// socket calls of 32-bit x86, which are not looked at. One of them, socketcall(2), is all that the
// usual C library of such programs knows, and what it asks for is behind a pointer.
#include <linux/filter.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include <seccomp.h>

namespace {

struct Family {
  int number;
  const char* reason;
};

// Everything that is not here is refused, families that do not exist yet included. Ascending.
constexpr std::array kAllowed = {
    Family{AF_UNSPEC, "no socket: the kernel answers it itself"},
    Family{AF_UNIX, "abstract names belong to the network namespace, paths to the view"},
    Family{AF_INET, "confined by the network namespace"},
    Family{AF_INET6, "confined by the network namespace"},
    Family{AF_NETLINK, "confined; getifaddrs(3) and every resolver need it"},
    Family{AF_PACKET, "confined; tcpdump by root inside"},
    Family{AF_ALG, "the kernel's ciphers, no network"},
};
// Refused for a reason, among the rest: AF_VSOCK (reaches the hypervisor), AF_BLUETOOTH, AF_NFC,
// AF_QIPCRTR, AF_IUCV, AF_ISDN, AF_PHONET, AF_CAIF (devices of the machine), AF_IB, AF_RDS, AF_SMC
// (RDMA devices are shared by all network namespaces), AF_TIPC, AF_RXRPC, AF_CAN (nobody needs
// them behind a VPN).

// AF_INET with this protocol is AF_SMC by another name (since Linux 6.11; not in netinet/in.h yet).
constexpr int kIpprotoSmc = 256;

// SOL_TCP and TCP_ULP (netinet/tcp.h). "smc" makes a TCP socket that exists already one of AF_SMC
// (since Linux 5.17); the name is behind a pointer, which a filter cannot read. The others ("tls",
// "mptcp", "espintcp") are lost with it: libraries for TLS go on without the kernel's.
constexpr int kSolTcp = 6;
constexpr int kTcpUlp = 31;

constexpr scmp_datum_t kIntMask = 0xffffffff;  // the kernel takes an int from a 64-bit register

// The two families differ in one bit, so that one comparison without it covers both and no other.
constexpr scmp_datum_t kInetBit = AF_INET ^ AF_INET6;
static_assert((kInetBit & (kInetBit - 1)) == 0);

// Search system calls by a tree: at each start the kernel runs the program once for every system
// call that there is.
constexpr std::uint32_t kBinaryTree = 2;

bool is_allowed(int family) {
  return std::any_of(kAllowed.begin(), kAllowed.end(),
                     [family](const Family& entry) { return entry.number == family; });
}

bool any_allowed(int first, int count) {
  for (int family = first; family < first + count; ++family) {
    if (is_allowed(family)) {
      return true;
    }
  }
  return false;
}

// The argument, under the mask, is `value`.
scmp_arg_cmp argument_is(unsigned argument, int value, scmp_datum_t mask) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, static_cast<scmp_datum_t>(value)};
}

int refuse(scmp_filter_ctx filter, int system_call, int error,
           std::initializer_list<scmp_arg_cmp> conditions) {
  return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(static_cast<unsigned>(error)), system_call,
                                static_cast<unsigned>(conditions.size()), std::data(conditions));
}

// Refuses each family below the last allowed one that is not in the list: by aligned blocks of a
// power of two, one comparison under a mask each, because the kernel translates and emulates the
// program at each start.
int refuse_gaps(scmp_filter_ctx filter, int last) {
  int failure = 0;
  for (int first = 0; first < last;) {
    if (is_allowed(first)) {
      ++first;
      continue;
    }
    int size = 1;
    while (first % (2 * size) == 0 && first + 2 * size <= last && !any_allowed(first, 2 * size)) {
      size *= 2;
    }
    const scmp_datum_t mask = kIntMask & ~static_cast<scmp_datum_t>(size - 1);
    failure |= refuse(filter, SCMP_SYS(socket), EAFNOSUPPORT, {argument_is(0, first, mask)});
    first += size;
  }
  return failure;
}

int add_socket_rules(scmp_filter_ctx filter) {
  constexpr int kLast = kAllowed.back().number;
  int failure = refuse_gaps(filter, kLast);
  // On i386 libseccomp adds for these two: socketcall(SYS_SOCKET | SYS_SOCKETPAIR, …) is refused,
  // because a filter cannot see the family behind its pointer. int $0x80 from a 64-bit program
  // would otherwise be a way around.
  failure |= refuse(filter, SCMP_SYS(socket), EAFNOSUPPORT, {{0, SCMP_CMP_GT, kLast, 0}});
  failure |= refuse(filter, SCMP_SYS(socketpair), EAFNOSUPPORT, {{0, SCMP_CMP_NE, AF_UNIX, 0}});
  failure |= refuse(filter, SCMP_SYS(socket), EPROTONOSUPPORT,
                    {argument_is(0, AF_INET & AF_INET6, kIntMask & ~kInetBit),
                     argument_is(2, kIpprotoSmc, kIntMask)});
  failure |= refuse(filter, SCMP_SYS(setsockopt), ENOPROTOOPT,
                    {argument_is(1, kSolTcp, kIntMask), argument_is(2, kTcpUlp, kIntMask)});
  // This call exists only on i386. The option's level and name are unseen; without
  // socketcall(SYS_SOCKET) hardly anybody has a socket to set one on.
  failure |= refuse(filter, SCMP_SYS(socketcall), ENOPROTOOPT, {argument_is(0, 14, kIntMask)});
  return failure;
}

int add_other_rules(scmp_filter_ctx filter) {
  int failure = 0;
  // Takes sockets out of other processes of the same user.
  failure |= refuse(filter, SCMP_SYS(pidfd_getfd), EPERM, {});
  // A key that is not there is made by a program of the machine's (request-key(8)), outside: one of
  // type "dns_resolver" by asking the machine's name server. Without the third argument the kernel
  // only looks whether there is one.
  failure |= refuse(filter, SCMP_SYS(request_key), ENOKEY, {{2, SCMP_CMP_NE, 0, 0}});
  // IORING_OP_SOCKET makes sockets of any family unseen by any filter. Programs fall back when the
  // kernel has no io_uring; browsers do not use it. The last two close rings made outside;
  // the launcher names them, because one that is polled needs no system call.
  failure |= refuse(filter, SCMP_SYS(io_uring_setup), ENOSYS, {});
  failure |= refuse(filter, SCMP_SYS(io_uring_enter), ENOSYS, {});
  failure |= refuse(filter, SCMP_SYS(io_uring_register), ENOSYS, {});
  return failure;
}

// An empty filter for one architecture; null on failure. Rules name system calls by the numbers of
// the machine that runs this; libseccomp translates them. An architecture that is not in the filter
// (x32 is one) has no system calls for the application: ENOSYS.
scmp_filter_ctx make_filter(std::uint32_t architecture) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  const std::uint32_t own = seccomp_arch_native();  // in the filter from the start
  if (filter == nullptr || seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree) != 0 ||
      seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) != 0 ||
      (architecture != own &&
       (seccomp_arch_add(filter, architecture) != 0 || seccomp_arch_remove(filter, own) != 0))) {
    return nullptr;
  }
  return filter;
}

// The other instruction set that a kernel of this architecture runs, which needs the same rules; 0
// if there is none.
std::uint32_t second_architecture(std::uint32_t architecture) {
  switch (architecture) {
    case SCMP_ARCH_X86_64:
      return SCMP_ARCH_X86;
    case SCMP_ARCH_AARCH64:
      return SCMP_ARCH_ARM;
    default:
      return 0;
  }
}

// The filter of every profile whose root has not said otherwise.
scmp_filter_ctx make_usual(std::uint32_t architecture) {
  scmp_filter_ctx filter = make_filter(architecture);
  const std::uint32_t second = second_architecture(architecture);
  if (filter == nullptr || (second != 0 && seccomp_arch_add(filter, second) != 0) ||
      add_socket_rules(filter) != 0 || add_other_rules(filter) != 0) {
    return nullptr;
  }
  return filter;
}

// libseccomp has no rule for socket(2) on i386 that leaves socketcall(2) alone. So that instruction
// set gets a filter of its own, without such rules, and the two are joined.
scmp_filter_ctx make_open_to_i386(std::uint32_t architecture) {
  if (second_architecture(architecture) != SCMP_ARCH_X86) {
    return make_usual(architecture);  // nothing else makes sockets unseen
  }
  scmp_filter_ctx filter = make_filter(architecture);
  scmp_filter_ctx i386 = make_filter(SCMP_ARCH_X86);
  if (filter == nullptr || i386 == nullptr || add_socket_rules(filter) != 0 ||
      add_other_rules(filter) != 0 || add_other_rules(i386) != 0 ||
      seccomp_merge(filter, i386) != 0) {
    return nullptr;
  }
  return filter;
}

int print_program(scmp_filter_ctx filter) {
  const int memory_fd = ::memfd_create("filter", MFD_CLOEXEC);
  if (memory_fd < 0 || seccomp_export_bpf(filter, memory_fd) != 0 ||
      ::lseek(memory_fd, 0, SEEK_SET) != 0) {
    return -1;
  }
  sock_filter step{};
  while (::read(memory_fd, &step, sizeof step) == sizeof step) {
    std::printf("{%#x, %u, %u, %#x},\n", static_cast<unsigned>(step.code),
                static_cast<unsigned>(step.jt), static_cast<unsigned>(step.jf), step.k);
  }
  (void)::close(memory_fd);  // nothing is written back
  return std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const bool opens_i386 = argc == 3 && std::strcmp(argv[2], "i386") == 0;
  const std::uint32_t wanted =
      argc == 2 || opens_i386 ? seccomp_arch_resolve_name(argv[1]) : std::uint32_t{0};
  if (wanted == 0) {
    (void)std::fputs("usage: vpnrun-filter-compiler ARCHITECTURE [i386]\n", stderr);
    return 2;
  }
  scmp_filter_ctx filter = opens_i386 ? make_open_to_i386(wanted) : make_usual(wanted);
  if (filter == nullptr || print_program(filter) != 0) {
    (void)std::fputs("cannot make the seccomp filter\n", stderr);  // the exit code says it again
    return 1;
  }
  seccomp_release(filter);
  return 0;
}
