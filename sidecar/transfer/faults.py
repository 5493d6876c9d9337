"""Classifies exceptions of the network and the disk as failures of a download."""

from __future__ import annotations

import errno
import http.client
from collections.abc import Iterator

import requests
import urllib3.exceptions

from sidecar.domain.downloads.download import TOO_BIG
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.messages import Size, msg

_DISK = {
    errno.ENOSPC: ("full", msg("The device is full: its queue waits for space")),
    errno.EDQUOT: ("full", msg("The quota on the device is used up: its queue waits for space")),
    errno.EROFS: ("read-only", msg("The device is read-only: it may be locked, or damaged")),
    errno.EFBIG: (TOO_BIG, msg("The device cannot hold a file this big")),
    errno.EACCES: ("no-permission", msg("The sidecar may not write to the device")),
    errno.EPERM: ("no-permission", msg("The sidecar may not write to the device")),
    errno.ENODEV: ("missing", msg("The device is gone: plug it in and it goes on by itself")),
    errno.ENXIO: ("missing", msg("The device is gone: plug it in and it goes on by itself")),
    errno.ENOTCONN: ("missing", msg("The device is gone: plug it in and it goes on by itself")),
}
_NETWORK = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
)
_NOT_CONNECTED = (requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError)
_BROKEN = (
    requests.exceptions.ConnectionError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProtocolError,
)


def is_of_the_network(error: BaseException) -> bool:
    """Whether an exception comes from the connection and not from the disk."""
    return isinstance(error, _NETWORK)


def classify_network_error(error: BaseException, host: str, *, in_body: bool) -> Failure:
    """Return the failure for an exception of the connection.

    Args:
        error: As requests or urllib3 raised it.
        host: Name of the server, for the message.
        in_body: Whether the response had begun: then only this connection is lost.
    """
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        text = msg("The certificate of {host} cannot be trusted", host=host)
        return Failure(FailureClass.BLOCKED, "certificate", text)
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        if isinstance(error, _NOT_CONNECTED):
            text = msg("{host} does not answer", host=host)
            return Failure(FailureClass.SERVER_AWAY, "unreachable", text)
        return Failure(FailureClass.TRANSIENT, "silent", msg("{host} went silent", host=host))
    if not in_body and isinstance(error, _BROKEN):
        return _classify_before_answer(error, host)
    text = msg("The connection to {host} broke", host=host)
    return Failure(FailureClass.TRANSIENT, "reset", text)


def _classify_before_answer(error: BaseException, host: str) -> Failure:
    causes = list(_walk_causes(error))
    if any(isinstance(one, ConnectionResetError) for one in causes):
        text = msg("{host} broke the connection before it answered", host=host)
        return Failure(FailureClass.TRANSIENT, "reset", text)
    if any(isinstance(one, http.client.HTTPException) for one in causes):
        text = msg("{host} answered something that is not a web server's answer", host=host)
        return Failure(FailureClass.TRANSIENT, "odd-answer", text)
    return Failure(
        FailureClass.SERVER_AWAY, "unreachable", msg("{host} cannot be reached", host=host)
    )


def classify_disk_error(error: OSError) -> Failure:
    """Return the failure for an exception of the part file's disk."""
    code, text = _DISK.get(
        error.errno or 0, ("broken", msg("The device does not work as it should: check it"))
    )
    # Only this concerns the one file: the others go on.
    kind = FailureClass.REFUSED if code == TOO_BIG else FailureClass.DEVICE
    return Failure(kind, code, text)


def short_body_error(host: str, held: int, total: int | None) -> TransferFailed:
    """Return the failure for a body that ended too early."""
    text = msg("{host} stopped after {held}", host=host, held=Size(held))
    if total is not None:
        text = msg(
            "{host} stopped after {held} of {total}", host=host, held=Size(held), total=Size(total)
        )
    return TransferFailed(Failure(FailureClass.TRANSIENT, "short-body", text))


def part_vanished_error() -> TransferFailed:
    """Return the failure for a part file that was deleted while it was written."""
    text = msg("The part file was deleted from the device while it was written")
    return TransferFailed(Failure(FailureClass.CHANGED, "part-vanished", text))


def _walk_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those in its arguments, where requests and urllib3 put causes."""
    yield error
    for inner in error.args:
        if isinstance(inner, BaseException):
            yield from _walk_causes(inner)
