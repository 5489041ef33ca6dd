#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries to get packets past the tunnel, in the lab (tests/lab): its addresses are written here.

  attack.py sockets DEVICE SOURCE GATEWAY [MARK]   what any user can do: ordinary sockets
  attack.py frames DEVICE SOURCE GATEWAY MAC       frames on packet sockets, both kinds
  attack.py rawip DEVICE SOURCE GATEWAY            raw IP sockets
  attack.py endpoint DEVICE SOURCE MAC             frames to the VPN server's exact port: allowed
  attack.py lan DEVICE MAC OWN_MAC ADDRESS PORT    frames from a neighbour in the LAN to ADDRESS
  attack.py arp DEVICE OWN_MAC ADDRESS…            who has ADDRESS? prints "ADDRESS MAC" or "ADDRESS -"
  attack.py given DEVICE SOURCE UID                root's sockets, given to the user UID before they send
  attack.py families                               socket families and system calls
  attack.py stream ADDRESS PORT SECONDS            one TCP connection, written to whatever happens
  attack.py listen PORT…                           reports what reaches UDP and TCP ports
  attack.py echo PORT                              a TCP server that sends back what it gets

DEVICE is the veth, SOURCE its address, GATEWAY and MAC the other end's. Each attack prints one line:
NAME sent, or NAME refused ERRNO. "sent" means that the kernel took it, not that it went anywhere.
"""
import ctypes
import errno
import itertools
import os
import select
import signal
import socket
import struct
import sys
import time

WEB, WEB6 = "203.0.113.10", "2001:db8:cb::10"
SERVER, PORT = "198.51.100.10", 1194
ROUTER, ROUTER6 = "192.168.77.1", "2001:db8:77::1"
HOST, HOST6 = "192.168.77.2", "2001:db8:77::2"
NEIGHBOUR = "192.168.77.3"  # nobody: the question for it would be seen
ATTACK = 5300  # the port of whatever should never arrive
EXPOSED = 9091

UDP_TARGETS = [(WEB, ATTACK), (WEB, 53), (ROUTER, ATTACK), (SERVER, 1195), (SERVER, PORT), (HOST, ATTACK),
               (NEIGHBOUR, ATTACK), ("192.168.77.255", ATTACK), ("255.255.255.255", ATTACK),
               ("224.0.0.251", 5353), ("169.254.7.7", ATTACK)]
TCP_TARGETS = [(WEB, 80), (SERVER, 443), (SERVER, PORT), (ROUTER, ATTACK), (HOST, ATTACK),
               (NEIGHBOUR, ATTACK)]
IPV6_TARGETS = [WEB6, ROUTER6, HOST6, "fe80::1", "ff02::1", "ff02::fb"]

IP_PKTINFO, IP_UNICAST_IF, IPV6_UNICAST_IF = 8, 50, 76
SO_MARK = 36
ETH_IP, ETH_ARP, ETH_VLAN, ETH_QINQ, ETH_IPV6 = 0x0800, 0x0806, 0x8100, 0x88A8, 0x86DD


ATTEMPTS = itertools.count(1)


def attempt(name, action):
    """Runs one attack and prints its line; returns what the action returned.

    A pause now and then: the backlog of a processor that is busy overflows, and what is lost there proves
    nothing.
    """
    if next(ATTEMPTS) % 16 == 0:
        time.sleep(0.002)
    try:
        result = action()
    except OSError as error:
        print(name, "refused", errno.errorcode.get(error.errno, error.errno), flush=True)
        return None
    print(name, "sent", flush=True)
    return result


# Headers -------------------------------------------------------------------------------------------


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip4(source, target, protocol, payload, *, ttl=64, ident=0, fragment=0, options=b""):
    """fragment: the 16 bits of flags and offset (in units of eight bytes)."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), ident, fragment, ttl,
                       protocol, 0, address(source), address(target)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(source, target, protocol, payload, hops=255):
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, hops, address(source),
                       address(target)) + payload


