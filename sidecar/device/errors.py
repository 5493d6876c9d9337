"""Turns operating system errors on a device into `DeviceError`s with a message for people."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

from sidecar.errors import DeviceError
from sidecar.messages import msg

_MEANING = {
    errno.ENOSPC: (
        "full",
        msg("{name} is full, or holds as many files as it can: its queue waits"),
    ),
    errno.EDQUOT: ("full", msg("The quota on {name} is used up: its queue waits for space")),
    errno.EROFS: (
        "read-only",
        msg("{name} is read-only: unlock it, or check it for damage; then it goes on"),
    ),
    errno.EFBIG: ("too-big", msg("{name} cannot hold a file this big")),
    errno.EACCES: (
        "no-permission",
        msg("The sidecar may not read and write {name}: an admin must give its user the right to"),
    ),
    errno.EPERM: (
        "no-permission",
        msg("The sidecar may not read and write {name}: an admin must give its user the right to"),
    ),
}
_GONE = frozenset(
    {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ENOTDIR}
)
# Writing to a device that is being unplugged fails with these as well.
MAYBE_GONE = _GONE | {errno.EIO}


def device_error(error: OSError, name: str) -> DeviceError:
    """Return the `DeviceError` for an operating system error.

    Args:
        error: The operating system's error.
        name: The device's name. Where it is mounted is not for everybody.
    """
    if error.errno in _GONE:
        return device_missing(name)
    if error.errno in _MEANING:
        code, text = _MEANING[error.errno]
        return DeviceError(code, text.format(name=name))
    reason = error.strerror or msg("unknown error")
    text = msg(
        "{name} does not work as it should ({reason}): check it for damage",
        name=name,
        reason=reason,
    )
    return DeviceError("broken", text)


def named_error(code: str, name: str) -> DeviceError | None:
    """Return the error of a code as a check of the device would say it; None for other codes."""
    if code == "missing":
        return device_missing(name)
    text = next((one for known, one in _MEANING.values() if known == code), None)
    return None if text is None else DeviceError(code, text.format(name=name))


def device_missing(name: str) -> DeviceError:
    """Return the `DeviceError` for a device that is not attached."""
    text = msg("{name} is not there: plug it in and it goes on by itself", name=name)
    return DeviceError("missing", text)


def as_device_error(name: str) -> Explained:
    """Turn every operating system error inside into a `DeviceError`."""
    return Explained(partial(device_error, name=name))


class Explained:
    """Makes `DeviceError`s of operating system errors in its block. A class: see `open_folder`."""

    __slots__ = ("_explain",)

    def __init__(self, explain: Callable[[OSError], DeviceError]) -> None:
        self._explain = explain

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise a `DeviceError` in place of the operating system's."""
        if isinstance(error, OSError):
            raise self._explain(error) from error
