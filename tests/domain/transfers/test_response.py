"""What an answer to a request for a file means: every case, as a table."""

from __future__ import annotations

import pytest

from sidecar.domain.downloads.download import Validator
from sidecar.domain.transfers.failures import FailureClass, TransferFailed
from sidecar.domain.transfers.response import (
    OVERLAP,
    Doubt,
    Fetched,
    FromZero,
    Held,
    WriteBody,
    confirm,
    find_doubt,
    is_believed,
    is_unlike_scan,
    judge_rest,
    judge_whole,
    looks_like_a_page,
    may_be_resumed,
    unproved_length_failure,
)
from sidecar.domain.transfers.wholeness import Verdict

HOST = "box:8096"
OLD = "Sat, 31 Oct 2026 10:00:00 GMT"
NEW = "Sun, 01 Nov 2026 10:00:00 GMT"
NOW = "Mon, 23 Nov 2026 10:00:00 GMT"
TOTAL = 200_000
KNOWN = Validator(OLD, TOTAL)
HELD = Held(100_000, KNOWN)
FROM = 100_000 - OVERLAP
FILE = {
    "content-type": "audio/flac",
    "content-length": str(TOTAL),
    "last-modified": OLD,
    "date": NOW,
}


def part(first: int = FROM, last: int = TOTAL - 1, total: int | str = TOTAL) -> dict[str, str]:
    return {
        **FILE,
        "content-range": f"bytes {first}-{last}/{total}",
        "content-length": str(last - first + 1),
    }


def test_a_whole_file_is_taken_from_its_start() -> None:
    assert judge_whole(200, FILE, HOST) == WriteBody(0, 0, KNOWN, "audio/flac", OLD)


def test_the_rest_of_the_same_file_goes_on_after_what_is_compared() -> None:
    assert judge_rest(206, part(), HOST, HELD) == WriteBody(
        100_000, OVERLAP, KNOWN, "audio/flac", OLD
    )


@pytest.mark.parametrize("count", [1, OVERLAP - 1, OVERLAP])
def test_of_a_short_part_all_is_compared(count: int) -> None:
    held = Held(count, KNOWN)

    assert held.asks_from == 0
    assert judge_rest(206, part(0), HOST, held) == WriteBody(count, count, KNOWN, "audio/flac", OLD)


def test_a_whole_file_in_place_of_the_rest_starts_over() -> None:
    assert judge_rest(200, FILE, HOST, HELD) == WriteBody(0, 0, KNOWN, "audio/flac", OLD)


@pytest.mark.parametrize("held", [None, HELD])
def test_an_empty_body_is_no_file(held: Held | None) -> None:
    nothing = {**FILE, "content-length": "0"}

    with pytest.raises(TransferFailed) as failed:
        judge_rest(200, nothing, HOST, held) if held else judge_whole(200, nothing, HOST)

    assert failed.value.failure.kind is FailureClass.EMPTY


def test_a_shorter_piece_than_the_rest_is_taken_as_far_as_it_goes() -> None:
    piece = part(last=150_000)

    assert judge_rest(206, piece, HOST, HELD) == WriteBody(
        100_000, OVERLAP, KNOWN, "audio/flac", OLD
    )


@pytest.mark.parametrize(
    "change",
    [
        {"last-modified": NEW},
        part(total=TOTAL + 20),
        part(0),
        part(FROM + 1),
        part(100_000),
        {"content-length": str(TOTAL)},
        part(last=TOTAL),
        {"content-range": "nonsense"},
        {"content-type": "multipart/byteranges; boundary=x"},
    ],
)
def test_a_rest_that_is_not_of_this_file_is_never_glued_on(change: dict[str, str]) -> None:
    with pytest.raises(TransferFailed) as failed:
        judge_rest(206, {**part(), **change}, HOST, HELD)

    assert failed.value.failure.kind is FailureClass.CHANGED


def test_a_piece_of_a_file_that_was_asked_for_as_a_whole_is_refused() -> None:
    with pytest.raises(TransferFailed) as failed:
        judge_whole(206, part(), HOST)

    assert failed.value.failure.code == "mixed-up"


def test_what_came_without_a_length_goes_on_once_it_is_told() -> None:
    held = Held(100_000, Validator(OLD, None))

    assert judge_rest(206, part(), HOST, held) == WriteBody(
        100_000, OVERLAP, KNOWN, "audio/flac", OLD
    )
    assert judge_rest(206, part(total="*"), HOST, held) == FromZero()


