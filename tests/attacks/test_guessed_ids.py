"""Whether the time of an answer tells a thing of others from one that was never there."""

from __future__ import annotations

import re

import pytest

from sidecar.domain.downloads.download import Status
from tests.statements import trace
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse

ASKED = (
    ("GET", "/api/v1/downloads/{}"),
    ("GET", "/api/v1/downloads/{}/cover"),
    ("POST", "/api/v1/downloads/{}/pause"),
    ("DELETE", "/api/v1/downloads/{}"),
    ("GET", "/downloads/{}"),
)


def work(house: WebHouse, one: Browser, verb: str, path: str) -> tuple[int, list[str]]:
    """Return the status of an answer and the statements that it took, without their values.

    The names of savepoints are chance.
    """
    statements: list[str] = []
    trace(house.store.db, statements.append)
    try:
        status = one.send(verb, path).status_code
    finally:
        trace(house.store.db, None)
    return status, [re.sub(r"\bs[0-9a-f]{32}\b|\d+", "?", text) for text in statements]


@pytest.mark.parametrize(("verb", "path"), ASKED)
def test_a_download_of_others_takes_the_same_work_as_none(
    house: WebHouse, verb: str, path: str
) -> None:
    theirs = house.add(1, ANN, EVE, status=Status.COMPLETED).id
    ben = house.come_in(BEN)

    # What is read once and kept then is no difference.
    work(house, ben, verb, path.format(998))
    none = work(house, ben, verb, path.format(999))

    assert none[0] == 404
    assert work(house, ben, verb, path.format(theirs)) == none
