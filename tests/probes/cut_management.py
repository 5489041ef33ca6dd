#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cut_management.py PID: shuts the connected Unix stream sockets of the VPN client PID, as root and
from outside: both ends see the other gone. Prints how many there were; it is an error if there were none."""
import ctypes
import os
import socket
import sys

SYS_PIDFD_GETFD = 438  # the same number on every architecture

pid = int(sys.argv[1])
pidfd = os.pidfd_open(pid)
libc = ctypes.CDLL(None, use_errno=True)
count = 0
for entry in os.listdir(f"/proc/{pid}/fd"):
    try:
        if not os.readlink(f"/proc/{pid}/fd/{entry}").startswith("socket:"):
            continue
    except FileNotFoundError:
        continue  # the client ends: by what has been cut already, or by itself
    fd = libc.syscall(SYS_PIDFD_GETFD, pidfd, int(entry), 0)
    if fd < 0:
        if count > 0:
            break
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    with socket.socket(fileno=fd) as copy:
        if copy.family == socket.AF_UNIX and copy.type == socket.SOCK_STREAM:
            copy.shutdown(socket.SHUT_RDWR)
            count += 1
sys.exit(count == 0)