def pseudo(source, target, protocol, length):
    if ":" in source:
        return address(source) + address(target) + struct.pack("!II", length, protocol)
    return address(source) + address(target) + struct.pack("!HH", protocol, length)


def udp(source, target, sport, dport, payload=b"attack", protocol=17):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    value = checksum(pseudo(source, target, protocol, 8 + len(payload)) + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", value) + payload


def tcp(source, target, sport, dport, flags=2):
    head = struct.pack("!HHIIBBHHH", sport, dport, 1000, 1000 if flags & 16 else 0, 0x50, flags, 8192, 0, 0)
    value = checksum(pseudo(source, target, 6, len(head)) + head)
    return head[:16] + struct.pack("!H", value) + head[18:]


def icmp(kind, code, rest, payload=b""):
    head = struct.pack("!BBH", kind, code, 0) + rest + payload
    return head[:2] + struct.pack("!H", checksum(head)) + head[4:]


def icmp6(source, target, kind, body):
    head = struct.pack("!BBH", kind, 0, 0) + body
    return head[:2] + struct.pack("!H", checksum(pseudo(source, target, 58, len(head)) + head)) + head[4:]


def udp4(source, target, dport, sport=40000, **options):
    return ip4(source, target, 17, udp(source, target, sport, dport), **options)


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH6s4s6s4s", 1, ETH_IP, 6, 4, operation, sender_mac, address(sender), target_mac,
                       address(target))


# Packets -------------------------------------------------------------------------------------------


def plain_packets(source, gateway):
    for target, port in UDP_TARGETS:
        if (target, port) != (SERVER, PORT):
            yield f"udp/{target}:{port}", udp4(source, target, port)
    for target, port in [*TCP_TARGETS, (gateway, ATTACK)]:
        yield f"tcp/{target}:{port}", ip4(source, target, 6, tcp(source, target, 40001, port))
        yield f"tcp-ack/{target}:{port}", ip4(source, target, 6, tcp(source, target, 40002, port, 16))
    yield f"udp/{gateway}:{ATTACK}", udp4(source, gateway, ATTACK)
    for target in [WEB, ROUTER, SERVER, HOST, gateway, NEIGHBOUR, "224.0.0.1"]:
        yield f"ping/{target}", ip4(source, target, 1, icmp(8, 0, b"\0\1\0\1", b"attack"))
    yield "dhcp", ip4("0.0.0.0", "255.255.255.255", 17,
                      udp("0.0.0.0", "255.255.255.255", 68, 67, b"\1\1\6\0" + b"\0" * 232))


