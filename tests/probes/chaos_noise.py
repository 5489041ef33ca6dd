#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in the place of a VPN server and answers whatever comes with random bytes.

chaos_noise.py udp|tcp ADDRESS PORT SEED
"""
import random
import socket
import sys
import threading


def talk(connection, noise):
    try:
        while connection.recv(4096):
            connection.sendall(noise.randbytes(noise.randint(1, 1400)))
    except OSError:
        pass


def main():
    transport, address, port, seed = sys.argv[1:]
    noise = random.Random(int(seed))
    if transport == "udp":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, int(port)))
        print("ready", flush=True)
        while True:
            peer = sock.recvfrom(4096)[1]
            for _ in range(3):
                sock.sendto(noise.randbytes(noise.randint(1, 1400)), peer)
    listener = socket.create_server((address, int(port)))
    print("ready", flush=True)
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0], noise), daemon=True).start()


main()
