"""The finish, as the kernel sees it, and what a kill at each of its steps leaves behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from tests.device.examples import STICK, everything, filled, made
from tests.device.tracing import needs_strace, traced

pytestmark = needs_strace

SONG = "Artist/Album/Song.flac"
BODY = b"a whole song" * 1000
FINISH = """
import sys
from dataclasses import replace
from pathlib import Path
from sidecar.device.filesystem import FileSystem
from sidecar.device.folder import DeviceFolder
folder = DeviceFolder(Path(sys.argv[1]), sys.argv[2], name="Car stick")
folder.attach()
if "fat" in sys.argv:
    held = folder._anchor._held
    folder._anchor._held = replace(held, file_system=FileSystem("vfat"))
folder.finish(folder.part(17), sys.argv[3])
"""


def with_part(root: Path) -> Path:
    root.mkdir(exist_ok=True)
    folder = made(root)
    filled(folder, 17, BODY)
    folder.close()
    return root


def recovered(root: Path) -> DeviceFolder:
    """Do what is done for a finish that was interrupted, by the two names it may have."""
    folder = DeviceFolder(root, STICK, name="Car stick")
    folder.attach()
    part, there = folder.part(17), folder.stat(SONG)
    if there is not None and there.size == len(BODY):
        folder.sync(SONG)
        part.remove()
    elif part.size() == len(BODY):
        folder.finish(part, SONG)
    return folder


def test_the_file_is_synced_again_under_its_final_name(root: Path) -> None:
    with_part(root)

    trace = traced(FINISH, root, STICK, SONG)

    assert trace.code == 0
    assert trace.steps == [
        "mkdir",
        "mkdir",
        "rename",
        "fsync Song.flac",
        "fsync Album",
        "fsync stick",
        "fsync Artist",
    ]


def test_only_folders_that_were_made_are_synced_above_the_file(root: Path) -> None:
    (root / "Artist" / "Album").mkdir(parents=True)
    with_part(root)

    trace = traced(FINISH, root, STICK, SONG)

    assert [step for step in trace.steps if step.startswith("fsync")] == [
        "fsync Song.flac",
        "fsync Album",
    ]


def test_on_fat_the_old_name_leaves_the_disk_before_the_new_one_lasts(root: Path) -> None:
    (root / "Artist" / "Album").mkdir(parents=True)
    with_part(root)

    trace = traced(FINISH, root, STICK, SONG, "fat")

    assert trace.steps[-4:] == ["rename", "fsync parts", "fsync Song.flac", "fsync Album"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "faults",
    [
        [],
        ["renameat2:error=EINVAL"],
        ["renameat2:error=ENOSYS", "linkat:error=EPERM"],
    ],
    ids=["exclusive rename", "links", "neither"],
)
def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(
    tmp_path: Path, faults: list[str]
) -> None:
    whole = traced(FINISH, with_part(tmp_path / "whole"), STICK, SONG, inject=faults)
    assert whole.code == 0
    assert everything(tmp_path / "whole")[SONG] == BODY
    assert list((tmp_path / "whole" / ".sidecar" / "parts").iterdir()) == []

    for number in range(len(whole.calls)):
        root = with_part(tmp_path / str(number))
        faults_and_death = [*faults, whole.kill_before(number)]
        killed = traced(FINISH, root, STICK, SONG, inject=faults_and_death)
        assert killed.code == -signal.SIGKILL

        # Whoever comes first to put it in order may be killed as well.
        recovered(root).close()
        folder = recovered(root)

        assert everything(root) == {"Artist": "folder", "Artist/Album": "folder", SONG: BODY}
        assert folder.parts() == []
        folder.close()


@pytest.mark.parametrize(
    "faults",
    [["renameat2:error=EINVAL"], ["renameat2:error=EINVAL", "linkat:error=EPERM"]],
    ids=["links", "neither"],
)
def test_a_name_is_never_taken_without_the_exclusive_rename_either(
    root: Path, faults: list[str]
) -> None:
    with_part(root)
    (root / SONG).parent.mkdir(parents=True)
    (root / SONG).write_bytes(b"theirs")

    trace = traced(FINISH, root, STICK, SONG, inject=faults)

    assert trace.code == 1
    assert everything(root)[SONG] == b"theirs"
    assert (root / ".sidecar" / "parts" / "17.part").read_bytes() == BODY


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("fsync:error=EIO:when=1", "broken"),
        ("renameat2:error=EIO", "broken"),
        ("renameat2:error=ENOSPC", "full"),
        ("renameat2:error=EROFS", "read-only"),
        ("mkdirat:error=EDQUOT:when=1", "full"),
        ("renameat2:error=EACCES", "no-permission"),
    ],
)
def test_a_finish_that_fails_says_why_and_is_never_taken_for_done(
    root: Path, fault: str, code: str
) -> None:
    with_part(root)
    told = "\ntry: folder.finish(folder.part(17), sys.argv[3])\n"
    told += "except Exception as trouble: raise SystemExit(trouble.code != sys.argv[4])\n"
    program = FINISH.replace("\nfolder.finish(folder.part(17), sys.argv[3])\n", told)

    program += "raise SystemExit(2)"
    assert traced(program, root, STICK, SONG, code, inject=[fault]).code == 0

    folder = recovered(root)
    assert everything(root)[SONG] == BODY
    folder.close()


@pytest.mark.parametrize(
    ("times", "raised"), [("when=1", "DeviceError"), ("when=1..2", "NotCertain")]
)
def test_a_link_whose_old_name_stays_is_taken_back_or_told_of(
    root: Path, times: str, raised: str
) -> None:
    with_part(root)
    told = "\ntry: folder.finish(folder.part(17), sys.argv[3])\n"
    told += "except Exception as trouble: raise SystemExit(type(trouble).__name__ != sys.argv[4])\n"
    program = FINISH.replace("\nfolder.finish(folder.part(17), sys.argv[3])\n", told)
    faults = ["renameat2:error=EINVAL", f"unlinkat:error=EIO:{times}"]

    trace = traced(f"{program}raise SystemExit(2)", root, STICK, SONG, raised, inject=faults)

    assert trace.code == 0
    assert (SONG in everything(root)) == (raised == "NotCertain")
    folder = recovered(root)
    assert everything(root)[SONG] == BODY
    assert folder.parts() == []
    folder.close()


@pytest.mark.parametrize(("fault", "code"), [("fsync:error=EIO", 0), ("rmdir:error=EIO", 1)])
def test_a_distrusted_disk_is_trusted_only_after_a_write_that_lasts(
    root: Path, fault: str, code: int
) -> None:
    with_part(root)
    program = FINISH.replace(
        "folder.finish(folder.part(17), sys.argv[3])", "folder.require_write_test()"
    )
    program += (
        "try: folder.check()\n"
        "except Exception as trouble: raise SystemExit(trouble.code != 'broken')\n"
        "raise SystemExit(1)"
    )

    assert traced(program, root, STICK, SONG, inject=[fault]).code == code
    assert sorted(path.name for path in (root / ".sidecar").iterdir()) == [
        "device.json",
        "lock",
        "parts",
    ]