@pytest.mark.parametrize("told", [{"content-range": f"bytes */{TOTAL}", "last-modified": OLD}, {}])
def test_nothing_where_something_is_held_starts_over(told: dict[str, str]) -> None:
    assert judge_rest(416, told, HOST, HELD) == FromZero()


@pytest.mark.parametrize(
    ("status", "headers", "kind", "code"),
    [
        (401, {}, FailureClass.SIGNED_OUT, "http-401"),
        (400, {"content-type": "text/html"}, FailureClass.BLOCKED, "refused-before"),
        (401, {"content-type": "text/html"}, FailureClass.BLOCKED, "refused-before"),
        (403, {"content-type": "Text/HTML; charset=UTF-8"}, FailureClass.BLOCKED, "refused-before"),
        (404, {"content-type": "application/xhtml+xml"}, FailureClass.BLOCKED, "refused-before"),
        (418, {"content-type": "text/html"}, FailureClass.BLOCKED, "refused-before"),
        (429, {"content-type": "text/html"}, FailureClass.BLOCKED, "refused-before"),
        (451, {"content-type": "text/html"}, FailureClass.BLOCKED, "refused-before"),
        (400, {"content-type": "text/plain"}, FailureClass.REFUSED, "http-400"),
        (403, {"content-type": "application/json"}, FailureClass.REFUSED, "http-403"),
        (502, {"content-type": "text/html"}, FailureClass.TRANSIENT, "http-502"),
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


@pytest.mark.parametrize("status", [403, 412, 416])
def test_a_refusal_with_a_web_page_costs_no_byte_that_is_there(status: int) -> None:
    page = {"content-type": "text/html", "retry-after": "90"}
    for judge in (
        lambda: judge_rest(status, page, HOST, HELD),
        lambda: confirm(status, page, HOST, fetched(), Doubt.LATE),
    ):
        with pytest.raises(TransferFailed) as failed:
            judge()

        failure = failed.value.failure
        assert (failure.kind, failure.code) == (FailureClass.BLOCKED, "refused-before")
        assert failure.retry_after_s == 90


FIRST_BYTE = part(0, 0)


def fetched(count: int = TOTAL, scanned: int | None = TOTAL, **facts: object) -> Fetched:
    values: dict[str, object] = {"validator": Validator(OLD, count), "said": OLD, **facts}
    return Fetched(count=count, scanned=scanned, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "took_s", "doubt"),
    [
        (fetched(), 0.2, Doubt.NONE),
        (fetched(), 1.0, Doubt.LATE),
        (fetched(scanned=TOTAL + 1), 0.2, Doubt.LENGTH),
        (fetched(scanned=TOTAL - 1), 0.2, Doubt.LENGTH),
        (fetched(scanned=None), 0.2, Doubt.LENGTH),
        (fetched(validator=Validator(OLD, None)), 0.2, Doubt.NONE),
        (fetched(scanned=TOTAL + 1, accepted=Validator(OLD, TOTAL)), 0.2, Doubt.NONE),
        (fetched(scanned=TOTAL + 1, accepted=Validator(OLD, TOTAL)), 1.0, Doubt.LATE),
        (fetched(scanned=TOTAL + 1, accepted=Validator(NEW, TOTAL)), 0.2, Doubt.LENGTH),
        (fetched(scanned=TOTAL + 1, accepted=Validator(OLD, TOTAL - 1)), 0.2, Doubt.LENGTH),
    ],
)
def test_what_is_asked_about_once_more(found: Fetched, took_s: float, doubt: Doubt) -> None:
    assert find_doubt(found, took_s=took_s) is doubt


@pytest.mark.parametrize("scanned", [0, 1, None])
def test_nothing_is_never_a_file(scanned: int | None) -> None:
    with pytest.raises(TransferFailed) as failed:
        find_doubt(fetched(0, scanned), took_s=0.2)

    assert failed.value.failure.kind is FailureClass.EMPTY


@pytest.mark.parametrize(
    ("found", "is_unlike"),
    [
        (fetched(), False),
        (fetched(scanned=TOTAL + 1), True),
        (fetched(scanned=TOTAL - 1), True),
        (fetched(scanned=None), True),
        (fetched(scanned=TOTAL + 1, accepted=Validator(OLD, TOTAL)), False),
        (fetched(scanned=TOTAL + 1, accepted=Validator(NEW, TOTAL)), True),
    ],
)
def test_what_is_not_as_scanned_is_looked_into(found: Fetched, *, is_unlike: bool) -> None:
    assert is_unlike_scan(found) is is_unlike


@pytest.mark.parametrize(
    ("verdict", "shorter", "longer"),
    [(Verdict.WHOLE, True, True), (Verdict.UNKNOWN, False, True), (Verdict.CUT, False, False)],
)
def test_a_shorter_file_must_prove_whole_and_another_must_not_be_cut(
    verdict: Verdict, *, shorter: bool, longer: bool
) -> None:
    assert is_believed(verdict, TOTAL - 1, TOTAL) is shorter
    assert is_believed(verdict, TOTAL + 1, TOTAL) is longer
    assert is_believed(verdict, TOTAL, None) is longer


@pytest.mark.parametrize(
    ("status", "headers", "doubt"),
    [
        (206, FIRST_BYTE, Doubt.LENGTH),
        (206, part(0), Doubt.LENGTH),
        (206, FIRST_BYTE, Doubt.LATE),
        (200, FILE, Doubt.LATE),
    ],
)
def test_a_second_answer_confirms_the_file(
    status: int, headers: dict[str, str], doubt: Doubt
) -> None:
    confirm(status, headers, HOST, fetched(), doubt)


def test_two_answers_without_a_date_agree_as_well() -> None:
    undated = {name: value for name, value in FIRST_BYTE.items() if name != "last-modified"}
    nameless = fetched(validator=Validator(None, TOTAL), said=None)

    confirm(206, undated, HOST, nameless, Doubt.LENGTH)
    for told, found in ((undated, fetched()), (FIRST_BYTE, nameless)):
        with pytest.raises(TransferFailed) as failed:
            confirm(206, told, HOST, found, Doubt.LENGTH)
        assert failed.value.failure.code == "unproved"


@pytest.mark.parametrize(
    ("status", "headers", "length", "late"),
    [
        (206, part(0, 0, TOTAL + 1), "changed", "changed"),
        (206, {**FIRST_BYTE, "last-modified": NEW}, "changed", "changed"),
        (206, part(0, 0, "*"), "unproved", "unverified"),
        (206, part(7, 7), "unproved", "unverified"),
        (200, FILE, "unproved", None),
        (200, {**FILE, "content-length": "0"}, "changed", "changed"),
        (
            416,
            {"content-range": f"bytes */{TOTAL}", "last-modified": OLD},
            "unproved",
            "unverified",
        ),
        (416, {"content-range": "bytes */0"}, "changed", "changed"),
        (412, {}, "changed", "changed"),
        (404, {}, "http-404", "http-404"),
        (503, {}, "http-503", "http-503"),
        (200, {"content-type": "text/html"}, "html", "html"),
    ],
)
def test_a_second_answer_that_does_not_agree_is_not_believed(
    status: int, headers: dict[str, str], length: str, late: str | None
) -> None:
    for doubt, code in ((Doubt.LENGTH, length), (Doubt.LATE, late)):
        if code is None:
            continue
        with pytest.raises(TransferFailed) as failed:
            confirm(status, headers, HOST, fetched(), doubt)
        assert failed.value.failure.code == code


@pytest.mark.parametrize(
    ("count", "scanned", "says"),
    [
        (1_200_000, 3_400_000, "sends 1.2 MB, its library says 3.4 MB"),
        (482_000, 12_000_000_000, "sends 482 kB, its library says 12.0 GB"),
        (99, 482_000, "sends 99 bytes, its library says 482 kB"),
        (3_400_001, 3_400_002, "sends 3,400,001 bytes, its library says 3,400,002 bytes"),
        (99, None, "sends 99 bytes and confirms it in no second answer"),
    ],
)
def test_an_unproved_file_is_told_with_both_lengths_and_two_ways_out(
    count: int, scanned: int | None, says: str
) -> None:
    failure = unproved_length_failure(count, scanned)

    assert says in failure.message
    assert failure.message.endswith("scan the library, or accept it as it is")
    assert (failure.kind, failure.code) == (FailureClass.UNPROVED, "unproved")


@pytest.mark.parametrize(
    ("validator", "held", "may"),
    [
        (KNOWN, 40, True),
        (KNOWN, TOTAL, True),
        (KNOWN, TOTAL + 1, False),
        (KNOWN, 0, False),
        (None, 40, False),
        (Validator(None, 100), 40, False),
        (Validator(OLD, None), 40, True),
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
