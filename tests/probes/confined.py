#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""confined.py [once]: tries what a VPN client that its server has taken over could use, one try a line: "done",
"refused ERRNO". As a client (without "once") it writes them to /tmp/tried and stays."""
import ctypes
import os
import platform
import resource
import signal
import socket
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())


def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def succeed(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def in_child(body):
    """For what changes or ends the process; its errno is the exit status. Told by a signal: EFBIG and the like."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
        except OSError as error:
            os._exit(error.errno)
        except MemoryError:
            os._exit(12)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        raise OSError(status, "")


def clone():
    if call(CLONE, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0) == 0:
        os._exit(0)
    os.wait()


def clone3():
    arguments = (ctypes.c_uint64 * 8)()
    arguments[0] = 0x10000000
    arguments[4] = signal.SIGCHLD
    if call(435, ctypes.addressof(arguments), 64) == 0:
        os._exit(0)
    os.wait()


def listen(family, address):
    with socket.socket(family) as listener:
        listener.bind(address)
        listener.listen()


def descriptors():
    for _ in range(100):
        os.open("/dev/null", os.O_RDONLY)


def processes():
    children = []
    try:
        for _ in range(8):
            children.append(os.fork())
            if children[-1] == 0:
                time.sleep(1000)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def file():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open(f"/tmp/large-{os.getpid()}", "wb", buffering=0) as large:
        os.unlink(large.name)
        for _ in range(3):
            large.write(b"x" * (1 << 20))
        if os.fstat(large.fileno()).st_size < 3 << 20:
            raise OSError(27, "")


def locked_memory():
    space = ctypes.create_string_buffer(1 << 20)
    succeed(libc.mlock(space, 1 << 20))


def trace():
    succeed(libc.ptrace(0, 0, None, None))


TRIES = {
    "unshare": lambda: in_child(lambda: succeed(libc.unshare(0x10000000))),
    "clone": clone,
    "clone3": clone3,
    "setns": lambda: succeed(libc.setns(os.open("/proc/self/ns/ipc", os.O_RDONLY), 0)),
    "mount": lambda: succeed(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    "chroot": lambda: in_child(lambda: os.chroot("/tmp")),
    "memfd": lambda: os.close(os.memfd_create("x")),
    "memfd_secret": lambda: os.close(call(447, 0)),
    "shared_memory": lambda: succeed(libc.shmget(0, 4096, 0o1600)),
    "messages": lambda: succeed(libc.msgget(0, 0o1600)),
    "listen": lambda: listen(socket.AF_INET, ("0.0.0.0", 0)),
    "listen_abstract": lambda: listen(socket.AF_UNIX, "\0/tmp/.X11-unix/X7"),
    "packet_socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "alg_socket": lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close(),
    "parent_death_signal": lambda: in_child(lambda: succeed(libc.prctl(1, 0, 0, 0, 0))),
    "trace": lambda: in_child(trace),
    "keys": lambda: call(250 if platform.machine() == "x86_64" else 219, 0, -3, 0),
    "io_uring": lambda: call(425, 1, 0),
    "bpf": lambda: call(321 if platform.machine() == "x86_64" else 280, 0, 0, 0),
    "unix": lambda: socket.socket(socket.AF_UNIX).close(),
    "inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "inet6": lambda: socket.socket(socket.AF_INET6).close(),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    "descriptors": lambda: in_child(descriptors),
    "processes": processes,
    "file": lambda: in_child(file),
    "memory": lambda: in_child(lambda: ctypes.create_string_buffer(600 << 20)),
    "locked_memory": lambda: in_child(locked_memory),
}


def attempt(body):
    try:
        body()
        return "done"
    except OSError as error:
        return f"refused {error.errno}"


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
report = "".join(f"{name}: {attempt(body)}\n" for name, body in TRIES.items())
if sys.argv[1:] == ["once"]:
    print(report, end="")
else:
    with open("/tmp/trying", "w") as out:
        out.write(report)
    os.rename("/tmp/trying", "/tmp/tried")
    time.sleep(1000)
