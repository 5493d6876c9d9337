"""From fetched bytes to the file in its place, with a worker, a real device and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread, current_thread

import pytest
import xxhash
from pydantic import ByteSize

from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.formats.films import FilmFormat, FilmTarget
from sidecar.domain.formats.formats import ORIGINAL, Format
from sidecar.domain.items.item import ItemType
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import DeviceError, Stopped
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.health.problems import Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.finishing.finish import FinishedPart, Finisher, Outcome
from sidecar.services.transfers.finishing.originals import KeptOriginals
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.inventory import Inventory
from sidecar.store.downloads.transitions import WholeFile
from sidecar.transfer.converting.availability import ConverterAvailability
from sidecar.transfer.engine import Receipt
from tests.fakes.converter import HalvingConverter
from tests.fakes.media.films import foreign_film, streams
from tests.patience import PATIENCE_S
from tests.services.conftest import ANN, STICK, World, track

BODY = b"sound" * 1000
HALF = BODY[: len(BODY) // 2]
OPUS = "opus-128k"
BROKEN = Failure(FailureClass.TRANSIENT, "broken", "It broke")


@dataclass
class Bench:
    """A device that wants Opus, and what finishes files there."""

    world: World
    registry: DeviceRegistry
    converter: HalvingConverter
    finishing: Finisher
    stick: Path
    wanted: str = OPUS
    keeps: bool = False

    def claimed(self, number: int = 1, **facts: object) -> Download:
        """One that waits, is claimed and has been fetched."""
        item = track(number, **{"size": len(BODY), "seconds": 240.0, **facts})
        planning = WishService(
            self.world.db,
            self.world.holds,
            self.world.downloads,
            self.world.clock,
            format_of=lambda _device_id, _item_type: self.wanted,
        )
        reason = Reason("favourites", item.id, "your favourite")
        planning.hold([Wish(ANN, STICK, item, reason)], lambda _ids: {item.id: item})
        (download,) = self.world.downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        self.fetched(download)
        return self.finishing.fresh(download)

    def fetched(self, download: Download) -> None:
        with self.device.folder.part(download.id).open() as file:
            file.write(BODY)

    def finish(self, download: Download, stop: Event | None = None) -> Download:
        target = self.finishing.target(download)
        receipt = Receipt(len(BODY), xxhash.xxh3_128_hexdigest(BODY), "audio/flac", len(BODY))
        ready = (
            self.finishing.as_fetched(self.device, download, receipt, stop or Event())
            if target is None
            else self.finishing.convert(self.device, download, receipt, target, stop or Event())
        )
        assert self.finishing.finish(self.device, download, ready)
        return self.now(download)

    def now(self, download: Download) -> Download:
        found = self.world.downloads.queries.get(download.id)
        assert found is not None
        return found

    @property
    def device(self) -> AttachedDevice:
        return self.registry.get(STICK)

    def parts(self) -> list[str]:
        return sorted(one.name for one in (self.stick / ".sidecar" / "parts").iterdir())

    def content(self, download: Download) -> bytes:
        return (self.stick / download.file_path).read_bytes()


@pytest.fixture
def bench(world: World, tmp_path: Path) -> Iterator[Bench]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    settings = DeviceSettings(name="Car stick", path=stick, reserve=ByteSize(0), format=Format.OPUS)
    made: list[Bench] = []
    registry = DeviceRegistry(
        [settings],
        devices=world.devices,
        downloads=world.downloads,
        problems=Problems(world.bus),
        clock=world.clock,
        current=lambda _id, one: (
            one.with_changes({"keep_original": made[0].keeps}) if made else one
        ),
    )
    registry.look(settle=lambda _device: None)
    converter = HalvingConverter()
    bench = Bench(world, registry, converter, Finisher(world.downloads), stick)
    made.append(bench)
    bench.finishing = Finisher(
        world.downloads, converter=lambda: converter, wanted=lambda _download: bench.wanted
    )
    yield bench
    registry.close()


def test_the_file_gets_its_extension_and_both_sizes_and_hashes_are_kept(bench: Bench) -> None:
    there = bench.finish(bench.claimed())

    assert there.file_path.endswith("01 - Tone 1.opus")
    assert bench.content(there) == HALF
    assert (there.file_size, there.bytes_downloaded) == (len(HALF), len(HALF))
    assert there.content_hash == xxhash.xxh3_128_hexdigest(HALF)
    assert (there.source_size, there.source_hash) == (
        len(BODY),
        xxhash.xxh3_128_hexdigest(BODY),
    )
    assert (there.mime_type, there.format, there.format_note) == ("audio/ogg", OPUS, None)
    assert bench.parts() == []
    assert bench.world.downloads.queries.bytes_on_device(STICK) == len(HALF)


def test_a_file_that_is_left_alone_keeps_its_name_and_says_why(bench: Bench) -> None:
    bench.converter.leave = "It is small enough"

    there = bench.finish(bench.claimed())

    assert there.file_path.endswith(".flac")
    assert bench.content(there) == BODY
    assert (there.format, there.format_note) == (OPUS, "It is small enough")
    assert not there.is_converted
    assert bench.parts() == []


def test_two_originals_that_would_get_one_name_get_two(bench: Bench) -> None:
    first = bench.finish(bench.claimed(1))
    second = bench.finish(bench.claimed(1, id=f"{2:032x}", extension="mp3"))

    assert first.file_path != second.file_path
    assert first.file_path.endswith(".opus")
    assert second.file_path.endswith(f" [{second.item_id[:8]}].opus")


def test_a_stop_leaves_the_original_to_go_on_with_and_nothing_half_made(bench: Bench) -> None:
    download, stop = bench.claimed(), Event()
    bench.converter.meanwhile = stop.set

    with pytest.raises(Exception, match="asked to stop"):
        bench.finish(download, stop)

    assert bench.parts() == [f"{download.id}.part"]


def test_without_ffmpeg_the_original_comes_and_says_why(bench: Bench, world: World) -> None:
    bench.finishing = Finisher(world.downloads, wanted=lambda _download: OPUS)

    there = bench.finish(bench.claimed())

    assert bench.content(there) == BODY
    assert there.format_note is not None
    assert "ffmpeg is not there" in there.format_note


def test_the_format_that_is_set_when_it_comes_counts(bench: Bench) -> None:
    bench.wanted = "original"
    download = bench.claimed()
    bench.wanted = OPUS

    there = bench.finish(bench.finishing.fresh(download))

    assert there.format == OPUS
    assert there.is_converted


def test_wanted_again_as_the_original_it_has_its_own_extension_again(bench: Bench) -> None:
    there = bench.finish(bench.claimed())
    bench.world.downloads.transitions.delete(there)
    (bench.stick / there.file_path).unlink()
    bench.wanted = "original"
    bench.world.downloads.transitions.want_again(bench.now(there), user_id=ANN)

    (again,) = bench.world.downloads.queue.claim_together(bench.world.clock.now(), at_most=1)
    assert not again.is_converted
    bench.fetched(again)
    there = bench.finish(bench.finishing.fresh(again))

    assert there.file_path.endswith(".flac")
    assert bench.content(there) == BODY


def test_a_rename_that_was_cut_off_is_finished_from_the_converted_part(bench: Bench) -> None:
    download = bench.claimed()
    with bench.device.folder.converted(download.id).open() as file:
        file.write(HALF)
    bench.world.downloads.transitions.mark_all_finalizing(
        [
            (
                download.id,
                WholeFile(len(HALF), xxhash.xxh3_128_hexdigest(HALF), "audio/ogg"),
                {"source_size": len(BODY), "source_hash": xxhash.xxh3_128_hexdigest(BODY)},
            )
        ]
    )

    DeviceRecovery(bench.world.downloads).reconcile(
        bench.device, bench.world.downloads.queue.recover()
    )

    there = bench.now(download)
    assert there.status is Status.COMPLETED
    assert bench.content(there) == HALF
    assert bench.parts() == []


def test_what_was_half_converted_is_swept_at_the_start_and_what_was_fetched_is_kept(
    bench: Bench,
) -> None:
    download = bench.claimed()
    with bench.device.folder.converted(download.id).open() as file:
        file.write(b"half")

    DeviceRecovery(bench.world.downloads).reconcile(
        bench.device, bench.world.downloads.queue.recover()
    )

    assert bench.now(download).status is Status.PENDING
    assert bench.parts() == [f"{download.id}.part"]


def begin_film(bench: Bench, download: Download) -> list[str]:
    """Two whole segments of a film, as a crash leaves them beside what was fetched."""
    film = bench.device.folder.film(download.id)
    for part in (film.record, film.segment(0), film.segment(1)):
        with part.open() as file:
            file.write(b"whole")
    return sorted(f"{download.id}{suffix}" for suffix in (".film", ".film-0", ".film-1"))


def test_the_segments_of_a_film_outlive_a_crash_and_go_with_the_row(bench: Bench) -> None:
    download = bench.claimed()
    segments = begin_film(bench, download)
    assert bench.device.taken_by(download.id) > len(BODY)
    recovery = DeviceRecovery(bench.world.downloads)

    recovery.reconcile(bench.device, bench.world.downloads.queue.recover())

    assert bench.now(download).status is Status.PENDING
    assert bench.parts() == sorted([*segments, f"{download.id}.part"])

    bench.device.folder.film(download.id).clear()
    assert bench.parts() == [f"{download.id}.part"]
    assert bench.device.folder.film(download.id).read_allocated() == 0


def test_the_segments_of_a_film_that_is_there_are_swept(bench: Bench) -> None:
    there = bench.finish(bench.claimed())
    begin_film(bench, there)

    DeviceRecovery(bench.world.downloads).reconcile(bench.device, [])

    assert bench.parts() == []
    assert bench.now(there).status is Status.COMPLETED


def test_a_film_becomes_what_the_player_takes_and_leaves_nothing_behind(
    bench: Bench, world: World, tmp_path: Path
) -> None:
    source = foreign_film(tmp_path / "film.mkv")
    body = source.read_bytes()
    bench.wanted = "h264-720p-a.de"
    shares: list[float] = []
    availability = ConverterAvailability("ffmpeg", SystemClock())
    bench.finishing = Finisher(world.downloads, film_converter=availability.film_converter)
    download = bench.claimed(type=ItemType.MOVIE, extension="mkv", size=len(body))
    with bench.device.folder.part(download.id).open() as file:
        file.truncate(0)
        file.write(body)
    target = bench.finishing.target(download)
    assert target is not None

    receipt = Receipt(len(body), xxhash.xxh3_128_hexdigest(body), "video/matroska", len(body))
    ready = bench.finishing.convert(
        bench.device, download, receipt, target, Event(), converted=shares.append
    )
    assert f"{download.id}.film-0" in bench.parts(), "needed until the film has its name"
    assert bench.finishing.finish(bench.device, download, ready)

    there = bench.now(download)
    made = bench.stick / there.file_path
    assert (made.suffix, there.mime_type, there.format) == (".mp4", "video/mp4", bench.wanted)
    assert (there.file_size, there.source_size) == (made.stat().st_size, len(body))
    assert [codec for codec, _ in streams(made, "video")] == ["h264"]
    assert streams(made, "audio") == [("aac", "ger")]
    assert bench.parts() == []
    assert shares[0] == 0
    assert shares == sorted(shares)


def test_the_plan_counts_on_what_the_converted_film_will_take(bench: Bench) -> None:
    bench.wanted = "h264-720p"
    download = bench.claimed(type=ItemType.MOVIE, size=20 * 10**9, seconds=7200.0)
    bench.world.downloads.queue.recover()

    [waiting] = Inventory(bench.world.db).list_holdings(STICK, bench.world.clock.now()).waiting

    likely = FilmTarget(FilmFormat.HD).estimate(seconds=7200.0, source_size=20 * 10**9)
    assert likely is not None
    assert 2.3 * 10**9 < likely < 2.7 * 10**9
    assert (waiting.size, waiting.source) == (likely, 20 * 10**9 + likely)
    assert waiting.download_id == download.id


def test_the_plan_counts_on_what_the_converted_file_will_take(bench: Bench) -> None:
    item = track(1, size=30_000_000, seconds=240.0)
    planning = WishService(
        bench.world.db,
        bench.world.holds,
        bench.world.downloads,
        bench.world.clock,
        format_of=lambda _device_id, kind: OPUS if kind == ItemType.AUDIO else "original",
    )
    why = Reason("favourites", item.id, "your favourite")
    film = track(2, type=ItemType.MOVIE, title="Film", size=900, seconds=240.0)
    wishes = [Wish(ANN, STICK, one, why) for one in (item, film)]
    planning.hold(wishes, lambda _ids: {item.id: item, film.id: film})

    found = Inventory(bench.world.db).list_holdings(STICK, bench.world.clock.now())

    waiting = {one.item_id: one for one in found.waiting}
    song = waiting[item.id]
    assert song.size == pytest.approx(240 * 16_000, rel=0.1)
    assert song.source == 30_000_000
    assert song.to_write == 30_000_000 + (song.size or 0)
    assert (waiting[film.id].size, waiting[film.id].source) == (900, None)


def test_what_waits_gets_a_new_format_at_once_and_what_is_there_keeps_its_own(
    bench: Bench,
) -> None:
    there = bench.finish(bench.claimed(1))
    waiting = bench.claimed(2)
    bench.world.downloads.transitions.pause(waiting)
    store = FormatStore(bench.world.db)

    assert store.align(STICK, "mp3-192k") == 1

    assert bench.now(waiting).format == "mp3-192k"
    assert bench.now(there).format == OPUS
    assert [one.download_id for one in store.others({STICK: ("mp3-192k", None)})[STICK]] == [
        there.id
    ]


def kept(bench: Bench, download: Download) -> bytes | None:
    file = bench.stick / ".sidecar" / "parts" / f"{download.id}.original"
    return file.read_bytes() if file.exists() else None


@pytest.fixture
def originals(bench: Bench, world: World) -> KeptOriginals:
    bench.keeps = True
    originals = KeptOriginals(bench.registry, FormatStore(world.db))
    world.bus.subscribe(originals.hear)
    return originals


@pytest.mark.usefixtures("originals")
def test_an_original_is_kept_if_that_is_wanted_and_counts(bench: Bench) -> None:
    there = bench.finish(bench.claimed())

    assert (bench.content(there), kept(bench, there)) == (HALF, BODY)
    assert bench.world.downloads.queries.bytes_on_device(STICK) == len(HALF) + len(BODY)
    (stored,) = Inventory(bench.world.db).list_holdings(STICK, bench.world.clock.now()).stored
    assert stored.size == len(HALF) + len(BODY)
    DeviceRecovery(bench.world.downloads).reconcile(
        bench.device, bench.world.downloads.queue.recover()
    )
    assert kept(bench, there) == BODY


@pytest.mark.usefixtures("originals")
def test_what_was_not_converted_keeps_no_second_one(bench: Bench) -> None:
    bench.converter.leave = "It is small enough"

    there = bench.finish(bench.claimed())

    assert (bench.parts(), there.original_size) == ([], None)


@pytest.mark.usefixtures("originals")
@pytest.mark.parametrize("how", ["evict", "delete", "mark_missing"])
def test_an_original_goes_with_its_file(bench: Bench, how: str) -> None:
    there = bench.finish(bench.claimed())

    assert getattr(bench.world.downloads.transitions, how)(there)

    assert bench.now(there).original_size is None
    assert bench.parts() == []


def test_originals_go_when_they_are_not_to_be_kept_any_more(
    bench: Bench, originals: KeptOriginals
) -> None:
    there = bench.finish(bench.claimed())
    originals.step()
    assert kept(bench, there) == BODY

    bench.keeps = False
    originals.step()

    assert bench.parts() == []
    assert bench.now(there).original_size is None
    assert bench.content(there) == HALF


@pytest.mark.usefixtures("originals")
@pytest.mark.parametrize("renamed", [False, True])
def test_an_original_is_kept_after_a_crash_between_the_renames(
    bench: Bench, *, renamed: bool
) -> None:
    download = bench.claimed()
    with bench.device.folder.converted(download.id).open() as file:
        file.write(HALF)
    bench.world.downloads.transitions.mark_all_finalizing(
        [
            (
                download.id,
                WholeFile(len(HALF), xxhash.xxh3_128_hexdigest(HALF), "audio/ogg"),
                {"source_size": len(BODY), "original_size": len(BODY)},
            )
        ]
    )
    if renamed:
        folder = bench.device.folder
        folder.part(download.id).rename_to(folder.original(download.id))

    DeviceRecovery(bench.world.downloads).reconcile(
        bench.device, bench.world.downloads.queue.recover()
    )

    there = bench.now(download)
    assert (bench.content(there), kept(bench, there)) == (HALF, BODY)
    assert bench.parts() == [f"{download.id}.original"]


def test_an_original_that_nobody_knows_of_is_swept(bench: Bench) -> None:
    there = bench.finish(bench.claimed())
    for number in (there.id, 99):
        with bench.device.folder.original(number).open() as file:
            file.write(BODY)

    DeviceRecovery(bench.world.downloads).reconcile(
        bench.device, bench.world.downloads.queue.recover()
    )

    assert bench.parts() == []


def test_the_plan_counts_on_the_original_that_is_kept_as_well(bench: Bench) -> None:
    download = bench.claimed()
    bench.world.downloads.transitions.postpone(download, until=None, failure=BROKEN, retry_count=1)

    plain, keeping = (
        Inventory(bench.world.db)
        .list_holdings(STICK, bench.world.clock.now(), keeps_originals=keeps)
        .waiting[0]
        for keeps in (False, True)
    )

    assert keeping.size == (plain.size or 0) + len(BODY)
    assert keeping.source is None
    assert keeping.to_write == plain.to_write


def ready(bench: Bench, number: int) -> tuple[Download, FinishedPart]:
    bench.wanted = ORIGINAL
    download = bench.claimed(number)
    receipt = Receipt(len(BODY), xxhash.xxh3_128_hexdigest(BODY), "audio/flac", len(BODY))
    return download, bench.finishing.as_fetched(bench.device, download, receipt, Event())


def test_of_files_that_are_finished_together_each_has_its_own_fate(bench: Bench) -> None:
    files = [ready(bench, number) for number in (1, 2, 3, 4)]
    fine, taken, paused, damaged = (download for download, _ in files)
    (bench.stick / taken.file_path).parent.mkdir(parents=True)
    (bench.stick / taken.file_path).write_bytes(b"theirs")
    assert bench.world.downloads.transitions.pause(paused)
    bench.device.folder.part(damaged.id).remove()

    outcomes = bench.finishing.finish_all(bench.device, files)

    assert outcomes[0] is True
    assert isinstance(outcomes[1], DeviceError)
    assert outcomes[1].code == "name-taken"
    assert isinstance(outcomes[2], Stopped)
    assert isinstance(outcomes[3], DeviceError)
    assert (bench.now(fine).status, bench.content(fine)) == (Status.COMPLETED, BODY)
    assert bench.content(taken) == b"theirs"
    assert bench.now(taken).status is Status.DOWNLOADING
    assert bench.now(paused).status is Status.PAUSED
    assert bench.now(damaged).status is Status.DOWNLOADING
    assert bench.parts() == [f"{one.id}.part" for one in (taken, paused)]


def test_what_becomes_whole_meanwhile_is_finished_by_who_is_at_it(bench: Bench) -> None:
    first, *others = (ready(bench, number) for number in (1, 2, 3))
    is_ended, may_go_on = Event(), Event()
    outcomes: dict[int, Outcome] = {}
    threads: dict[int, str] = {}

    def end(number: int, outcome: Outcome) -> None:
        outcomes[number], threads[number] = outcome, current_thread().name
        if number == first[0].id:
            is_ended.set()
            assert may_go_on.wait(PATIENCE_S)

    def finish(download: Download, part: FinishedPart) -> None:
        bench.finishing.finish_soon(bench.device, download, part, partial(end, download.id))

    with bench.world.db.thread():
        busy = Thread(target=finish, args=first, name="busy")
        busy.start()
        assert is_ended.wait(PATIENCE_S)

        for one in others:
            finish(*one)

        assert list(outcomes) == [first[0].id]
        may_go_on.set()
        busy.join(PATIENCE_S)
    assert outcomes == {one.id: True for one, _ in (first, *others)}
    assert set(threads.values()) == {"busy"}
    assert bench.parts() == []


def test_an_unforeseen_error_of_one_ended_file_harms_no_other(bench: Bench) -> None:
    first, second = ready(bench, 1), ready(bench, 2)
    outcomes: list[Outcome] = []

    def fail(_outcome: Outcome) -> None:
        bench.finishing.finish_soon(bench.device, *second, outcomes.append)
        raise RuntimeError("nobody foresaw this")

    bench.finishing.finish_soon(bench.device, *first, fail)

    assert outcomes == [True]
