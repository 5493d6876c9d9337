"""A player's file is the old one or the new one, wherever its replacement is cut off."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.errors import DeviceError

# All that the replacement asks of the kernel to write, by Python's names.
CALLS = ("open", "fsync", "unlink", "replace", "rename", "link")
OLD, NEW = b">0;0;0;0;5;0;0;/a/;b\n", b">0;0;0;0;9;0;0;/a/;b\n" * 400


P = ParamSpec("P")
T = TypeVar("T")


class Killed(BaseException):
    """The process ends here."""


class Kernel:
    """Counts the calls, and ends or refuses the one with this number."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, trouble: BaseException | None) -> None:
        self.calls = 0
        self._at = at
        self._trouble = trouble
        for name in CALLS:
            patch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, real: Callable[P, T]) -> Callable[P, T]:
        def call(*args: P.args, **options: P.kwargs) -> T:
            self.calls += 1
            if self.calls == self._at and self._trouble is not None:
                raise self._trouble
            return real(*args, **options)

        return call


def replace(
    folder: DeviceFolder,
    before: bytes | None,
    patch: pytest.MonkeyPatch,
    at: int = 0,
    trouble: BaseException | None = None,
) -> int:
    """Replace the file while a call is cut off; return how many calls there were."""
    with patch.context() as inside:
        kernel = Kernel(inside, at, trouble)
        folder.player_files.replace("Book.bmark", before, NEW)
    return kernel.calls


@pytest.mark.parametrize("before", [OLD, None])
def test_it_is_whole_after_each_death_and_the_next_time_it_is_replaced(
    folder: DeviceFolder, root: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    file = root / "Book.bmark"

    def begin() -> None:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)

    def there() -> bytes | None:
        return file.read_bytes() if file.exists() else None

    begin()
    calls = replace(folder, before, monkeypatch)
    assert calls >= 5
    assert there() == NEW
    seen = set()
    for at in range(1, calls + 1):
        begin()
        with pytest.raises(Killed):
            replace(folder, before, monkeypatch, at, Killed())
        seen.add(there())
        assert there() in {before, NEW}, at
        replace(folder, there(), monkeypatch)
        assert there() == NEW
        assert [one.name for one in root.iterdir() if not one.name.startswith(".")] == [file.name]
    assert seen == {before, NEW}


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "full"), (errno.EROFS, "read-only"), (errno.EIO, None)]
)
def test_what_a_stick_refuses_leaves_the_file_as_it_was_and_says_why(
    folder: DeviceFolder, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str | None
) -> None:
    file = root / "Book.bmark"
    file.write_bytes(OLD)
    calls = replace(folder, OLD, monkeypatch)

    for at in range(1, calls + 1):
        file.write_bytes(OLD)
        with pytest.raises(DeviceError) as refused:
            replace(folder, OLD, monkeypatch, at, OSError(number, os.strerror(number)))
        assert code in {None, refused.value.code}, at
        assert file.read_bytes() in {OLD, NEW}, at
    replace(folder, file.read_bytes(), monkeypatch)
    assert file.read_bytes() == NEW
