from __future__ import annotations

import errno
import os

import pytest

from sidecar.device.errors import device_error

CODES = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read-only",
    errno.EFBIG: "too-big",
    errno.EACCES: "no-permission",
    errno.EPERM: "no-permission",
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.ENODEV: "missing",
    errno.ENXIO: "missing",
    errno.ENOTCONN: "missing",
    errno.ESTALE: "missing",
    errno.EIO: "broken",
    errno.EUCLEAN: "broken",
}


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_each_error_of_the_system_is_one_trouble_in_plain_words(number: int, code: str) -> None:
    error = OSError(number, os.strerror(number), "/media/car/secret name.flac")

    trouble = device_error(error, "Car stick")

    assert trouble.code == code
    assert "Car stick" in str(trouble)
    assert "Errno" not in str(trouble)


def test_an_error_without_a_number_is_told_as_well() -> None:
    trouble = device_error(OSError("odd"), "Car stick")

    assert trouble.code == "broken"
