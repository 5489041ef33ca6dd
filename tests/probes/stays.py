#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""stays.py SOCKET GO: follows the tunnel's state; when GO exists, orders it down and up. Prints
each line that the companion says, and how the connection ended."""
import os
import select
import socket
import sys
import time

path, go = sys.argv[1:]
client = socket.socket(socket.AF_UNIX)
client.connect(path)
client.sendall(b'{"command":"status","follow":true}\n')
print(client.recv(65536).decode().strip(), flush=True)
print("connected", flush=True)
while not os.path.exists(go):
    if select.select([client], [], [], 0.02)[0]:
        if not (part := client.recv(65536)):
            print("ended", flush=True)
            break
        print(part.decode().strip(), flush=True)
while not os.path.exists(go):
    time.sleep(0.02)
for command in ("down", "up"):
    try:
        client.sendall(b'{"command":"%s"}\n' % command.encode())
    except OSError as error:
        print(type(error).__name__, flush=True)
client.settimeout(2)
try:
    while part := client.recv(65536):
        print(part.decode().strip(), flush=True)
    print("closed", flush=True)
except OSError as error:
    print(type(error).__name__, flush=True)
