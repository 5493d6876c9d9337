"""How long a heart takes here: from Jellyfin's message to the queue, and to the first file's start.

    python -m tests.bench.hearts

The sidecar is whole but for its listener: three workers are busy with long files and a fourth is
free, 20 pages are open, and 50,000 favourites are known. Jellyfin is a process of its own that
answers at once, so all of the time is ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.favourite_state import FavouriteState
from sidecar.domain.rules.favourites import FavouritesSettings
from sidecar.domain.wishes import PIN, PIN_PRIORITY, Reason, Wish
from sidecar.errors import ServerAway
from sidecar.events import DownloadChanged, Event
from sidecar.jellyfin.live.events import UserDataChanged, UserDataEntry
from sidecar.process import limits
from sidecar.services.health.tasks import Tasks
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.favourites.favourites import FavouritesFollower
from sidecar.services.rules.favourites.states import AccountFavourites
from sidecar.services.rules.followed_account import FollowedAccount
from tests.bench.timing import Figures
from tests.fakes.page import OpenPage
from tests.services.conftest import STICK, track
from tests.web.house import ANN, PUBLIC, SERVER_ID, WebHouse, serving, web_house

KNOWN = 50_000
PAGES, BUSY = 20, 3
SMALL, LONG = 40_000, 1 << 30
PACE = 10_000_000
TRACKS, ALBUMS, ARTISTS = 40, 5, 3
ALBUM_TRACKS, ARTIST_ALBUMS, ARTIST_TRACKS = 100, 25, 12
# The numbers of the items, by what they are.
FIRST_KNOWN, FIRST_SINGLE, FIRST_ALBUM, FIRST_ARTIST, FIRST_LONG = (
    1_000_000 * one for one in range(1, 6)
)
CONTAINERS = 100_000_000
WITHIN_S = 60.0


def measure() -> Mapping[str, Figures]:
    """Press hearts and return how long each kind took."""
    # All pages are one account's here, which would not get so many.
    limits.SOCKETS_AN_ACCOUNT = limits.SOCKETS
    # As the product does when it starts.
    sys.setswitchinterval(limits.TURN_S)
    with ExitStack() as stack:
        url = stack.enter_context(jellyfin())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sidecar-hearts-")))
        house = stack.enter_context(
            web_house(folder, SystemClock(), change=partial(_change, url))  # type: ignore[arg-type]  # a clock
        )
        heart = FavouriteState(is_favorite=True)
        known = {_id(FIRST_KNOWN + one): (ItemType.AUDIO, heart) for one in range(KNOWN)}
        house.store.hearts.save_all(ANN.user_id, known)
        presser = Presser(house)
        stack.enter_context(presser.running())
        server = stack.enter_context(serving(house.web))
        pages = [
            stack.enter_context(OpenPage(server.url, cookie=house.begin_session(ANN)))
            for _ in range(PAGES)
        ]
        for page in pages:
            threading.Thread(target=_hear, args=(page,), daemon=True).start()
        found = {
            "a track": presser.press(range(FIRST_SINGLE, FIRST_SINGLE + 12 * TRACKS, 12)),
            "an album of 100": presser.press(
                (CONTAINERS + FIRST_ALBUM + ALBUM_TRACKS * one for one in range(ALBUMS)),
                until=Status.DOWNLOADING,
            ),
            "an artist of 300": presser.press(
                (CONTAINERS + FIRST_ARTIST + 1000 * one for one in range(ARTISTS)),
                until=Status.DOWNLOADING,
            ),
        }
        presser.follower.is_looking = True
        presser.follower.look_through_soon()
        start = FIRST_SINGLE + 12 * TRACKS
        found["a track, while all are looked through"] = presser.press(
            range(start, start + 12 * TRACKS, 12), has_backlog=True
        )
        return found


class Follower(FavouritesFollower):
    """Follows hearts, and looks through all only when it is told; ends in the middle of it."""

    is_looking = False
    is_over = False

    def _take_waiting_news(self) -> None:
        if self.is_over:
            raise ServerAway("the end")
        super()._take_waiting_news()

    def look_through(self) -> None:
        if self.is_looking:
            super().look_through()


class Presser:
    """Presses hearts and waits for what comes of them."""

    def __init__(self, house: WebHouse) -> None:
        self._house = house
        self._seen: dict[tuple[str, Status], float] = {}
        self._came = threading.Condition()
        account = FollowedAccount(
            user_id=ANN.user_id,
            name="ann",
            devices=lambda _name: [STICK],
            tell=lambda _trouble: None,
            is_server_there=lambda: True,
        )
        self.follower = Follower(
            account,
            house.services.accounts.service.client(ANN.user_id),
            hearts=AccountFavourites(ANN.user_id, house.store.hearts, house.clock),
            planning=house.services.rules.planning,
            settings=FavouritesSettings(),
            clock=house.clock,
            acts=Acts(house.clock),
            tasks=Tasks(house.clock),
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the follower and the workers run; most of them are busy with long files."""
        house, stop, wakeup = self._house, threading.Event(), threading.Event()
        why = Reason(PIN, _id(FIRST_LONG), "long")
        items = [track(FIRST_LONG + one, size=LONG, album=f"Long {one}") for one in range(BUSY)]
        house.services.rules.planning.hold(
            [Wish(ANN.user_id, STICK, one, why, PIN_PRIORITY) for one in items],
            lambda ids: {one.id: one for one in items if one.id in ids},
        )
        house.bus.subscribe(self._hear)
        works = [house.services.transfers.new_worker() for _ in range(BUSY + 1)]
        threads = [
            threading.Thread(target=self._around, args=(partial(_work, one.step, stop, wakeup),))
            for one in works
        ]
        threads.append(threading.Thread(target=self._around, args=(self._follow(stop),)))
        house.bus.subscribe(lambda _event: wakeup.set())
        for one in threads:
            one.start()
        for item in items:
            self._wait(item.id, Status.DOWNLOADING)
        try:
            yield
        finally:
            stop.set()
            self.follower.is_over = True
            wakeup.set()
            house.services.devices.claims.stop_all()
            for one in threads:
                one.join(30)

    def press(
        self,
        numbers: Iterable[int],
        *,
        until: Status = Status.PENDING,
        has_backlog: bool = False,
    ) -> Figures:
        """Press the heart on each of these items and sum up how long it takes.

        Args:
            numbers: The items, one after another.
            until: What the first track of each is waited for.
            has_backlog: So much waits before it that nobody waits for the files.
        """
        taken = []
        for number in numbers:
            entry = UserDataEntry(
                item_id=_id(number),
                is_favorite=True,
                played=False,
                play_count=0,
                last_played=None,
                position_s=0.0,
            )
            first = next(iter(_tracks_of(number)), number)
            began = time.perf_counter()
            self.follower.deliver(UserDataChanged(ANN.user_id, (entry,)))
            taken.append(self._wait(_id(first), until) - began)
            # The next one finds an empty queue again.
            for one in () if has_backlog else _tracks_of(number) or (number,):
                self._wait(_id(one), Status.COMPLETED)
            time.sleep(0.1)
        return Figures.of(taken)

    def _wait(self, item_id: str, until: Status) -> float:
        with self._came:
            if not self._came.wait_for(lambda: (item_id, until) in self._seen, WITHIN_S):
                raise SystemExit(f"{item_id} was not {until} within {WITHIN_S} s")
            return self._seen[item_id, until]

    def _hear(self, event: Event) -> None:
        match event:
            case DownloadChanged(download=one, now=now) if now is not None:
                with self._came:
                    self._seen.setdefault((one.item_id, now), time.perf_counter())
                    self._came.notify_all()
            case _:
                pass

    def _around(self, body: object) -> None:
        with self._house.store.db.thread():
            body()  # type: ignore[operator]

    def _follow(self, stop: threading.Event) -> object:
        return partial(self.follower.run, stop)


