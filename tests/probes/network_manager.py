#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# network_manager.py SOCKET FILE: takes NetworkManager's name on the bus at SOCKET, says "ready", and answers each
# question for a property with the number in FILE.
import os
import socket
import struct
import sys

bus = socket.socket(socket.AF_UNIX)
bus.connect(sys.argv[1])
bus.sendall(b"\0AUTH EXTERNAL %s\r\n" % str(os.geteuid()).encode().hex().encode())
assert bus.recv(4096).startswith(b"OK "), "the bus does not take us"
bus.sendall(b"BEGIN\r\n")
serial = 0


def aligned(data, to):
    return data + b"\0" * (-len(data) % to)


def string(text):
    return struct.pack("<I", len(text)) + text.encode() + b"\0"


def send(kind, fields, body=b""):
    global serial
    serial += 1
    packed = b""
    for field, signature, value in fields:
        packed = aligned(packed, 8) + bytes([field, 1]) + signature.encode() + b"\0"
        if signature == "u":
            packed += struct.pack("<I", value)
        elif signature == "g":
            packed += bytes([len(value)]) + value.encode() + b"\0"
        else:
            packed += string(value)
    bus.sendall(aligned(struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), serial, len(packed)) + packed, 8) + body)


def call(member, signature="", body=b""):
    fields = [(1, "o", "/org/freedesktop/DBus"), (2, "s", "org.freedesktop.DBus"), (3, "s", member),
              (6, "s", "org.freedesktop.DBus")]
    send(1, fields + ([(8, "g", signature)] if signature else []), body)


def exactly(count):
    data = b""
    while len(data) < count:
        more = bus.recv(count - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data


def receive():
    head = exactly(16)
    kind, body, number, size = head[1], *struct.unpack("<III", head[4:])
    rest = exactly(size + (-size % 8) + body)
    sender, at = None, 0
    while at < size:
        at += -at % 8
        field, signature, at = rest[at], chr(rest[at + 2]), at + 4
        if signature == "g":
            at += rest[at] + 2
        elif signature == "u":
            at += 4
        else:
            length = struct.unpack("<I", rest[at:at + 4])[0]
            if field == 7:
                sender = rest[at + 4:at + 4 + length].decode()
            at += 5 + length
    return kind, number, sender


call("Hello")
call("RequestName", "su", aligned(string("org.freedesktop.NetworkManager"), 4) + struct.pack("<I", 4))
answers = 0
while True:
    kind, number, sender = receive()
    if kind == 2:
        answers += 1
        if answers == 2:
            print("ready", flush=True)
    elif kind == 3:
        sys.exit("the bus refuses the name")
    elif kind == 1:
        with open(sys.argv[2], encoding="utf-8") as file:
            value = int(file.read())
        send(2, [(5, "u", number), (6, "s", sender), (8, "g", "v")], b"\1u\0\0" + struct.pack("<I", value))
