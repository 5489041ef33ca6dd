#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks for secrets in all memory that a process could write to. Root only.

find_in_memory.py PID SECRETS   SECRETS: a file with a secret a line.
A line for each that is found: "NUMBER-OF-THE-SECRET PLACE", PLACE as in /proc/PID/maps, or "-".
"""
import sys


def main():
    pid = sys.argv[1]
    with open(sys.argv[2], "rb") as file:
        secrets = file.read().splitlines()
    found = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            fields = line.split()
            if not fields[1].startswith("rw"):
                continue
            start, end = (int(number, 16) for number in fields[0].split("-"))
            memory.seek(start)
            text = b""
            while len(text) < end - start:
                piece = memory.read(end - start - len(text))
                if not piece:
                    break
                text += piece
            place = fields[5] if len(fields) > 5 else "-"
            found.update((number, place) for number, secret in enumerate(secrets, 1) if secret in text)
    for number, place in sorted(found):
        print(number, place)


main()
