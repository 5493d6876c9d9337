"""Files made of chance, and nginx that serves them, plain and over TLS, on loopback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.servers.nginx import run_nginx

MIB = 1024 * 1024
INSIDE = """
    sendfile on; keepalive_requests 100000;
    ssl_certificate {work}/cert.pem; ssl_certificate_key {work}/key.pem;
    server {{
        listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;
        root {work}/www; autoindex on;
        rewrite ^/Items/([0-9a-f]+)/Download$ /{load}/$1.flac break;
        types {{ audio/flac flac; }}
    }}
"""


@dataclass(frozen=True, slots=True)
class Load:
    """So many files of one size."""

    name: str
    count: int
    size: int

    @property
    def ids(self) -> Sequence[str]:
        """Item ids, each the name of a file."""
        return [f"{number:032x}" for number in range(self.count)]

    @property
    def gib(self) -> float:
        return self.count * self.size / MIB / 1024


def make(load: Load, folder: Path) -> None:
    """Write the files, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in load.ids:
        path = folder / f"{name}.flac"
        if path.exists() and path.stat().st_size == load.size:
            continue
        with path.open("wb") as file:
            for start in range(0, load.size, 8 * MIB):
                file.write(os.urandom(min(8 * MIB, load.size - start)))
        os.utime(path, (1_700_000_000, 1_700_000_000))


@contextmanager
def nginx(work: Path, load: str, *, plain: int, tls: int) -> Iterator[None]:
    """Serve `work/www` until the end."""
    if not (work / "cert.pem").exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", work / "key.pem", "-out", work / "cert.pem"],
            check=True,
            capture_output=True,
        )  # fmt: skip
    with run_nginx(work, INSIDE.format(work=work, plain=plain, tls=tls, load=load)):
        yield
