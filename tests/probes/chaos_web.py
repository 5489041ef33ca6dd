#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the applications of the chaos runs talk to, beside the lab's web server.

TCP 8080, IPv4 and IPv6: "hello" is answered with the client's address, "stream" with a stream that
does not end. UDP 9000: what comes in goes back.
"""
import asyncio
import contextlib


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


async def serve(reader, writer):
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        request = await asyncio.wait_for(reader.readline(), 5)
        if request == b"stream\n":
            while True:
                writer.write(b"x" * 400)
                await asyncio.wait_for(writer.drain(), 5)
                await asyncio.sleep(0.05)
        writer.write(writer.get_extra_info("peername")[0].encode())
        await writer.drain()
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Echo, local_addr=("203.0.113.10", 9000))
    await asyncio.start_server(serve, "203.0.113.10", 8080)
    await asyncio.start_server(serve, "2001:db8:cb::10", 8080)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
