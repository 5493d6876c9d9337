"""The least that can be done: receive and write, in four threads, without a look at anything."""

from __future__ import annotations

import argparse
import http.client
import ssl
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

BLOCK = 1024 * 1024


def main() -> None:
    """Fetch every file of the list."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--ca", type=Path)
    asked = parser.parse_args()
    names: SimpleQueue[str] = SimpleQueue()
    for number in range(asked.count):
        names.put(f"{number:032x}.flac")
    threads = [Thread(target=_work, args=(asked, names)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def _work(asked: argparse.Namespace, names: SimpleQueue[str]) -> None:
    parts = urlsplit(asked.url)
    host, port = parts.hostname or "", parts.port
    if asked.ca:
        context = ssl.create_default_context(cafile=str(asked.ca))
        line: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, context=context)
    else:
        line = http.client.HTTPConnection(host, port)
    view = memoryview(bytearray(BLOCK))
    while True:
        try:
            name = names.get_nowait()
        except Empty:
            break
        line.request("GET", f"{parts.path}{name}")
        reply = line.getresponse()
        with (asked.out / name).open("wb", buffering=0) as file:
            while count := reply.readinto(view):
                file.write(view[:count])
    line.close()


if __name__ == "__main__":
    main()
