"""A format that is set for a device: what waits follows at once, what is there waits for a yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import xxhash
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.formats.films import FilmFormat
from sidecar.domain.formats.formats import Format
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import ConfigError, NotFound, ServerAway
from sidecar.events import DownloadChanged, Event
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.health.problems import Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.finishing.formats import AT_ONCE, DeviceFormats, check_format
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.downloads.insert import FilePlace
from sidecar.transfer.converting.programs import NoConverter
from tests.services.conftest import ANN, STICK, World, track

BODY = b"sound" * 100


@dataclass
class House:
    """A device with finished files of ann's."""

    world: World
    stick: Path
    book: DeviceSettingsService
    formats: DeviceFormats
    claims: Claims
    is_there: bool = True
    cannot: set[Format | FilmFormat] = field(default_factory=set)
    problems: dict[str, Exception] = field(default_factory=dict)
    # What happens while the server is asked.
    meanwhile: Callable[[], object] = lambda: None

    def item(self, download: Download) -> Item:
        self.meanwhile()
        if download.item_id in self.problems:
            raise self.problems[download.item_id]
        return track(1, id=download.item_id)

    def can_make(self, wanted: Format | FilmFormat) -> None:
        if wanted in self.cannot:
            raise NoConverter("ffmpeg is not installed")

    def queue(self, number: int, **facts: object) -> Download:
        item = track(number, **{"seconds": 240.0, "size": len(BODY), **facts})
        planning = WishService(
            self.world.db,
            self.world.holds,
            self.world.downloads,
            self.world.clock,
            format_of=self.formats.of,
        )
        reason = Reason("favourites", item.id, "your favourite")
        planning.hold([Wish(ANN, STICK, item, reason)], lambda _ids: {item.id: item})
        return self.now(number)

    def finished(self, number: int, **facts: object) -> Path:
        self.queue(number, **facts)
        (download,) = self.world.downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        path = self.stick / download.file_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BODY)
        self.world.downloads.transitions.mark_arrived(
            download,
            size=len(BODY),
            content_hash=xxhash.xxh3_128_hexdigest(BODY),
            mime_type="audio/flac",
        )
        return path

    def now(self, number: int) -> Download:
        found = self.world.downloads.queries.by_item(STICK, track(number).id)
        assert found is not None
        return found

    def want(self, wanted: str) -> None:
        self.book.change(STICK, {"format": wanted})


@pytest.fixture
def house(world: World, tmp_path: Path) -> Iterator[House]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    settings = DeviceSettings(name="Car stick", path=stick, reserve=ByteSize(0))
    made: list[House] = []
    book = DeviceSettingsService(
        [settings],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=lambda _device_id: None,
        bus=world.bus,
        may_be=lambda one: check_format(one, made[0].can_make),
    )
    registry = DeviceRegistry(
        [settings],
        devices=world.devices,
        downloads=world.downloads,
        problems=Problems(world.bus),
        clock=world.clock,
        current=book.current,
    )
    registry.look(settle=lambda _device: None)

    def item(download: Download) -> Item:
        return made[0].item(download)

    claims = Claims()
    formats = DeviceFormats(
        book,
        stores=world.stores,
        registry=registry,
        claims=claims,
        item=item,
        server_is_there=lambda: made[0].is_there,
    )
    world.bus.subscribe(formats.hear)
    made.append(House(world, stick, book, formats, claims))
    yield made[0]
    registry.close()


def test_what_waits_follows_the_setting_at_once(house: House) -> None:
    house.queue(1)

    house.want("mp3")
    assert house.now(1).format == "mp3-192k"
    assert house.queue(2).format == "mp3-192k"

    house.want("original")
    assert house.now(1).format == house.now(2).format == "original"


def test_films_that_wait_follow_their_setting_and_those_that_are_there_stay(house: House) -> None:
    there = house.finished(1, type=ItemType.MOVIE)
    house.queue(2, type=ItemType.EPISODE)
    house.queue(3)

    house.book.change(STICK, {"video": "720p", "audio_languages": "de, EN"})

    assert house.now(2).format == "h264-720p-a.de.en"
    assert house.now(3).format == house.now(1).format == "original"
    assert house.formats.cost(STICK).anew == ()
    house.formats.step()
    assert there.exists()

    house.book.change(STICK, {"video": "original"})
    assert house.now(2).format == "original"


def test_a_film_format_that_cannot_be_made_here_is_refused(house: House) -> None:
    house.cannot.add(FilmFormat.HD)

    with pytest.raises(ConfigError, match="Car stick: video = '720p': ffmpeg is not installed"):
        house.book.change(STICK, {"video": "720p"})


def test_nothing_that_is_there_is_touched_without_a_yes(house: House) -> None:
    path = house.finished(1)

    house.want("opus")
    house.formats.step()

    assert path.exists()
    assert house.formats.cost(STICK).anew == (house.now(1).id,)
    assert not house.formats.is_confirmed(STICK, "opus-128k")


