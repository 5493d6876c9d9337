"""When the page and the manifest of a device are written, and when not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import DeviceError
from sidecar.process.threads import LOOK_ANYWAY_S
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.files.generated_files.index import MANIFEST, OTHER_PAGE, PAGE, IndexWriter
from sidecar.services.files.generated_files.writer import LOOK_EVERY_S
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.rules.wishes import WishService
from sidecar.store.files.completed import CompletedFiles
from tests.fakes.turns import OthersFirst
from tests.services.conftest import ANN, STICK, World, registry_of, track
from tests.statements import trace

BIG = ByteSize(12_000 * 4096)


@dataclass
class Written:
    """A stick, its writer, and what lies on it."""

    world: World
    stick: Path
    settings: DeviceSettings
    registry: DeviceRegistry
    problems: Problems

    def __post_init__(self) -> None:
        self.writer = self.make_writer()

    def make_writer(self) -> IndexWriter:
        """Return the writer of a start."""
        return IndexWriter(
            registry=self.registry,
            on_device=CompletedFiles(self.world.db),
            problems=self.problems,
            server_id=lambda: "5" * 32,
            clock=self.world.clock,
        )

    def read_at_a_start(self) -> int:
        """Start anew; return how often the files were read from the database."""
        statements: list[str] = []
        trace(self.world.db, statements.append)
        try:
            self.make_writer().step()
        finally:
            trace(self.world.db, None)
        return sum("content_hash" in one and "ORDER BY file_path" in one for one in statements)

    def begins(self, number: int) -> Download:
        """Let a file be fetched."""
        item = track(number, title=f"Tone <{number}>")
        world = self.world
        WishService(world.db, world.holds, world.downloads, world.clock).hold(
            [Wish(ANN, STICK, item, Reason("latest", item.id, "new"))], lambda _: {item.id: item}
        )
        (running,) = world.downloads.queue.claim_together(world.clock.now(), at_most=1)
        return running

    def brings(self, number: int) -> Download:
        """Let a file arrive."""
        running = self.begins(number)
        (self.stick / running.file_path).parent.mkdir(parents=True, exist_ok=True)
        (self.stick / running.file_path).write_bytes(b"?" * 1000)
        self.world.downloads.transitions.mark_arrived(
            running, size=1000, content_hash="0" * 32, mime_type=None
        )
        found = self.world.downloads.queries.get(running.id)
        assert found is not None
        return found

    def after(self, seconds: float) -> None:
        """Let time pass, second by second."""
        for _ in range(int(seconds)):
            self.world.clock.advance(1)
            self.writer.step()

    def page(self, name: str = PAGE) -> str | None:
        file = self.stick / name
        return file.read_text(encoding="utf-8") if file.exists() else None

    def titles(self) -> list[str]:
        told = json.loads((self.stick / MANIFEST).read_bytes())
        assert (told["server_id"], told["device_id"]) == ("5" * 32, STICK)
        return [one["title"] for one in told["files"]]


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> DeviceSettings:
    given = getattr(request, "param", {})
    usual = {"name": "Car stick", "path": tmp_path / "stick", "reserve": 0, "budget": BIG}
    return DeviceSettings.model_validate({**usual, **given})


@pytest.fixture
def written(world: World, settings: DeviceSettings) -> Iterator[Written]:
    settings.path.mkdir()
    write_marker(settings.path, Marker(STICK, "Car stick"))
    problems = Problems(world.bus)
    registry = registry_of(world, settings, problems=problems)
    there = Written(world, settings.path, settings, registry, problems)
    world.bus.subscribe(there.writer.hear)
    yield there
    registry.close()


def test_a_device_that_comes_gets_its_page_and_its_manifest(written: Written) -> None:
    written.brings(1)

    written.after(1)

    assert "Tone \\u003c1\\u003e" in (written.page() or "")
    assert written.titles() == ["Tone <1>"]


@pytest.mark.parametrize("ending", ["html", "svg", "lnk", "desktop", "bin", ""])
def test_the_page_leads_to_nothing_that_a_browser_or_a_system_would_run(
    written: Written, ending: str
) -> None:
    written.brings(1)
    old = written.brings(2)
    path = f"A/odd.{ending}".removesuffix(".")
    written.world.db.sql("UPDATE downloads SET file_path = ? WHERE id = ?", (path, old.id))

    written.after(1)

    assert "odd" not in (written.page() or "odd")
    assert written.titles() == ["Tone <2>", "Tone <1>"]


def test_what_arrives_when_nothing_else_comes_is_there_soon(written: Written) -> None:
    written.after(1)
    written.brings(1)
    written.after(2)
    assert written.titles() == []

    written.after(1)

    assert written.titles() == ["Tone <1>"]


def test_while_more_comes_it_is_written_every_half_minute(written: Written) -> None:
    written.after(1)
    written.brings(1)
    written.begins(2)
    written.after(28)
    assert written.titles() == []

    written.after(2)

    assert written.titles() == ["Tone <1>"]


def test_what_went_is_not_told_of_any_more(written: Written) -> None:
    one = written.brings(1)
    written.after(1)
    (written.stick / one.file_path).unlink()
    written.world.downloads.transitions.mark_missing(one)

    written.after(30)

    assert written.titles() == []
    assert "Nothing is on this device yet" in (written.page() or "")


def test_what_a_lost_database_has_put_there_stays_in_the_manifest(written: Written) -> None:
    gone, stays, changed = (written.brings(one) for one in (1, 2, 3))
    written.after(60)
    lost = written.world.db
    lost.sql("DELETE FROM downloads")
    lost.sql("DELETE FROM holds")
    (written.stick / gone.file_path).unlink()
    (written.stick / changed.file_path).write_bytes(b"somebody's")

    written.make_writer().step()
    assert written.titles() == ["Tone <2>"]
    written.brings(4)
    written.after(60)

    assert written.titles() == ["Tone <2>", "Tone <4>"]
    lost.sql("UPDATE downloads SET item_id = ?", (stays.item_id,))
    written.make_writer().step()
    assert written.titles() == ["Tone <4>"]


def test_at_the_end_what_is_new_is_written_at_once(written: Written) -> None:
    written.after(1)
    written.brings(1)

    written.writer.step(ending=True)

    assert written.titles() == ["Tone <1>"]


def test_the_wait_for_others_that_need_much_memory_is_no_time_of_writing(written: Written) -> None:
    others = OthersFirst(written.world.clock)
    written.writer._is_over = others.is_set
    written.brings(1)
    written.after(1)
    assert others.were_waited_for
    written.brings(2)

    written.writer.step(ending=True)

    assert written.titles() == ["Tone <1>", "Tone <2>"]


def test_what_takes_long_ends_when_the_sidecar_stops_and_is_written_at_the_next_start(
    written: Written,
) -> None:
    written.brings(1)
    stop = Event()

    def hear(statement: str) -> None:
        if "ORDER BY file_path" in statement:
            stop.set()
            written.world.clock.advance(2)

    trace(written.world.db, hear)
    try:
        written.writer.run(stop)
    finally:
        trace(written.world.db, None)

    assert written.page() is None
    written.make_writer().step()
    assert written.titles() == ["Tone <1>"]


class AskedStop(Event):
    """A stop that comes once it has been asked for so many times."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


