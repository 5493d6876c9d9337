"""What an answer to a request for a file means: every case, as a table."""

from __future__ import annotations

import pytest

from sidecar.domain.downloads import Validator
from sidecar.domain.failures import FailureClass, TransferFailed
from sidecar.domain.transfers import (
    AlreadyWhole,
    Body,
    FromZero,
    Held,
    confirm,
    judge_rest,
    judge_whole,
    looks_like_a_page,
    may_be_resumed,
)

HOST = "box:8096"
OLD = "Sat, 31 Oct 2026 10:00:00 GMT"
NEW = "Sun, 01 Nov 2026 10:00:00 GMT"
NOW = "Mon, 23 Nov 2026 10:00:00 GMT"
KNOWN = Validator(OLD, 100)
HELD = Held(40, KNOWN)
FILE = {
    "content-type": "audio/flac",
    "content-length": "100",
    "last-modified": OLD,
    "date": NOW,
}
REST = {**FILE, "content-range": "bytes 40-99/100", "content-length": "60"}


def test_a_whole_file_is_taken_from_its_start() -> None:
    assert judge_whole(200, FILE, HOST) == Body(0, KNOWN, "audio/flac")


def test_the_rest_of_the_same_file_goes_on() -> None:
    assert judge_rest(206, REST, HOST, HELD) == Body(40, KNOWN, "audio/flac")


def test_a_whole_file_in_place_of_the_rest_starts_over() -> None:
    assert judge_rest(200, FILE, HOST, HELD) == Body(0, KNOWN, "audio/flac")


def test_a_shorter_piece_than_the_rest_is_taken_as_far_as_it_goes() -> None:
    piece = {**REST, "content-range": "bytes 40-59/100", "content-length": "20"}

    assert judge_rest(206, piece, HOST, HELD) == Body(40, KNOWN, "audio/flac")


@pytest.mark.parametrize(
    "change",
    [
        {"last-modified": NEW},
        {"content-range": "bytes 40-119/120", "content-length": "80"},
        {"content-range": "bytes 0-99/100", "content-length": "100"},
        {"content-range": "bytes 41-99/100", "content-length": "59"},
        {"content-range": "bytes 40-99/100", "content-length": "61"},
        {"content-range": "bytes 40-100/100", "content-length": "61"},
        {"content-range": "nonsense"},
        {"content-type": "multipart/byteranges; boundary=x"},
    ],
)
def test_a_rest_that_is_not_of_this_file_is_never_glued_on(change: dict[str, str]) -> None:
    with pytest.raises(TransferFailed) as failed:
        judge_rest(206, {**REST, **change}, HOST, HELD)

    assert failed.value.failure.kind is FailureClass.CHANGED


def test_a_piece_of_a_file_that_was_asked_for_as_a_whole_is_refused() -> None:
    with pytest.raises(TransferFailed) as failed:
        judge_whole(206, REST, HOST)

    assert failed.value.failure.code == "mixed-up"


def test_all_is_there_already_if_the_server_says_so_of_the_same_file() -> None:
    end = {"content-range": "bytes */100", "last-modified": OLD}

    assert judge_rest(416, end, HOST, Held(100, KNOWN)) == AlreadyWhole()


@pytest.mark.parametrize(
    ("headers", "held"),
    [
        ({"content-range": "bytes */100", "last-modified": NEW}, 100),
        ({"content-range": "bytes */90", "last-modified": OLD}, 100),
        ({"content-range": "bytes */100", "last-modified": OLD}, 99),
        ({}, 100),
    ],
)
def test_anything_else_past_the_end_starts_over(headers: dict[str, str], held: int) -> None:
    assert judge_rest(416, headers, HOST, Held(held, KNOWN)) == FromZero()


@pytest.mark.parametrize(
    ("status", "headers", "kind", "code"),
    [
        (401, {}, FailureClass.SIGNED_OUT, "http-401"),
        (403, {}, FailureClass.REFUSED, "http-403"),
        (400, {}, FailureClass.REFUSED, "http-400"),
        (404, {}, FailureClass.FILE_AWAY, "http-404"),
        (429, {}, FailureClass.TRANSIENT, "http-429"),
        (500, {}, FailureClass.TRANSIENT, "http-500"),
        (302, {"location": "https://sso.example/?t=secret"}, FailureClass.BLOCKED, "http-302"),
        (304, {}, FailureClass.TRANSIENT, "http-304"),
        (416, {}, FailureClass.TRANSIENT, "http-416"),
        (200, {"content-type": "text/html"}, FailureClass.BLOCKED, "html"),
        (200, {"content-encoding": "gzip"}, FailureClass.BLOCKED, "compressed"),
    ],
)
def test_every_other_answer_has_its_class(
    status: int, headers: dict[str, str], kind: FailureClass, code: str
) -> None:
    with pytest.raises(TransferFailed) as failed:
        judge_whole(status, headers, HOST)

    assert (failed.value.failure.kind, failed.value.failure.code) == (kind, code)
    assert "secret" not in failed.value.failure.message


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (206, {"content-range": "bytes 0-0/100", "content-length": "1", "last-modified": OLD}),
        (200, FILE),
        (416, {"content-range": "bytes */100", "last-modified": OLD}),
    ],
)
def test_a_second_answer_confirms_the_length(status: int, headers: dict[str, str]) -> None:
    confirm(status, headers, HOST, Held(100, KNOWN))


@pytest.mark.parametrize(
    ("status", "headers", "code"),
    [
        (206, {"content-range": "bytes 0-0/101", "last-modified": OLD}, "changed"),
        (206, {"content-range": "bytes 0-0/100", "last-modified": NEW}, "changed"),
        (206, {"content-range": "bytes 0-0/*", "last-modified": OLD}, "unverified"),
        (412, {}, "changed"),
        (503, {}, "http-503"),
        (200, {"content-type": "text/html"}, "html"),
    ],
)
def test_a_second_answer_that_does_not_agree_is_not_believed(
    status: int, headers: dict[str, str], code: str
) -> None:
    with pytest.raises(TransferFailed) as failed:
        confirm(status, headers, HOST, Held(100, KNOWN))

    assert failed.value.failure.code == code


@pytest.mark.parametrize(
    ("validator", "held", "may"),
    [
        (KNOWN, 40, True),
        (KNOWN, 0, False),
        (None, 40, False),
        (Validator(None, 100), 40, False),
        (Validator(OLD, None), 40, False),
    ],
)
def test_only_what_is_surely_of_one_version_is_gone_on_with(
    validator: Validator | None, held: int, *, may: bool
) -> None:
    assert may_be_resumed(validator, held) is may


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b"\n <html lang=en>", b"\xef\xbb\xbf<html>"])
def test_a_login_page_is_known_by_its_first_bytes(page: bytes) -> None:
    assert looks_like_a_page(page)
    assert not looks_like_a_page(b"fLaC" + page)
