"""A line with a delay: forwards TCP to one server, and lets each byte wait on its way.

Run as a process of its own, so that it takes its turn beside the client and the server. A new
connection waits for the way there and back, as for the handshake.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK = 64 * 1024
MOST_WAITING = 64  # blocks on their way in one direction: 4 MiB, more than a window of TCP


@contextmanager
def delayed(port: int, *, to: int, one_way_s: float) -> Iterator[None]:
    """Forward this port to another one, with a delay in each direction, until the end."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.transfers.delay",
        str(port),
        str(to),
        str(one_way_s),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as line:
        if line.stdout is None or not line.stdout.readline():
            raise SystemExit("the line with a delay does not run")
        try:
            yield
        finally:
            line.terminate()


async def _serve(port: int, to: int, one_way_s: float) -> None:
    async def accept(source: StreamReader, back: StreamWriter) -> None:
        await asyncio.sleep(2 * one_way_s)
        answers, target = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(
            _forward(source, target, one_way_s), _forward(answers, back, one_way_s)
        )

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


async def _forward(source: StreamReader, target: StreamWriter, one_way_s: float) -> None:
    on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_WAITING)
    arriving = asyncio.create_task(_arrive(on_its_way, target))
    block = b"-"
    while block:
        try:
            block = await source.read(BLOCK)
        except ConnectionError:
            block = b""
        await on_its_way.put((asyncio.get_running_loop().time() + one_way_s, block))
    await arriving


async def _arrive(on_its_way: asyncio.Queue[tuple[float, bytes]], target: StreamWriter) -> None:
    clock, block = asyncio.get_running_loop(), b"-"
    while block:
        due, block = await on_its_way.get()
        await asyncio.sleep(max(0.0, due - clock.time()))
        # What comes after the other side has left is taken and lost, so that nobody waits here.
        with suppress(ConnectionError):
            target.write(block)
            await target.drain()
    target.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
