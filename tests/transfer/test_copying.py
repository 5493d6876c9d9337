from __future__ import annotations

import errno
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest
import xxhash

from sidecar.domain.transfers.failures import FailureClass, TransferFailed
from sidecar.domain.transfers.response import may_be_resumed
from sidecar.errors import Stopped
from sidecar.transfer.copying import BLOCK, CopyFailed, Original, copy
from sidecar.transfer.engine import Receipt
from tests.patience import PATIENCE_S
from tests.transfer.conftest import Memory, PlainPart

BODY = bytes(range(251)) * 40_000
HASH = xxhash.xxh3_128_hexdigest(BODY)


class Pulled(io.BytesIO):
    """A file on a stick that is pulled after some bytes.

    Unlike a real one it fails at once and for ever; a real one may hang first.
    """

    def __init__(self, body: bytes, after: int) -> None:
        super().__init__(body)
        self._after = after

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= self._after:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


@dataclass
class Try:
    """Copies as a worker does: each attempt goes on from what the one before has left."""

    place: Path
    part: PlainPart
    memory: Memory = field(default_factory=Memory)
    stop: Event = field(default_factory=Event)
    size: int = len(BODY)

    def __call__(self, file: BinaryIO | None = None) -> Receipt:
        with file or self.place.open("rb", buffering=0) as opened:
            original = Original(
                file=opened, size=self.size, content_hash=HASH, mime_type="audio/flac"
            )
            return copy(original, self.part, self.memory, self.stop, held=self.memory.held)

    def content(self) -> bytes:
        return self.part.path.read_bytes()


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Try]:
    place = tmp_path / "original"
    place.write_bytes(BODY)
    yield Try(place, PlainPart(tmp_path / "1.part"))
    assert place.exists()


def test_a_whole_copy_is_vouched_for_by_its_hash(attempt: Try) -> None:
    assert attempt() == Receipt(len(BODY), HASH, "audio/flac", 0)

    assert attempt.content() == BODY
    assert attempt.memory.opened_at == [0]
    assert attempt.memory.moves[-1] == len(BODY)


def test_it_goes_on_after_what_is_there_already(attempt: Try) -> None:
    attempt.part.path.write_bytes(BODY[: 3 * BLOCK] + b"junk that nobody counted")
    attempt.memory.held = 3 * BLOCK

    attempt()

    assert attempt.memory.opened_at == [3 * BLOCK]
    assert attempt.memory.moves[0] == 4 * BLOCK
    assert attempt.content() == BODY


def test_no_transfer_of_jellyfin_s_is_ever_glued_to_it(attempt: Try) -> None:
    attempt.memory.on_move = lambda _held: attempt.stop.set()
    with pytest.raises(Stopped):
        attempt()

    assert attempt.memory.held == BLOCK
    assert not may_be_resumed(attempt.memory.validator, attempt.memory.held)


def test_a_stop_is_honoured_within_one_block_and_loses_nothing(attempt: Try) -> None:
    def stop(held: int) -> None:
        if held == 3 * BLOCK:
            attempt.stop.set()

    attempt.memory.on_move = stop

    with pytest.raises(Stopped):
        attempt()

    assert attempt.memory.held == 3 * BLOCK
    assert attempt.content() == BODY[: 3 * BLOCK]
    attempt.stop.clear()
    assert attempt().content_hash == HASH


@pytest.mark.parametrize(
    "body",
    [
        b"",
        BODY[:-1],
        BODY[:BLOCK],
        b"\x01" + BODY[1:],
        BODY[:-1] + b"\x01",
        BODY[:5_000_000] + bytes(1) + BODY[5_000_001:],
    ],
)
def test_what_is_not_what_arrived_leaves_an_empty_part(attempt: Try, body: bytes) -> None:
    attempt.place.write_bytes(body)

    with pytest.raises(CopyFailed):
        attempt()

    assert attempt.content() == b""
    assert (attempt.memory.held, attempt.memory.opened_at[-1]) == (0, 0)


def test_a_part_that_is_no_beginning_of_it_is_emptied(attempt: Try) -> None:
    attempt.part.path.write_bytes(bytes(BLOCK))
    attempt.memory.held = BLOCK

    with pytest.raises(CopyFailed, match="hash"):
        attempt()

    assert attempt.content() == b""
    assert attempt().content_hash == HASH


def test_a_part_that_is_longer_than_the_file_is_cut(attempt: Try) -> None:
    attempt.part.path.write_bytes(BODY + b"more")
    attempt.memory.held = len(BODY) + 4

    assert attempt().size == len(BODY)
    assert attempt.content() == BODY


@pytest.mark.parametrize("after", [0, BLOCK, 5 * BLOCK])
def test_a_stick_that_is_pulled_meanwhile_leaves_an_empty_part(attempt: Try, after: int) -> None:
    with pytest.raises(CopyFailed, match="Input/output error"):
        attempt(Pulled(BODY, after))

    assert attempt.content() == b""
    assert attempt.memory.held == 0


class NoPart(PlainPart):
    """A part that cannot be made."""

    def open(self) -> BinaryIO:
        raise OSError(errno.EROFS, "Read-only file system")


def test_trouble_of_its_own_device_is_not_blamed_on_the_other(attempt: Try) -> None:
    attempt.part = NoPart(attempt.part.path)

    with pytest.raises(TransferFailed) as caught:
        attempt()

    assert (caught.value.failure.kind, caught.value.failure.code) == (
        FailureClass.DEVICE,
        "read-only",
    )


def test_a_part_that_somebody_deletes_meanwhile_is_noticed(attempt: Try) -> None:
    attempt.memory.on_move = lambda _held: attempt.part.path.unlink(missing_ok=True)

    with pytest.raises(TransferFailed, match="deleted"):
        attempt()


KILLED = """
import json, os, signal, sys
from pathlib import Path
from threading import Event
from sidecar.transfer.copying import Original, copy
from tests.transfer.conftest import Memory, PlainPart

place, part, note, size, content_hash = sys.argv[1:]

class Diary(Memory):
    def synced(self, held):
        Path(note).write_text(json.dumps(held))

def die(held):
    if held >= 9_000_000:
        os.kill(os.getpid(), signal.SIGKILL)

with open(place, "rb", buffering=0) as file:
    original = Original(file=file, size=int(size), content_hash=content_hash, mime_type=None)
    copy(original, PlainPart(Path(part)), Diary(on_move=die), Event(), held=0)
"""


def test_after_a_kill_it_goes_on_from_what_was_said_to_be_there(
    attempt: Try, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    died = subprocess.run(
        [
            *(sys.executable, "-c", KILLED, str(attempt.place), str(attempt.part.path)),
            *(str(note), str(len(BODY)), HASH),
        ],
        cwd=Path(__file__).parents[2],
        timeout=PATIENCE_S,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    attempt.memory.held = json.loads(note.read_text())
    assert 0 < attempt.memory.held < len(BODY)

    receipt = attempt()

    assert receipt.content_hash == HASH
    assert attempt.memory.opened_at[0] > 0
    assert attempt.content() == BODY
