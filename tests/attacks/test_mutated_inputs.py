"""Everything that comes from outside, damaged by chance: nothing gets past the fence of its reader.

`SIDECAR_INPUTS` says how many inputs each reader gets; `make nightly` gives all of them 200,000.
"""

from __future__ import annotations

import io
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import process_time
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr, TypeAdapter

from sidecar.bounded_json import read_json
from sidecar.clock import SystemClock
from sidecar.config import load
from sidecar.confined.reader import ConfinedReader
from sidecar.confined.tags import LONGEST
from sidecar.device.drives import list_drives
from sidecar.device.own.created_folders import prune
from sidecar.device.own.marker import open_root, read_marker
from sidecar.domain.adoption.restore import Manifest, NoManifest, read_manifest
from sidecar.domain.adoption.tags import FoundTags
from sidecar.domain.files.companions import render_lrc
from sidecar.domain.files.naming import build_path
from sidecar.domain.items.item import Item
from sidecar.domain.player_logs.parsing import LoggedPlay, LogKind, UnreadableLine, read_log
from sidecar.domain.syncthing.stignore import is_ignored, with_line
from sidecar.domain.transfers.wholeness import judge
from sidecar.errors import (
    ConfigError,
    DeviceError,
    SidecarError,
    SyncthingError,
    UnexpectedAnswer,
)
from sidecar.jellyfin import models
from sidecar.jellyfin.discovery import _read
from sidecar.jellyfin.http.responses import Answer, read
from sidecar.jellyfin.library.companions import lines_in
from sidecar.jellyfin.live.events import decode
from sidecar.jellyfin.mapping import list_now_playing, to_item
from sidecar.services.operations.backups.archive import Manifest as BackupManifest
from sidecar.services.operations.backups.archive import open_archive, write_archive
from sidecar.syncthing.client import Syncthing
from sidecar.syncthing.connection import Query, SyncthingConnection
from sidecar.transfer.aria2.events import _read_gids
from sidecar.transfer.aria2.rpc import Aria2Away, _read_result
from sidecar.transfer.aria2.status import Aria2Status, read_status
from sidecar.transfer.converting.probe import parse
from sidecar.transfer.converting.subprocess import ChildFailed
from sidecar.transfer.wholeness.source import MediaFile
from sidecar.transfer.wholeness.structure import inspect
from sidecar.web.security.hosts import is_own_origin, split_host
from sidecar.web.server.chunks import Chunks
from sidecar.web.server.incoming import Incoming
from sidecar.web.server.request_head import Refused, check_line, check_version, read_headers
from tests.attacks.mutations import mutated
from tests.device.examples import made
from tests.fakes.media.kinds import make
from tests.fakes.media.tagged import mp3
from tests.jellyfin.recorded import FOLDER, VERSIONS, body

INPUTS = int(os.environ.get("SIDECAR_INPUTS", "60"))
SEED = int(os.environ.get("SIDECAR_SEED", "16"))
# Of the processor, for one input.
LONGEST_S = 10.0

Read = Callable[[bytes], object]


def given(name: str, seeds: Sequence[bytes], reading: Read) -> None:
    """Give a reader all its inputs; say which one it was that went wrong."""
    dice = random.Random(f"{name} {SEED}")
    for number in range(INPUTS):
        content, began = mutated(seeds, dice), process_time()
        try:
            reading(content)
        except Exception as error:
            place = Path(tempfile.gettempdir()) / f"sidecar-input-{name}-{number}"
            place.write_bytes(content)
            error.add_note(f"input {number} of {name} with SIDECAR_SEED={SEED}, kept at {place}")
            raise
        assert process_time() - began < LONGEST_S, (name, number)


# What lies on a device

OWN = b"""{"A/B/cover.jpg": {"size": 5, "hashes": ["%s"]},
 "Offline library.html": {"size": 7, "hashes": ["%s", "%s"]}}""" % ((b"a" * 32,) * 3)
MARKER = b"""{"version": 1, "id": "11111111-1111-4111-8111-111111111111", "name": "Car stick"}"""
MADE = b"\nA\n\nA/B\n\nC\n"
MANIFEST = b"""{"version": 1, "server_id": "%s", "device_id": "x", "files": [
{"item_id": "%s", "path": "A/B/c.mp3", "size": 5, "content_hash": "%s", "title": "T", "kind":
"Audio", "format": "mp3-128k", "source_size": 9}, {"item_id": "%s", "path": "d.flac", "size": 1}]}
""" % (b"5" * 32, b"1" * 32, b"a" * 32, b"2" * 32)
SCROBBLER = (
    b"#AUDIOSCROBBLER/1.1\n#TZ/UTC\n#CLIENT/Rockbox\n"
    b"Ann\tLight\tTone\t1\t200\tL\t1700000000\t\nBen\t\tSky\t\t30\tS\t1700000300\tx\n"
)
PLAYBACK = b"1700000000:27000:27000:/<HDD0>/A/B/c.mp3\n1700000100:1:27000:/d.flac\n"


