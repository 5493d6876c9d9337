"""Builds the image without an engine, and uses it: the Dockerfile's own steps in empty roots.

    Debian in a folder ──copied──▶ one root a stage ── COPY, RUN … ──▶ the image's root
                                                                         │ read-only, own mounts
    starts · answers · is nobody's root · ends when told ◀── ENTRYPOINT ─┘

Only the base images are others: Debian's Python and Node.js in place of theirs. `make image-check`
runs it; it needs root and takes some minutes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.packaging.dockerfile import Stage, is_ignored, read_copy, read_environment, read_stages

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "packaging" / "Dockerfile"
PACKAGES = "ca-certificates,python3,python3-venv,nodejs,npm"
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
USER = 1234
STARTS_WITHIN_S = 120.0
ENDS_WITHIN_S = 10.0


def main() -> int:
    """Build it, try it, and say what was seen."""
    if os.getuid() != 0:
        print("the roots can only be made by root", file=sys.stderr)
        return 2
    work = ROOT / "build" / "image"
    work.mkdir(parents=True, exist_ok=True)
    image, steps = build(work)
    environment = {"PATH": PATH}
    for step in steps.steps:
        if step.word == "ENV":
            environment.update(read_environment(step.rest, environment))
    told = {step.word: step.rest for step in steps.steps}
    try_out(image, environment, told, work)
    print("the image builds, starts, answers, gives up root, and ends when it is told to")
    return 0


# Building


def build(work: Path) -> tuple[Path, Stage]:
    """Carry out the Dockerfile; return the root of the last stage, and the stage."""
    base = _make_base(work / "base")
    context = _make_context(work / "context")
    roots: dict[str, Path] = {}
    stages = read_stages(DOCKERFILE.read_text(encoding="utf-8"))
    for number, stage in enumerate(stages):
        root = work / f"stage-{number}"
        print(f"-- FROM {stage.base} AS {stage.name or 'the image'}", flush=True)
        _empty(root)
        subprocess.run(["cp", "-a", "--reflink=auto", f"{base}/.", root], check=True)
        _build_stage(stage, root, context, roots)
        roots[stage.name] = root
    return root, stages[-1]


def _build_stage(stage: Stage, root: Path, context: Path, roots: Mapping[str, Path]) -> None:
    folder, environment = "/", {"PATH": PATH, "HOME": "/root"}
    for step in stage.steps:
        print(f"   {step.word} {step.rest[:90]}", flush=True)
        match step.word:
            case "WORKDIR":
                folder = step.rest
                _inside(root, folder).mkdir(parents=True, exist_ok=True)
            case "ENV":
                environment.update(read_environment(step.rest, environment))
            case "COPY":
                copied = read_copy(step.rest)
                source = roots[copied.stage] if copied.stage else context
                target = _inside(root, str(Path(folder) / copied.target))
                into = copied.target.endswith("/") or len(copied.sources) > 1
                for one in copied.sources:
                    _copy(_inside(source, one), target, copied.mode, into=into)
            case "RUN":
                keep = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
                run_in(root, ["sh", "-ec", f"cd {shlex.quote(folder)} && {step.rest}"],
                       {**keep, **environment, "DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip
            case "VOLUME":
                _inside(root, step.rest).mkdir(parents=True, exist_ok=True)


def _copy(source: Path, target: Path, mode: str, *, into: bool) -> None:
    """Copy as COPY does: a folder's content, a file into a folder or under the given name."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
        return
    if into:
        target.mkdir(parents=True, exist_ok=True)
        target = target / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    if mode:
        target.chmod(int(mode, 8))


def _make_base(base: Path) -> Path:
    """Return a small Debian with Python and Node.js, made once."""
    whole = base.with_name("base-is-whole")
    if not whole.exists():
        _empty(base)
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
        packages = PACKAGES.replace(",", " ")
        install = f"apt-get -q update && apt-get -qy --no-install-recommends install {packages}"
        keep = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
        run_in(base, ["sh", "-ec", install], {**keep, "PATH": PATH, "HOME": "/root",
               "DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip
        # As in the base image: `python` is there.
        (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        whole.touch()
    return base


def _mirror() -> list[str]:
    """Return where this machine's own packages come from."""
    found = subprocess.run(
        ["sh", "-c", "cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null"],
        check=False, capture_output=True, text=True,
    ).stdout  # fmt: skip
    match = re.search(r"^(?:URIs:|deb(?: \[[^]]*\])?) *(\S+)", found, re.MULTILINE)
    return [match[1]] if match else []


def _make_context(context: Path) -> Path:
    """Return a folder with what the engine would be given: what is tracked and not ignored."""
    _empty(context)
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    rules = (DOCKERFILE.with_name("Dockerfile.dockerignore")).read_text(encoding="utf-8")
    for name in filter(None, tracked):
        if not is_ignored(name, rules) and (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, context / name)
    return context


# Trying it


def try_out(
    root: Path, environment: Mapping[str, str], told: Mapping[str, str], work: Path
) -> None:
    """Start the image on a read-only root as the engine would, and look at what it does."""
    data, media = work / "config", work / "media"
    for folder in (data, media / "stick"):
        _empty(folder)
    os.chown(media / "stick", USER, USER)
    port = _free_port()
    given = {
        **environment,
        "PUID": str(USER),
        "PGID": str(USER),
        "SIDECAR_SERVER__PORT": str(port),
        # Nobody answers there: it starts all the same, and says so.
        "SIDECAR_JELLYFIN__URL": "http://127.0.0.1:9",
        "SIDECAR_DEVICES": json.dumps([{"name": "Car stick", "path": "/media/stick"}]),
    }
    for program in ("ffmpeg -version", "ffprobe -version", "aria2c --version"):
        run_in(root, program.split(), given, quiet=True)
    for name in ("config", "media", "tmp"):
        (root / name).mkdir(exist_ok=True)
    command = [*json.loads(told["ENTRYPOINT"]), *json.loads(told["CMD"])]
    with _started(root, command, given, binds={"config": data, "media": media}) as process:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        _expect("Uid", str(USER), status)
        _expect("Gid", str(USER), status)
        _expect("CapEff", "0" * 16, status)
        _expect("NoNewPrivs", "1", status)
        healthy = told["HEALTHCHECK"].partition("CMD ")[2]
        run_in(root, json.loads(healthy), given, quiet=True)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30)
        assert page.status == 200, page.status
        found = {one.name: one.stat() for one in data.iterdir()}
        assert "sidecar.db" in found, found
        assert {one.st_uid for one in found.values()} == {USER}, found
        assert (media / "stick" / ".sidecar").is_dir(), "the device was not attached"
        began = time.monotonic()
        process.send_signal(signal.Signals[told["STOPSIGNAL"]])
        ended = process.wait(ENDS_WITHIN_S)
        print(f"   ended with {ended} after {time.monotonic() - began:.1f} s")
        assert ended == 0, ended


@contextmanager
def _started(
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


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
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


def _expect(name: str, value: str, status: str) -> None:
    found = re.search(rf"^{name}:\s+(\S+)", status, re.MULTILINE)
    assert found is not None, name
    assert found[1] == value, found[0]


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