def disguised_packets(source, gateway):
    """What resembles an allowed packet, or wraps one."""
    for fake in [HOST, ROUTER, gateway, "127.0.0.1", "0.0.0.0", "10.8.0.2", SERVER]:
        yield f"spoofed/{fake}", udp4(fake, SERVER, PORT)
        yield f"spoofed-web/{fake}", udp4(fake, WEB, ATTACK)
    for number, name in [(33, "dccp"), (132, "sctp"), (136, "udplite")]:
        body = udp(source, SERVER, 40000, PORT, b"attack" + b"\0" * 12, number)
        yield f"{name}/{SERVER}:{PORT}", ip4(source, SERVER, number, body)
    allowed = udp4(source, SERVER, PORT)
    answer = ip4(SERVER, source, 17, udp(SERVER, source, PORT, 40000))
    for target in [SERVER, WEB, ROUTER, HOST, gateway]:
        for name, body in [("out", allowed), ("in", answer)]:
            for kind, code in [(3, 3), (3, 4), (11, 0), (12, 0)]:
                yield f"icmp-error-{kind}.{code}-{name}/{target}", \
                    ip4(source, target, 1, icmp(kind, code, b"\0" * 4, body))
        yield f"redirect/{target}", ip4(source, target, 1, icmp(5, 1, address(source), answer))
    inner = udp4(HOST, WEB, ATTACK)
    inner6 = ip6(HOST6, WEB6, 17, udp(HOST6, WEB6, 40000, ATTACK))
    for target in [SERVER, WEB, HOST, gateway]:
        yield f"ipip/{target}", ip4(source, target, 4, inner)
        yield f"6in4/{target}", ip4(source, target, 41, inner6)
        yield f"gre/{target}", ip4(source, target, 47, struct.pack("!HH", 0, ETH_IP) + inner)
        yield f"esp/{target}", ip4(source, target, 50, struct.pack("!II", 256, 1) + inner)
        yield f"ah/{target}", ip4(source, target, 51, struct.pack("!BBHII12s", 17, 4, 0, 256, 1, b"") + allowed[20:])
    # Loose source routing: 131, length, pointer, one address.
    for target, over in [(WEB, SERVER), (HOST, WEB), (gateway, WEB)]:
        route = struct.pack("!BBB4sB", 131, 7, 4, address(over), 0)
        yield f"source-route/{target}-{over}", udp4(source, target, ATTACK, options=route)
    yield "ttl-1", udp4(source, WEB, ATTACK, ttl=1)
    # An exposed port may answer the host, and never ask.
    yield f"exposed-udp/{gateway}", udp4(source, gateway, ATTACK, EXPOSED)
    for flags, name in [(2, "syn"), (16, "ack"), (18, "synack"), (4, "rst")]:
        yield f"exposed-{name}/{gateway}", ip4(source, gateway, 6, tcp(source, gateway, EXPOSED, ATTACK, flags))
    yield f"exposed-udp/{HOST}", udp4(source, HOST, ATTACK, EXPOSED)


def fragments(source):
    """Fragments, of which one at least has no business outside. Never two of the same number: parts of
    two attacks could make up a datagram that is allowed."""
    base = int.from_bytes(os.urandom(2), "big")
    more, rest = 0x2000, b"attack" * 4
    first = struct.pack("!HHHH", 40000, PORT, 8 + len(rest), 0)
    other = struct.pack("!HHHH", 40000, 1195, 8 + len(rest), 0)
    cases = {
        "first-allowed-then-web": [(SERVER, first, more), (WEB, rest, 1)],
        "first-allowed-then-nothing": [(SERVER, first, more)],
        "later-only": [(SERVER, rest, 1)],
        "later-only-web": [(WEB, rest, 1)],
        "tiny": [(SERVER, other, more), (SERVER, rest, 1)],
        "tiny-web": [(WEB, other, more), (WEB, rest, 1)],
        "overlap": [(SERVER, first, more), (SERVER, other + rest[:8], more), (SERVER, rest, 1)],
        "overlap-reversed": [(SERVER, rest, 1), (SERVER, other, more), (SERVER, first, more)],
    }
    for number, (name, parts) in enumerate(cases.items()):
        for index, (target, data, where) in enumerate(parts):
            yield f"fragment-{name}/{index}", ip4(source, target, 17, data, ident=base + number & 0xFFFF,
                                                  fragment=where)
    syn = tcp(source, SERVER, 40003, 443)
    yield "fragment-tcp/0", ip4(source, SERVER, 6, syn[:8], ident=base + 99 & 0xFFFF, fragment=more)
    yield "fragment-tcp/1", ip4(source, SERVER, 6, syn[8:], ident=base + 99 & 0xFFFF, fragment=1)