def test_our_own_files_on_a_device(tmp_path: Path) -> None:
    folder = made(tmp_path)
    record = tmp_path / ".sidecar" / "own.json"

    def reading(content: bytes) -> None:
        record.write_bytes(content)
        own = folder.own_files
        own._record = None  # as after a restart
        with suppress(DeviceError):
            for path in own.names():
                own.remove(path)
                assert own.count_bytes(4096) >= 0

    given("own", [OWN], reading)
    folder.close()


def test_the_marker_and_the_folders_that_we_made(tmp_path: Path) -> None:
    made(tmp_path).close()
    ours = tmp_path / ".sidecar"

    def reading(content: bytes) -> None:
        (ours / "device.json").write_bytes(content)
        with suppress(DeviceError):
            read_marker(tmp_path)

    def pruning(content: bytes) -> None:
        (ours / "made.txt").write_bytes(content)
        (tmp_path / "A" / "B").mkdir(parents=True, exist_ok=True)
        with open_root(tmp_path) as root:
            prune(root, ["A", "B"])

    given("marker", [MARKER], reading)
    given("folders", [MADE], pruning)


def test_the_manifest() -> None:
    def reading(content: bytes) -> None:
        with suppress(NoManifest):
            found = read_manifest(content)
            assert isinstance(found, Manifest)
            for one in found.files:
                named(one.item())

    given("manifest", [MANIFEST], reading)


@pytest.mark.parametrize("kind", LogKind)
def test_the_logs_of_a_player(kind: LogKind) -> None:
    def reading(content: bytes) -> None:
        for one in read_log(kind, io.BytesIO(content)):
            assert isinstance(one, LoggedPlay | UnreadableLine)

    given(f"log {kind}", [SCROBBLER, PLAYBACK], reading)


def test_what_syncthing_passes_over() -> None:
    def reading(content: bytes) -> None:
        assert is_ignored(with_line(content)) or not is_ignored(content)

    given("stignore", [b"// mine\n!/.sidecar/x\n#include more\n.sidecar\n*.tmp\n"], reading)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("media")
    names = ("dressed.flac", "dressed.m4a", "dressed.opus", "plain.ogg", "plain.wav", "film.mkv")
    return [mp3("Tone", "Ann", "Light", "3"), *(make(folder, one).read_bytes() for one in names)]


@pytest.fixture(scope="module")
def reader() -> Iterator[ConfinedReader]:
    with ConfinedReader() as reader:
        yield reader


def test_tags(media: list[bytes], reader: ConfinedReader) -> None:
    with tempfile.TemporaryFile(buffering=0) as file:

        def reading(content: bytes) -> None:
            file.seek(0)
            file.truncate()
            file.write(content)
            file.seek(0)
            found = reader.tags(file)
            assert isinstance(found, FoundTags)
            for text in (found.title, found.artist, found.album_artist, found.album):
                assert text is None or len(text) <= LONGEST

        given("tags", [one[:60_000] for one in media], reading)


def test_covers(reader: ConfinedReader) -> None:
    seeds = []
    for form in ("JPEG", "PNG", "WEBP", "GIF"):
        drawn = io.BytesIO()
        Image.effect_noise((40, 30), 60).convert("RGB").save(drawn, form)
        seeds.append(drawn.getvalue())

    def reading(content: bytes) -> None:
        picture = reader.cover(content, most=32)
        assert picture is None or picture.startswith(b"\xff\xd8")

    given("covers", seeds, reading)


def test_whether_a_file_is_whole(media: list[bytes]) -> None:
    with tempfile.TemporaryFile() as file:

        def reading(content: bytes) -> None:
            file.seek(0)
            file.truncate()
            file.write(content)
            file.flush()
            source = MediaFile(file, clock=SystemClock(), stop=Event(), limit_s=10.0)
            judge(inspect(source, ""), 6.0)

        given("wholeness", [one[:60_000] for one in media], reading)


# What Jellyfin says


def named(item: Item) -> None:
    path = build_path(item)
    assert ".." not in path.split("/")
    assert len(path.encode()) < 1000


