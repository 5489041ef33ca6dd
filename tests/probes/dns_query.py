#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One DNS question by hand, to any server, without libc's resolver and its files.

Prints what came back on one line: the transport and the address of whoever answered, the response
code, "tc" if the answer was cut short, its size, and the addresses or texts in it, or how many if they
are more than eight, e.g. "udp 10.8.0.1 noerror 52 192.0.2.8". Ends with 1 and one line on standard
error if there is no answer.
"""
import argparse
import ipaddress
import os
import socket
import struct
import sys

TYPES = {"A": 1, "AAAA": 28, "TXT": 16}
CODES = {0: "noerror", 1: "formerr", 2: "servfail", 3: "nxdomain", 4: "notimp", 5: "refused"}
OPT, COOKIE = 41, 10


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("name")
    parser.add_argument("--type", choices=TYPES, default="A")
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--tcp", action="store_true")
    parser.add_argument("--retry-tcp", action="store_true", help="over TCP if the answer was cut short")
    parser.add_argument("--bufsize", type=int, default=0, help="EDNS; 0: none")
    parser.add_argument("--cookie", action="store_true", help="EDNS with a client cookie (RFC 7873)")
    parser.add_argument("--source-port", type=int, default=0)
    parser.add_argument("--connected", action="store_true", help="connect the UDP socket first")
    parser.add_argument("--timeout", type=float, default=3, help="of each try")
    parser.add_argument("--tries", type=int, default=1, help="from the same port; UDP")
    return parser.parse_args()


def question(options, number):
    labels = b"".join(bytes([len(part)]) + part for part in options.name.encode().strip(b".").split(b"."))
    edns = options.bufsize or (1232 if options.cookie else 0)
    message = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 1 if edns else 0)
    message += labels + b"\0" + struct.pack("!HH", TYPES[options.type], 1)
    if edns:
        data = struct.pack("!HH", COOKIE, 8) + os.urandom(8) if options.cookie else b""
        message += b"\0" + struct.pack("!HHIH", OPT, edns, 0, len(data)) + data
    return message


def skip_name(message, at):
    while message[at]:
        if message[at] >= 0xC0:
            return at + 2
        at += message[at] + 1
    return at + 1


def answers(message):
    questions, count = struct.unpack("!HH", message[4:8])
    at = 12
    for _ in range(questions):
        at = skip_name(message, at) + 4
    for _ in range(count):
        at = skip_name(message, at)
        kind, _, _, size = struct.unpack("!HHIH", message[at : at + 10])
        data = message[at + 10 : at + 10 + size]
        at += 10 + size
        if kind in (TYPES["A"], TYPES["AAAA"]):
            yield str(ipaddress.ip_address(data))
        elif kind == TYPES["TXT"]:
            yield f"text:{size}"


def read_exactly(stream, size):
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise OSError("the server closed the connection")
        data += part
    return data


def ask_once(stream, message, target, options):
    if options.connected:
        stream.send(message)
    else:
        stream.sendto(message, target)
    while True:
        answer, peer = stream.recvfrom(65535)
        if answer[:2] == message[:2]:
            return answer, peer[0] if peer else options.server


def ask(options, message, tcp):
    """The answer and the address that it came from."""
    target = (options.server, options.port)
    family = socket.AF_INET6 if ":" in options.server else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as stream:
        stream.settimeout(options.timeout)
        if options.source_port:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stream.bind(("", options.source_port))
        if tcp:
            stream.connect(target)
            stream.sendall(struct.pack("!H", len(message)) + message)
            size = struct.unpack("!H", read_exactly(stream, 2))[0]
            return read_exactly(stream, size), stream.getpeername()[0]
        if options.connected:
            stream.connect(target)
        else:
            # What refuses the packet is told to such a socket, too, if it asks for it.
            stream.setsockopt(*((socket.IPPROTO_IPV6, 25) if family == socket.AF_INET6 else (0, 11)), 1)
        for left in reversed(range(options.tries)):
            try:
                return ask_once(stream, message, target, options)
            except socket.timeout:
                if not left:
                    raise


def main():
    options = arguments()
    number = int.from_bytes(os.urandom(2), "big")
    message = question(options, number)
    try:
        tcp = options.tcp
        answer, peer = ask(options, message, tcp)
        if answer[2] & 2 and options.retry_tcp and not tcp:
            tcp = True
            answer, peer = ask(options, message, tcp)
    except OSError as error:
        print(f"dns_query: {options.server}: {error}", file=sys.stderr)
        return 1
    words = ["tcp" if tcp else "udp", peer, CODES.get(answer[3] & 15, str(answer[3] & 15))]
    words += ["tc"] if answer[2] & 2 else []
    found = list(answers(answer))
    print(*words, len(answer), *(found if len(found) <= 8 else [len(found), "answers"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
