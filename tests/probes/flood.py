#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""flood.py WAY PATH: costs somebody else as much as it can until it is ended. PATH is a companion's control
socket, or the file that is written to, or the folder in which something comes and goes."""
import array
import itertools
import os
import socket
import sys
import time

way, path = sys.argv[1:]


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(1)
    client.connect(path)
    return client


def line(command, more=""):
    return b'{"command":"%s"%s}\n' % (command.encode(), more.encode())


def questions():
    with connect() as client:
        while True:
            client.sendall(line("status"))
            client.recv(65536)


def crowds():
    """Twenty at once, each with as many questions as it takes, and none waits for an answer."""
    clients = [connect() for _ in range(20)]
    for client in clients:
        client.setblocking(False)
        try:
            client.send(line("status") * 1000)
        except OSError:
            pass
    for client in clients:
        client.close()


def knocks():
    connect().close()


def bytewise():
    with connect() as client:
        for byte in itertools.cycle(b" "):
            client.send(bytes([byte]))


def orders():
    with connect() as client:
        for command in ("down", "up", "restart"):
            client.sendall(line(command, ',"follow":true'))
            client.recv(65536)


def askers():
    with connect() as client:
        client.sendall(line("status", ',"follow":true,"asks":true'))
        client.recv(65536)


def gifts():
    with connect() as client, open("/dev/null") as null:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()]))]
        client.sendmsg([b"!"], ancillary, socket.MSG_OOB)


def writes():
    """Like a program that is setgid for a file in a folder that nobody owns."""
    with open(path, "r+b") as file:
        file.write(b"somebody logged in")


def entries():
    name = os.path.join(path, f"entry-{os.getpid()}")
    with open(name, "w"):
        pass
    os.unlink(name)


while True:
    try:
        globals()[way]()
    except OSError:
        time.sleep(0.001)
