"""A TCP proxy between a peer and its server that can fail as networks do."""
from __future__ import annotations

import asyncio
import random
import socket
import struct


# The two ends of a connection: the peer's and the server's.
Pair = tuple[asyncio.StreamWriter, asyncio.StreamWriter]


class Link:
    """Forwards connections of a local port to a target, until it is told to misbehave.

    - `hold(up, down)`: nothing passes in that direction; what is sent waits in the kernel's buffers, as it does when
      packets are lost. One direction is a half-open connection, both are a black hole.
    - `throttle(rate)`: at most so many bytes a second in each direction.
    - `cut(draw)`: every connection is reset, in the middle of whatever is being forwarded next.
    - `heal()`: all is well again; what was held back arrives late.
    """

    CHUNK = 16 << 10

    def __init__(self, target: int):
        self.target = target
        self.port = 0
        self.flows = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.rate: float | None = None
        self.cuts: random.Random | None = None
        self.pairs: set[Pair] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.forwarded = 0
        self.heal()

    async def listen(self) -> None:
        self.server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def hold(self, up: bool, down: bool) -> None:
        for name, held in (("up", up), ("down", down)):
            if held:
                self.flows[name].clear()

    def throttle(self, rate: float) -> None:
        self.rate = rate

    def cut(self, draw: random.Random) -> None:
        self.cuts = draw

    def heal(self) -> None:
        self.rate = self.cuts = None
        for flow in self.flows.values():
            flow.set()

    def reset_all(self) -> None:
        """Resets what is open, as a middlebox does that has forgotten a connection."""
        for pair in list(self.pairs):
            self._reset(pair)

    async def close(self) -> None:
        self.server.close()
        self.reset_all()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._accept(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self.pairs.add(pair)
        try:
            await asyncio.gather(
                self._forward("up", reader, far_writer, pair), self._forward("down", far_reader, writer, pair)
            )
        finally:
            self.pairs.discard(pair)
            for end in pair:
                end.close()

    async def _forward(
        self,
        direction: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pair: Pair,
    ) -> None:
        try:
            while True:
                await self.flows[direction].wait()
                data = await reader.read(self.CHUNK)
                await self.flows[direction].wait()
                if not data:
                    writer.write_eof()
                    return
                if self.cuts:
                    writer.write(data[: self.cuts.randrange(len(data))])
                    self._reset(pair)
                    return
                if self.rate:
                    await asyncio.sleep(len(data) / self.rate)
                writer.write(data)
                self.forwarded += len(data)
                await writer.drain()
        except OSError:
            for end in pair:
                end.transport.abort()

    def _reset(self, pair: Pair) -> None:
        for end in pair:
            connection = end.transport.get_extra_info("socket")
            if connection and connection.fileno() >= 0:
                # With LINGER 0 the close is a RST instead of a FIN.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()
        self.pairs.discard(pair)
