// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/call_filter.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>
#include <memory>

#include <seccomp.h>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr scmp_datum_t kIntMask = 0xffffffff;  // the kernel takes an int from a 64-bit register

constexpr int kRefused[] = {
    // namespaces and mounts
    SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
    SCMP_SYS(chroot), SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(mount_setattr),
    SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick),
    // acting as a server
    SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
    // memory
    SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret), SCMP_SYS(shmget), SCMP_SYS(semget),
    SCMP_SYS(msgget), SCMP_SYS(mq_open),
    // processes and keys
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(personality),
    // parts of the kernel that often had faults
    SCMP_SYS(bpf), SCMP_SYS(userfaultfd), SCMP_SYS(perf_event_open), SCMP_SYS(fanotify_init),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)};

constexpr unsigned kNamespaceFlags[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                        CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
#ifdef __s390__
constexpr unsigned kCloneFlags = 1;  // clone(2): the stack is the first argument there
#else
constexpr unsigned kCloneFlags = 0;
#endif

/// AF_INET with this protocol is AF_SMC by another name (since Linux 6.11).
constexpr scmp_datum_t kIpprotoSmc = 256;

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW), seccomp_release) {
    if (!context_) {
      throw Error("cannot make the filter of system calls");
    }
    succeed(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)));
  }
  void refuse(int call, std::initializer_list<scmp_arg_cmp> conditions = {},
              unsigned error = EPERM) {
    succeed(seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(error), call,
                                   static_cast<unsigned>(conditions.size()),
                                   std::data(conditions)));
  }
  void load() { succeed(seccomp_load(context_.get())); }

 private:
  static void succeed(int result) {
    if (result < 0) {
      throw_error(-result, "cannot filter system calls");
    }
  }
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

scmp_arg_cmp is_int(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, kIntMask, value};
}

void refuse_sockets(Filter& filter) {
  for (int family = 0; family <= AF_NETLINK; ++family) {
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6 && family != AF_NETLINK) {
      filter.refuse(SCMP_SYS(socket), {is_int(0, static_cast<scmp_datum_t>(family))});
    }
  }
  filter.refuse(SCMP_SYS(socket), {{0, SCMP_CMP_GT, AF_NETLINK, 0}});
  for (const int family : {AF_INET, AF_INET6}) {
    filter.refuse(SCMP_SYS(socket),
                  {is_int(0, static_cast<scmp_datum_t>(family)), is_int(2, kIpprotoSmc)});
  }
  filter.refuse(SCMP_SYS(socketpair), {{0, SCMP_CMP_NE, AF_UNIX, 0}});
}

}  // namespace

void refuse_calls() {
  Filter filter;
  for (const int call : kRefused) {
    filter.refuse(call);
  }
  for (const scmp_datum_t flag : kNamespaceFlags) {
    filter.refuse(SCMP_SYS(clone), {{kCloneFlags, SCMP_CMP_MASKED_EQ, flag, flag}});
  }
  filter.refuse(SCMP_SYS(clone3), {}, ENOSYS);
  filter.refuse(SCMP_SYS(prctl), {is_int(0, PR_SET_PDEATHSIG)});
  refuse_sockets(filter);
  filter.load();
}

}  // namespace vpnrun::service
