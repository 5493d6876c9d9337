"""File numbers: taken as many as there are, and none left when somebody connects.

In processes of their own: the limits are those of a whole process.
"""

from __future__ import annotations

import json
import subprocess
import sys

from sidecar.process import limits
from tests.patience import PATIENCE_S

RAISE = """
import json, resource
from sidecar.web.server.descriptors import raise_descriptors
told = []
for soft, hard in {cases}:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    told.append([raise_descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)[0]])
print(json.dumps(told))
"""
FULL = """
import logging, os, resource, socket
from urllib.parse import urlsplit
from sidecar.web.server import WebServer, serve_in_thread

def hello(_environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]

def hears_end(line):
    while line.recv(65536):
        pass

logging.basicConfig(level=logging.WARNING)
server = WebServer(hello, "127.0.0.1", 0)
server.bind()
thread = serve_in_thread(server)
place = ("127.0.0.1", urlsplit(server.url).port)
idle, answered, refused, next_one = (socket.socket() for _ in range(4))
for one in (idle, answered, refused, next_one):
    one.settimeout(20)
idle.connect(place)
# They are accepted in turn: then the idle one was as well.
answered.connect(place)
answered.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
hears_end(answered)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
lowest_free = os.dup(0)
os.close(lowest_free)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
refused.connect(place)
hears_end(refused)
print("refused", flush=True)
hears_end(idle)
print("made room", flush=True)
next_one.connect(place)
next_one.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(next_one.recv(65536)[9:15].decode(), flush=True)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
server.stop()
thread.join(10)
"""


def test_it_takes_what_the_system_allows_and_keeps_some_for_the_rest() -> None:
    # A process of its own: a hard limit that is lowered stays low. Its first limit may be lower.
    cases = [(200, 1000), (200, 620), (610, 610)]

    done = subprocess.run(
        [sys.executable, "-c", RAISE.format(cases=cases)],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )

    assert json.loads(done.stdout) == [
        [1000 - limits.DESCRIPTORS_KEPT, 1000],
        [limits.FEWEST_CONNECTIONS, 620],
        [limits.FEWEST_CONNECTIONS, 610],
    ]


def test_without_a_file_number_the_longest_idle_connection_makes_room() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.stdout.splitlines() == ["refused", "made room", "200 OK"], done.stderr
    assert done.returncode == 0, done.stderr
