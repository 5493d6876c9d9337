"""What a server or something before it may do to one request: rows of one matrix.

Each row: the fault, how the attempt must end, and what counts of the part file after it. Then the
server is honest again, and the file must come whole, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sidecar.clock import Clock
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.transfers.response import OVERLAP
from sidecar.transfer.engine import Receipt
from sidecar.transfer.timeouts import Timeouts
from tests.fakes.servers.fault_server import (
    LATER,
    Behaviour,
    FaultServer,
    after,
    claims,
    drips,
    says,
    silent_after,
)
from tests.faults.behaviours import PAGE, and_more, chunked, from_byte, instead, raw, whole_file
from tests.faults.conftest import OFFSETS, RESUMED, Walk
from tests.transfer.conftest import BODY, HURRIED, IMPATIENT, OTHER, TIMEOUTS, MakeEngine

TOTAL = len(BODY)
TRANSIENT, CHANGED, BLOCKED = (
    FailureClass.TRANSIENT,
    FailureClass.CHANGED,
    FailureClass.BLOCKED,
)


def what_was_there(at: int) -> int:
    return at


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        behaves: Makes the answer, given the offset the attempt goes on from.
        ends: How the attempt ends; None for a whole file.
        keeps: What counts of the part afterwards, given the offset; None where it may vary.
        timeouts: What is waited for so long.
    """

    name: str
    behaves: Callable[[int], Behaviour]
    ends: FailureClass | None
    keeps: Callable[[int], int] | None = what_was_there
    at: tuple[str, ...] = tuple(OFFSETS)
    timeouts: Timeouts = TIMEOUTS


def same(behaviour: Behaviour) -> Callable[[int], Behaviour]:
    """The fault does not depend on the offset."""
    return lambda _at: behaviour


def zero(_at: int) -> int:
    return 0


def half_of_the_rest(at: int) -> int:
    return (TOTAL - at) // 2


def compared(at: int) -> int:
    """How much of what is there is asked for once more."""
    return min(at, OVERLAP)


