"""A Jellyfin that lies: about the length of what it sends, and by sending more than was asked."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from pydantic import SecretStr

from sidecar.domain.items.item import ItemType
from sidecar.errors import JellyfinError, ServerAway, UnexpectedAnswer
from sidecar.jellyfin import models
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.http.connection import BUDGET, LARGEST_BODY_BYTES, MOST_AT_ONCE_BYTES
from sidecar.jellyfin.http.parsing import parse
from sidecar.jellyfin.library.streaming import open_stream
from sidecar.jellyfin.models import MOST_ITEMS

ITEM = "1" * 32
ANN = "a" * 32
MIB = 1024 * 1024


def answer(*headers: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: audio/flac", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*blocks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (*blocks, b""))


def json_answer(body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def saying(said: bytes) -> Iterator[Jellyfin]:
    """A client of a server that says just this to whoever asks, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                with line:
                    line.settimeout(5)
                    try:
                        line.recv(65536)
                        line.sendall(said)
                        line.shutdown(socket.SHUT_WR)
                    except OSError:
                        continue

        thread = Thread(target=serve, daemon=True)
        thread.start()
        client = Jellyfin(
            f"http://127.0.0.1:{listening.getsockname()[1]}",
            identity=DeviceIdentity(device_id="d", version="1"),
            token=SecretStr("t"),
            user_id=ANN,
        )
        try:
            yield client
        finally:
            client.close()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


PLAIN = answer("Content-Length: 5", body=b"hello")
PART = "Content-Range: bytes 2-6/100"
TRUE = {
    "whole": (PLAIN, {}, {"Content-Length": "5"}, b"hello"),
    "chunks, whatever length is told": (
        answer("Content-Length: 500", "Transfer-Encoding: chunked", body=chunked(b"he", b"llo")),
        {},
        {},
        b"hello",
    ),
    "without a length": (answer(body=b"hello"), {}, {}, b"hello"),
    "a part": (
        answer("Content-Length: 5", PART, body=b"hello", status="206 Partial Content"),
        {"Range": "bytes=2-6"},
        {"Content-Length": "5", "Content-Range": "bytes 2-6/100"},
        b"hello",
    ),
    "longer than it says": (answer("Content-Length: 5", body=b"hello, world"), {}, None, b"hello"),
    "odd validators": (
        answer("Content-Length: 5", 'ETag: "\xe4"', f"Last-Modified: {'x' * 999}", body=b"hello"),
        {},
        {"Content-Length": "5"},
        b"hello",
    ),
    "several parts are not asked for": (
        PLAIN,
        {"Range": "bytes=0-1,3-4"},
        {"Content-Length": "5"},
        b"hello",
    ),
}


@pytest.mark.parametrize(("said", "asked", "headers", "body"), TRUE.values(), ids=TRUE)
def test_what_is_passed_on_is_as_long_as_it_says(
    said: bytes, asked: dict[str, str], headers: dict[str, str] | None, body: bytes
) -> None:
    with saying(said) as client:
        found = open_stream(client, ITEM, asked)
        passed = dict(found.headers)
        assert b"".join(found.blocks()) == body
        found.close()

    assert headers is None or passed == headers


REFUSED = {
    "below nothing": answer("Content-Length: -5", body=b"hello"),
    "no number": answer("Content-Length: abc", body=b"hello"),
    "signed": answer("Content-Length: +5", body=b"hello"),
    "two": answer("Content-Length: 5", "Content-Length: 6", body=b"hello"),
    "a list": answer("Content-Length: 5, 5", body=b"hello"),
    "huge": answer(f"Content-Length: {10**30}", body=b"hello"),
    "a part that was not asked for": answer(PART, body=b"hello", status="206 Partial Content"),
    "a part without a place": answer(body=b"hello", status="206 Partial Content"),
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
def test_a_length_or_place_that_is_none_is_refused(said: bytes) -> None:
    with saying(said) as client, pytest.raises(JellyfinError):
        open_stream(client, ITEM, {})


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        ("bytes 0-99/100", "bytes=0-1"),
        ("bytes 2-6/100", "bytes=0-6"),
        ("bytes 6-2/100", "bytes=6-"),
        ("bytes 0-9/100", "bytes=-5"),
        ("bytes 2-6/100\t", "bytes=2-7"),
        ("bytes 2-x/100", "bytes=2-7"),
        ("items 2-6/100", "bytes=2-6"),
    ],
)
def test_another_part_than_was_asked_for_is_refused(part: str, asked: str) -> None:
    said = answer("Content-Length: 9", f"Content-Range: {part}", status="206 Partial Content")
    with saying(said) as client, pytest.raises(UnexpectedAnswer):
        open_stream(client, ITEM, {"Range": asked})