def packets6(own_mac):
    link = "fe80::bad"
    option = b"\2\1" + own_mac
    for source in [link, HOST6, "fd00:8::2"]:
        for target in IPV6_TARGETS:
            yield f"udp6/{source}-{target}", ip6(source, target, 17, udp(source, target, 40000, ATTACK))
            yield f"ping6/{source}-{target}", \
                ip6(source, target, 58, icmp6(source, target, 128, b"\0\1\0\1attack"))
        yield f"tcp6/{source}", ip6(source, WEB6, 6, tcp(source, WEB6, 40000, 80))
    advertisement = struct.pack("!BBHII", 64, 0, 1800, 0, 0) + b"\1\1" + own_mac
    yield "router-advertisement", ip6(link, "ff02::1", 58, icmp6(link, "ff02::1", 134, advertisement))
    for target in [ROUTER6, HOST6]:
        claim = struct.pack("!I16s", 0x20000000, address(target)) + option
        yield f"neighbour-advertisement/{target}", ip6(link, "ff02::1", 58, icmp6(link, "ff02::1", 136, claim))
        question = struct.pack("!I16s", 0, address(target)) + b"\1\1" + own_mac
        yield f"neighbour-solicitation/{target}", ip6(link, target, 58, icmp6(link, target, 135, question))
    yield "dhcp6", ip6(link, "ff02::1:2", 17, udp(link, "ff02::1:2", 546, 547, b"\1\0\0\1"))


def packets4(source, gateway):
    yield from plain_packets(source, gateway)
    yield from disguised_packets(source, gateway)


def arp_packets(own_mac, source):
    for target in [ROUTER, HOST, NEIGHBOUR, WEB]:
        for sender in [source, HOST, ROUTER]:
            yield f"arp-request/{sender}-{target}", arp(1, own_mac, sender, b"\0" * 6, target)
            yield f"arp-reply/{sender}-{target}", arp(2, own_mac, sender, b"\xff" * 6, target)


def tagged(source):
    """Behind the Ethernet addresses; a tag of VLAN 0 says nothing, and the kernel takes it off."""
    for tag, kind in [(0, ETH_VLAN), (1, ETH_VLAN), (77, ETH_VLAN), (0, ETH_QINQ)]:
        for name, packet in [("web", udp4(source, WEB, ATTACK)), ("other-port", udp4(source, SERVER, 1195))]:
            yield f"vlan-{kind:x}.{tag}/{name}", struct.pack("!HHH", kind, tag, ETH_IP) + packet
    yield "qinq", struct.pack("!HHHHH", ETH_QINQ, 0, ETH_VLAN, 0, ETH_IP) + udp4(source, WEB, ATTACK)
    yield "mpls", struct.pack("!HI", 0x8847, 16 << 12 | 0x1FF) + udp4(source, WEB, ATTACK)
    yield "pppoe-discovery", struct.pack("!HBBHH", 0x8863, 0x11, 9, 0, 4) + b"\1\1\0\0"
    yield "lldp", struct.pack("!H", 0x88CC) + b"\2\7\4attack\0\0"


# Attacks -------------------------------------------------------------------------------------------


def own_mac_of(device):
    with open(f"/sys/class/net/{device}/address", encoding="ascii") as file:
        return mac(file.read().strip())


def frames(device, source, gateway, peer):
    own, peer, broadcast = own_mac_of(device), mac(peer), b"\xff" * 6
    link = attempt("packet-socket/raw", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    cooked = attempt("packet-socket/dgram", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0))
    if link is None or cooked is None:
        return
    link.bind((device, 0))

    def both(name, kind, packet, targets):
        for where, target in targets:
            frame = target + own + struct.pack("!H", kind) + packet
            attempt(f"raw-{where}/{name}", lambda: link.send(frame))
            attempt(f"dgram-{where}/{name}", lambda: cooked.sendto(packet, (device, kind, 0, 0, target)))

    peers = [("peer", peer), ("all", broadcast)]
    for name, packet in packets4(source, gateway):
        both(name, ETH_IP, packet, peers)
    for name, packet in fragments(source):
        attempt(f"raw-peer/{name}", lambda: link.send(peer + own + struct.pack("!H", ETH_IP) + packet))
    for name, packet in fragments(source):
        attempt(f"dgram-peer/{name}", lambda: cooked.sendto(packet, (device, ETH_IP, 0, 0, peer)))
    for name, packet in packets6(own):
        both(name, ETH_IPV6, packet, peers + [("multicast", mac("33:33:00:00:00:01"))])
    for name, packet in arp_packets(own, source):
        both(name, ETH_ARP, packet, peers)
    for name, rest in tagged(source):
        for where, target in peers:
            attempt(f"raw-{where}/{name}", lambda: link.send(target + own + rest))
    another = mac("02:00:00:00:00:99")
    attempt("raw-other-mac/udp", lambda: link.send(
        peer + another + struct.pack("!H", ETH_IP) + udp4(source, WEB, ATTACK)))
    # What is put on lo comes in there as if from outside; a forwarding namespace would pass it on.
    loop = struct.pack("!6s6sH", b"\0" * 6, b"\0" * 6, ETH_IP)
    for target in [WEB, ROUTER]:
        attempt(f"lo/udp/{target}", lambda: link.sendto(loop + udp4(source, target, ATTACK), ("lo", 0)))


