#!/usr/bin/env python3
"""The peer of "make bench-fanout": peer_fanout.py SOCKET

What one would write first: an asyncio server that sends each line of its
standard input to everybody who is connected, and the last one to newcomers.
"""
import asyncio
import os
import resource
import sys

clients = set()
last = b""


async def serve(reader, writer):
    clients.add(writer)
    writer.write(last)
    try:
        while await reader.read(4096):
            pass
    except OSError:
        pass
    clients.discard(writer)
    writer.close()


async def main():
    global last
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = await asyncio.start_unix_server(serve, sys.argv[1],
                                             backlog=4096)
    source = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(source), os.fdopen(0, "rb"))
    while line := await source.readline():
        last = line
        for writer in clients:
            writer.write(line)
    server.close()
    await asyncio.sleep(60)  # until we are told to end


asyncio.run(main())