def test_a_stop_does_not_wait_until_all_folders_were_looked_into(written: Written) -> None:
    written.brings(1)

    def hear(statement: str) -> None:
        if "ORDER BY file_path" in statement:
            written.world.clock.advance(2)

    trace(written.world.db, hear)
    try:
        # By the loop, before the rows, and before the first of two folders.
        written.writer.run(AskedStop(after=3))
    finally:
        trace(written.world.db, None)

    assert not (written.stick / MANIFEST).exists()


def test_nothing_is_written_when_nothing_changed(written: Written) -> None:
    written.brings(1)
    written.after(1)
    # Not the whole `stat`: to be read may change when a file was read last.
    before = [(written.stick / one).stat().st_ctime_ns for one in (PAGE, MANIFEST)]

    written.after(1300)

    assert [(written.stick / one).stat().st_ctime_ns for one in (PAGE, MANIFEST)] == before


LOOKED, MADE = 1, 2  # so often the files are read


def test_a_start_makes_nothing_anew_of_what_it_was_made_of_before(written: Written) -> None:
    written.brings(1)
    written.after(1)

    assert written.read_at_a_start() == LOOKED


@pytest.mark.parametrize("name", [PAGE, MANIFEST])
@pytest.mark.parametrize("harm", [lambda file: file.unlink(), lambda file: file.write_text("")])
def test_a_start_makes_anew_what_is_not_there_any_more_as_it_was(
    written: Written, name: str, harm: Callable[[Path], object]
) -> None:
    written.brings(1)
    written.after(1)
    harm(written.stick / name)

    assert written.read_at_a_start() == MADE


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE downloads SET title = 'Other' WHERE id = ?",
        "UPDATE downloads SET content_hash = '1' WHERE id = ?",
        "UPDATE downloads SET missing_since = 1 WHERE id = ?",
        "DELETE FROM downloads WHERE id = ?",
    ],
)
def test_a_start_makes_anew_what_tells_of_files_that_have_changed(
    written: Written, change: str
) -> None:
    one = written.brings(1)
    written.after(1)
    written.world.db.sql(change, (one.id,))
    (written.stick / one.file_path).unlink()

    assert written.read_at_a_start() == MADE
    assert written.read_at_a_start() == LOOKED