def rawip(device, source, gateway):
    own = own_mac_of(device)
    for bound in (True, False):
        word = "bound" if bound else "free"
        four = attempt(f"raw-ip-socket/{word}",
                       lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
        six = attempt(f"raw-ip6-socket/{word}",
                      lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW))
        if four is None or six is None:
            return
        four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if bound:
            for raw in (four, six):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        for name, packet in [*packets4(source, gateway), *fragments(source)]:
            target = socket.inet_ntoa(packet[16:20])
            if packet[12:16] == b"\0" * 4:
                continue  # the kernel would write its own address, and make another packet of it
            attempt(f"raw-ip-{word}/{name}", lambda: four.sendto(packet, (target, 0)))
        # Also the exact endpoint: inside it is for the VPN client's user alone.
        attempt(f"raw-ip-{word}/endpoint", lambda: four.sendto(udp4(source, SERVER, PORT), (SERVER, 0)))
        for name, packet in packets6(own):
            target = socket.inet_ntop(socket.AF_INET6, packet[24:40])
            scope = socket.if_nametoindex(device) if target.startswith("f") else 0
            attempt(f"raw-ip6-{word}/{name}", lambda: six.sendto(packet, (target, 0, 0, scope)))


def endpoint(device, source, peer):
    """What is allowed: whole datagrams to the very port, and nothing else of what is sent here."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    link.bind((device, 0))
    head = mac(peer) + own_mac_of(device) + struct.pack("!H", ETH_IP)
    whole = udp4(source, SERVER, PORT, 41000)
    wrong = ip4(source, SERVER, 17, struct.pack("!HHHH", 41001, PORT, 14, 0xBAD) + b"attack")
    short = ip4(source, SERVER, 17, struct.pack("!HHHH", 41002, PORT, 400, 0) + b"attack")
    attempt("endpoint/whole", lambda: link.send(head + whole))
    attempt("endpoint/wrong-checksum", lambda: link.send(head + wrong))
    attempt("endpoint/wrong-length", lambda: link.send(head + short))
    attempt("endpoint/no-payload", lambda: link.send(
        head + ip4(source, SERVER, 17, udp(source, SERVER, 41003, PORT, b""))))


def socket_methods(family, device, source, mark):
    """(name, prepare(socket), ancillary data of a datagram, may connect)"""
    index = socket.if_nametoindex(device)

    def option(level, number, value):
        return lambda s: s.setsockopt(level, number, value)

    bind_device = option(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    yield "device", bind_device, [], True
    if family == socket.AF_INET:
        info = struct.pack("@i4s4s", index, b"\0" * 4, b"\0" * 4)
        chosen = struct.pack("@i4s4s", 0, address(source), b"\0" * 4)
        yield "unicast-if", option(socket.IPPROTO_IP, IP_UNICAST_IF, struct.pack("!I", index)), [], True
        yield "source", lambda s: s.bind((source, 0)), [], True
        yield "pktinfo-device", None, [(socket.IPPROTO_IP, IP_PKTINFO, info)], False
        yield "pktinfo-source", None, [(socket.IPPROTO_IP, IP_PKTINFO, chosen)], False
        yield "dont-route", option(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1), [], True
        yield "multicast-if", option(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, address(source)), [], False
    else:
        info = struct.pack("@16si", b"\0" * 16, index)
        number = struct.pack("!I", index)
        yield "unicast-if", option(socket.IPPROTO_IPV6, IPV6_UNICAST_IF, number), [], True
        yield "pktinfo-device", None, [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)], False
    if mark:
        yield "mark", option(socket.SOL_SOCKET, SO_MARK, mark), [], True
        yield "mark-device", lambda s: (option(socket.SOL_SOCKET, SO_MARK, mark)(s), bind_device(s)), [], True


def datagram(kind, family, protocol, target, prepare, ancillary, data):
    with socket.socket(family, kind, protocol) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if prepare:
            prepare(s)
        s.sendmsg([data], ancillary, 0, target)


def connection(family, target, prepare):
    s = socket.socket(family, socket.SOCK_STREAM)
    try:
        prepare(s)
        s.setblocking(False)
        s.connect(target)
    except BlockingIOError:
        pass
    except OSError:
        s.close()
        raise
    return s


def sockets(device, source, gateway, mark="0"):
    mark, index, waiting = int(mark), socket.if_nametoindex(device), []
    udp_targets, tcp_targets = [*UDP_TARGETS, (gateway, ATTACK)], [*TCP_TARGETS, (gateway, ATTACK)]
    for name, prepare, ancillary, connects in socket_methods(socket.AF_INET, device, source, mark):
        for target in udp_targets:
            attempt(f"udp-{name}/{target[0]}:{target[1]}", lambda: datagram(
                socket.SOCK_DGRAM, socket.AF_INET, 0, target, prepare, ancillary, b"attack"))
        for target in [WEB, ROUTER, SERVER, HOST, gateway]:
            attempt(f"ping-{name}/{target}", lambda: datagram(
                socket.SOCK_DGRAM, socket.AF_INET, socket.IPPROTO_ICMP, (target, 0), prepare, ancillary,
                icmp(8, 0, b"\0\1\0\1", b"attack")))
        for target in tcp_targets if connects else []:
            waiting.append(attempt(f"tcp-{name}/{target[0]}:{target[1]}",
                                   lambda: connection(socket.AF_INET, target, prepare)))
    for name, prepare, ancillary, connects in socket_methods(socket.AF_INET6, device, source, mark):
        for host in IPV6_TARGETS:
            scope = index if host.startswith("f") else 0
            attempt(f"udp6-{name}/{host}", lambda: datagram(
                socket.SOCK_DGRAM, socket.AF_INET6, 0, (host, ATTACK, 0, scope), prepare, ancillary, b"attack"))
            attempt(f"ping6-{name}/{host}", lambda: datagram(
                socket.SOCK_DGRAM, socket.AF_INET6, socket.IPPROTO_ICMPV6, (host, 0, 0, scope), prepare,
                ancillary, struct.pack("!BBHI", 128, 0, 0, 1) + b"attack"))
            if connects and not host.startswith("ff"):
                waiting.append(attempt(f"tcp6-{name}/{host}", lambda: connection(
                    socket.AF_INET6, (host, 80, 0, scope), prepare)))
    time.sleep(1.2)  # for one retransmission
    for s in waiting:
        if s:
            s.close()


def given(device, source, uid):
    """What routes by the owner of a socket goes by the new one, what filters by him by whoever opened it."""
    def owned(kind, protocol, prepare):
        s = socket.socket(socket.AF_INET, kind, protocol)
        os.fchown(s.fileno(), int(uid), -1)
        s.setblocking(False)
        prepare(s)
        return s

    def connect(target, prepare):
        s = owned(socket.SOCK_STREAM, 0, prepare)
        if s.connect_ex(target) not in (0, errno.EINPROGRESS):
            raise OSError(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or errno.EHOSTUNREACH, "")
        return s

    ways = {"plain": lambda s: None, "source": lambda s: s.bind((source, 0)),
            "device": lambda s: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())}
    waiting = []
    for name, prepare in ways.items():
        for target in UDP_TARGETS[:6]:
            attempt(f"udp-{name}/{target[0]}:{target[1]}",
                    lambda: owned(socket.SOCK_DGRAM, 0, prepare).sendto(b"attack", target))
        for target in TCP_TARGETS[:4]:
            waiting.append(attempt(f"tcp-{name}/{target[0]}:{target[1]}", lambda: connect(target, prepare)))
        for target in [WEB, SERVER, ROUTER]:
            attempt(f"ping-{name}/{target}", lambda: owned(
                socket.SOCK_DGRAM, socket.IPPROTO_ICMP, prepare).sendto(icmp(8, 0, b"\0\1\0\1"), (target, 0)))
    time.sleep(1.2)  # for one retransmission


def lan(device, peer, own, target, port):
    """A neighbour hands the machine packets for TARGET, an address that is not the LAN's."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    link.bind((device, 0))
    head = mac(peer) + mac(own) + struct.pack("!H", ETH_IP)
    all_head = b"\xff" * 6 + head[6:]
    for source in [ROUTER, NEIGHBOUR, WEB, SERVER]:
        for sport in [40000, PORT]:
            for dport in {ATTACK, EXPOSED, int(port)}:
                attempt(f"udp/{source}:{sport}-{target}:{dport}",
                        lambda: link.send(head + udp4(source, target, dport, sport)))
        attempt(f"tcp/{source}-{target}", lambda: link.send(
            head + ip4(source, target, 6, tcp(source, target, 40000, EXPOSED))))
        attempt(f"ping/{source}-{target}", lambda: link.send(
            head + ip4(source, target, 1, icmp(8, 0, b"\0\1\0\1", b"attack"))))
        attempt(f"ttl-1/{source}-{target}", lambda: link.send(head + udp4(source, target, ATTACK, ttl=1)))
        attempt(f"broadcast/{source}-{target}", lambda: link.send(all_head + udp4(source, target, ATTACK)))
        attempt(f"large/{source}-{target}", lambda: link.send(head + ip4(
            source, target, 17, udp(source, target, 40000, ATTACK, b"attack" * 240), fragment=0x4000)))
        quoted = udp4(target, source, PORT, int(port))
        attempt(f"icmp-error/{source}-{target}", lambda: link.send(
            head + ip4(source, target, 1, icmp(3, 3, b"\0" * 4, quoted))))
        attempt(f"redirect/{source}-{target}", lambda: link.send(
            head + ip4(source, target, 1, icmp(5, 1, address(ROUTER), quoted))))


