#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""taken_over.py WAY: stands in for an OpenVPN client that its server has taken over. It finds its
management socket in the configuration on standard input, connects, and does harm in one way, and says
so to an abstract socket of its network."""
import array
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

way = sys.argv[1]
management = re.search(r"^management (\S+) unix$", sys.stdin.read(), re.M).group(1)


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect(management)
    return client


def done():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mark:
        mark.sendto(f"{way}\n".encode(), "\0taken-over")


def full_socket():
    """A TCP connection whose last close waits for bytes that nobody takes: to its server,
    which is in league with it. Somebody at loopback plays the server; the client itself cannot listen."""
    full = socket.socket()
    full.connect(("127.0.0.1", 4444))
    full.setblocking(False)
    try:
        while True:
            full.send(b"x" * 65536)
    except BlockingIOError:
        pass
    full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 100000))
    return full


def give(flags):
    full = full_socket()
    client = connect()
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [full.fileno()]))]
    done()
    client.sendmsg([b">"], ancillary, flags)
    # In a thread: if the companion has already dropped it, this close is the last one.
    threading.Thread(target=full.close, daemon=True).start()
    time.sleep(0.1)
    try:
        client.sendall(b"INFO:harmless\r\n")
    except OSError:
        pass  # it hung up
    time.sleep(60)


def descriptor():
    give(0)


def out_of_band():
    give(socket.MSG_OOB)


def half_a_line():
    connect_and = connect()
    connect_and.sendall(b">STATE:17000000")
    done()
    time.sleep(60)


def endless_line():
    client = connect()
    done()
    while True:
        client.sendall(b"x" * 65536)


def deaf():
    """Asks for one command after the other and takes none of them."""
    client = connect()
    done()
    while True:
        client.sendall(b">HOLD:Waiting for hold release:0\r\n")


def states():
    client = connect()
    done()
    while True:
        client.sendall(b">INFO:nothing of note\r\n" * 1000)


def questions():
    client = connect()
    done()
    while True:
        client.sendall(b">PASSWORD:Need 'Auth' username/password\r\n" * 1000)


def logins():
    client = connect()
    done()
    while True:
        client.sendall(b">STATE:1700000000,AUTH_PENDING,timeout 60,,,,,\r\n" * 1000)


def prints_on(what):
    while True:
        try:
            os.write(1, what)
        except BlockingIOError:
            pass


def prints():
    client = connect()
    done()
    prints_on(b"something\n" * 1000)


def reports():
    """Prints, and says time and again that the tunnel is up: what was printed before is read then."""
    client = connect()
    if os.fork() == 0:
        prints_on(b"x" * 4000 + b"\n")
    done()
    while True:
        client.sendall(b">UPDOWN:UP\r\n>UPDOWN:ENV,END\r\n" * 1000)


def strangers():
    """One that is driven as it should be, and others that come after it."""
    first = connect()
    first.recv(100)
    done()
    while True:
        try:
            connect().close()
        except OSError:
            time.sleep(0.01)


signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    globals()[way]()
except OSError:
    time.sleep(60)
