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
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.fakes.servers.syncthings import free_port
from tests.packaging.dockerfile import Stage, is_ignored, read_copy, read_environment, read_stages
from tests.packaging.roots import (
    PATH,
    copy_base,
    empty,
    expect,
    inside,
    make_base,
    run_in,
    started,
    wait_for,
    ways_out,
)

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "packaging" / "Dockerfile"
PACKAGES = "ca-certificates python3 python3-venv nodejs npm"
USER = 1234
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
    base = make_base(work / "base", PACKAGES)
    # As in the base image: `python` is there.
    python = base / "usr/local/bin/python"
    if not python.is_symlink():
        python.symlink_to("/usr/bin/python3")
    context = _make_context(work / "context")
    roots: dict[str, Path] = {}
    stages = read_stages(DOCKERFILE.read_text(encoding="utf-8"))
    for number, stage in enumerate(stages):
        root = work / f"stage-{number}"
        print(f"-- FROM {stage.base} AS {stage.name or 'the image'}", flush=True)
        copy_base(base, root)
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
                inside(root, folder).mkdir(parents=True, exist_ok=True)
            case "ENV":
                environment.update(read_environment(step.rest, environment))
            case "COPY":
                copied = read_copy(step.rest)
                source = roots[copied.stage] if copied.stage else context
                target = inside(root, str(Path(folder) / copied.target))
                into = copied.target.endswith("/") or len(copied.sources) > 1
                for one in copied.sources:
                    _copy(inside(source, one), target, copied.mode, into=into)
            case "RUN":
                quiet = {"DEBIAN_FRONTEND": "noninteractive"}
                command = ["sh", "-ec", f"cd {shlex.quote(folder)} && {step.rest}"]
                run_in(root, command, {**ways_out(), **environment, **quiet})
            case "VOLUME":
                inside(root, step.rest).mkdir(parents=True, exist_ok=True)


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


def _make_context(context: Path) -> Path:
    """Return a folder with what the engine would be given: what is tracked and not ignored."""
    empty(context)
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
        empty(folder)
    os.chown(media / "stick", USER, USER)
    port = free_port()
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
    with started(root, command, given, binds={"config": data, "media": media}) as process:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        expect("Uid", str(USER), status)
        expect("Gid", str(USER), status)
        expect("CapEff", "0" * 16, status)
        expect("NoNewPrivs", "1", status)
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


if __name__ == "__main__":
    sys.exit(main())
