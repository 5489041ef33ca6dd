#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every test of the build tree BUILD has a time after which ctest ends it.

limits_test.py BUILD
"""
import json
import subprocess
import sys


def main():
    text = subprocess.run(["ctest", "--test-dir", sys.argv[1], "--show-only=json-v1"],
                          check=True, capture_output=True).stdout
    tests = json.loads(text)["tests"]
    without = []
    for test in tests:
        names = {entry["name"] for entry in test.get("properties", [])}
        # A program that is not built has an entry in place of its tests.
        if "TIMEOUT" not in names and not test["name"].endswith("_NOT_BUILT"):
            without.append(test["name"])
    print(f"{len(tests)} tests, {len(without)} without a limit", *without, sep="\n")
    if not tests:
        sys.exit("there are no tests")
    sys.exit(1 if without else 0)


main()
