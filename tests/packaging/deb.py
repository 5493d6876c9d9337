"""Tries the Debian package in an empty Debian: nothing is there but what the package asks for.

    installed ─▶ started as its unit says ─▶ installed again ─▶ removed ─▶ purged ─▶ … with its data

`make deb-check` runs it; it needs root and takes some minutes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import stat
import sys
from pathlib import Path

import sidecar
from tests.fakes.servers.syncthings import free_port
from tests.packaging.roots import (
    PATH,
    copy_base,
    expect,
    inside,
    make_base,
    run_in,
    started,
    wait_for,
    ways_out,
)

ROOT = Path(__file__).parents[2]
NAME = "jellyfin-sidecar"
CONFIG = f"/etc/{NAME}/config.toml"
DATA = f"/var/lib/{NAME}"
PROGRAM = f"/usr/lib/{NAME}/bin/{NAME}"
ENDS_WITHIN_S = 20.0


def main() -> int:
    """Try it and say what was seen."""
    if os.getuid() != 0:
        print("the root can only be made by root", file=sys.stderr)
        return 2
    (package,) = (ROOT / "dist").glob(f"{NAME}_{sidecar.__version__}_*.deb")
    work = ROOT / "build" / "deb-check"
    work.mkdir(parents=True, exist_ok=True)
    base, root = make_base(work / "base", "ca-certificates"), work / "root"
    copy_base(base, root)
    shutil.copy(package, root / "sidecar.deb")
    _install(root)
    _start(root)
    _install_again(root)
    _leave(root)
    print("the package installs, starts, updates, and keeps its data until told to delete it")
    return 0


def _run(root: Path, command: str) -> None:
    print(f"   {command}", flush=True)
    environment = {"PATH": PATH, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
    run_in(root, ["sh", "-ec", command], {**ways_out(), **environment})


def _install(root: Path) -> None:
    _run(root, "apt-get -q update && apt-get -qy --no-install-recommends install /sidecar.deb")
    config, data = inside(root, CONFIG).stat(), inside(root, DATA).stat()
    user, group = _user(root)
    assert (config.st_uid, config.st_gid, stat.S_IMODE(config.st_mode)) == (0, group, 0o640)
    assert (data.st_uid, data.st_gid, stat.S_IMODE(data.st_mode)) == (user, group, 0o700)
    # It waits for its settings.
    assert not list(inside(root, "/etc/systemd/system").glob(f"*.wants/{NAME}.service"))
    assert list(inside(root, f"/usr/lib/{NAME}").rglob("sidecar/__pycache__/*.pyc"))
    _run(root, f"{NAME} --help >/dev/null")


def _start(root: Path) -> None:
    """Start it as its unit says, on a root that is read-only for it, and stop it."""
    user, group = _user(root)
    port, stick = free_port(), inside(root, "/srv/stick")
    stick.mkdir()
    os.chown(stick, user, group)
    inside(root, CONFIG).write_text(
        # Nobody answers there: it starts all the same, and says so.
        f'[jellyfin]\nurl = "http://127.0.0.1:9"\n[server]\nport = {port}\n'
        '[[devices]]\nname = "Car stick"\npath = "/srv/stick"\n',
        encoding="utf-8",
    )
    unit = inside(root, f"/lib/systemd/system/{NAME}.service").read_text(encoding="utf-8")
    environment = dict(
        one.split("=", 1) for one in re.findall(r"^Environment=(.*)", unit, re.MULTILINE)
    )
    (start,) = re.findall(r"^ExecStart=(.*)", unit, re.MULTILINE)
    assert start == f"{PROGRAM} run", start
    who = ["setpriv", f"--reuid={NAME}", f"--regid={NAME}", "--init-groups"]
    command = [*who, "--inh-caps=-all", "--no-new-privs", "--", *shlex.split(start)]
    binds = {DATA.lstrip("/"): inside(root, DATA), "srv": inside(root, "/srv")}
    with started(root, command, {"PATH": PATH, **environment}, binds=binds) as process:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        expect("Uid", str(user), status)
        expect("CapEff", "0" * 16, status)
        assert (stick / ".sidecar").is_dir(), "the device was not attached"
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_WITHIN_S) == 0
    _run(root, f"{NAME} backup {DATA}/backup.zip && {NAME} status --json >/told.json")
    told = json.loads((root / "told.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in told["devices"]] == ["Car stick"], told
    owners = {one.stat().st_uid for one in inside(root, DATA).iterdir()}
    assert owners == {user}, owners


def _install_again(root: Path) -> None:
    before = inside(root, CONFIG).read_bytes()
    _run(root, "dpkg -i /sidecar.deb")
    assert inside(root, CONFIG).read_bytes() == before


def _leave(root: Path) -> None:
    there = {one.name for one in inside(root, DATA).iterdir()}
    assert {"sidecar.db", "backup.zip"} <= there, there
    _run(root, f"apt-get -qy remove {NAME}")
    assert not inside(root, f"/usr/lib/{NAME}").exists()
    assert inside(root, CONFIG).exists()
    _run(root, f"apt-get -qy purge {NAME}")
    assert not inside(root, CONFIG).exists()
    assert {one.name for one in inside(root, DATA).iterdir()} == there
    _run(root, "dpkg -i /sidecar.deb")
    answer = f"{NAME} {NAME}/delete-data boolean true"
    _run(root, f"echo {shlex.quote(answer)} | debconf-set-selections && dpkg -P {NAME}")
    assert not inside(root, DATA).exists()
    assert inside(root, "/srv/stick/.sidecar").is_dir()
    _user(root)


def _user(root: Path) -> tuple[int, int]:
    """Return the ids of its user and group, which stay once they are there."""
    lines = inside(root, "/etc/passwd").read_text(encoding="utf-8").splitlines()
    (found,) = [one.split(":") for one in lines if one.startswith(f"{NAME}:")]
    return int(found[2]), int(found[3])


if __name__ == "__main__":
    sys.exit(main())
