"""Turns operating system errors on a device into `DeviceError`s with a message for people."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sidecar.errors import DeviceError
from sidecar.messages import msg

_MEANING = {
    errno.ENOSPC: (
        "full",
        msg("{name} is full, or holds as many files as it can: its queue waits"),
    ),
    errno.EDQUOT: ("full", msg("The quota on {name} is used up: its queue waits for room")),
    errno.EROFS: (
        "read-only",
        msg("{name} at {path} is read-only: unlock it, or check it for damage; then it goes on"),
    ),
    errno.EFBIG: ("too-big", msg("{name} cannot hold a file this big")),
    errno.EACCES: (
        "no-permission",
        msg("The sidecar may not read and write {name} at {path}: give its user the right to"),
    ),
    errno.EPERM: (
        "no-permission",
        msg("The sidecar may not read and write {name} at {path}: give its user the right to"),
    ),
}
_GONE = frozenset(
    {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ENOTDIR}
)
# Writing to a device that is being unplugged fails with these as well.
MAYBE_GONE = _GONE | {errno.EIO}


def device_error(error: OSError, *, name: str, path: Path) -> DeviceError:
    """Return the `DeviceError` for an operating system error.

    Args:
        error: The operating system's error.
        name: The device's name.
        path: Where its folder should be.
    """
    if error.errno in _GONE:
        return device_missing(name, path)
    if error.errno in _MEANING:
        code, text = _MEANING[error.errno]
        return DeviceError(code, text.format(name=name, path=path))
    reason = error.strerror or msg("unknown error")
    text = msg(
        "{name} at {path} does not work as it should ({reason}): check it for damage",
        name=name,
        path=path,
        reason=reason,
    )
    return DeviceError("broken", text)


def device_missing(name: str, path: Path) -> DeviceError:
    """Return the `DeviceError` for a device that is not attached."""
    text = msg("{name} is not at {path}: plug it in and it goes on by itself", name=name, path=path)
    return DeviceError("missing", text)


@contextmanager
def as_device_error(name: str, path: Path) -> Iterator[None]:
    """Turn every operating system error inside into a `DeviceError`."""
    try:
        yield
    except OSError as error:
        raise device_error(error, name=name, path=path) from error
