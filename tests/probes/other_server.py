#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A server of another kind than the installed one: older, or of another library.

other_server.py ADDRESS PORT OPTION…   listens at a TCP port, and prints "listens".

  --raw TEXT            says that to each client, and nothing else
  --cert FILE --key FILE --authority FILE
                        speaks OpenVPN's control channel, with TLS of these; what it does not like in the TLS of a
                        client it says in an alert, as the library makes it
  --max-version 1.1|1.2, --ciphers LIST, --dh FILE
                        its TLS
  --ask-certificate     clients must have one by the authority
  --options TEXT        what it says of itself (the option string of key method 2)
  --push TEXT           its reply to a request for settings
  --then TEXT           a message after that
"""
import argparse
import os
import socket
import ssl
import struct
import threading

HARD_RESET_CLIENT, HARD_RESET_SERVER, CONTROL, ACK = 7, 8, 4, 5
CHUNK = 1000  # bytes of TLS in a packet


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    for name in ("raw", "cert", "key", "authority", "max-version", "ciphers", "dh", "options", "push", "then"):
        parser.add_argument("--" + name)
    parser.add_argument("--ask-certificate", action="store_true")
    return parser.parse_args()


def context(wanted):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    if wanted.max_version:
        made.maximum_version = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2}[wanted.max_version]
    made.set_ciphers(wanted.ciphers or "ALL:@SECLEVEL=0")
    made.load_cert_chain(wanted.cert, wanted.key)
    if wanted.dh:
        made.load_dh_params(wanted.dh)
    made.load_verify_locations(wanted.authority)
    made.verify_mode = ssl.CERT_REQUIRED if wanted.ask_certificate else ssl.CERT_NONE
    return made


class Client:
    """One connection: packets in frames of a length, numbered, each acknowledged at once (TCP loses none)."""

    def __init__(self, connection, wanted):
        self.connection = connection
        self.wanted = wanted
        self.own = os.urandom(8)
        self.peer = b""
        self.next = 0
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(wanted).wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.is_shaken = False
        self.text = b""
        self.has_keys = False

    def receive(self, count):
        data = b""
        while len(data) < count:
            got = self.connection.recv(count - len(data))
            if not got:
                raise EOFError
            data += got
        return data

    def send(self, kind, acknowledged, payload=None):
        packet = bytes([kind << 3]) + self.own + bytes([len(acknowledged)])
        packet += b"".join(struct.pack(">I", number) for number in acknowledged)
        packet += self.peer if acknowledged else b""
        if payload is not None:
            packet += struct.pack(">I", self.next) + payload
            self.next += 1
        self.connection.sendall(struct.pack(">H", len(packet)) + packet)

    def flush(self):
        data = self.outgoing.read()
        for at in range(0, len(data), CHUNK):
            self.send(CONTROL, [], data[at:at + CHUNK])

    def shake(self):
        try:
            self.tls.do_handshake()
            self.is_shaken = True
        except ssl.SSLWantReadError:
            pass

    def read(self):
        try:
            while True:
                self.text += self.tls.read(4096)
        except ssl.SSLWantReadError:
            pass

    def say(self, text):
        self.tls.write(text.encode() + b"\0")

    def answer(self):
        if not self.has_keys and len(self.text) > 4 + 1 + 48 + 64:
            self.has_keys = True
            self.text = b""  # all of it came in one piece
            said = self.wanted.options.encode() + b"\0"
            self.tls.write(bytes(4) + b"\x02" + os.urandom(64) + struct.pack(">H", len(said)) + said)
        if b"PUSH_REQUEST\0" in self.text:
            self.text = b""
            self.say(self.wanted.push)
            if self.wanted.then:
                self.say(self.wanted.then)

    def take(self, packet):
        kind, at = packet[0] >> 3, 9
        count = packet[at]
        at += 1 + 4 * count + (8 if count else 0)
        if kind == ACK:
            return
        self.peer = packet[1:9]
        number = struct.unpack(">I", packet[at:at + 4])[0]
        if kind == HARD_RESET_CLIENT:
            self.send(HARD_RESET_SERVER, [number], b"")
            return
        self.send(ACK, [number])
        self.incoming.write(packet[at + 4:])
        try:
            if not self.is_shaken:
                self.shake()
            if self.is_shaken:
                self.read()
                if self.wanted.options:
                    self.answer()
        except ssl.SSLError as error:
            print("TLS:", error, flush=True)
        self.flush()

    def run(self):
        try:
            while True:
                packet = self.receive(struct.unpack(">H", self.receive(2))[0])
                if packet[0] >> 3 in (HARD_RESET_CLIENT, CONTROL, ACK):
                    self.take(packet)
        except (EOFError, OSError):
            self.connection.close()


def main():
    wanted = parse()
    listener = socket.create_server((wanted.address, wanted.port), backlog=16)
    print("listens", flush=True)
    while True:
        connection = listener.accept()[0]
        if wanted.raw:
            connection.sendall(wanted.raw.encode("latin-1"))
            threading.Thread(target=lambda one=connection: (one.recv(4096), one.close()), daemon=True).start()
        else:
            threading.Thread(target=Client(connection, wanted).run, daemon=True).start()


main()
