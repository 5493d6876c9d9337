from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.domain.rules.registry import RULES
from sidecar.services.downloads.views import ReasonView
from sidecar.web.i18n.status_labels import REASON_ICONS, reason_icon

BUILD = (Path(__file__).parents[3] / "static" / "build.mjs").read_text()


@pytest.mark.parametrize(
    ("rules", "icon"),
    [
        (["favourites"], "heart"),
        (["queue_ahead", "album_affinity"], "disc-3"),
        (["favourites", "pin"], "pin"),
        (["something new"], "info"),
        ([], "info"),
    ],
)
def test_the_firmest_reason_gives_the_icon(rules: list[str], icon: str) -> None:
    assert reason_icon([ReasonView(one, "ann", "because") for one in rules]) == icon


def test_every_rule_has_an_icon_that_is_brought_along() -> None:
    assert {one.name for one in RULES} | {"pin", "favourites"} == REASON_ICONS.keys()
    assert all(f'"{icon}"' in BUILD for icon in REASON_ICONS.values())
