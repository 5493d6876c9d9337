"""Tags that Jellyfin knows better come into the file on the device: atomically, and noted."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import peewee
import pytest
import xxhash
from pydantic import ByteSize

from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.adoption.restore import read_manifest
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.formats.formats import ORIGINAL, TAGGED, name_for
from sidecar.domain.formats.tags import Tags
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import JellyfinError, NotFound, ServerAway, SignedOut
from sidecar.events import DeviceChanged, DownloadChanged
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.generated_files.index import MANIFEST, IndexWriter
from sidecar.services.health.problems import Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.finishing.finish import Finisher
from sidecar.services.transfers.finishing.tag_completion import TagCompletion, TagCompletionParts
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.files.completed import CompletedFiles
from sidecar.transfer.engine import Receipt
from sidecar.transfer.tagging.completer import TagCompleter
from sidecar.transfer.tagging.wishes import TagWishes
from tests.fakes.media.mutagens import FLAC
from tests.fakes.media.sounds import ffmpeg
from tests.services.conftest import ANN, STICK, World, track
from tests.statements import trace

OWN = {"title": "Caf\ufffd", "artist": "Anna", "comment": "mine"}
KNOWN: Tags = {
    "title": ("Café",),
    "artist": ("Somebody else",),
    "album": ("Light",),
    "tracknumber": ("1",),
}


def music(path: Path, tags: dict[str, str]) -> bytes:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5", "-fflags", "+bitexact", str(path))
    flac = FLAC(path)
    flac.delete()
    flac.update(tags)
    flac.save()
    return path.read_bytes()


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("bodies")
    whole = {"title": "T", "artist": "A", "album": "B", "tracknumber": "1"}
    return {"broken": music(folder / "a.flac", OWN), "whole": music(folder / "b.flac", whole)}


@dataclass
class Bench:
    """A device whose files' tags may be completed, and what does that there."""

    world: World
    stick: Path
    completes: bool = True
    known: Tags = field(default_factory=lambda: KNOWN)
    is_there: bool = True
    trouble: JellyfinError | None = None
    claims: Claims = field(default_factory=Claims)

    def __post_init__(self) -> None:
        world = self.world
        self.registry = DeviceRegistry(
            [DeviceSettings(name="Car stick", path=self.stick, reserve=ByteSize(0))],
            devices=world.devices,
            downloads=world.downloads,
            problems=Problems(world.bus),
            clock=world.clock,
            current=lambda _id, one: one.with_changes({"complete_tags": self.completes}),
        )
        self.registry.look(settle=lambda _device: None)
        self.completer = TagCompleter(SystemClock())
        self.finishing = Finisher(
            world.downloads,
            wanted=lambda one: self.format_of(STICK, one.item_type),
            wishes=self.wishes,
            completer=self.completer,
        )
        self.completion = TagCompletion(
            TagCompletionParts(
                registry=self.registry,
                downloads=world.downloads,
                store=FormatStore(world.db),
                claims=self.claims,
                completer=self.completer,
                of=self.format_of,
                wishes=self.wishes,
                server_is_there=lambda: self.is_there,
                bus=world.bus,
                clock=world.clock,
            )
        )

    def format_of(self, _device_id: str, item_type: str) -> str:
        return name_for(None, item_type, completes_tags=self.completes)

    def wishes(self, _device: AttachedDevice, _download: Download) -> TagWishes:
        return TagWishes(known=self.ask)

    def ask(self) -> Tags:
        if self.trouble is not None:
            raise self.trouble
        return self.known

    @property
    def device(self) -> AttachedDevice:
        return self.registry.get(STICK)

    def arrived(self, body: bytes) -> Download:
        item = track(1, size=len(body), seconds=0.5)
        planning = WishService(
            self.world.db,
            self.world.holds,
            self.world.downloads,
            self.world.clock,
            format_of=self.format_of,
        )
        reason = Reason("favourites", item.id, "your favourite")
        planning.hold([Wish(ANN, STICK, item, reason)], lambda _ids: {item.id: item})
        (claimed,) = self.world.downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        download = self.finishing.fresh(claimed)
        with self.device.folder.part(download.id).open() as file:
            file.write(body)
        receipt = Receipt(len(body), xxhash.xxh3_128_hexdigest(body), "audio/flac", len(body))
        ready = self.finishing.as_fetched(self.device, download, receipt, Event())
        assert self.finishing.finish(self.device, download, ready)
        return self.now(download)

    def now(self, download: Download) -> Download:
        found = self.world.downloads.queries.get(download.id)
        assert found is not None
        return found

    def file(self, download: Download) -> Path:
        return self.stick / download.file_path

    def everything(self) -> list[str]:
        """All files on the device but the marker and what is kept beside it."""
        files = (one for one in self.stick.rglob("*") if one.is_file())
        found = [one.relative_to(self.stick).as_posix() for one in files]
        return sorted(one for one in found if not one.startswith(".sidecar/") or "/parts/" in one)

    def is_noted(self, download: Download) -> bool:
        """Whether the row says of the file what it is: so no look takes it for a person's."""
        content = self.file(download).read_bytes()
        return (download.file_size, download.content_hash) == (
            len(content),
            xxhash.xxh3_128_hexdigest(content),
        )


