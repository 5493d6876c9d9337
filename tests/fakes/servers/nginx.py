"""A real nginx on loopback, all of whose files are in one folder."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

CONFIG = """
user root; worker_processes 1; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {work}/body; proxy_temp_path {work}/proxy;
  fastcgi_temp_path {work}/fastcgi; uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
  {inside}
}}
"""


@contextmanager
def run_nginx(work: Path, inside: str) -> Iterator[None]:
    """Run nginx with this in its `http` block until the end; what it says goes to `work/said`."""
    config = work / "nginx.conf"
    config.write_text(CONFIG.format(work=work, inside=inside))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with (work / "said").open("wb") as said:
        server = subprocess.Popen([program, "-c", str(config)], stderr=said)
    try:
        wait_until((work / "nginx.pid").exists, what="nginx")
        yield
    finally:
        server.terminate()
        server.wait(PATIENCE_S)
