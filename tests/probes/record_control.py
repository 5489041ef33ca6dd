#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""record_control.py NAME [REQUEST…]: sends the requests to the companion of NAME and records what it says from then
on, until it hangs up: lines "KIND<tab>JSON" as control_schema.py reads them. With each reply comes what state.json
is by then; what is not JSON is recorded as it is."""
import json
import socket
import sys

name, *requests = sys.argv[1:]
folder = f"/run/vpnrun/{name}"


def record(kind, text):
    print(f"{kind}\t{text}", flush=True)


def state():
    with open(f"{folder}/state.json", encoding="utf-8") as file:
        text = file.read()
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return repr(text)


connection = socket.socket(socket.AF_UNIX)
connection.connect(f"{folder}/control")
for request in requests:
    record("request", request)
connection.sendall("".join(f"{request}\n" for request in requests).encode())
for line in connection.makefile(encoding="utf-8"):
    record("reply", line.rstrip("\n"))
    record("status", state())