@pytest.fixture
def bench(world: World, tmp_path: Path) -> Iterator[Bench]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    bench = Bench(world, stick)
    yield bench
    bench.registry.close()


def assert_whole_tags(path: Path) -> None:
    flac = FLAC(path)
    assert (flac["title"], flac["artist"], flac["comment"]) == (["Café"], ["Anna"], ["mine"])
    assert (flac["album"], flac["tracknumber"]) == (["Light"], ["1"])


def test_what_arrives_has_what_jellyfin_knows_where_its_own_is_amiss(
    bench: Bench, bodies: dict[str, bytes]
) -> None:
    there = bench.arrived(bodies["broken"])

    assert_whole_tags(bench.file(there))
    assert bench.is_noted(there)
    assert (there.format, there.is_converted) == (TAGGED, True)
    assert there.source_size == len(bodies["broken"])
    assert there.source_hash == xxhash.xxh3_128_hexdigest(bodies["broken"])
    assert bench.everything() == [there.file_path]


def test_a_file_that_lacks_nothing_stays_byte_for_byte(
    bench: Bench, bodies: dict[str, bytes]
) -> None:
    there = bench.arrived(bodies["whole"])

    assert bench.file(there).read_bytes() == bodies["whole"]
    assert (there.format, there.is_converted) == (TAGGED, False)
    assert bench.everything() == [there.file_path]


def test_without_the_setting_no_file_is_touched(bench: Bench, bodies: dict[str, bytes]) -> None:
    bench.completes = False
    there = bench.arrived(bodies["broken"])

    bench.completion.step()

    assert bench.file(there).read_bytes() == bodies["broken"]
    assert bench.now(there).format == ORIGINAL


def test_files_that_are_there_are_completed_in_their_place(
    bench: Bench, bodies: dict[str, bytes]
) -> None:
    bench.completes = False
    before = bench.arrived(bodies["broken"])
    bench.world.clock.advance(60)
    bench.completes = True
    bench.world.news.clear()

    bench.completion.step()

    there = bench.now(before)
    assert_whole_tags(bench.file(there))
    assert bench.is_noted(there)
    assert there.status is Status.COMPLETED
    assert there.file_path == before.file_path
    assert there.completed_at == bench.world.clock.now()
    assert (there.format, there.source_size) == (TAGGED, len(bodies["broken"]))
    assert bench.everything() == [there.file_path]
    assert bench.claims.busy() == []
    assert DeviceChanged(STICK) in bench.world.news
    content = bench.file(there).read_bytes()
    bench.completion.step()
    assert bench.file(there).read_bytes() == content


def test_to_complete_one_reads_its_row_once(bench: Bench, bodies: dict[str, bytes]) -> None:
    bench.completes = False
    before = bench.arrived(bodies["broken"])
    bench.completes = True
    said: list[str] = []
    trace(bench.world.db, said.append)

    bench.completion.step()

    trace(bench.world.db, None)
    assert_whole_tags(bench.file(before))
    reads = [one for one in said if one.startswith("SELECT") and f"id = {before.id}" in one]
    assert len(reads) == 1


def test_the_manifest_follows(bench: Bench, bodies: dict[str, bytes]) -> None:
    there = bench.arrived(bodies["broken"])
    index = IndexWriter(
        registry=bench.registry,
        on_device=CompletedFiles(bench.world.db),
        problems=Problems(bench.world.bus),
        server_id=lambda: "5" * 32,
        clock=bench.world.clock,
    )
    index.step(ending=True)

    (written,) = read_manifest((bench.stick / MANIFEST).read_bytes()).files

    assert (written.size, written.content_hash) == (there.file_size, there.content_hash)
    assert (written.format, written.source_size) == (TAGGED, len(bodies["broken"]))