@pytest.mark.parametrize("name", ["cover.jpg", "Folder.JPG"])
def test_a_start_makes_the_page_anew_when_there_may_be_another_cover(
    written: Written, name: str
) -> None:
    album = (written.stick / written.brings(1).file_path).parent
    written.after(1)
    (album / name).write_bytes(b"a picture")

    assert written.read_at_a_start() == MADE


def test_a_cover_that_came_later_is_shown(written: Written) -> None:
    album = written.stick / written.brings(1).file_path
    written.after(1)
    (album.parent / "cover.jpg").write_bytes(b"a picture")

    written.after(600)

    assert "First Light/cover.jpg" in (written.page() or "")


def test_a_strangers_file_of_that_name_stays_and_ours_gets_another(written: Written) -> None:
    (written.stick / PAGE).write_text("mine")

    written.after(1)

    assert written.page() == "mine"
    assert "Car stick" in (written.page(OTHER_PAGE) or "")
    (written.stick / PAGE).unlink()
    written.brings(1)
    written.after(30)
    assert "Car stick" in (written.page() or "")
    assert written.page(OTHER_PAGE) is None


@pytest.mark.parametrize("settings", [{"index": False}], indirect=True)
def test_a_device_that_wants_no_page_has_its_manifest_only(written: Written) -> None:
    written.registry.get(STICK).folder.own_files.put(PAGE, b"from before")

    written.after(1)

    assert written.page() is None
    assert written.titles() == []


@pytest.mark.parametrize("settings", [{"paused": True}], indirect=True)
def test_nothing_is_written_to_a_device_that_is_paused(written: Written) -> None:
    written.after(100)

    assert not (written.stick / MANIFEST).exists()


def test_nothing_is_written_to_a_device_in_trouble(written: Written) -> None:
    written.registry.trouble(STICK, DeviceError("read-only", "It is read-only"))

    written.after(100)

    assert not (written.stick / MANIFEST).exists()


@pytest.mark.parametrize("settings", [{"budget": 1_000_000}], indirect=True)
def test_a_page_that_would_take_room_from_music_is_left_out(written: Written) -> None:
    written.brings(1)

    written.after(1)

    assert written.page() is None
    assert written.titles() == ["Tone <1>"]


def test_what_it_takes_counts_in_the_budget(written: Written) -> None:
    written.after(1)
    device = written.registry.get(STICK)
    taken = device.folder.own_files.count_bytes(4096)
    assert taken >= (written.stick / PAGE).stat().st_size > 10_000

    fits = written.registry.reserve(device, 1, remaining=1, size=BIG - taken)
    assert fits is None
    written.registry.unreserve(1)

    refusal = written.registry.reserve(device, 1, remaining=1, size=BIG - taken + 4096)
    assert refusal is not None
    assert refusal.code == "budget"


def test_it_rests_until_something_changes_which_wakes_it(written: Written) -> None:
    written.brings(1)
    written.after(1)
    rings = written.writer.wakeup.rings
    assert written.writer.rest_s() == LOOK_ANYWAY_S

    written.brings(2)
    assert written.writer.wakeup.rings == rings + 1
    assert written.writer.rest_s() == LOOK_EVERY_S
    written.brings(3)
    # It is awake: a thousand arrivals in a row need not wake it a thousand times.
    assert written.writer.wakeup.rings == rings + 1

    written.after(30)
    assert written.titles() == ["Tone <1>", "Tone <2>", "Tone <3>"]
    assert written.writer.rest_s() == LOOK_ANYWAY_S


@pytest.mark.parametrize("settings", [{"paused": True}], indirect=True)
def test_what_waits_for_a_person_keeps_nobody_awake(written: Written) -> None:
    written.brings(1)
    written.after(1)

    assert written.writer.rest_s() == LOOK_ANYWAY_S


def test_what_a_pause_or_a_problem_held_back_is_not_left_to_the_next_look(
    written: Written,
) -> None:
    written.problems.note(ProblemKind.DEVICE, STICK, Problem("full", "It is full"))
    written.brings(1)
    written.after(1)
    rings = written.writer.wakeup.rings
    assert written.writer.rest_s() == LOOK_ANYWAY_S

    written.problems.clear(ProblemKind.DEVICE, STICK)

    assert written.writer.wakeup.rings > rings
    assert written.writer.rest_s() == LOOK_EVERY_S