def test_after_a_yes_a_few_files_at_a_time_are_fetched_again(house: House) -> None:
    paths = [house.finished(number) for number in range(1, AT_ONCE + 3)]
    house.want("opus")

    assert house.formats.confirm(STICK, "opus-128k")
    house.formats.step()
    house.formats.step()

    assert [one.exists() for one in paths] == [False] * AT_ONCE + [True, True]
    first = house.now(1)
    assert (first.status, first.format) == (Status.PENDING, "opus-128k")
    assert first.error_message == "It is downloaded again in the format that is set now"


def test_no_worker_begins_before_the_file_is_gone(house: House) -> None:
    path = house.finished(1)
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")
    busy: list[tuple[list[int], bool]] = []

    def listen(event: Event) -> None:
        if isinstance(event, DownloadChanged):
            busy.append((house.claims.busy(), path.exists()))

    house.world.bus.subscribe(listen)
    house.formats.step()

    assert busy == [([house.now(1).id], True)]
    assert house.claims.busy() == []
    assert not path.exists()


def test_a_file_that_a_worker_is_busy_with_is_left_for_later(house: House) -> None:
    path = house.finished(1)
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")
    house.claims.begin(house.now(1).id, STICK)

    house.formats.step()
    assert path.exists()

    house.claims.end(house.now(1).id)
    house.formats.step()
    assert not path.exists()


def test_a_yes_to_another_format_counts_for_nothing(house: House) -> None:
    path = house.finished(1)
    house.want("opus")

    assert not house.formats.confirm(STICK, "mp3-192k")
    assert house.formats.confirm(STICK, "opus-128k")
    house.want("mp3")
    house.formats.step()

    assert path.exists(), "the yes was to Opus"


def test_what_the_server_cannot_bring_back_stays(house: House) -> None:
    gone, there = house.finished(1), house.finished(2)
    house.problems[track(1).id] = NotFound("it is gone")
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")

    house.formats.step()

    assert gone.exists()
    assert house.now(1).status is Status.COMPLETED
    assert not there.exists()


def test_while_the_server_is_away_nothing_is_taken_away(house: House) -> None:
    path = house.finished(1)
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")

    house.is_there = False
    house.formats.step()
    house.is_there = True
    house.problems[track(1).id] = ServerAway("nobody answers")
    house.formats.step()
    assert path.exists()

    house.problems.clear()
    house.formats.step()
    assert not path.exists()


def test_a_file_that_a_person_changed_is_left_alone(house: House) -> None:
    path = house.finished(1)
    path.write_bytes(b"a person's own")
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")

    house.formats.step()

    assert path.read_bytes() == b"a person's own"
    assert house.formats.cost(STICK).anew == ()


def test_a_format_that_cannot_be_made_here_is_refused_with_the_reason(house: House) -> None:
    house.cannot.add(Format.OPUS)

    with pytest.raises(ConfigError, match="Car stick: format = 'opus': ffmpeg is not installed"):
        house.want("opus")

    assert house.formats.of(STICK, "Audio") == "original"


def test_a_format_that_cannot_be_made_any_more_counts_as_never_set(
    house: House, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    house.want("opus")
    house.cannot.add(Format.OPUS)
    configured = house.book.configured(STICK)
    assert configured is not None

    book = DeviceSettingsService(
        [configured],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=lambda _device_id: None,
        bus=world.bus,
        may_be=lambda one: check_format(one, house.can_make),
    )

    now = book.of(STICK)
    assert now is not None
    assert now.target is None
    assert "is passed over" in caplog.text


def test_a_paused_device_loses_nothing(house: House) -> None:
    path = house.finished(1)
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")
    house.book.change(STICK, {"paused": True})

    house.formats.step()

    assert path.exists()
    assert house.now(1).status is Status.COMPLETED


def test_a_file_that_is_renamed_while_the_server_is_asked_is_left_for_later(house: House) -> None:
    path = house.finished(1)
    renamed = path.with_name("renamed.flac")

    def rename() -> None:
        row, to = house.now(1), str(renamed.relative_to(house.stick))
        path.rename(renamed)
        assert house.world.downloads.queue.follow(row, FilePlace(to, make_path_key(to)))

    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")
    house.meanwhile = rename
    house.formats.step()

    assert renamed.exists()
    assert house.now(1).status is Status.COMPLETED

    house.meanwhile = lambda: None
    house.formats.step()
    assert not renamed.exists()
    assert house.now(1).status is Status.PENDING


def test_another_format_that_is_set_while_the_server_is_asked_counts(house: House) -> None:
    path = house.finished(1)
    house.queue(2)
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")
    house.meanwhile = lambda: house.want("mp3")

    house.formats.step()

    assert path.exists(), "the yes was to Opus"
    assert house.now(2).format == "mp3-192k"


def test_a_device_that_is_paused_while_the_server_is_asked_loses_nothing(house: House) -> None:
    path = house.finished(1)
    house.want("opus")
    house.formats.confirm(STICK, "opus-128k")
    house.meanwhile = lambda: house.book.change(STICK, {"paused": True})

    house.formats.step()

    assert path.exists()
    assert house.now(1).status is Status.COMPLETED