def test_while_jellyfin_is_away_nothing_is_done(bench: Bench, bodies: dict[str, bytes]) -> None:
    bench.completes = False
    there = bench.arrived(bodies["broken"])
    bench.completes, bench.is_there = True, False

    bench.completion.step()

    assert bench.file(there).read_bytes() == bodies["broken"]


@pytest.mark.parametrize("trouble", [ServerAway("away"), NotFound("gone"), SignedOut("out")])
def test_what_jellyfin_cannot_be_asked_about_stays_as_it_is(
    bench: Bench, bodies: dict[str, bytes], trouble: JellyfinError
) -> None:
    bench.completes = False
    there = bench.arrived(bodies["broken"])
    bench.completes, bench.trouble = True, trouble

    bench.completion.step()

    assert bench.file(there).read_bytes() == bodies["broken"]
    assert bench.now(there) == there
    assert bench.everything() == [there.file_path]
    bench.trouble = None
    bench.completion.step()
    assert bench.now(there).is_converted is not isinstance(trouble, NotFound)


def test_what_a_person_changed_is_left_alone(bench: Bench, bodies: dict[str, bytes]) -> None:
    bench.completes = False
    there = bench.arrived(bodies["broken"])
    theirs = bodies["broken"].replace(b"mine", b"hers")
    bench.file(there).write_bytes(theirs)
    bench.completes = True

    bench.completion.step()

    assert bench.file(there).read_bytes() == theirs
    assert bench.now(there) == there
    assert bench.everything() == [there.file_path]


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_a_copy_that_cannot_get_the_name_leaves_the_row_with_the_file_that_stays(
    bench: Bench, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    bench.completes = False
    before = bench.arrived(bodies["broken"])
    bench.completes = True
    bench.world.clock.advance(60)
    with monkeypatch.context() as broken:
        refuse_renames(broken, code)
        bench.completion.step()

    assert bench.now(before) == before
    assert bench.file(before).read_bytes() == bodies["broken"]
    assert bench.is_noted(before)
    assert bench.everything() == [before.file_path]
    bench.registry.look(settle=lambda _device: None)
    bench.completion.step()
    assert_whole_tags(bench.file(before))
    assert bench.is_noted(bench.now(before))


def test_a_copy_that_has_the_name_and_cannot_be_synced_is_what_the_row_says(
    bench: Bench, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.completes = False
    before = bench.arrived(bodies["broken"])
    bench.completes = True
    rename = os.rename

    def rename_and_break(*names: str, src_dir_fd: int, dst_dir_fd: int) -> None:
        rename(*names, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        broken.setattr(os, "fsync", failing(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, "rename", rename_and_break)
        bench.completion.step()

    assert_whole_tags(bench.file(before))
    assert bench.is_noted(bench.now(before))
    assert bench.everything() == [before.file_path]


def test_a_copy_that_the_row_still_tells_of_is_kept_for_recovery(
    bench: Bench, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.completes = False
    before = bench.arrived(bodies["broken"])
    bench.completes = True
    with closing(sqlite3.connect(bench.world.db.path)) as other, monkeypatch.context() as broken:
        other.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON downloads WHEN NEW.source_size IS NULL"
            " BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        refuse_renames(broken, errno.ENOSPC)
        with pytest.raises(peewee.PeeweeException):
            bench.completion.step()
        other.execute("DROP TRIGGER refuse")

    DeviceRecovery(bench.world.downloads).reconcile(bench.device, [])

    assert_whole_tags(bench.file(before))
    assert bench.is_noted(bench.now(before))
    assert bench.everything() == [before.file_path]


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC])
def test_after_a_crash_a_copy_that_cannot_get_the_name_is_made_anew_later(
    bench: Bench, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    before = noted_before_a_crash(bench, bodies["broken"])
    recovery = DeviceRecovery(bench.world.downloads)
    with monkeypatch.context() as broken:
        refuse_renames(broken, code)
        recovery.reconcile(bench.device, [])

    assert bench.is_noted(bench.now(before))
    assert bench.everything() == [before.file_path]
    assert bench.file(before).read_bytes() == bodies["broken"]
    bench.completes = True
    bench.completion.step()
    assert_whole_tags(bench.file(before))
    assert bench.is_noted(bench.now(before))
    assert bench.everything() == [before.file_path]


def refuse_renames(patch: pytest.MonkeyPatch, code: int) -> None:
    patch.setattr(os, "rename", failing(code))


def failing(code: int) -> Callable[..., None]:
    def fail(*_names: object, **_folders: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def noted_before_a_crash(bench: Bench, body: bytes) -> Download:
    """Leave a copy beside its file, and a row that speaks of the copy; return the row before."""
    bench.completes = False
    before = bench.arrived(body)
    part = bench.device.folder.converted(before.id)
    with bench.device.folder.open(before.file_path) as file:
        wishes = TagWishes(known=lambda: KNOWN)
        made = bench.completer.complete(file, len(body), part, wishes, Event())
    assert made is not None
    assert bench.world.downloads.transitions.tags_completed(
        before,
        size=made.size,
        content_hash=made.content_hash,
        source_hash=made.source_hash,
        format_name=TAGGED,
    )
    return before


@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_crash_between_the_note_and_the_name_is_put_in_order(
    bench: Bench, bodies: dict[str, bytes], is_renamed: bool
) -> None:
    before = noted_before_a_crash(bench, bodies["broken"])
    if is_renamed:
        part = bench.device.folder.converted(before.id)
        known = bench.device.folder.stat(before.file_path)
        assert known is not None
        bench.device.folder.replace(part, before.file_path, known=known)

    DeviceRecovery(bench.world.downloads).reconcile(bench.device, [])

    there = bench.now(before)
    assert there.status is Status.COMPLETED
    assert_whole_tags(bench.file(there))
    assert bench.is_noted(there)
    assert bench.everything() == [there.file_path]


def edited(body: bytes, *, is_longer: bool) -> bytes:
    """Return a file as a person's tagger leaves it, in the room that was there or in more."""
    theirs = body.replace(b"mine", b"hers")
    return theirs + b"more" if is_longer else theirs


@pytest.mark.parametrize("is_longer", [False, True])
def test_what_a_person_changed_after_a_crash_is_not_replaced(
    bench: Bench, bodies: dict[str, bytes], is_longer: bool
) -> None:
    before = noted_before_a_crash(bench, bodies["broken"])
    theirs = edited(bodies["broken"], is_longer=is_longer)
    bench.file(before).write_bytes(theirs)

    DeviceRecovery(bench.world.downloads).reconcile(bench.device, [])

    assert bench.file(before).read_bytes() == theirs
    assert bench.everything() == [before.file_path]


@pytest.mark.parametrize("is_longer", [False, True])
def test_what_a_person_changes_meanwhile_is_not_replaced_and_stops_nothing_else(
    bench: Bench, bodies: dict[str, bytes], is_longer: bool
) -> None:
    bench.completes = False
    before = bench.arrived(bodies["broken"])
    theirs = edited(bodies["broken"], is_longer=is_longer)

    def edit(event: object) -> None:
        if isinstance(event, DownloadChanged) and event.download.format == TAGGED:
            bench.file(before).write_bytes(theirs)

    bench.world.bus.subscribe(edit)
    bench.completes = True
    bench.completion.step()

    assert bench.file(before).read_bytes() == theirs
    assert bench.now(before) == before
    assert bench.everything() == [before.file_path]
    assert bench.registry.blocked() == set()


def test_nothing_is_written_to_a_device_that_is_set_aside_right_before(
    bench: Bench, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.completes = False
    there = bench.arrived(bodies["broken"])
    bench.completes = True
    take = Claims.take

    def take_late(claims: Claims, claim: Callable[[Collection[int]], Download | None]) -> object:
        bench.registry.set_aside(STICK)
        claims.stop_on(STICK)
        return take(claims, claim)

    monkeypatch.setattr(Claims, "take", take_late)
    bench.completion.step()

    assert bench.now(there) == there


def test_a_file_that_is_renamed_meanwhile_keeps_its_row(
    bench: Bench, bodies: dict[str, bytes]
) -> None:
    bench.completes = False
    before = bench.arrived(bodies["broken"])
    place = FilePlace("renamed.flac", "renamed.flac")

    def rename(event: object) -> None:
        is_first = isinstance(event, DownloadChanged) and event.download.format == TAGGED
        if is_first and bench.file(before).exists():
            bench.file(before).rename(bench.stick / place.path)
            assert bench.world.downloads.queue.follow(before, place)

    bench.world.bus.subscribe(rename)
    bench.completes = True
    bench.completion.step()

    assert bench.everything() == [place.path]
    assert bench.now(before) == replace(before, file_path=place.path)


def test_a_half_made_copy_of_a_crash_is_swept_away(bench: Bench, bodies: dict[str, bytes]) -> None:
    bench.completes = False
    there = bench.arrived(bodies["broken"])
    with bench.device.folder.converted(there.id).open() as part:
        part.write(bodies["whole"])

    DeviceRecovery(bench.world.downloads).reconcile(bench.device, [])

    assert bench.file(there).read_bytes() == bodies["broken"]
    assert bench.everything() == [there.file_path]
