from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.device import tree

# No kernel has a call of this number.
NO_CALL = 9999


@pytest.fixture(params=["at once", "part by part"])
def handle(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """Yield a folder with others in it, on a kernel that knows `openat2` and on one that does not.

    In it: `A/B`, a file `A/file`, a link `A/link` to `A/B`, and a link `out` to the folder above.
    """
    root = tmp_path / "root"
    (root / "A" / "B").mkdir(parents=True)
    (root / "A" / "file").touch()
    (root / "A" / "link").symlink_to("B")
    (root / "out").symlink_to("..")
    if request.param == "part by part":
        monkeypatch.setattr(tree, "_OPENAT2", NO_CALL)
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    yield handle
    os.close(handle)


def test_a_folder_below_is_opened_and_closed(handle: int) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with tree.open_folder(handle, ("A", "B")) as below:
        assert os.path.samestat(os.fstat(below), os.stat("A/B", dir_fd=handle))
        assert not os.get_inheritable(below)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        (("A", "link"), NotADirectoryError),
        (("A", "link", "more"), NotADirectoryError),
        (("out", "root"), NotADirectoryError),
        (("A", "file"), NotADirectoryError),
        (("A", "nothing"), FileNotFoundError),
        (("nothing", "B"), FileNotFoundError),
        (("A", "x" * 300), OSError),
    ],
)
def test_no_link_is_followed_and_what_is_not_there_is_said_alike(
    handle: int, parts: tuple[str, ...], error: type[OSError]
) -> None:
    with pytest.raises(error), tree.open_folder(handle, parts):
        pass


def test_what_is_missing_is_made(handle: int) -> None:
    with tree.make_folder(handle, ("A", "C", "D")) as (below, made):
        assert [*os.scandir(below)] == []
    assert made == ["A/C", "A/C/D"]
    with tree.make_folder(handle, ("A", "C", "D")) as (_, made):
        assert made == []