def _work(step: object, stop: threading.Event, wakeup: threading.Event) -> None:
    while not stop.is_set():
        wakeup.clear()
        if not step():  # type: ignore[operator]
            wakeup.wait(1)


def _hear(page: OpenPage) -> None:
    try:
        while True:
            page.next(within_s=WITHIN_S * 10)
    except Exception:  # noqa: BLE001 - the page was closed
        return


def _change(url: str, settings: Settings) -> Settings:
    jellyfin = settings.jellyfin.model_copy(update={"url": url})
    return settings.model_copy(update={"jellyfin": jellyfin})


# Jellyfin


@contextmanager
def jellyfin() -> Iterator[str]:
    """Run the server and yield its address."""
    command = [sys.executable, "-m", "tests.bench.hearts", "--serve"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait(10)
        server.stdout.close()


def _id(number: int) -> str:
    return f"{number:032x}"


def _tracks_of(number: int) -> Sequence[int]:
    """Return the tracks of an album or artist; none of a track."""
    if number < CONTAINERS:
        return ()
    inner = number - CONTAINERS
    if inner >= CONTAINERS:
        # An album of an artist, or one of those whose tracks are known or pressed one by one.
        inner -= CONTAINERS
        return range(inner, inner + (10 if inner < FIRST_SINGLE else 12))
    if inner >= FIRST_ARTIST:
        return range(inner, inner + ARTIST_ALBUMS * ARTIST_TRACKS)
    return range(inner, inner + ALBUM_TRACKS)


def _album_of(number: int) -> int:
    if FIRST_ALBUM <= number < FIRST_ARTIST:
        return CONTAINERS + number - (number - FIRST_ALBUM) % ALBUM_TRACKS
    size = 10 if number < FIRST_SINGLE else 12
    base = (
        FIRST_ARTIST + (number - FIRST_ARTIST) // 1000 * 1000
        if number >= FIRST_ARTIST
        else (FIRST_KNOWN if number < FIRST_SINGLE else FIRST_SINGLE)
    )
    return 2 * CONTAINERS + number - (number - base) % size


def _artist_of(number: int) -> int:
    if number >= FIRST_ARTIST:
        return CONTAINERS + FIRST_ARTIST + (number - FIRST_ARTIST) // 1000 * 1000
    return _album_of(number) + CONTAINERS * 2


def _row(number: int, *, full: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "Id": _id(number),
        "Name": f"Item {number}",
        "ServerId": SERVER_ID,
        "CanDownload": True,
        "UserData": {"IsFavorite": True, "ItemId": _id(number), "Key": str(number)},
    }
    if number >= CONTAINERS:
        is_artist = FIRST_ARTIST <= number - CONTAINERS < CONTAINERS
        count = len(_tracks_of(number))
        kind = "MusicArtist" if is_artist else "MusicAlbum"
        return row | {"Type": kind, "IsFolder": True, "RecursiveItemCount": count}
    artist, album = _artist_of(number), _album_of(number)
    named = {"Name": f"Artist {artist}", "Id": _id(artist)}
    row |= {
        "Type": "Audio",
        "Album": f"Item {album}",
        "AlbumId": _id(album),
        "AlbumArtist": named["Name"],
        "AlbumArtists": [named],
        "ArtistItems": [named],
        "IndexNumber": number - _tracks_of(album)[0] + 1,
    }
    if full:
        row["MediaSources"] = [{"Id": _id(number), "Container": "flac", "Size": _size(number)}]
    return row


def _size(number: int) -> int:
    # As in a library hardly two files are equally long: those that are may be the same.
    return LONG if number >= FIRST_LONG else SMALL + number % 9973


class _Jellyfin(BaseHTTPRequestHandler):
    """Answers from arithmetic alone, and never waits for a packet to fill."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.strip("/").split("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if path[-1] == "Download":
            self._send_file(int(path[1], 16))
            return
        body = json.dumps(self._answer(path, query)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  (http.server's name)

    def _answer(self, path: Sequence[str], query: Mapping[str, str]) -> object:
        full = "MediaSources" in query.get("fields", "")
        match path:
            case ["System", "Info", "Public"]:
                return PUBLIC
            case ["Users", "Me"]:
                policy = {"IsAdministrator": False, "EnableContentDownloading": True}
                return {"Id": ANN.user_id, "Name": "ann", "ServerId": SERVER_ID, "Policy": policy}
            case ["Sessions"]:
                return []
            case ["Items", item_id]:
                return _row(int(item_id, 16), full=True)
            case ["Items"]:
                return _page(self._numbers(query), query, full=full)
            case _:
                return _page((), query, full=full)

    def _numbers(self, query: Mapping[str, str]) -> Sequence[int]:
        if ids := query.get("ids"):
            return [int(one, 16) for one in ids.split(",")]
        if of := query.get("parentId") or query.get("albumArtistIds"):
            return [number for one in of.split(",") for number in _tracks_of(int(one, 16))]
        return range(FIRST_KNOWN, FIRST_KNOWN + KNOWN) if "isFavorite" in query else ()

    def _send_file(self, number: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "audio/flac")
        self.send_header("Content-Length", str(_size(number)))
        self.send_header("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        block = b"\0" * min(262_144, _size(number))
        try:
            for _ in range(0, _size(number), len(block)):
                self.wfile.write(block[: _size(number)])
                if number >= FIRST_LONG:
                    time.sleep(len(block) / PACE)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


def _page(numbers: Sequence[int], query: Mapping[str, str], *, full: bool) -> Mapping[str, object]:
    start = int(query.get("startIndex", 0))
    shown = numbers[start : start + int(query.get("limit", len(numbers)))]
    rows = [_row(one, full=full) for one in shown]
    return {"Items": rows, "TotalRecordCount": len(numbers), "StartIndex": start}


def main() -> int:
    """Measure, or be the server."""
    if sys.argv[1:] == ["--serve"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Jellyfin)
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
    for name, one in measure().items():
        print(f"{name:45} p50 {one.p50:7.1f}  p95 {one.p95:7.1f}  longest {one.longest:7.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