def test_what_is_shorter_than_it_says_is_cut_off_and_never_ended() -> None:
    with saying(answer("Content-Length: 500", body=b"hello")) as client:
        found = open_stream(client, ITEM, {})
        with pytest.raises(ServerAway):
            list(found.blocks())
        found.close()


# More than was asked for


def items(count: int, of: bytes = b'{"Id":"%032x","Type":"Audio"}') -> bytes:
    each = b",".join(of % one if b"%" in of else of for one in range(count))
    return b'{"Items":[' + each + b'],"TotalRecordCount":%d}' % count


MUCH = {
    "more items than were asked for": items(300),
    "a page of a million": items(MOST_ITEMS + 1),
    "nothing, a million times": items(1_100_000, b"{}"),
    "brackets": b'{"Items":[' + b"[]," * 600_000 + b'1],"TotalRecordCount":1}',
    "deep": b'{"Items":' + b"[" * 100_000 + b"]" * 100_000 + b',"TotalRecordCount":1}',
    "more than any library holds": b'{"Items":[],"TotalRecordCount":1000000000}',
    "too long": b'{"Items":[],"x":"' + b"x" * LARGEST_BODY_BYTES + b'"}',
}


@pytest.mark.parametrize("body", MUCH.values(), ids=MUCH)
def test_more_than_was_asked_for_is_refused(body: bytes) -> None:
    with saying(json_answer(body)) as client, pytest.raises(UnexpectedAnswer):
        client.favourites({ItemType.AUDIO})


def test_odd_numbers_and_texts_count_as_absent() -> None:
    text = b"x" * 5000
    body = (
        b'{"Id":"%s","Type":"Audio","Name":"%s","IndexNumber":1e30,"ProductionYear":%d,'
        b'"RunTimeTicks":%d,"PremiereDate":"9999-12-31T23:59:59-14:00"}'
        % (ITEM.encode(), text, 10**40, 10**40)
    )
    with saying(json_answer(body)) as client:
        item = client.item(ITEM)

    assert (item.title, item.number, item.year, item.seconds) == ("Untitled", None, None, None)


def test_many_large_answers_at_once_are_not_all_kept() -> None:
    text = b"x" * (LARGEST_BODY_BYTES - 100)
    body = b'{"Items":[],"TotalRecordCount":0,"x":"' + text + b'"}'
    left = LARGEST_BODY_BYTES + MIB
    assert BUDGET.take(MOST_AT_ONCE_BYTES - left)
    try:
        with saying(json_answer(body)) as client:
            client.page("Items", query={})
            assert BUDGET.take(2 * MIB), "what was read has been given back"
            with pytest.raises(ServerAway, match="more at once"):
                client.page("Items", query={})
            BUDGET.give_back(2 * MIB)
    finally:
        BUDGET.give_back(MOST_AT_ONCE_BYTES - left)


def test_media_streams_are_not_even_kept_unless_they_are_wanted() -> None:
    streams = b",".join([b'{"Codec":"x"}'] * 400)
    body = items(100, b'{"Id":"%032x","Type":"Movie","MediaSources":[{"MediaStreams":[S]}]}')
    with saying(json_answer(body.replace(b"[S]", b"[%s]" % streams))) as client:
        found = client.page("Items", query={})
        with pytest.raises(UnexpectedAnswer, match="far too much"):
            client.page("Items", query={}, with_streams=True)

    sources = [source for one in found.items if one for source in one.media_sources]
    assert [one.media_streams for one in sources if one] == [()] * 100


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: %s\r\n" % (n, b"x" * 60_000) for n in range(90)),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 200_000,
    ],
)
def test_a_head_without_an_end_is_not_read_to_it(head: bytes) -> None:
    with saying(head + b"\r\n") as client:
        tracemalloc.start()
        try:
            with pytest.raises(JellyfinError):
                client.me()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert most < MIB


