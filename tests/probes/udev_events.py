#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""udev_events.py send NAME [SUBSYSTEM]: what the udev daemon sends when a device has come.
udev_events.py listen raw|libudev COUNT: says "listening", then the DEVNAME of COUNT events, one a line."""
import ctypes
import select
import socket
import struct
import sys

NETLINK_KOBJECT_UEVENT = 15
UDEV_GROUP = 2


def open_socket(groups):
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT)
    opened.bind((0, groups))
    return opened


def send(name, subsystem):
    words = ["ACTION=add", f"DEVPATH=/devices/virtual/{subsystem}/{name}", f"SUBSYSTEM={subsystem}", "SEQNUM=4711",
             f"DEVNAME={name}"]
    properties = b"".join(word.encode() + b"\0" for word in words)
    head = b"libudev\0" + struct.pack("!L", 0xFEEDCAFE) + struct.pack("=LLL", 40, 40, len(properties)) + bytes(16)
    open_socket(0).sendto(head + properties, (0, UDEV_GROUP))


def listen_raw():
    opened = open_socket(UDEV_GROUP)
    print("listening", flush=True)
    while True:
        for word in opened.recv(8192).split(b"\0"):
            if word.startswith(b"DEVNAME="):
                yield word[8:].decode()


def listen_libudev():
    """What SDL, libinput and Kodi do, with the real library and its checks of the sender."""
    library = ctypes.CDLL("libudev.so.1")
    for function in ("udev_new", "udev_monitor_new_from_netlink", "udev_monitor_receive_device"):
        getattr(library, function).restype = ctypes.c_void_p
    library.udev_device_get_property_value.restype = ctypes.c_char_p
    monitor = ctypes.c_void_p(library.udev_monitor_new_from_netlink(ctypes.c_void_p(library.udev_new()), b"udev"))
    if library.udev_monitor_enable_receiving(monitor) < 0:
        sys.exit("libudev does not listen")
    print("listening", flush=True)
    while True:
        select.select([library.udev_monitor_get_fd(monitor)], [], [])
        device = library.udev_monitor_receive_device(monitor)
        if device:
            name = library.udev_device_get_property_value(ctypes.c_void_p(device), b"DEVNAME").decode()
            yield name.removeprefix("/dev/")  # which it has put there


def main():
    if sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "input")
        return
    events = listen_libudev() if sys.argv[2] == "libudev" else listen_raw()
    for _ in range(int(sys.argv[3])):
        print(next(events), flush=True)


main()
