"""The lock that lets one sidecar at a time use a device; the kernel drops it with its holder."""

from __future__ import annotations

import errno
import fcntl
import logging
import os

from sidecar.device import tree

log = logging.getLogger(__name__)

LOCK = "lock"
_NOT_HERE = frozenset({errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})


def take(ours: int) -> int | None:
    """Take the lock in an open `.sidecar` folder.

    A file system without locks, as some network file systems are, is used without one.

    Returns:
        The descriptor that holds the lock until it is closed; None if another sidecar has it.

    Raises:
        OSError: The lock file cannot be made.
    """
    descriptor = tree.open_file(LOCK, ours, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        if error.errno not in _NOT_HERE:
            os.close(descriptor)
            raise
        log.warning("this file system has no locks: run only one sidecar on it")
    return descriptor
