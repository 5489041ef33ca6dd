#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An application that never gives up while everything around it breaks.

chaos_app.py KIND PROGRESS WRONG [ADDRESS]   KIND: http download udp dns ipv6 ping

PROGRESS is overwritten with "MILLISECONDS COUNT" after each success; a reader needs no lock. What
must never be seen (an answer from outside the tunnel) is appended to WRONG. ADDRESS is the one that
the web server should see (http and ipv6).
"""
import itertools
import os
import random
import socket
import struct
import sys
import time

WEB4 = "203.0.113.10"
WEB6 = "2001:db8:cb::10"
STREAM_PORT = 8080
ECHO_PORT = 9000
ISP_RESOLVER = "192.168.77.1"
NAMES = "chaos.who.example"
TUNNEL_ANSWERS = ("192.0.2.8", "192.0.2.9")
PATIENCE = 0.3


class Progress:
    def __init__(self, path, wrong):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        self.wrong_path = wrong
        self.count = 0

    def success(self):
        self.count += 1
        os.pwrite(self.fd, b"%013d %09d\n" % (time.time_ns() // 1000000, self.count), 0)

    def wrong(self, what):
        with open(self.wrong_path, "a", encoding="utf-8") as file:
            file.write(f"{time.time_ns() // 1000000} {what}\n")


def first_line(address, port, request):
    with socket.create_connection((address, port), timeout=PATIENCE) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
        return received.split(b"\r\n\r\n")[-1].decode().strip()


def pages(progress, address, port, request, expected):
    """One page after another; the server tells which address it sees."""
    while True:
        try:
            seen = first_line(address, port, request)
            if seen == expected:
                progress.success()
            elif seen:
                progress.wrong(f"the web server saw {seen}")
        except OSError:
            pass
        time.sleep(0.1)


def download(progress):
    """A stream without end. When it breaks or stalls, another connection."""
    while True:
        try:
            with socket.create_connection((WEB4, STREAM_PORT), timeout=PATIENCE) as connection:
                connection.settimeout(PATIENCE)
                connection.sendall(b"stream\n")
                while connection.recv(4096):
                    progress.success()
        except OSError:
            pass
        time.sleep(0.05)


def datagrams(progress):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0.05)
    for number in itertools.count():
        try:
            sock.sendto(b"app %d" % number, (WEB4, ECHO_PORT))
            sock.recv(2048)
            progress.success()
            time.sleep(0.05)
        except TimeoutError:
            pass
        except OSError:
            time.sleep(0.05)


def question(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", random.getrandbits(16), 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def names(progress):
    """By the C library, and by a resolver's address that is built in; never the same name twice."""
    for number in itertools.count():
        name = f"app-{number}.{NAMES}"
        try:
            if number % 2:
                answers = {info[4][0] for info in socket.getaddrinfo(name, None, socket.AF_INET)}
            else:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.settimeout(PATIENCE)
                    sock.sendto(question(name), (ISP_RESOLVER, 53))
                    answers = {socket.inet_ntoa(sock.recv(512)[-4:])}
            if answers.issubset(TUNNEL_ANSWERS):
                progress.success()
            else:
                progress.wrong(f"{name} is {sorted(answers)}")
        except OSError:
            pass
        time.sleep(0.1)


def echoes(progress):
    """ping, by the socket that an ordinary user may have."""
    for number in itertools.count(1):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as sock:
                sock.settimeout(PATIENCE)
                # The kernel fills in the identifier and the checksum.
                sock.sendto(struct.pack("!BBHHH", 8, 0, 0, 0, number & 0xFFFF), (WEB4, 0))
                sock.recv(512)
                progress.success()
        except OSError:
            pass
        time.sleep(0.1)


def main():
    kind = sys.argv[1]
    progress = Progress(sys.argv[2], sys.argv[3])
    expected = sys.argv[4] if len(sys.argv) > 4 else ""
    if kind == "http":
        pages(progress, WEB4, 80, b"GET / HTTP/1.0\r\n\r\n", expected)
    elif kind == "ipv6":
        pages(progress, WEB6, STREAM_PORT, b"hello\n", expected)
    else:
        {"download": download, "udp": datagrams, "dns": names, "ping": echoes}[kind](progress)


main()
