#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fuse_folder.py FOLDER UID HOW FLAG: mounts a file system of user UID's at FOLDER, one empty directory,
and serves it until it is unmounted (fuse(4), linux/fuse.h). Honest; but once the file FLAG exists, HOW

  liar    another inode number each time
  broken  EIO to everything"""
import ctypes
import itertools
import os
import struct
import sys

LOOKUP, FORGET, GETATTR, STATFS, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, INTERRUPT, BATCH_FORGET = (
    1, 2, 3, 17, 26, 27, 28, 29, 34, 36, 42)
ENOENT, EIO, ENOSYS = 2, 5, 38
NO_ANSWER = {FORGET, BATCH_FORGET, INTERRUPT}

folder, uid, how, flag = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id={uid},group_id={uid},allow_other"
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"folder", folder.encode(), b"fuse", 6, options.encode()) != 0:  # nosuid, nodev
    sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
print("mounted", flush=True)
numbers = itertools.count(2)


def attributes():
    inode = next(numbers) if how == "liar" and os.path.exists(flag) else 1
    # ino size blocks, three times, their nanoseconds, mode nlink uid gid rdev blksize flags
    return struct.pack("=QQQQQQIIIIIIIIII", inode, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, uid, uid, 0, 4096, 0)


def answer(operation):
    if operation == INIT:
        return 0, struct.pack("=IIIIHHIIHHI7I", 7, 31, 0, 0, 16, 12, 4096, 1, 0, 0, 0, *[0] * 7)
    if how == "broken" and os.path.exists(flag):
        return -EIO, b""
    if operation == GETATTR:
        return 0, struct.pack("=QII", 0, 0, 0) + attributes()
    if operation == OPENDIR:
        return 0, struct.pack("=QII", 0, 0, 0)
    if operation in (READDIR, RELEASEDIR, ACCESS):
        return 0, b""
    if operation == STATFS:
        return 0, struct.pack("=QQQQQIIII6I", 0, 0, 0, 0, 0, 4096, 255, 0, 0, *[0] * 6)
    return (-ENOENT if operation == LOOKUP else -ENOSYS), b""


while True:
    try:
        request = os.read(device, 1 << 17)
    except OSError:
        break  # unmounted
    _, operation, unique = struct.unpack_from("=IIQ", request)
    if operation in NO_ANSWER:
        continue
    error, body = answer(operation)
    os.write(device, struct.pack("=IiQ", 16 + len(body), error, unique) + body)
