"""Real folders and mounts, the real store, a clock that is told; the watch is a button."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, count, repeat
from pathlib import Path

import pytest
import xxhash
from pydantic import ByteSize

from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.files.removals import GRACE_S, FileChange
from sidecar.domain.wishes import PIN, Reason, Wish
from sidecar.errors import DeviceError, NotVisible, Stopped
from sidecar.events import DeviceChanged, NoticesChanged
from sidecar.process.threads import LOOK_ANYWAY_S
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.removals.monitor import RESCAN_S, TICK_S, RemovalMonitor
from sidecar.services.files.removals.open_questions import CONFIRM, OpenQuestions
from sidecar.services.files.removals.record import RemovalRecorder
from sidecar.services.files.removals.review import RemovalReview
from sidecar.services.files.removals.scan import READ_AT_ONCE, DeviceScan
from sidecar.services.health.notices import Subject
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.health.tasks import Tasks
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queries import FILES_AT_ONCE
from sidecar.store.downloads.queue import FilePlace, NewDownload
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.files.search import FileIndex
from sidecar.store.rules.tombstones import Tombstones
from tests.device.examples import remove
from tests.device.mounting import (
    breakable_disk,
    exfat_disk,
    mount_memory,
    mounts_taken_down,
    needs_root,
    unmount,
)
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.turns import OthersFirst
from tests.patience import PATIENCE_S
from tests.services.conftest import ANN, STICK, World, access_to, owned, track
from tests.store.examples import queued

BEN = "b" * 32
OTHER = "22222222-2222-4222-8222-222222222222"
WITHIN_S = 15


@dataclass
class Button:
    """Hints when a test says so.

    Unlike the real watch it has no threads and sees nothing by itself.
    """

    press: Callable[[], object]
    lose: Callable[[], object]
    refusal: str | None = None
    begun: int = 0
    ended: int = 0

    def start(self) -> str | None:
        self.begun += 1
        return self.refusal

    def is_watching(self) -> bool:
        return self.refusal is None and self.begun > 0

    def stop(self) -> None:
        self.ended += 1


class Buttons:
    """All watches that were made, newest last."""

    def __init__(self) -> None:
        self.made: list[Button] = []
        self.refusal: str | None = None

    def make(
        self, device: AttachedDevice, hint: Callable[[], object], lost: Callable[[], object]
    ) -> Button:
        self.made.append(Button(hint, lost, self.refusal))
        return self.made[-1]


@dataclass
class House:
    """A stick with files, and all that looks after them."""

    world: World
    stick: Path
    registry: DeviceRegistry
    problems: Problems
    settling: DeviceRecovery
    removals: RemovalMonitor
    tombstones: Tombstones
    buttons: Buttons

    def fill(self, count: int) -> None:
        """Put finished files there, ten to an album, and hold them for Ann."""
        with self.world.db.write():
            for number in range(1, count + 1):
                self.put(number)

    def put(self, number: int, body: bytes | None = None) -> None:
        body = b"music %d" % number if body is None else body
        item, path = track(number), f"The Sine Waves/Album {number // 10}/{number}.flac"
        place = self.stick / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        them, now = self.world.downloads, self.world.clock.now()
        queued(
            them,
            NewDownload(
                item=item,
                device_id=STICK,
                user_id=ANN,
                places=[FilePlace(path, make_path_key(path))],
            ),
        )
        (claimed,) = them.queue.claim_together(now, at_most=1)
        content_hash = xxhash.xxh3_128_hexdigest(body)
        them.transitions.mark_arrived(
            claimed, size=len(body), content_hash=content_hash, mime_type=None
        )
        self.hold(number)

    def hold(self, number: int, user: str = ANN, rule: str = "favourites") -> None:
        reason = Reason(rule, track(number).id, "because")
        self.world.holds.keep(Wish(user, STICK, track(number), reason))

    def row(self, number: int) -> Download:
        found = self.world.downloads.queries.by_item(STICK, track(number).id)
        assert found is not None
        return found

    def path(self, number: int) -> Path:
        return self.stick / self.row(number).file_path

    def states(self, *numbers: int) -> set[Status]:
        return {self.row(number).status for number in numbers}

    def attach(self) -> None:
        self.registry.look(settle=lambda device: self.settling.reconcile(device, []))

    def wait(self, seconds: float = 1.0) -> None:
        """Let time go by, a step of everything at each second."""
        for _ in range(int(seconds)):
            self.world.clock.advance(1)
            self.removals.step()

    def device(self) -> AttachedDevice:
        (device,) = self.registry.all()
        return device

    def scan(
        self, *, is_over: Callable[[], bool] = lambda: False, at_once: int = FILES_AT_ONCE
    ) -> DeviceScan:
        world = self.world
        return DeviceScan(
            self.device(),
            downloads=world.downloads,
            verdicts=RemovalRecorder(world.db, world.downloads, world.holds, world.clock),
            clock=world.clock,
            is_over=is_over,
            at_once=at_once,
        )

    def press(self) -> None:
        """A hint comes."""
        self.buttons.made[-1].press()

    def notice(self) -> None:
        """A hint comes, and the time that a removal may take goes by."""
        self.press()
        self.wait(WITHIN_S)


def furnished(world: World, stick: Path) -> House:
    problems, buttons = Problems(world.bus), Buttons()
    registry = DeviceRegistry(
        [DeviceSettings(name="Car stick", path=stick, reserve=ByteSize(0))],
        devices=world.devices,
        downloads=world.downloads,
        problems=problems,
        clock=world.clock,
    )
    removals = RemovalMonitor(
        downloads=world.downloads,
        verdicts=RemovalRecorder(world.db, world.downloads, world.holds, world.clock),
        registry=registry,
        problems=problems,
        bus=world.bus,
        clock=world.clock,
        tasks=Tasks(world.clock),
        make_watch=buttons.make,
    )
    return House(
        world=world,
        stick=stick,
        registry=registry,
        problems=problems,
        settling=DeviceRecovery(world.downloads),
        removals=removals,
        tombstones=Tombstones(world.db, world.clock),
        buttons=buttons,
    )


@pytest.fixture
def house(world: World, tmp_path: Path) -> Iterator[House]:
    """A stick that is a folder, attached and watched."""
    stick = tmp_path / "stick"
    stick.mkdir()
    # Files really written now shall not look as if they were written after they were finished.
    world.clock.set_wall(SystemClock().now())
    write_marker(stick, Marker(STICK, "Car stick"))
    house = furnished(world, stick)
    house.attach()
    house.removals.step()
    yield house
    house.removals.close()
    house.registry.close()


@pytest.fixture
def mounted(house: House) -> Iterator[House]:
    """The same, but the stick can be pulled."""
    house.removals.close()
    house.registry.close()
    shutil.rmtree(house.stick)
    with mounts_taken_down(house.stick):
        plug_in(house)
        yield house
        house.registry.close()


def plug_in(house: House, device_id: str = STICK) -> None:
    mount_memory(house.stick)
    write_marker(house.stick, Marker(device_id, "Car stick"))
    house.attach()
    house.removals.step()


# -- a person removes, moves and changes files


def test_a_look_ends_when_the_sidecar_stops(house: House) -> None:
    house.fill(3)

    with pytest.raises(Stopped):
        house.scan(is_over=lambda: True).look()


def test_a_look_for_what_was_moved_ends_too(house: House) -> None:
    house.fill(3)
    asked = count()
    house.scan(is_over=lambda: next(asked) < 0).look()
    house.path(2).unlink()
    answers = chain([False] * next(asked), repeat(True))

    with pytest.raises(Stopped):
        house.scan(is_over=lambda: next(answers)).look()


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_files_are_looked_at_some_at_a_time(house: House, at_once: int) -> None:
    house.fill(7)
    scan = house.scan(at_once=at_once)
    scan.look()
    house.path(2).unlink()
    house.path(5).write_bytes(b"changed")
    place = house.path(6).rename(house.stick / "6.flac")
    house.path(7).rename(house.stick / "7.txt")

    first = scan.look()
    missing = [number for number in range(1, 8) if house.row(number).missing_since]
    house.world.clock.advance(GRACE_S)
    second = scan.look()

    assert (first.total, first.moved, first.recorded) == (7, 2, 0)
    assert missing == [2, 5]
    assert (second.total, second.moved, second.recorded) == (7, 0, 2)
    assert house.path(6) == place
    assert house.states(2, 5) == {Status.REMOVED}
    assert house.states(1, 3, 4, 6, 7) == {Status.COMPLETED}


def test_a_few_files_are_hashed_at_each_look_however_many_are_looked_at_at_once(
    house: House,
) -> None:
    house.fill(READ_AT_ONCE + 2)
    for number in range(1, READ_AT_ONCE + 3):
        # Written to, with the same bytes: nobody knows before they are read.
        os.utime(house.path(number), (time.time() + 100, time.time() + 100))
    scan = house.scan(at_once=20)

    looks = [scan.look().again_in for _ in range(2)]

    assert looks == [0.0, None]


def test_a_file_that_a_person_deletes_is_removed_and_not_fetched_again(house: House) -> None:
    house.fill(3)
    house.path(2).unlink()

    house.notice()

    assert (house.row(2).status, house.row(2).error_code) == (Status.REMOVED, "removed-by-person")
    assert "Car stick" in (house.row(2).error_message or "")
    assert house.states(1, 3) == {Status.COMPLETED}
    assert house.tombstones.items(ANN, STICK) == {track(2).id}
    assert house.world.holds.holders(STICK, track(2).id) == []
    planning = WishService(
        house.world.db, house.world.holds, house.world.downloads, house.world.clock
    )
    planning.hold([Wish(ANN, STICK, track(2), Reason("latest", "x", "new"))], lambda _ids: {})
    assert house.row(2).status is Status.REMOVED


def test_everybody_who_held_it_has_spoken_with_it_and_pins_end_as_well(house: House) -> None:
    house.fill(1)
    house.hold(1, BEN, PIN)
    house.path(1).unlink()

    house.notice()

    assert house.tombstones.items(BEN, STICK) == house.tombstones.items(ANN, STICK) != frozenset()
    assert house.world.holds.of_item(STICK, track(1).id) == []


def test_whoever_asked_for_a_file_that_nobody_holds_has_spoken_too(house: House) -> None:
    house.fill(1)
    house.world.holds.drop(STICK, track(1).id)
    house.path(1).unlink()

    house.notice()

    assert house.tombstones.items(ANN, STICK) == {track(1).id}


def test_a_file_that_is_put_back_within_the_grace_is_as_it_was(house: House) -> None:
    house.fill(1)
    away = house.path(1).rename(house.stick.parent / "away")
    house.press()
    house.wait(5)

    away.rename(house.path(1))
    house.wait(WITHIN_S)

    assert house.states(1) == {Status.COMPLETED}
    assert house.tombstones.items(ANN, STICK) == frozenset()


def test_without_a_hint_it_is_found_within_ten_minutes(house: House) -> None:
    house.fill(1)
    house.path(1).unlink()

    house.wait(RESCAN_S + WITHIN_S)

    assert house.states(1) == {Status.REMOVED}


def test_after_lost_events_everything_is_looked_at(house: House) -> None:
    house.fill(1)
    house.path(1).unlink()

    house.buttons.made[-1].lose()
    house.wait(WITHIN_S)

    assert house.states(1) == {Status.REMOVED}


def test_what_was_removed_while_we_did_not_run_counts(house: House) -> None:
    house.fill(1)
    house.removals.close()
    house.registry.close()
    house.path(1).unlink()

    house.attach()
    house.wait(WITHIN_S)

    assert house.states(1) == {Status.REMOVED}
    assert house.tombstones.items(ANN, STICK) == {track(1).id}


def test_a_row_follows_a_file_that_was_renamed(house: House) -> None:
    house.fill(2)
    house.wait(RESCAN_S)
    renamed = house.path(1).rename(house.stick / "My favourite.flac")

    house.notice()

    assert house.states(1) == {Status.COMPLETED}
    assert house.path(1) == renamed
    assert remove(house.device().folder, "My favourite.flac", size=house.row(1).file_size or 0)


def test_a_whole_album_that_was_moved_while_we_did_not_run_is_known_by_its_bytes(
    house: House,
) -> None:
    house.fill(30)
    house.removals.close()
    (house.stick / "The Sine Waves").rename(house.stick / "Waves")

    house.wait(WITHIN_S)

    assert house.states(*range(1, 31)) == {Status.COMPLETED}
    assert {house.row(n).file_path.split("/")[0] for n in range(1, 31)} == {"Waves"}
    assert house.removals.lost(STICK) is None


def test_a_row_follows_a_name_that_differs_by_case_alone(house: House) -> None:
    house.fill(1)
    there = house.path(1)
    renamed = there.rename(there.with_name("1.FLAC"))

    house.notice()

    assert (house.path(1), house.states(1)) == (renamed, {Status.COMPLETED})


def test_a_file_in_the_waste_bin_is_removed(house: House) -> None:
    house.fill(1)
    house.wait(RESCAN_S)
    (house.stick / ".Trash-1000" / "files").mkdir(parents=True)
    house.path(1).rename(house.stick / ".Trash-1000" / "files" / "1.flac")

    house.notice()

    assert house.states(1) == {Status.REMOVED}


def test_a_file_that_another_device_in_the_folder_has_too_has_not_moved_there(
    house: House,
) -> None:
    house.fill(1)
    house.wait(RESCAN_S)
    phone = house.stick / "Phone"
    phone.mkdir()
    write_marker(phone, Marker("22222222-2222-4222-8222-222222222222", "Phone"))
    shutil.copy2(house.path(1), phone / "1.flac")
    house.path(1).unlink()

    house.notice()

    assert house.states(1) == {Status.REMOVED}


@pytest.mark.parametrize("body", [b"another length", b"MUSIC 1"])
def test_a_file_that_a_person_changed_is_theirs_from_then_on(house: House, body: bytes) -> None:
    house.fill(1)
    house.wait(RESCAN_S)
    there = house.path(1)
    there.write_bytes(body)

    house.notice()

    assert (house.row(1).status, house.row(1).error_code) == (Status.REMOVED, "changed-outside")
    assert house.tombstones.items(ANN, STICK) == {track(1).id}
    assert there.read_bytes() == body


def test_a_file_that_was_merely_touched_stays_ours(house: House) -> None:
    house.fill(1)
    house.wait(RESCAN_S)
    house.path(1).touch()

    house.notice()

    assert house.states(1) == {Status.COMPLETED}


def test_a_file_that_was_changed_on_another_computer_is_not_fetched_a_second_time(
    house: House,
) -> None:
    house.fill(1)
    house.removals.close()
    house.registry.close()
    with house.world.db.write():
        house.world.db.sql("UPDATE downloads SET completed_at = completed_at - 1000000")
    house.path(1).write_bytes(b"music with tags")

    house.attach()
    house.wait(WITHIN_S)

    assert (house.row(1).status, house.row(1).error_code) == (Status.REMOVED, "changed-outside")


# -- what is no person's doing


def test_what_we_remove_ourselves_is_never_taken_for_a_person_s(house: House) -> None:
    house.fill(2)
    evicted = house.row(1)
    remove(house.device().folder, evicted.file_path, size=evicted.file_size or 0)
    house.press()
    house.wait(2)

    house.world.downloads.transitions.evict(evicted)
    house.wait(WITHIN_S)

    assert (house.row(1).status, house.row(1).error_code) == (Status.REMOVED, None)
    assert house.tombstones.items(ANN, STICK) == frozenset()


def test_what_was_fetched_anew_meanwhile_is_another_file(house: House) -> None:
    house.fill(1)
    (seen,) = house.world.downloads.queries.files_on(STICK)
    verdicts = RemovalRecorder(
        house.world.db, house.world.downloads, house.world.holds, house.world.clock
    )
    house.world.clock.advance(1)
    house.world.downloads.transitions.delete(house.row(1))
    house.world.downloads.transitions.want_again(house.row(1), user_id=ANN)
    house.put(1)

    assert verdicts.removed(house.device(), [(seen, FileChange.GONE)]) == 0
    assert not verdicts.moved(house.device(), seen, "x.flac")
    assert verdicts.put_back(house.device(), [seen]) == 0
    assert house.states(1) == {Status.COMPLETED}


def test_a_row_never_takes_the_place_of_another(house: House) -> None:
    house.fill(1)
    house.put(2, b"music 1")
    house.wait(RESCAN_S)
    house.world.downloads.transitions.evict(house.row(2))
    house.path(1).rename(house.path(2))

    house.notice()

    assert (house.row(1).status, house.row(1).error_code) == (Status.REMOVED, "removed-by-person")


@needs_root
def test_a_pulled_stick_loses_nothing_and_goes_on_when_it_is_back(mounted: House) -> None:
    house = mounted
    house.fill(4)
    house.press()
    unmount(house.stick)

    house.wait(WITHIN_S)
    house.registry.look(settle=lambda _device: None)
    house.wait(RESCAN_S)

    assert house.states(1, 2, 3, 4) == {Status.COMPLETED}
    assert house.buttons.made[-1].ended


@needs_root
def test_an_emptied_mount_point_or_another_stick_removes_nothing(mounted: House) -> None:
    house = mounted
    house.fill(4)
    unmount(house.stick)
    house.wait(RESCAN_S)
    mount_memory(house.stick)
    write_marker(house.stick, Marker(OTHER, "Another"))

    house.registry.look(settle=lambda _device: None)
    house.press()
    house.wait(RESCAN_S)

    assert house.states(1, 2, 3, 4) == {Status.COMPLETED}
    assert house.world.holds.holders(STICK, track(1).id) == [ANN]


@needs_root
def test_a_stick_that_comes_back_is_looked_at_and_only_true_differences_count(
    mounted: House, tmp_path: Path
) -> None:
    house = mounted
    house.fill(4)
    saved = tmp_path / "saved"
    shutil.copytree(house.stick, saved)
    unmount(house.stick)
    house.registry.look(settle=lambda _device: None)
    house.removals.step()
    mount_memory(house.stick)
    shutil.copytree(saved, house.stick, dirs_exist_ok=True)
    house.path(3).unlink()

    house.attach()
    house.wait(WITHIN_S)

    assert house.states(1, 2, 4) == {Status.COMPLETED}
    assert house.states(3) == {Status.REMOVED}


@needs_root
def test_a_stick_that_is_pulled_between_the_two_looks_removes_nothing(mounted: House) -> None:
    house = mounted
    house.fill(2)
    house.path(1).unlink()
    house.press()
    house.wait(3)

    unmount(house.stick)
    house.wait(WITHIN_S)

    assert house.states(1, 2) == {Status.COMPLETED}


@pytest.mark.parametrize(
    ("code", "counts"), [("read-only", False), ("broken", False), ("full", True), ("budget", True)]
)
def test_a_device_in_trouble_says_nothing_unless_it_only_lacks_room(
    house: House, code: str, counts: bool
) -> None:
    house.fill(1)
    house.problems.note(ProblemKind.DEVICE, STICK, Problem(code, "in trouble"))
    house.path(1).unlink()

    house.notice()

    assert house.states(1) == {Status.REMOVED if counts else Status.COMPLETED}


def test_a_trouble_between_the_two_looks_begins_the_grace_anew(house: House) -> None:
    house.fill(1)
    away = house.path(1).rename(house.stick.parent / "away")
    house.press()
    house.wait(3)
    house.problems.note(ProblemKind.DEVICE, STICK, Problem("broken", "in trouble"))
    house.press()
    house.wait(WITHIN_S)

    house.problems.clear(ProblemKind.DEVICE, STICK)
    house.press()
    house.wait(2)
    away.rename(house.path(1))
    house.wait(WITHIN_S)

    assert house.states(1) == {Status.COMPLETED}


@needs_root
def test_a_disk_that_found_damage_is_not_believed(house: House, tmp_path: Path) -> None:
    house.removals.close()
    house.registry.close()
    shutil.rmtree(house.stick)
    house.stick.mkdir()
    with breakable_disk(house.stick, tmp_path / "disk") as break_it:
        write_marker(house.stick, Marker(STICK, "Car stick"))
        house.attach()
        house.fill(2)
        house.removals.step()
        house.path(1).unlink()
        if not break_it.exists():
            pytest.skip("this kernel cannot be told to find damage")
        break_it.write_text("on purpose")

        house.notice()

        assert house.states(1, 2) == {Status.COMPLETED}
        house.removals.close()
        house.registry.close()


@needs_root
def test_a_stick_that_was_put_back_at_once_is_watched_anew(mounted: House) -> None:
    house = mounted
    before = house.buttons.made[-1]
    ended = before.ended
    unmount(house.stick)
    house.registry.look(settle=lambda _device: None)

    plug_in(house)

    assert before.ended > ended
    assert house.buttons.made[-1] is not before
    assert house.buttons.made[-1].begun == 1


def test_what_cannot_be_told_is_never_removed(house: House, tmp_path: Path) -> None:
    house.fill(2)
    shutil.rmtree(house.stick / "The Sine Waves")
    (house.stick / "The Sine Waves").symlink_to(tmp_path)

    house.wait(RESCAN_S + WITHIN_S)

    assert house.states(1, 2) == {Status.COMPLETED}


@needs_root
@pytest.mark.slow
def test_a_fuse_disk_is_looked_after_like_any_other(house: House, tmp_path: Path) -> None:
    house.removals.close()
    house.registry.close()
    shutil.rmtree(house.stick)
    house.stick.mkdir()
    with ExitStack() as stack:
        stack.enter_context(exfat_disk(house.stick, tmp_path / "image"))
        write_marker(house.stick, Marker(STICK, "Car stick"))
        house.attach()
        house.fill(3)
        house.removals.step()
        house.path(1).unlink()
        house.path(2).rename(house.stick / "moved.flac")
        house.notice()
        house.removals.close()
        house.registry.close()

    assert house.states(1) == {Status.REMOVED}
    assert house.row(2).file_path == "moved.flac"


@needs_root
@pytest.mark.slow
def test_files_that_only_have_other_numbers_are_not_read_again(
    house: House, tmp_path: Path
) -> None:
    """FAT and exFAT number their files anew when the system has forgotten them for a moment."""
    house.removals.close()
    house.registry.close()
    shutil.rmtree(house.stick)
    house.stick.mkdir()
    with ExitStack() as stack:
        stack.enter_context(exfat_disk(house.stick, tmp_path / "image"))
        write_marker(house.stick, Marker(STICK, "Car stick"))
        house.attach()
        stack.callback(house.registry.close)
        house.fill(READ_AT_ONCE + 2)
        scan = house.scan()
        assert scan.look().again_in is None
        for number in range(1, READ_AT_ONCE + 3):
            file, copy = house.path(number), house.path(number).with_suffix(".copy")
            before = file.stat()
            shutil.copy2(file, copy)
            copy.replace(file)
            after = file.stat()
            assert after.st_ino != before.st_ino
            assert after.st_mtime_ns == before.st_mtime_ns

        assert scan.look().again_in is None


# -- many at once


def test_many_at_once_are_asked_about_and_nothing_is_changed(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")

    house.notice()

    question = house.removals.lost(STICK)
    assert question is not None
    assert (len(question.gone), question.edited, question.total) == (10, (), 40)
    assert "10 are missing" in question.text("Car stick")
    assert house.states(*range(1, 41)) == {Status.COMPLETED}
    assert house.tombstones.items(ANN, STICK) == frozenset()
    assert NoticesChanged() in house.world.news


def test_a_yes_records_all_of_them(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()

    assert house.removals.answer(STICK, gone=True) == 10

    assert house.removals.lost(STICK) is None
    assert house.states(*range(10, 20)) == {Status.REMOVED}
    assert len(house.tombstones.items(ANN, STICK)) == 10
    house.wait(RESCAN_S)
    assert house.states(1, 20, 40) == {Status.COMPLETED}


def test_a_no_fetches_them_again(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()

    assert house.removals.answer(STICK, gone=False) == 10

    assert house.states(*range(10, 20)) == {Status.PENDING}
    assert house.row(10).error_code == "put-back"
    assert house.tombstones.items(ANN, STICK) == frozenset()
    house.wait(RESCAN_S)
    assert house.removals.lost(STICK) is None


def test_a_question_ends_when_the_files_are_back(house: House, tmp_path: Path) -> None:
    house.fill(40)
    album = house.stick / "The Sine Waves" / "Album 1"
    shutil.copytree(album, tmp_path / "saved")
    shutil.rmtree(album)
    house.notice()
    shutil.copytree(tmp_path / "saved", album)

    house.notice()

    assert house.removals.lost(STICK) is None
    assert house.removals.answer(STICK, gone=True) == 0
    assert house.states(*range(1, 41)) == {Status.COMPLETED}


def test_an_answer_concerns_only_what_is_still_as_it_was_asked(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    house.path(10).parent.mkdir()
    house.path(10).write_bytes(b"music 10")
    house.path(20).unlink()

    assert house.removals.answer(STICK, gone=True) == 9
    assert house.states(10, 20) == {Status.COMPLETED}


def test_an_answer_concerns_only_what_was_asked_when_it_was_given(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    question = house.removals.lost(STICK)
    assert question is not None
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 2")
    house.notice()

    assert house.removals.answer(STICK, gone=True, asked=question.ids) == 10
    assert house.states(*range(10, 20)) == {Status.REMOVED}
    assert house.states(*range(20, 30)) == {Status.COMPLETED}

    house.notice()
    left = house.removals.lost(STICK)
    assert left is not None
    assert len(left.ids) == 10


def test_what_is_left_of_a_question_is_not_recorded_without_an_answer(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    house.path(10).parent.mkdir()
    for number in range(10, 19):
        house.path(number).write_bytes(b"music %d" % number)

    house.notice()

    assert house.states(19) == {Status.COMPLETED}
    question = house.removals.lost(STICK)
    assert question is not None
    assert set(question.ids) == {house.row(19).id}


def test_after_a_restart_it_is_asked_anew(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    house.removals.close()
    assert house.removals.lost(STICK) is None

    house.wait(WITHIN_S)

    assert house.removals.lost(STICK) is not None


def test_what_the_last_look_did_not_see_is_missing_until_it_is_seen_or_answered(
    house: House, tmp_path: Path
) -> None:
    house.fill(53)
    shutil.copytree(house.stick / "The Sine Waves", tmp_path / "saved")
    for number in range(1, 52):
        house.path(number).unlink()

    house.press()
    house.wait(1)

    # At once, and before anything is asked: it is not there.
    downloads = house.world.downloads
    assert house.removals.lost(STICK) is None
    use = downloads.queries.use_of(STICK)
    assert (use.files, use.missing) == (53, 51)
    assert [one.is_present for one in map(house.row, (1, 51, 52))] == [False, False, True]
    assert FileIndex(house.world.db).page(DownloadFilter(), 1, 100)[1] == 2
    assert len(CompletedFiles(house.world.db).files(STICK)) == 2

    house.wait(WITHIN_S)
    assert house.removals.lost(STICK) is not None
    for number in range(1, 31):
        saved = tmp_path / "saved" / f"Album {number // 10}" / f"{number}.flac"
        shutil.copy2(saved, house.path(number))
    house.notice()

    question = house.removals.lost(STICK)
    assert question is not None
    assert (len(question.gone), question.total) == (21, 53)
    use = downloads.queries.use_of(STICK)
    assert (use.files, use.missing) == (53, 21)

    house.removals.answer(STICK, gone=False)
    use = downloads.queries.use_of(STICK)
    assert (use.files, use.missing) == (32, 0)
    assert house.row(40).missing_since is None


def test_what_vanished_while_we_did_not_run_is_asked_and_stays_asked_over_a_restart(
    house: House, tmp_path: Path
) -> None:
    house.fill(53)
    house.removals.close()
    shutil.copytree(house.stick / "The Sine Waves", tmp_path / "saved")
    for number in range(1, 52):
        house.path(number).unlink()
    house.wait(WITHIN_S)
    assert house.removals.lost(STICK) is not None

    # Stopped; somebody brings all but two back: too few to be many, yet nobody has answered.
    house.removals.close()
    for number in range(1, 50):
        saved = tmp_path / "saved" / f"Album {number // 10}" / f"{number}.flac"
        shutil.copy2(saved, house.path(number))
    again = furnished(house.world, house.stick)
    house.registry.close()
    again.attach()
    again.removals.step()

    question = again.removals.lost(STICK)
    assert question is not None
    assert (len(question.gone), question.total) == (2, 53)
    again.wait(WITHIN_S)
    assert again.states(*range(1, 54)) == {Status.COMPLETED}
    again.removals.close()
    again.registry.close()


@needs_root
def test_a_pulled_stick_keeps_its_numbers_and_asks_again_when_it_is_back(mounted: House) -> None:
    house = mounted
    house.fill(53)
    house.notice()
    for number in range(1, 52):
        house.path(number).unlink()
    house.notice()
    assert house.removals.lost(STICK) is not None

    unmount(house.stick)
    house.attach()
    house.removals.step()

    # It is another state: not plugged in. Nothing is asked of what nobody can look at.
    assert house.removals.lost(STICK) is None
    use = house.world.downloads.queries.use_of(STICK)
    assert (use.files, use.missing) == (53, 51)
    assert house.states(*range(1, 54)) == {Status.COMPLETED}

    plug_in(house)

    question = house.removals.lost(STICK)
    assert question is not None
    assert len(question.gone) == 51


def test_a_file_that_somebody_asks_for_again_is_fetched_again(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    planning = WishService(
        house.world.db, house.world.holds, house.world.downloads, house.world.clock
    )

    planning.hold([Wish(ANN, STICK, track(12), Reason("latest", "x", "new"))], lambda _ids: {})
    assert house.states(12) == {Status.COMPLETED}
    planning.pin(ANN, STICK, track(12), lambda _ids: {})

    assert house.states(12) == {Status.PENDING}
    house.wait(RESCAN_S)
    question = house.removals.lost(STICK)
    assert question is not None
    assert len(question.gone) == 9


def test_a_question_stands_for_everybody_whose_device_it_is(house: House) -> None:
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    questions = OpenQuestions(
        in_doubt=lambda _device_id, _name: None,
        selections=lambda _person, _device_id: (),
        lost=house.removals.lost,
        registry=house.registry,
        problems=house.problems,
        access=access_to(house.world, house.registry.settings),
    )

    (asked,) = questions.of(Person(BEN, "ben", is_admin=False))
    assert (asked.subject, asked.device_id, asked.missing) == (Subject.REMOVALS, STICK, 10)
    # Ben uses it with others and is only told; an admin's answer counts.
    assert not asked.may_answer
    (asked,) = questions.of(Person(ANN, "ann", is_admin=True))
    assert asked.may_answer
    house.problems.note(
        ProblemKind.ROOM, STICK, Problem(CONFIRM, "20 files would go from Car stick")
    )
    house.problems.note(ProblemKind.ROOM, OTHER, Problem(CONFIRM, "of a device that is not there"))
    found = questions.of(Person(BEN, "ben", is_admin=False))
    assert [one.subject for one in found] == [Subject.REMOVALS, Subject.PLAN]

    house.removals.answer(STICK, gone=True)
    assert [one.subject for one in questions.of(Person(ANN, "ann", is_admin=True))] == [
        Subject.PLAN
    ]


def test_a_deletion_file_by_file_is_asked_about_once_it_is_much(house: House) -> None:
    house.fill(40)
    for number in range(1, 21):
        house.path(number).unlink()
        house.press()
        house.wait(2)
    house.wait(WITHIN_S)

    removed = [n for n in range(1, 41) if house.row(n).status is Status.REMOVED]
    assert len(removed) <= 8
    question = house.removals.lost(STICK)
    assert question is not None
    assert len(question.ids) + len(removed) == 20


@needs_root
def test_no_answer_is_taken_while_the_device_is_away(mounted: House) -> None:
    house = mounted
    house.fill(40)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    unmount(house.stick)

    with pytest.raises(DeviceError):
        house.removals.answer(STICK, gone=True)

    assert house.states(*range(1, 41)) == {Status.COMPLETED}
    assert house.removals.lost(STICK) is not None


def test_a_tagger_that_went_through_everything_is_asked_about_not_believed(house: House) -> None:
    house.fill(120)
    house.wait(RESCAN_S)
    for number in range(1, 121):
        house.path(number).write_bytes(b"tagged %d" % number)

    house.notice()
    house.wait(WITHIN_S)

    question = house.removals.lost(STICK)
    assert question is not None
    assert (len(question.gone), len(question.ids)) == (0, 120)
    assert house.states(*range(1, 121)) == {Status.COMPLETED}
    assert house.removals.answer(STICK, gone=True) == 120
    assert house.row(7).error_code == "changed-outside"
    assert house.path(7).read_bytes() == b"tagged 7"


def test_what_was_changed_within_its_length_is_all_read_before_anything_is_said(
    house: House,
) -> None:
    house.fill(120)
    house.wait(RESCAN_S)
    for number in range(1, 121):
        house.path(number).write_bytes(b"MUSIC %d" % number)

    house.press()
    house.wait(WITHIN_S)

    question = house.removals.lost(STICK)
    assert question is not None
    assert (len(question.gone), len(question.ids)) == (0, 120)
    assert house.states(*range(1, 121)) == {Status.COMPLETED}


@pytest.mark.slow
def test_a_change_that_takes_long_to_read_is_not_believed_piece_by_piece(house: House) -> None:
    house.fill(2300)
    house.wait(RESCAN_S + 60)
    for number in range(1000, 1500):
        house.path(number).write_bytes(b"MUSIC %d" % number)

    house.press()
    house.wait(2 * WITHIN_S)

    question = house.removals.lost(STICK)
    assert question is not None
    assert len(question.ids) == 500
    assert house.states(*range(1000, 1500)) == {Status.COMPLETED}


def test_a_hint_is_not_lost_when_the_database_fails(house: House) -> None:
    house.fill(1)
    house.path(1).unlink()
    house.world.db.sql("ALTER TABLE downloads RENAME TO away")
    house.press()
    house.wait(1)

    house.world.db.sql("ALTER TABLE away RENAME TO downloads")
    house.wait(2 * WITHIN_S)

    assert house.states(1) == {Status.REMOVED}


def test_a_hint_is_followed_at_once_after_a_wait_for_others_that_need_much_memory(
    house: House,
) -> None:
    house.fill(1)
    others = OthersFirst(house.world.clock)
    house.removals._stop = others
    house.press()
    house.wait(1)
    assert others.were_waited_for
    house.path(1).unlink()

    house.notice()

    assert house.states(1) == {Status.REMOVED}


# -- the thread, and what people are told


def test_where_nothing_can_be_watched_it_is_said_once_and_the_looks_go_on(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.removals.close()
    house.buttons.refusal = "no watches are left"
    house.fill(1)
    house.path(1).unlink()

    house.wait(2 * RESCAN_S)

    assert house.states(1) == {Status.REMOVED}
    assert house.removals.blind(STICK) == "no watches are left"
    assert caplog.text.count("no watches are left") == 1
    (notice,) = counter(house).notices(Person(ANN, "ann", is_admin=False))
    assert (notice.kind, notice.level) == ("device", "info")


def counter(house: House) -> RemovalReview:
    return RemovalReview(
        house.removals,
        activity=house.world.stores.activity,
        ownership=owned(house.world),
        access=access_to(house.world, house.registry.settings),
        registry=house.registry,
        lost=house.removals.lost,
        blind=house.removals.blind,
    )


def test_of_a_shared_device_everybody_reads_only_titles_of_their_own(house: House) -> None:
    house.fill(40)
    house.world.holds.drop(STICK, track(12).id)
    house.hold(12, BEN)
    shutil.rmtree(house.stick / "The Sine Waves" / "Album 1")
    house.notice()
    desk = counter(house)

    ben = desk.removals(Person(BEN, "ben", is_admin=False), STICK)
    eve = desk.removals(Person("e" * 32, "eve", is_admin=True), STICK)

    assert ben.examples == (house.row(12).file_path,)
    assert len(eve.examples) == 5
    assert (ben.gone, ben.total) == (10, 40)
    assert [one.level for one in desk.notices(Person(BEN, "ben", is_admin=False))] == ["warning"]
    with pytest.raises(NotVisible):
        desk.answer(Person(BEN, "ben", is_admin=False), "unknown", gone=True, asked=())
    with pytest.raises(NotVisible):
        desk.removals(Person(BEN, "ben", is_admin=False), "unknown")


@pytest.mark.slow
def test_the_real_watch_and_the_thread_notice_a_removal_by_themselves(
    world: World, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    world.clock.set_wall(SystemClock().now())
    write_marker(stick, Marker(STICK, "Car stick"))
    house = furnished(world, stick)
    house.attach()
    house.fill(3)
    before = set(threading.enumerate())
    stop = threading.Event()
    removals = RemovalMonitor(
        downloads=world.downloads,
        verdicts=RemovalRecorder(world.db, world.downloads, world.holds, world.clock),
        registry=house.registry,
        problems=house.problems,
        bus=world.bus,
        clock=SystemClock(),
        tasks=Tasks(SystemClock()),
    )
    thread = threading.Thread(target=lambda: _run(world, removals, stop), name="watcher")
    gone = threading.Event()
    world.bus.subscribe(lambda _event: gone.set() if house.states(2) == {Status.REMOVED} else None)
    thread.start()
    try:
        wait_until(lambda: bool(removals._posts))
        house.path(2).unlink()

        # Long before the next look that nobody asks for.
        assert PATIENCE_S < RESCAN_S
        assert gone.wait(PATIENCE_S)
    finally:
        stop.set()
        removals.wakeup.end()
        thread.join(PATIENCE_S)
        house.registry.close()
    assert set(threading.enumerate()) <= before


def test_it_rests_until_a_hint_or_a_device_that_comes_wakes_it(house: House) -> None:
    house.fill(1)
    house.wait()
    rings = house.removals.wakeup.rings
    assert house.removals.rest_s() == LOOK_ANYWAY_S

    house.press()
    assert house.removals.wakeup.rings == rings + 1
    assert house.removals.rest_s() == TICK_S

    house.wait()
    house.removals.hear(DeviceChanged(OTHER))
    assert house.removals.wakeup.rings == rings + 2


def test_it_rests_no_longer_than_until_the_next_look_is_due(house: House) -> None:
    house.fill(1)
    house.wait()
    house.world.clock.advance(RESCAN_S - 10)

    assert 5 < house.removals.rest_s() <= 10


def test_a_device_that_is_not_there_keeps_nobody_awake(house: House) -> None:
    house.fill(1)
    house.wait()

    house.removals.rescan(OTHER)
    house.removals.step()

    assert house.removals.rest_s() == LOOK_ANYWAY_S


def _run(world: World, removals: RemovalMonitor, stop: threading.Event) -> None:
    with world.db.thread():
        removals.run(stop)


@pytest.mark.slow
def test_two_thousand_files_are_looked_after_without_effort(house: House) -> None:
    house.fill(2_000)

    began = time.thread_time()
    house.removals.rescan(STICK)
    house.removals.step()

    assert time.thread_time() - began < 3
