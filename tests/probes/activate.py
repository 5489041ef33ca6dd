#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""activate.py SOCKET COMMAND…: listens as systemd does for a socket unit, and becomes COMMAND with the
listener (sd_listen_fds(3)) as soon as somebody has connected and sent something."""
import os
import select
import socket
import sys

path, *command = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o666)
listener.listen()
print("listening", flush=True)
select.select([listener], [], [])
# What this test is about is there before the companion is.
while not os.path.exists(path + ".go"):
    select.select([], [], [], 0.02)
os.unlink(path + ".go")
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.execve(command[0], command, dict(os.environ, LISTEN_PID=str(os.getpid()), LISTEN_FDS="1"))
