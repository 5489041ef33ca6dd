#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""From the VPN client's death to the removal of the default route, in microseconds.

kill_latency.py ROUNDS PROFILE    as root, in the network namespace of the profile, with its tunnel up

Each round kills the client (SIGKILL) and waits for the kernel's word that the IPv4 default route is
gone (rtnetlink(7), RTM_DELROUTE), then has the tunnel up again. That is ordered: by itself the
companion waits longer each time that a connection does not last. Prints what it measured.
"""
import glob
import os
import signal
import socket
import struct
import subprocess
import sys
import time

RTM_NEWROUTE, RTM_DELROUTE, RTMGRP_IPV4_ROUTE = 24, 25, 0x40
RT_TABLE_MAIN = 254  # while the tunnel is down, sockets bound to its device have a default route in another table


def client_of(netns):
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(path) as comm:
                if comm.read().strip() != "openvpn":
                    continue
            if os.stat(path.replace("comm", "ns/net")).st_ino == netns:
                return int(path.split("/")[2])
        except OSError:
            pass
    return None


def wait_for_default_route(monitor, wanted, deadline):
    """The moment (ns) at which the kernel says that a default route came or went."""
    while time.monotonic() < deadline:
        data = monitor.recv(65536)
        now = time.monotonic_ns()
        while data:
            length, kind = struct.unpack_from("=IH", data)
            destination_length, table = data[17], data[20]
            if kind == wanted and destination_length == 0 and table == RT_TABLE_MAIN:
                return now
            data = data[(length + 3) & ~3:]
    raise SystemExit("the default route did not change")


def main():
    rounds, profile = int(sys.argv[1]), sys.argv[2]
    netns = os.stat("/proc/self/ns/net").st_ino
    monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    monitor.bind((0, RTMGRP_IPV4_ROUTE))
    monitor.settimeout(30)
    latencies = []
    for _ in range(rounds):
        pid = client_of(netns)
        if pid is None:
            raise SystemExit(f"no client of '{profile}' is running")
        start = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        gone = wait_for_default_route(monitor, RTM_DELROUTE, time.monotonic() + 10)
        latencies.append((gone - start) / 1000)
        subprocess.run(["vpnrunctl", "up", profile], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_default_route(monitor, RTM_NEWROUTE, time.monotonic() + 30)
        time.sleep(0.05)
    latencies.sort()
    print(f"from the client's death to the removal of the default route, {rounds} kills, in microseconds:")
    for name, share in (("median", 0.5), ("99th percentile", 0.99), ("worst", 1.0)):
        print(f"  {name:<16} {latencies[min(len(latencies) - 1, int(len(latencies) * share))]:8.0f}")


main()