ON_RESUME = tuple(RESUMED)
FRESH = ("fresh",)
# A page in place of Jellyfin's answer: a proxy or a filter refuses.
STATUSES = {
    **dict.fromkeys((400, 401, 403, 404, 410, 429), BLOCKED),
    500: TRANSIENT,
    502: TRANSIENT,
    503: FailureClass.SERVER_AWAY,
    504: TRANSIENT,
}
ROWS = [
    Row("H01 closes before the first byte", same(after(0)), TRANSIENT),
    Row(
        "H01 closes after a byte",
        lambda at: after(compared(at) + min(1, TOTAL - at - 1)),
        TRANSIENT,
        lambda at: at + min(1, TOTAL - at - 1),
    ),
    Row(
        "H01 closes half way",
        lambda at: after(compared(at) + half_of_the_rest(at)),
        TRANSIENT,
        lambda at: at + half_of_the_rest(at),
    ),
    Row(
        "H01 closes before the last byte",
        lambda at: after(compared(at) + TOTAL - at - 1),
        TRANSIENT,
        lambda _at: TOTAL - 1,
    ),
    Row(
        "H01 closes within what is compared",
        lambda at: after(compared(at) // 2),
        TRANSIENT,
        at=ON_RESUME,
    ),
    Row(
        "H08 sends the beginning as the right part",
        lambda at: claims(BODY[1:] if at <= OVERLAP else BODY),
        CHANGED,
        zero,
        ON_RESUME,
    ),
    Row(
        "H02 resets half way",
        lambda at: after(half_of_the_rest(at), reset=True),
        TRANSIENT,
        keeps=None,
    ),
    Row(
        "H03 tells no length and closes early",
        lambda at: says(200, BODY[: TOTAL // 2], Content_Length=None),
        TRANSIENT,
        keeps=None,
    ),
    *(
        Row(f"H04 says that the length is {length}", same(instead(Content_Length=length)), None)
        for length in ("-1", "abc")
    ),
    Row("H04 says two lengths", same(instead(Content_Length="5, 9")), TRANSIENT, keeps=None),
    Row(
        "H04 says a length beyond all",
        same(instead(Content_Length=2**63)),
        TRANSIENT,
        keeps=None,
        at=FRESH,
    ),
    Row(
        "H04 says a length beyond all, and the right part",
        same(instead(Content_Length=2**63)),
        None,
        at=ON_RESUME,
    ),
    Row("H05 sends more than it said", same(and_more(b"x" * 5000)), None),
    Row(
        "H06 ends without the last chunk",
        lambda at: chunked(last=b"", count=half_of_the_rest(at)),
        TRANSIENT,
        keeps=None,
    ),
    Row(
        "H06 sends a chunk of no length",
        lambda at: chunked(last=b"zz\r\n", count=half_of_the_rest(at)),
        TRANSIENT,
        keeps=None,
    ),
    Row("H07 ignores the range", same(whole_file), None, at=ON_RESUME),
    Row("H08 begins a byte too early", lambda at: from_byte(at - 1), CHANGED, zero, ON_RESUME),
    Row("H08 begins at zero", same(from_byte(0)), CHANGED, zero, ON_RESUME),
    Row("H08 begins too late", same(from_byte(TOTAL - 1)), CHANGED, zero, ("at-40-percent",)),
    Row("H08 sends a part unasked", same(from_byte(7)), CHANGED, zero, FRESH),
    Row(
        "H09 says not which part it is", same(instead(Content_Range=None)), CHANGED, zero, ON_RESUME
    ),
    Row(
        "H10 sends several parts",
        same(instead(Content_Type="multipart/byteranges; boundary=x")),
        CHANGED,
        zero,
    ),
    Row(
        "H11 does not tell the total",
        lambda at: instead(Content_Range=f"bytes {at - compared(at)}-{TOTAL - 1}/*"),
        None,
        at=ON_RESUME,
    ),
    Row(
        "H12 tells another total",
        lambda at: instead(Content_Range=f"bytes {at - compared(at)}-{TOTAL - 1}/{TOTAL + 1}"),
        CHANGED,
        zero,
        ON_RESUME,
    ),
    Row("H13 tells another date", same(instead(Last_Modified=LATER)), CHANGED, zero, ON_RESUME),
    Row(
        "H16 finds nothing there and tells no total",
        same(says(416)),
        None,
        at=ON_RESUME,
    ),
    *(
        Row(
            f"H17 answers {status} with a page",
            same(says(status, PAGE, Content_Type="text/html")),
            ends,
        )
        for status, ends in STATUSES.items()
    ),
    Row("H21 says that the file changed", same(says(412)), CHANGED, zero, ON_RESUME),
    Row("H22 H23 compresses", same(instead(Content_Encoding="gzip")), BLOCKED),
    Row("H24 sends a login page", same(says(200, PAGE, Content_Type="text/html")), BLOCKED),
    Row(
        "H25 sends a page of the right length and type",
        same(says(200, PAGE.ljust(TOTAL), Content_Type="audio/flac")),
        BLOCKED,
        zero,
    ),
    Row("H26 sends us to its login", same(says(302, Location="/login")), BLOCKED),
    Row("H29 sends us to a file", same(says(302, Location="file:///etc/passwd")), BLOCKED),
    Row("H29 sends us in a circle", same(says(307, Location="/Items/1/Download")), BLOCKED),
    Row("H30 sends a very long header", same(instead(X_Long="x" * 100_000)), TRANSIENT, keeps=None),
    Row(
        "H30 sends a thousand headers",
        same(instead(**{f"X_{number}": "x" for number in range(1000)})),
        TRANSIENT,
        keeps=None,
    ),
    Row("H31 drips", same(drips(0.02)), TRANSIENT, keeps=None, at=FRESH, timeouts=HURRIED),
    Row(
        "H32 goes silent",
        lambda at: silent_after(compared(at) + half_of_the_rest(at)),
        TRANSIENT,
        lambda at: at + half_of_the_rest(at),
        timeouts=IMPATIENT,
    ),
    *(Row(f"H40 answers {status}", same(says(status)), TRANSIENT) for status in (204, 205, 304)),
    Row("H40 speaks no HTTP", same(raw(b"hello, who is there?\r\n")), TRANSIENT),
    Row("H40 says nothing at all", same(raw(b"")), TRANSIENT),
    Row(
        "H41 names a path of its own",
        same(instead(Content_Disposition='attachment; filename="../../x"')),
        None,
    ),
]
CASES = [
    pytest.param(row, OFFSETS[name], id=f"{row.name}, {name}".replace(" ", "-"))
    for row in ROWS
    for name in row.at
]


@pytest.mark.parametrize(("row", "offset"), CASES)
def test_the_attempt_ends_as_it_must_and_the_file_comes_whole(
    walk: Walk, make_engine: MakeEngine, clock: Clock, row: Row, offset: int
) -> None:
    walk.come_to(offset)
    walk.server.script.append(row.behaves(offset))
    patient = walk.engine
    walk.engine = make_engine(clock, row.timeouts)

    ended = walk.step()

    walk.engine = patient
    assert (ended.kind if isinstance(ended, Failure) else None) is row.ends, ended
    if row.keeps is not None and row.ends is not None:
        assert walk.memory.held == row.keeps(offset)
    assert isinstance(ended, Receipt) or walk.to_the_end()


@pytest.mark.parametrize("offset", RESUMED.values(), ids=RESUMED)
def test_h07_the_whole_file_in_place_of_a_part_costs_no_second_request(
    walk: Walk, offset: int
) -> None:
    walk.come_to(offset)
    before = len(walk.server.requests)
    walk.server.script.append(whole_file)

    assert isinstance(walk.step(), Receipt)
    assert len(walk.server.requests) == before + 1


@pytest.mark.parametrize("offset", OFFSETS.values(), ids=OFFSETS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_h27_nothing_follows_to_another_host_and_the_error_names_it(
    walk: Walk, offset: int, status: int
) -> None:
    walk.come_to(offset)
    with FaultServer(BODY) as elsewhere:
        walk.server.script.append(says(status, Location=elsewhere.url))

        ended = walk.step()

        assert isinstance(ended, Failure)
        assert f"127.0.0.1:{elsewhere.port}" in ended.message
        assert elsewhere.requests == []
    assert walk.to_the_end()


@pytest.mark.parametrize(
    ("told", "waits"),
    [("7", 7), ("0", 0), ("junk", None), ("-5", None), ("1000000000", 3600)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_h35_a_wait_that_is_asked_for_is_told(
    walk: Walk, status: int, told: str, waits: float | None
) -> None:
    walk.server.script.append(says(status, Retry_After=told))

    ended = walk.step()

    assert isinstance(ended, Failure)
    assert ended.retry_after_s == waits


@pytest.mark.parametrize("age", ["H18 a weak tag only", "H19 a file as young as the answer"])
def test_h18_h19_what_proves_nothing_is_not_gone_on_with(walk: Walk, age: str) -> None:
    walk.server.modified = None if "tag" in age else walk.server.date
    walk.server.script.append(after(TOTAL // 2))
    walk.step()

    assert walk.to_the_end(most=1)
    assert walk.server.requests[-1].start is None


def test_h43_a_file_of_a_byte_is_whole(walk: Walk) -> None:
    walk.server.body, walk.known_size = b"x", 1

    assert walk.to_the_end(most=1).size == 1
    assert walk.server.requests[-1].start is None


@pytest.mark.parametrize("known", [0, TOTAL])
def test_h43_a_file_of_nothing_is_never_whole(walk: Walk, known: int) -> None:
    walk.server.body, walk.known_size = b"", known

    for _ in range(3):
        ended = walk.step()
        assert isinstance(ended, Failure)
        assert ended.kind is FailureClass.EMPTY


def test_h45_a_line_cut_after_each_mebibyte_ends_with_a_whole_file(walk: Walk) -> None:
    mebibyte = 1024 * 1024
    walk.server.body = BODY * 20
    walk.known_size = len(walk.server.body)
    # Of each mebibyte a sixteenth is only compared.
    pieces = len(walk.server.body) // (mebibyte - OVERLAP)
    walk.server.script.extend(after(mebibyte) for _ in range(pieces))

    walk.to_the_end(most=pieces + 1)

    assert len(walk.server.requests) <= pieces + 3


@pytest.mark.parametrize("offset", RESUMED.values(), ids=RESUMED)
@pytest.mark.parametrize(
    "other",
    [OTHER, OTHER * 2, OTHER[: TOTAL // 4]],
    ids=["same-size", "larger", "smaller"],
)
def test_s01_s02_a_file_replaced_between_two_attempts_is_begun_again(
    walk: Walk, offset: int, other: bytes
) -> None:
    walk.come_to(offset)
    walk.server.body, walk.server.modified = other, LATER
    walk.known_size = len(other)

    assert walk.to_the_end().size == len(other)
