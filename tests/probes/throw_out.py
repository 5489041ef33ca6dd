#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Throws each client out of an OpenVPN server as soon as it is there.

  throw_out.py MANAGEMENT_SOCKET SECONDS

Prints how many it threw out and how often it looked.
"""
import socket
import sys
import time

PATH, SECONDS = sys.argv[1], float(sys.argv[2])


def replies(connection, command):
    """The lines of the reply, up to and with its last."""
    connection.sendall(command)
    text = b""
    while not any(line.startswith((b"END", b"SUCCESS", b"ERROR")) for line in text.split(b"\n")[:-1]):
        got = connection.recv(65536)
        if not got:
            sys.exit("the server is gone")
        text += got
    return text.split(b"\n")


management = socket.socket(socket.AF_UNIX)
management.connect(PATH)
management.settimeout(5)
end = time.monotonic() + SECONDS
looks, thrown = 0, set()
while time.monotonic() < end:
    looks += 1
    for line in replies(management, b"status 2\n"):
        fields = line.strip().split(b",")
        # CLIENT_LIST, name, real address, virtual address, …, client id at 10: connected with an address
        if fields[0] == b"CLIENT_LIST" and len(fields) > 10 and fields[3]:
            replies(management, b"client-kill " + fields[10] + b" RESTART\n")
            thrown.add(fields[10])
    time.sleep(0.05)
print(len(thrown), looks)
