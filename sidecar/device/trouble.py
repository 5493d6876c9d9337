"""What an operating system error on a device means, as one sentence for people."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sidecar.errors import DeviceTrouble

_MEANING = {
    errno.ENOSPC: ("full", "{name} is full: its queue waits for room"),
    errno.EDQUOT: ("full", "The quota on {name} is used up: its queue waits for room"),
    errno.EROFS: ("read-only", "{name} is read-only: it may be locked, or damaged"),
    errno.EFBIG: ("too-big", "{name} cannot hold a file this big"),
    errno.EACCES: ("no-permission", "The sidecar may not write to {name} at {path}"),
    errno.EPERM: ("no-permission", "The sidecar may not write to {name} at {path}"),
}
_GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ENOTDIR}


def device_trouble(error: OSError, *, name: str, path: Path) -> DeviceTrouble:
    """Return the trouble that stands for this error."""
    if error.errno in _GONE:
        return missing(name, path)
    if error.errno in _MEANING:
        code, text = _MEANING[error.errno]
        return DeviceTrouble(code, text.format(name=name, path=path))
    reason = error.strerror or "unknown error"
    return DeviceTrouble("broken", f"{name} does not work as it should ({reason}): check it")


def missing(name: str, path: Path) -> DeviceTrouble:
    """Return the trouble of a device that is not there."""
    text = f"{name} is not at {path}: plug it in and it goes on by itself"
    return DeviceTrouble("missing", text)


@contextmanager
def told_as_trouble(name: str, path: Path) -> Iterator[None]:
    """Turn every operating system error inside into a `DeviceTrouble`."""
    try:
        yield
    except OSError as error:
        raise device_trouble(error, name=name, path=path) from error
