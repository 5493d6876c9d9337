"""Finds an ffmpeg that can make the demo's media, and runs it so that it can be stopped.

Looks for the system's `ffmpeg` first, then for the one inside the package imageio-ffmpeg.
It never downloads anything.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Event

ENCODERS = ("flac", "libmp3lame", "libopus", "aac", "libx264", "mjpeg")
"""Every encoder that the recipes need."""

_LOOK_AT_STOP_S = 0.2
_LONGEST_RUN_S = 300.0
# A terminal's Ctrl-C goes to a whole group: it is we who end ffmpeg, or its end looks like a fault.
_OWN_GROUP = 0


class MediaError(Exception):
    """The demo's media cannot be made; `str()` is a sentence for people."""


class FfmpegMissing(MediaError):
    """There is no ffmpeg, or none with the encoders we need."""


class FfmpegFailed(MediaError):
    """ffmpeg failed to make one file; says which, and what ffmpeg reported."""


class MediaCancelled(MediaError):
    """Making the media was stopped; the next call continues it."""


def bundled_ffmpeg() -> str | None:
    """Return the path of imageio-ffmpeg's program, or None if the package is not installed."""
    try:
        # An optional dependency: only here is it known whether it is there.
        package = import_module("imageio_ffmpeg")
        return str(package.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def system_ffmpeg() -> str | None:
    """Return the path of the `ffmpeg` on the PATH, or None."""
    return shutil.which("ffmpeg")


def find_ffmpeg(
    named: str | None = None,
    *,
    places: Sequence[Callable[[], str | None]] = (system_ffmpeg, bundled_ffmpeg),
) -> str:
    """Return the first ffmpeg that has all `ENCODERS`.

    Args:
        named: The only program to consider, if given.
        places: Where to look otherwise, best first.

    Raises:
        FfmpegMissing: None was found; says what to install.
    """
    seen: list[str] = []
    for place in (lambda: named,) if named else places:
        program = place()
        if program is None:
            continue
        lacking = _missing_encoders(program)
        if not lacking:
            return program
        seen.append(f"{program} cannot be used: {lacking}")
    found = "; ".join(seen) if seen else "there is none on this machine"
    raise FfmpegMissing(
        f"The demo makes its own music with ffmpeg, but {found}. Install ffmpeg with the "
        "system's package manager (on Debian: apt install ffmpeg) or the Python package "
        "imageio-ffmpeg (pip install 'jellyfin-sidecar[demo]'), then start the demo again."
    )


def run_ffmpeg(program: str, arguments: Sequence[str], *, what: str, stop: Event) -> None:
    """Run ffmpeg to its end.

    Args:
        program: Its path.
        arguments: What follows the common ones (quiet, overwrite, no console).
        what: The file's name, for messages.
        stop: Ends the run within a fraction of a second when set.

    Raises:
        FfmpegFailed: It ended with an error or took longer than five minutes.
        MediaCancelled: `stop` was set.
    """
    common = ("-hide_banner", "-nostdin", "-loglevel", "error", "-y")
    with subprocess.Popen(  # noqa: S603 -- a program the person chose or installed, no shell
        [program, *common, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=_OWN_GROUP,
    ) as running:
        try:
            said = _wait(running, stop)
        finally:
            running.kill()
    if said is None and stop.is_set():
        raise MediaCancelled("The demo's music is not finished; the next start goes on with it")
    if said is None:
        raise FfmpegFailed(f"ffmpeg could not make {what}: it took longer than five minutes")
    if running.returncode != 0:
        last_words = said.strip().rpartition("\n")[2] or f"it ended with {running.returncode}"
        raise FfmpegFailed(f"ffmpeg could not make {what}: {last_words}")


def _wait(running: subprocess.Popen[bytes], stop: Event) -> str | None:
    """Return ffmpeg's error output, or None if it had to be killed."""
    for _ in range(round(_LONGEST_RUN_S / _LOOK_AT_STOP_S)):
        if stop.is_set():
            return None
        try:
            return running.communicate(timeout=_LOOK_AT_STOP_S)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            continue
    return None


def _missing_encoders(program: str) -> str:
    """Return why this program cannot be used, or an empty string."""
    try:
        listed = subprocess.run(  # noqa: S603 -- the same program, asked what it can
            [program, "-hide_banner", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=30,
            process_group=_OWN_GROUP,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return reason or "it does not answer as ffmpeg does"
    known = {line.split()[1] for line in listed.splitlines() if len(line.split()) > 1}
    missing = [name for name in ENCODERS if name not in known]
    return f"it has no encoder {', '.join(missing)}" if missing else ""