def ask_arp(device, own, *targets):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ARP))
    link.bind((device, ETH_ARP))
    for target in targets:
        question = arp(1, mac(own), ROUTER, b"\0" * 6, target)
        link.send(b"\xff" * 6 + mac(own) + struct.pack("!H", ETH_ARP) + question)
        answer, limit = "-", time.monotonic() + 0.5
        while answer == "-" and select.select([link], [], [], max(0, limit - time.monotonic()))[0]:
            frame = link.recv(64)
            if frame[20:22] == b"\0\2" and frame[28:32] == address(target):
                answer = frame[22:28].hex(":")
        print(target, answer, flush=True)


FAMILIES = {
    "AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17,
    "AF_AX25": 3, "AF_IPX": 4, "AF_APPLETALK": 5, "AF_NETROM": 6, "AF_ATMPVC": 8, "AF_X25": 9, "AF_ROSE": 11,
    "AF_KEY": 15, "AF_ATMSVC": 20, "AF_RDS": 21, "AF_IRDA": 23, "AF_PPPOX": 24, "AF_LLC": 26, "AF_IB": 27,
    "AF_MPLS": 28, "AF_CAN": 29, "AF_TIPC": 30, "AF_BLUETOOTH": 31, "AF_IUCV": 32, "AF_RXRPC": 33,
    "AF_ISDN": 34, "AF_PHONET": 35, "AF_IEEE802154": 36, "AF_CAIF": 37, "AF_NFC": 39, "AF_VSOCK": 40,
    "AF_KCM": 41, "AF_QIPCRTR": 42, "AF_SMC": 43, "AF_XDP": 44, "AF_MCTP": 45, "AF_46": 46, "AF_255": 255,
}
KINDS = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW,
         "seqpacket": socket.SOCK_SEQPACKET}


