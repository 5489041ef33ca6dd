#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command on a terminal of its own and types answers, as a person would.

type_answers.py ANSWERS COMMAND…   ANSWERS: a file (an argument could be seen by others) with an answer a
                                   line: a regular expression for the prompt, a tab, what is typed.
The answers are given in their order, each once its prompt stands at the end of what is to be seen since
the one before. Prints what was to be seen, and ends as the command does; 124 if it takes a minute.
"""
import os
import pty
import re
import select
import sys
import termios
import time


def echoes(terminal):
    return termios.tcgetattr(terminal)[3] & termios.ECHO


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        answers = [line.rstrip("\n").split("\t") for line in file]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    seen = b""
    since = 0
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:  # EIO: nobody has it open any more
            data = b""
        if not data:
            break
        seen += data
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        text = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", seen[since:].decode(errors="replace"))  # colours
        if answers and re.search(answers[0][0] + r"\s*$", text):
            since = len(seen)
            # What goes on behind the prompt (.*), as systemd's, writes it first and turns the echo off then.
            while answers[0][0].endswith(".*") and echoes(terminal) and time.monotonic() < end:
                time.sleep(0.01)
            os.write(terminal, answers.pop(0)[1].encode() + b"\n")
    else:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        return 124
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if answers:
        print(f"type_answers: {len(answers)} prompts did not come")
    return status if status >= 0 else 128 - status


sys.exit(main())
