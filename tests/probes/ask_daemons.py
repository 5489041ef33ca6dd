#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks the host's name daemons directly, past libc and every configuration file.

ask_daemons.py NAME        one line for each daemon: its name, and "answered", "reached" (it took the
                           connection) or why not
ask_daemons.py -w SECONDS  again and again; prints a line only when a daemon is reached
"""
import socket
import struct
import sys
import time

SOCKETS = {
    "nscd": "/run/nscd/socket",
    "nscd-var": "/var/run/nscd/socket",
    "resolved": "/run/systemd/resolve/io.systemd.Resolve",
    "resolved-monitor": "/run/systemd/resolve/io.systemd.Resolve.Monitor",
    "avahi": "/run/avahi-daemon/socket",
    "system-bus": "/run/dbus/system_bus_socket",
    "system-bus-var": "/var/run/dbus/system_bus_socket",
}


def question(daemon, name):
    """A question for an address that the daemon understands, or nothing."""
    if daemon.startswith("nscd"):
        key = name.encode() + b"\0"
        return struct.pack("=iii", 2, 14, len(key)) + key  # NSCD_VERSION, GETAI
    if daemon == "resolved":
        call = '{"method":"io.systemd.Resolve.ResolveHostname","parameters":{"name":"%s"}}\0'
        return (call % name).encode()
    if daemon == "avahi":
        return b"HELP\n"  # a name of mDNS would be waited for
    return b""


def ask(daemon, name):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(3)
        try:
            sock.connect(SOCKETS[daemon])
        except OSError as error:
            return error.strerror
        text = question(daemon, name)
        try:
            sock.sendall(text)
            if text and sock.recv(4096):
                return "answered"
        except OSError:
            pass
        return "reached"


def main():
    if sys.argv[1] == "-w":
        end = time.monotonic() + float(sys.argv[2])
        print("asking", flush=True)
        while time.monotonic() < end:
            for daemon in SOCKETS:
                result = ask(daemon, "watched.who.example")
                if result in ("answered", "reached"):
                    print(daemon, result, flush=True)
            time.sleep(0.002)
        return
    for daemon in SOCKETS:
        print(daemon, ask(daemon, sys.argv[1]))


main()
