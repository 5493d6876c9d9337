"""Empty roots: a small Debian in a folder, and commands that run in it as on its own machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# How this machine reaches packages, where it has a way of its own.
WAYS_OUT = (
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/apt/apt.conf.d",
    "/etc/apt/auth.conf.d",
    "/etc/ssl/certs",
    "/usr/local/share/ca-certificates",
    "/etc/pip.conf",
    "/etc/xdg/pip",
    "/etc/npmrc",
    "/root/.npmrc",
    "/root/.config/pip",
    "/etc/resolv.conf",
    "/etc/hosts",
)
KEPT = re.compile(
    r"(https?_proxy|no_proxy|pip_\w+|npm_config_\w+|\w+_ca_\w+|ssl_cert_file)", re.IGNORECASE
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STARTS_WITHIN_S = 120.0


def make_base(base: Path, packages: str) -> Path:
    """Return a small Debian with these packages, made once."""
    whole = base.with_name("base-is-whole")
    if not whole.exists():
        empty(base)
        codename = subprocess.run(
            ["sh", "-c", '. /etc/os-release && echo "$VERSION_CODENAME"'],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        command = ["debootstrap", "--variant=minbase", codename, str(base), *_mirror()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for one in map(Path, WAYS_OUT):
            to = base / one.relative_to("/")
            if one.is_dir():
                shutil.copytree(one, to, dirs_exist_ok=True, symlinks=True)
            elif one.exists():
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(one, to)
        install = f"apt-get -q update && apt-get -qy --no-install-recommends install {packages}"
        run_in(base, ["sh", "-ec", install], {**ways_out(), "PATH": PATH, "HOME": "/root",
               "DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip
        whole.touch()
    return base


def copy_base(base: Path, root: Path) -> None:
    """Make a root anew, with what is in the base."""
    empty(root)
    subprocess.run(["cp", "-a", "--reflink=auto", f"{base}/.", root], check=True)


def ways_out() -> dict[str, str]:
    """Return what the environment says of this machine's way to packages."""
    return {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}


def _mirror() -> list[str]:
    """Return where this machine's own packages come from."""
    found = subprocess.run(
        ["sh", "-c", "cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null"],
        check=False, capture_output=True, text=True,
    ).stdout  # fmt: skip
    match = re.search(r"^(?:URIs:|deb(?: \[[^]]*\])?) *(\S+)", found, re.MULTILINE)
    return [match[1]] if match else []


@contextmanager
def started(
    root: Path, command: list[str], environment: Mapping[str, str], *, binds: Mapping[str, Path]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the root, which is read-only but for /tmp and what is bound there.

    The process is the command itself: each program on the way becomes the next.
    """
    mounts = [
        f"mount --bind {shlex.quote(str(root))} {shlex.quote(str(root))}",
        f"cd {shlex.quote(str(root))}",
        "mount -t tmpfs tmpfs tmp",
        *(f"mount --bind {shlex.quote(str(place))} {name}" for name, place in binds.items()),
        "mount -t proc proc proc",
        "mount --rbind /dev dev",
        "mount -o remount,bind,ro .",
    ]
    words = [f"{name}={value}" for name, value in environment.items()]
    inside = shlex.join(["env", "-i", *words, "chroot", str(root), *command])
    script = " && ".join([*mounts, f"exec {inside}"])
    process = subprocess.Popen(["unshare", "--mount", "sh", "-ec", script])
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def run_in(
    root: Path, command: list[str], environment: Mapping[str, str], *, quiet: bool = False
) -> None:
    """Run a command in a root, with /proc and /dev; a failure ends the check."""
    words = [f"{name}={value}" for name, value in environment.items()]
    inside = shlex.join(["env", "-i", *words, "chroot", str(root), *command])
    place = shlex.quote(str(root))
    script = (
        f"mkdir -p {place}/proc {place}/dev && mount -t proc proc {place}/proc"
        f" && mount --rbind /dev {place}/dev && exec {inside}"
    )
    out = subprocess.DEVNULL if quiet else None
    subprocess.run(["unshare", "--mount", "sh", "-ec", script], check=True, stdout=out)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a started server answers."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it ended with {process.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within {STARTS_WITHIN_S:.0f} s")


def expect(name: str, value: str, status: str) -> None:
    """Fail unless a process has this value in its /proc/PID/status."""
    found = re.search(rf"^{name}:\s+(\S+)", status, re.MULTILINE)
    assert found is not None, name
    assert found[1] == value, found[0]


def inside(root: Path, path: str) -> Path:
    """Return where a path of the root lies."""
    return root / path.lstrip("/")


def empty(folder: Path) -> None:
    """Make a folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