def recorded(*names: str) -> list[bytes]:
    return [body(version, name) for version in VERSIONS for name in names]


ANSWERS: dict[str, tuple[TypeAdapter[Any], list[bytes]]] = {
    "pages": (models.ITEMS_PAGE, recorded("favourites", "movies", "items-by-ids", "playlists")),
    "items": (models.ITEM, recorded("item", "series")),
    "sessions": (models.SESSIONS, recorded("sessions-playing-admin", "sessions-playing-user")),
    "users": (models.USER, recorded("me")),
    "servers": (models.PUBLIC_SERVER, recorded("public-info")),
    "sign-ins": (models.SIGN_IN, recorded("sign-in")),
    "hearts": (models.USER_ITEM_DATA, recorded("favourite-on")),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_jellyfin(name: str) -> None:
    shape, seeds = ANSWERS[name]

    def reading(content: bytes) -> None:
        answer = Answer("s", "GET /x", 200, {"Content-Type": "application/json"}, content)
        with suppress(UnexpectedAnswer):
            found = read(answer, shape)
            match name:
                case "pages":
                    for one in found.items:
                        if one is not None:
                            named(to_item(one))
                case "items":
                    named(to_item(found))
                case "sessions":
                    list_now_playing(found, except_device="x")
                case _:
                    assert found is not None

    given(name, seeds, reading)


def test_frames_of_jellyfin() -> None:
    seeds = [
        json.dumps(frame).encode()
        for version in VERSIONS
        for frame in json.loads((FOLDER / version / "frames.json").read_text("utf-8"))
    ]

    given("frames", seeds, lambda content: decode(content, own_device="x"))


LYRICS = b"""{"Metadata": {}, "Lyrics": [{"Text": "La la", "Start": 15000000}, {"Text": "la"}]}"""


def test_lyrics() -> None:
    def reading(content: bytes) -> None:
        answer = Answer("s", "GET /x", 200, {"Content-Type": "application/json"}, content)
        with suppress(UnexpectedAnswer):
            render_lrc(lines_in(answer))

    given("lyrics", [LYRICS], reading)


# What other programs say


class Told(SyncthingConnection):
    """A connection whose answers have come already."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", key=lambda: SecretStr("k"))
        self.content = b""

    def get(self, path: str, query: Query | None = None, *, wait_s: float = 0.0) -> Any:  # noqa: ANN401
        return self._check_status(path, 200, self.content)


SYNCTHING = [
    b'{"myID": "ME", "tilde": "/home/ann"}',
    b'[{"id": "f", "label": "Music", "path": "~/x", "devices": [{"deviceID": "ME"}]}]',
    b'{"connections": {"B": {"connected": true}}}',
    b'{"B": {"lastSeen": "2026-01-01T00:00:00Z"}}',
    b'[{"deviceID": "B", "name": "Phone", "paused": false}]',
    b'{"completion": 99.5, "needBytes": 5, "needItems": 1, "globalItems": 7, "sequence": 3}',
    b'{"files": [{"name": "A/b.mp3", "size": 5}, {"name": "c", "deleted": true}]}',
    b'[{"name": "b.mp3", "size": 5, "type": "FILE_INFO_TYPE_FILE"}]',
    b'{"ignore": [".sidecar"], "expanded": []}',
    b'[{"id": 5, "type": "FolderSummary"}]',
]


def test_answers_of_syncthing() -> None:
    told = Told()
    asked = Syncthing(told)
    questions: list[Callable[[], object]] = [
        asked.folders,
        asked.devices,
        lambda: asked.completion("f", "B"),
        lambda: asked.needed("f", "B"),
        lambda: asked.sizes("f", ""),
        lambda: asked.ignored("f"),
        lambda: asked.wait_for_event(1, wait_s=0),
    ]

    def reading(content: bytes) -> None:
        told.content = content
        for ask in questions:
            with suppress(SyncthingError):
                ask()

    given("syncthing", SYNCTHING, reading)


ARIA2 = [
    b'{"id": "0", "jsonrpc": "2.0", "result": {"gid": "1", "status": "active", "errorCode": "0"}}',
    b'{"id": "0", "error": {"code": 1, "message": "Unauthorized"}}',
    b'{"jsonrpc": "2.0", "method": "aria2.onDownloadStop", "params": [{"gid": "2089b05ecca3"}]}',
]


def test_answers_of_aria2() -> None:
    def reading(content: bytes) -> None:
        assert all(isinstance(one, str) for one in _read_gids(content))
        with suppress(ValueError, Aria2Away):
            told = read_json(content, most_bytes=10**6, most_values=10**4)
            found = read_status(_read_result(told))
            assert isinstance(found, Aria2Status)
            found.failure()

    given("aria2", ARIA2, reading)


FFPROBE = b"""{"streams": [{"index": 0, "codec_name": "flac", "codec_type": "audio", "channels": 2,
"duration": "6.0", "bit_rate": "128000", "tags": {"title": "T"}, "disposition": {}},
{"index": 1, "codec_name": "mjpeg", "codec_type": "video", "disposition": {"attached_pic": 1}}],
"chapters": [{"start_time": "0.0", "end_time": "1.5", "tags": {"title": "One"}}],
"format": {"duration": "6.0", "bit_rate": "1", "tags": {"ARTIST": "Ann"}}}"""


def test_answers_of_ffprobe() -> None:
    def reading(content: bytes) -> None:
        with suppress(ValueError, ChildFailed):
            told = read_json(content, most_bytes=10**6, most_values=10**4)
            if isinstance(told, dict):
                parse(told, 1000, lambda: None)

    given("ffprobe", [FFPROBE], reading)


# What browsers send, and what lies on this machine


HEADS = [
    (
        b"GET /downloads?q=a&page=2 HTTP/1.1\r\nHost: localhost:8097\r\nCookie: sidecar_session=x"
        b'\r\nAccept-Language: de, en;q=0.5\r\nIf-None-Match: W/"tag", "other"\r\n\r\n'
    ),
    b"POST /sign-in HTTP/1.1\r\nHost: [::1]:8097\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
]


def test_requests() -> None:
    def reading(content: bytes) -> None:
        Incoming(content).is_whole()
        lines, headers = io.BytesIO(content), dict[bytes, bytes]()
        with suppress(Refused):
            check_line(lines.readline())
            read_headers(lines, headers)
            check_version(headers, b"HTTP/1.1")
        assert all(b"\n" not in one and b"\0" not in one for one in headers.values())
        with suppress(ValueError):
            io.BufferedReader(Chunks(lines)).read(100_000)
        text = content.decode("latin-1")
        split_host(text[:300])
        is_own_origin(text[:300], "localhost")

    given("requests", HEADS, reading)


FOUND = b"""{"Address":"http://192.168.1.10:8096","Id":"5","Name":"Attic","EndpointAddress":null}"""


def test_answers_of_servers_on_the_network() -> None:
    def reading(content: bytes) -> None:
        found = _read(content)
        assert found is None or found.address.startswith("http")

    given("discovery", [FOUND], reading)


MOUNTS = b"""36 25 8:17 / /media/ann/MY\\040STICK rw,nosuid shared:1 - vfat /dev/sdb1 rw
24 1 8:1 / / rw - ext4 /dev/sda1 rw\n"""


def test_mounts(tmp_path: Path) -> None:
    def reading(content: bytes) -> None:
        (tmp_path / "mountinfo").write_bytes(content)
        list_drives([Path("/media")], tmp_path / "mountinfo")

    given("mounts", [MOUNTS], reading)


SETTINGS = b"""
[jellyfin]
url = "http://nas:8096"
[network]
quiet_hours = ["22:00-06:30"]
[transfer]
speed_limit = "2 MB"
read_timeout = "30 seconds"
[[devices]]
name = "Car"
path = "/media/car"
budget = "10 GB"
"""
DEVICES = b"""[{"name": "Car", "path": "/media/car", "budget": "10 GB", "users": ["ann"]}]"""


def test_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"

    def reading(content: bytes) -> None:
        file.write_bytes(content)
        with suppress(ConfigError):
            load({}, file=file)

    def reading_environ(content: bytes) -> None:
        file.write_bytes(b"")
        with suppress(ConfigError):
            load({"SIDECAR_DEVICES": content.decode("latin-1")}, file=file)

    given("settings", [SETTINGS], reading)
    given("environment", [DEVICES], reading_environ)


def test_backups(tmp_path: Path) -> None:
    database, file = tmp_path / "sidecar.db", tmp_path / "backup.zip"
    database.write_bytes(b"SQLite format 3\0" * 500)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    manifest = BackupManifest.of(database, schema_step=1, has_secrets=True, now=now)
    whole = io.BytesIO()
    write_archive(whole, manifest.encode(), database, b"s" * 100)

    def reading(content: bytes) -> None:
        file.write_bytes(content)
        with suppress(SidecarError), open_archive(file) as archive:
            archive.extract_database(database)
            assert archive.sealed

    given("backups", [whole.getvalue()], reading)
