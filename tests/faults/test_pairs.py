"""Pairs of answers: what is sent first, and what is said when it is asked about once more.

Whatever the pair, a file counts only if it is the server's, or if all answers agree on a length
that the scan does not know: then it must still be looked into. An honest server ends each walk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pytest

from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.transfers.response import OVERLAP
from tests.fakes.servers.fault_server import LATER, MODIFIED, Behaviour, after, claims, honest, says
from tests.faults.behaviours import PAGE, from_byte, instead, whole_file
from tests.faults.conftest import OFFSETS, Walk
from tests.transfer.conftest import BODY, OTHER

TOTAL = len(BODY)
SHORT = TOTAL // 3
AT = OFFSETS["at-40-percent"]
FLAC = MappingProxyType({"Content_Type": "audio/flac", "Last_Modified": MODIFIED})


@dataclass(frozen=True)
class First:
    """What is sent.

    Attributes:
        tells: The length that it tells of the file.
        scanned: What the last scan says, so that the answer is asked about.
        on_resume: Only in answer to a request for the rest.
    """

    behaves: Behaviour
    tells: int = TOTAL
    scanned: int = TOTAL
    on_resume: bool = False


def full(scanned: int) -> First:
    return First(whole_file, scanned=scanned)


FIRSTS: Mapping[str, First] = MappingProxyType(
    {
        "200 full, longer than scanned": full(TOTAL - 1000),
        "200 full, shorter than scanned": full(TOTAL + 1000),
        "200 short": First(says(200, BODY[:SHORT], **FLAC), tells=SHORT),
        "200 the end alone": First(says(200, BODY[-SHORT:], **FLAC), tells=SHORT),
        "200 empty": First(says(200, b"", **FLAC), tells=0),
        "200 short without a length": First(
            says(200, BODY[:SHORT], **{**FLAC, "Content_Length": None}), tells=SHORT
        ),
        "200 gzip": First(instead(Content_Encoding="gzip")),
        "200 a page": First(says(200, PAGE, Content_Type="text/html"), tells=len(PAGE)),
        "200 cut": First(after(OVERLAP + 7)),
        "416": First(says(416)),
        "206 right, another scan": First(honest, scanned=TOTAL + 1000, on_resume=True),
        "206 wrong start": First(from_byte(AT), on_resume=True),
        "206 beginning": First(claims(BODY), on_resume=True),
        "206 another file": First(claims(OTHER[AT - OVERLAP :]), on_resume=True),
        "206 other total": First(
            instead(Content_Range=f"bytes {AT - OVERLAP}-{TOTAL - 1}/{TOTAL + 9}"), on_resume=True
        ),
        "206 no range": First(instead(Content_Range=None), on_resume=True),
        "206 other date": First(instead(Last_Modified=LATER), on_resume=True),
    }
)


def part(total: object, *, first: int = 0, modified: str | None = MODIFIED) -> Behaviour:
    there = {**FLAC, "Content_Range": f"bytes {first}-{first}/{total}", "Last_Modified": modified}
    return says(206, BODY[first : first + 1], **there)


def seconds(told: int) -> Mapping[str, Behaviour]:
    """The answers to the question, of a middle that has told this length before."""
    return {
        "206 agrees": part(told),
        "206 other total": part(told + 1),
        "206 no total": part("*"),
        "206 other date": part(told, modified=LATER),
        "206 no date": part(told, modified=None),
        "206 wrong place": part(told, first=5),
        "206 gzip": says(206, b"x", **FLAC, Content_Encoding="gzip"),
        "200 the same": says(200, BODY[:told], **FLAC),
        "200 empty": says(200, b"", **FLAC),
        "404": says(404),
        "412": says(412),
        "416 the same": says(416, Content_Range=f"bytes */{told}", Last_Modified=MODIFIED),
        "503": says(503),
        "cut": lambda _server, _asked, _connection: None,
        "honest": honest,
    }


CASES = [
    pytest.param(name, second, offset, id=f"{name}, then {second}, {at}".replace(" ", "-"))
    for name, first in FIRSTS.items()
    for second in seconds(0)
    for at, offset in (("fresh", 0), ("resumed", AT))
    if offset or not first.on_resume
]
# How a short 200 ends: only a 206 that agrees in all is believed, and then must be looked into.
ENDS = MappingProxyType(
    {
        "206 agrees": None,
        "206 other total": FailureClass.CHANGED,
        "206 no total": FailureClass.UNPROVED,
        "206 other date": FailureClass.CHANGED,
        "206 no date": FailureClass.UNPROVED,
        "206 wrong place": FailureClass.UNPROVED,
        "206 gzip": FailureClass.BLOCKED,
        "200 the same": FailureClass.UNPROVED,
        "200 empty": FailureClass.CHANGED,
        "404": FailureClass.FILE_AWAY,
        "412": FailureClass.CHANGED,
        "416 the same": FailureClass.UNPROVED,
        "503": FailureClass.SERVER_AWAY,
        "cut": FailureClass.TRANSIENT,
        "honest": FailureClass.CHANGED,
    }
)


@pytest.mark.parametrize(("name", "second", "offset"), CASES)
def test_no_pair_of_answers_makes_a_wrong_file_count(
    walk: Walk, name: str, second: str, offset: int
) -> None:
    first = FIRSTS[name]
    walk.come_to(offset)
    walk.known_size = first.scanned
    walk.server.script += [first.behaves, seconds(first.tells)[second]]

    ended = walk.step_among(BODY, BODY[:SHORT], BODY[-SHORT:])

    if not isinstance(ended, Failure):
        is_whole = walk.content() == BODY
        assert is_whole or (ended.is_unlike_scan and second == "206 agrees")
    walk.server.script.clear()
    if isinstance(ended, Failure) or ended.is_unlike_scan:
        walk.known_size = TOTAL
        # What a look into it shows to be cut is begun again.
        walk.begin_again()
    assert walk.to_the_end()


@pytest.mark.parametrize("offset", [0, AT], ids=["fresh", "resumed"])
@pytest.mark.parametrize("second", ENDS)
def test_a_short_200_is_believed_only_after_a_206_that_agrees(
    walk: Walk, second: str, offset: int
) -> None:
    walk.come_to(offset)
    walk.server.script += [FIRSTS["200 short"].behaves, seconds(SHORT)[second]]

    ended = walk.step_among(BODY[:SHORT])

    if isinstance(ended, Failure):
        assert ended.kind is ENDS[second]
    else:
        assert ENDS[second] is None
        assert ended.is_unlike_scan