def system_call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    os.close(result)


def families():
    """The system calls have one number on every machine that is younger than they are."""
    for name, number in FAMILIES.items():
        for kind, value in KINDS.items():
            attempt(f"{name}/{kind}", lambda: socket.socket(number, value, 0).close())
    attempt("AF_INET/smc", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 256).close())
    attempt("socketpair/AF_UNIX", socket.socketpair)
    attempt("socketpair/AF_TIPC", lambda: socket.socketpair(30, socket.SOCK_SEQPACKET, 0))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)  # until the parent is done
        os._exit(0)
    victim = os.pidfd_open(child)
    attempt("pidfd_getfd", lambda: system_call(438, victim, 0, 0))
    os.close(writer)
    os.waitpid(child, 0)
    parameters = ctypes.create_string_buffer(120)
    attempt("io_uring_setup", lambda: system_call(425, 4, ctypes.addressof(parameters)))
    for name, number in [("io_uring_enter", 426), ("io_uring_register", 427)]:
        attempt(name, lambda: system_call(number, -1, 0, 0, 0, 0, 0))


def milliseconds():
    return int(time.time() * 1000)


def stream(target, port, seconds):
    """Prints "MS echo N" for each answer, "MS error ERRNO" when the connection has failed."""
    s = socket.create_connection((target, int(port)), 5)
    s.setblocking(False)
    limit, count, pending = time.monotonic() + float(seconds), 0, b""
    print(milliseconds(), "connected", s.getsockname()[0], flush=True)
    try:
        while time.monotonic() < limit:
            count += 1
            try:
                s.send(f"{count}\n".encode())
            except BlockingIOError:
                pass  # the buffer is full: nothing was acknowledged for long
            if select.select([s], [], [], 0.05)[0]:
                data = s.recv(65536)
                if not data:
                    print(milliseconds(), "error closed", flush=True)
                    return
                pending += data
                *lines, pending = pending.split(b"\n")
                if lines:
                    print(milliseconds(), "echo", lines[-1].decode(), flush=True)
                time.sleep(0.05)
    except OSError as error:
        print(milliseconds(), "error", errno.errorcode.get(error.errno, error.errno), flush=True)


