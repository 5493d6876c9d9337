"""A server on loopback that answers one connection, byte by byte as a test says."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from tests.patience import PATIENCE_S


@contextmanager
def answering_once(answer: Callable[[socket.socket, Event], object]) -> Iterator[str]:
    """Yield its address.

    Unlike a real one it reads no more of what is asked than comes first, and knows no HTTP.

    Args:
        answer: Takes the connection, and an event that is set at the end.
    """
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError), listening.accept()[0] as line:
                line.recv(65536)
                answer(line, over)

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        over.set()
        thread.join(PATIENCE_S)