# What reading costs


def test_what_there_may_be_thousands_of_is_small() -> None:
    told = {
        "sources": items(1, b'{"Id":"%032x","Type":"Audio","MediaSources":[S]}'),
        "artists": items(1, b'{"Id":"%032x","Type":"Audio","AlbumArtists":[S]}'),
    }
    for name, body in told.items():
        content = body.replace(b"[S]", b"[%s]" % b",".join([b"{}"] * 5000))
        tracemalloc.start()
        page = parse(content, models.ITEMS_PAGE, most_bytes=MIB)
        left, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert page.total_record_count == 1
        assert left < 5000 * 200, name


DEAR = {
    "objects": b'{"x":[' + b'{"a":1},' * 90_000 + b"1]}",
    "objects for users": b"[" + b'{"a":1},' * 90_000 + b"1]",
    "empty objects": b'{"Items":[' + b"{}," * 90_000 + b"1]}",
    "words": b'["' + b'","'.join([b"x" * 20] * 190_000) + b'"]',
    "keys": b"{" + b",".join(b'"%d":1' % one for one in range(190_000)) + b"}",
    "one word": b'{"x":"' + b"x" * (4 * MIB) + b'"}',
}


@pytest.mark.parametrize("body", DEAR.values(), ids=DEAR)
@pytest.mark.parametrize("ask", [Jellyfin.me, Jellyfin.users, Jellyfin.sessions])
def test_what_does_not_fit_never_becomes_objects_of_python(
    body: bytes, ask: Callable[[Jellyfin], object]
) -> None:
    with saying(json_answer(body)) as client:
        tracemalloc.start()
        try:
            with pytest.raises(UnexpectedAnswer) as caught:
                ask(client)
            left, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert most < 2 * len(body) + 2 * MIB
    assert left < MIB, "not even the error keeps the body"
    assert caught.value


def test_an_error_keeps_nothing_of_the_budget() -> None:
    with saying(json_answer(DEAR["one word"])) as client, pytest.raises(UnexpectedAnswer) as caught:
        client.me()

    assert BUDGET.take(MOST_AT_ONCE_BYTES)
    BUDGET.give_back(MOST_AT_ONCE_BYTES)
    assert caught.value


def test_what_is_packed_is_unpacked_a_little_at_a_time() -> None:
    packed = gzip.compress(bytes(64 * MIB))
    head = b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
    said = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (head, len(packed))
    with saying(said + packed) as client:
        tracemalloc.start()
        try:
            with pytest.raises(UnexpectedAnswer, match="far too much"):
                client.me()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert most < LARGEST_BODY_BYTES + 2 * MIB


@pytest.mark.parametrize("encoding", ["br", "gzip", "gzip, gzip", "deflate"])
def test_what_is_packed_otherwise_or_damaged_is_refused(encoding: str) -> None:
    head = f"Content-Type: application/json\r\nContent-Encoding: {encoding}\r\n".encode()
    said = b"HTTP/1.1 200 OK\r\n%sContent-Length: 5\r\n\r\nhello" % head
    with saying(said) as client, pytest.raises(UnexpectedAnswer, match="unreadable"):
        client.me()


def test_what_is_packed_is_read() -> None:
    packed = gzip.compress(b'{"Items":[],"TotalRecordCount":7}')
    head = b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
    said = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (head, len(packed))
    with saying(said + packed) as client:
        assert client.page("Items", query={}).total_record_count == 7


def test_cookies_are_not_gathered() -> None:
    cookies = [f"Set-Cookie: c{number}={'x' * 1000}; Path=/" for number in range(50)]
    said = answer("Content-Length: 2", *cookies, body=b"{}").replace(b"audio/flac", b"text/plain")
    with saying(said) as client:
        client.health()
        assert not client.connection._get_session().cookies
