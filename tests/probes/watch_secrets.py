#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks for secrets in the command lines and environments of all processes, again and again.

watch_secrets.py SECRETS NETNS   SECRETS: a file with a secret a line (not arguments: they would be found).
                                 Processes whose network namespace has the inode NETNS are left out.
A line for each that is found, once: "cmdline|environ NUMBER-OF-THE-SECRET PROGRAM". First "watching".
"""
import os
import sys
import time


def main():
    with open(sys.argv[1], "rb") as file:
        secrets = file.read().splitlines()
    left_out = int(sys.argv[2])
    seen = set()
    print("watching", flush=True)
    while True:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for place in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{place}", "rb") as file:
                        text = file.read()
                    hits = [number for number, secret in enumerate(secrets, 1) if secret in text]
                    if not hits or os.stat(f"/proc/{pid}/ns/net").st_ino == left_out:
                        continue
                    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                        program = file.read().strip()
                except OSError:  # it has ended
                    continue
                for number in hits:
                    line = f"{place} {number} {program}"
                    if line not in seen:
                        seen.add(line)
                        print(line, flush=True)
        time.sleep(0.005)


main()
