#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""socket_unit.py SOCKET NAME PROGRAM…: listens as systemd does for the socket unit of the profile NAME, and runs one
companion after the other with the listener (sd_listen_fds(3)): PROGRAM run NAME, the next when the one before has
ended. Whoever calls in between waits. The first is started once somebody calls."""
import os
import select
import socket
import sys

path, name, *programs = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o666)
listener.listen()
select.select([listener], [], [])
for program in programs:
    pid = os.fork()
    if pid == 0:
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.execve(program, [program, "run", name], dict(os.environ, LISTEN_PID=str(os.getpid()), LISTEN_FDS="1"))
    print("companion", pid, flush=True)
    os.waitpid(pid, 0)
os.unlink(path)
