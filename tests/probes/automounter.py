#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""automounter FOLDER [indirect|direct]: the smallest automounter, by the kernel's protocol 5
(Documentation/filesystems/autofs.rst). Says each name that it is asked for and, for an indirect map, looks it
up where it stands itself, as one with a "-hosts" map does; then answers with a folder of that name. A direct
map has a folder "target".
"""
import ctypes
import fcntl
import os
import socket
import struct
import sys

READY, FAIL = 0x9360, 0x9361  # AUTOFS_IOC_READY, AUTOFS_IOC_FAIL
libc = ctypes.CDLL(None, use_errno=True)
folder = sys.argv[1]
kind = sys.argv[2] if len(sys.argv) > 2 else "indirect"


def mount(source, where, filesystem, options):
    if libc.mount(source, where.encode(), filesystem, 0, options) != 0:
        sys.exit(f"cannot mount {where}: {os.strerror(ctypes.get_errno())}")


os.setpgid(0, 0)
requests, pipe = os.pipe()
mount(b"automount", folder, b"autofs", f"fd={pipe},pgrp={os.getpgrp()},minproto=5,maxproto=5,{kind}".encode())
os.close(pipe)
root = os.open(folder, os.O_RDONLY)
print("ready", flush=True)
while packet := os.read(requests, 4096):
    # struct autofs_v5_packet: protocol, type, token, device, inode, uid, gid, pid, tgid, length, name
    token, length = struct.unpack_from("=8xI28xI", packet)
    name = packet[struct.calcsize("=8xI28xI"):][:length].decode(errors="replace")
    print(f"asked for {name}", flush=True)
    try:
        if kind == "direct":
            mount(b"target", folder, b"tmpfs", b"")
            os.mkdir(f"{folder}/target")
        else:
            try:
                socket.gethostbyname(name)
            except OSError:
                pass  # it was asked
            os.mkdir(f"{folder}/{name}")
        fcntl.ioctl(root, READY, token)
    except OSError as error:
        print(error, flush=True)
        fcntl.ioctl(root, FAIL, token)
