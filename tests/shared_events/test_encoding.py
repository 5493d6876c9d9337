from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest

from sidecar.domain.downloads.download import Status, Validator
from sidecar.events import (
    AccountChanged,
    DeviceChanged,
    DownloadChanged,
    DownloadsAllowed,
    Event,
    HoldsChanged,
    NewsMissed,
    NoticesChanged,
    OrdersArrived,
    Phase,
    PlaylistChanged,
    Progress,
    SettingsChanged,
    TransfersProgressed,
    WorkArrived,
)
from sidecar.shared_events.encoding import Message, decode, encode
from tests.domain.examples import ROW
from tests.fakes.clock import START

EXAMPLES = (
    DownloadChanged(
        replace(ROW, title="A\n“é”", validator=Validator("Mon", None), retry_next_at=START),
        Status.PENDING,
        None,
    ),
    HoldsChanged("stick"),
    PlaylistChanged("ann", "list"),
    TransfersProgressed((Progress(7, 1, None, 2.5, None, Phase.CONVERTING),), "p1"),
    DeviceChanged("stick"),
    AccountChanged("ann"),
    DownloadsAllowed("ann"),
    NoticesChanged(),
    SettingsChanged(),
    WorkArrived(),
    OrdersArrived(),
    NewsMissed(),
)


def test_every_event_arrives_as_it_was() -> None:
    assert {type(one) for one in EXAMPLES} == set(get_args(Event))
    message = Message("p1", EXAMPLES)
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        json.dumps({"version": 2, "process": "p1", "events": []}),
        json.dumps({"version": 1, "process": "p1", "events": [["NeverHeardOf", {}]]}),
        json.dumps({"version": 1, "process": "p1", "events": [["DeviceChanged", {}]]}),
        json.dumps({"version": 1, "process": "p1", "events": 3}),
        '{"version": 1, "process": "p1", "events": ' + 100_000 * "[",
    ],
)
def test_what_another_version_says_is_as_good_as_lost(text: str) -> None:
    assert decode(text).events == (NewsMissed(),)