def echo(port):
    listener = socket.create_server(("", int(port)))
    while True:
        s, _ = listener.accept()
        if os.fork() == 0:
            while data := s.recv(65536):
                s.sendall(data)
            os._exit(0)
        s.close()


def listen(*ports):
    """Prints "udp PORT FROM" and "tcp PORT FROM" for whatever arrives, over both families."""
    all_sockets = {}
    for port in map(int, ports):
        for family in (socket.AF_INET, socket.AF_INET6):
            for name, kind in [("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)]:
                s = socket.socket(family, kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind(("", port))
                if kind == socket.SOCK_STREAM:
                    s.listen(16)
                all_sockets[s] = f"{name} {port}"
    print("listening", flush=True)
    while True:
        for s in select.select(list(all_sockets), [], [])[0]:
            if all_sockets[s].startswith("tcp"):
                accepted, peer = s.accept()
                accepted.close()
            else:
                peer = s.recvfrom(2048)[1]
            print(all_sockets[s], peer[0], flush=True)


COMMANDS = {"sockets": sockets, "given": given, "frames": frames, "rawip": rawip, "endpoint": endpoint,
            "lan": lan, "arp": ask_arp, "families": families, "stream": stream, "echo": echo, "listen": listen}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    if sys.argv[1] not in ("listen", "echo"):
        signal.alarm(60)  # whatever hangs
    COMMANDS[sys.argv[1]](*sys.argv[2:])
