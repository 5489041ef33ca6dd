#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""knock.py SOCKET HOW: one way to ill-treat a companion's control socket. Prints what came of it."""
import array
import json
import os
import socket
import struct
import sys
import threading
import time

path, how = sys.argv[1:3]
STATUS = b'{"command":"status"}\n'


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(path)
    return client


def reply(client):
    """One line, or what became of the connection instead."""
    received = b""
    try:
        while not received.endswith(b"\n"):
            part = client.recv(65536)
            if not part:
                return "closed"
            received += part
    except OSError as error:
        return type(error).__name__
    return json.loads(received.splitlines()[0])


def ok(answer):
    return answer["ok"] if isinstance(answer, dict) else answer


def nonsense():
    lines = [b"", b"{}", b"null", b"[]", b"0", b'"status"', b"{", b'{"command":', b'{"command":1}', b'{"command":"STATUS"}',
             b'{"command":"status","command":"down"', b'{"command":["status"]}', b"\xff\xfe\x00", b"\x00" * 100, b"[" * 4000,
             b'{"a":' * 700 + b"1" + b"}" * 700, b'{"command":"answer"}', b'{"command":"answer","text":1e999}',
             b'{"command":"status","profile":"../../etc"}', b"GET / HTTP/1.1", b'{"command":"\\ud800"}', b"9" * 4000]
    wrong = []
    for line in lines:
        with connect() as client:
            client.sendall(line + b"\n")
            answer = reply(client)
            # An empty line may be passed over; whatever follows must find the companion as it was.
            if ok(answer) is True and b"status" not in line:
                wrong.append(line)
    return wrong or "each refused"


def endless():
    with connect() as client:
        sent = 0
        try:
            while sent < 64 * 1024 * 1024:
                sent += client.send(b"x" * 65536)
        except OSError as error:
            return f"cut off ({type(error).__name__}) before {sent // 1024 // 1024 + 1} MiB"
        return f"took {sent} bytes"


def slow():
    with connect() as client:
        for byte in STATUS:
            client.send(bytes([byte]))
            time.sleep(0.02)
        return ok(reply(client))


def hurried():
    """Gone before the answer, three thousand times."""
    refused = 0
    for _ in range(3000):
        try:
            client = connect()
            client.sendall(STATUS)
            client.close()
        except OSError:
            refused += 1
    return f"{refused} of 3000 were not taken"


def deaf():
    """Ask for everything, and never read."""
    with connect() as client:
        client.setblocking(False)
        sent = 0
        try:
            for _ in range(200000):
                sent += client.send(STATUS * 10)
        except BlockingIOError:
            pass
        except OSError as error:
            return f"cut off: {type(error).__name__}"
        time.sleep(1)
        try:
            client.send(STATUS)
        except BlockingIOError:
            return "held back"
        except OSError as error:
            return f"cut off: {type(error).__name__}"
        return "held back"


def gifts():
    """Descriptors, which nobody asked for, fifty times. Who comes while as many wait as may is turned away."""
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
    given = tries = 0
    while tries < 50:
        with connect() as client:
            try:
                client.sendmsg([STATUS], ancillary)
            except (BrokenPipeError, ConnectionResetError):
                continue
            except PermissionError:  # since Linux 6.16 the kernel says it at once
                tries += 1
                continue
            tries += 1
            given += ok(reply(client)) is True
    return f"{given} answers"


def full_socket():
    """A TCP connection whose last close waits for bytes that nobody takes, and its other end."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    full = socket.socket()
    full.connect(listener.getsockname())
    full.setblocking(False)
    try:
        while True:
            full.send(b"x" * 65536)
    except BlockingIOError:
        pass
    full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 100000))
    return listener, full


def lingering():
    """Such a one, left to the companion."""
    listener, full = full_socket()
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [full.fileno()]))]
    clients = [connect() for _ in range(3)]
    passed = False
    for client, text in zip(clients, (STATUS, b"half a li", b"x")):
        try:
            client.sendmsg([text], ancillary)
            passed = True
        except PermissionError:
            print("refused by the kernel", flush=True)
    if passed:
        # In a thread: a quick reader has already dropped it, and this close is the last.
        threading.Thread(target=full.close, daemon=True).start()
    for client in clients[1 if passed else 0 :]:  # the first one stays connected
        client.close()
    print("left behind", flush=True)
    time.sleep(60)


def out_of_band():
    """The same on a byte out of band, which a look at what comes next may skip. Stays connected."""
    listener, full = full_socket()
    client = connect()
    try:
        client.sendmsg([b"!"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [full.fileno()]))],
                       socket.MSG_OOB)
    except PermissionError:
        print("refused by the kernel", flush=True)
    else:
        threading.Thread(target=full.close, daemon=True).start()
        try:
            client.sendall(STATUS)
        except OSError:
            pass  # it hung up at once
        print("left behind", flush=True)
    time.sleep(60)


def restarts():
    """Orders that change something, as fast as they are taken, for five seconds."""
    end = time.monotonic() + 5
    orders = 0
    while time.monotonic() < end:
        with connect() as client:
            for command in (b"down", b"up", b"restart"):
                client.sendall(b'{"command":"%s"}\n' % command)
                orders += 1
            client.settimeout(0.2)
            try:
                client.recv(65536)
            except OSError:
                pass
    return f"{orders} orders"


def half():
    with connect() as client:
        client.sendall(STATUS)
        client.shutdown(socket.SHUT_WR)
        return ok(reply(client))


def thousands():
    crowd = []
    for _ in range(3000):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        try:
            client.connect(path)
        except OSError:
            pass
        crowd.append(client)
        if len(crowd) % 900 == 0:
            for one in crowd:
                one.close()
            crowd.clear()
    return "knocked"


try:
    print(globals()[how]())
except OSError as error:
    print(type(error).__name__, error.errno)
