from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.config import load
from sidecar.domain.rules import album_affinity, queue_ahead
from sidecar.domain.rules.registry import RULES
from sidecar.errors import ConfigError


def test_a_rule_that_nobody_mentions_does_what_it_says_itself(tmp_path: Path) -> None:
    rules = load({"SIDECAR_SERVER__DATA_DIR": str(tmp_path)}).rules

    assert [rules.of(one) for one in RULES] == [one.settings() for one in RULES]


def test_a_rule_is_set_in_the_file_and_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[rules.album_affinity]\nwindow = "2 weeks"\nthreshold = 4\n')

    rules = load({"SIDECAR_RULES__ALBUM_AFFINITY__THRESHOLD": "5"}, file=file).rules

    expected = album_affinity.AlbumAffinitySettings(window=timedelta(weeks=2), threshold=5)
    assert rules.of(album_affinity.RULE) == expected


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("[rules.queue_ahead]\ncount = 0", "rules.queue_ahead.count", "greater than or equal to 1"),
        ("[rules.queue_ahead]\nsongs = 3", "rules.queue_ahead.songs", "there is no such setting"),
        ('[rules.latest]\ngrace = "soon"', "rules.latest.grace", "must be a time such as"),
        ("[rules.lates]\nalbums = 3", "rules.lates", "there is no such setting"),
    ],
)
def test_what_a_rule_does_not_know_is_refused(
    tmp_path: Path, text: str, key: str, reason: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=reason) as refused:
        load({}, file=file)
    assert refused.value.key == key


def test_a_change_for_one_device_is_checked_like_the_file(tmp_path: Path) -> None:
    rules = load({"SIDECAR_RULES__QUEUE_AHEAD__COUNT": "7"}).rules

    changed = rules.with_changes(queue_ahead.RULE, {"expires": "5 minutes"})

    assert changed == queue_ahead.QueueAheadSettings(count=7, expires=timedelta(minutes=5))
    with pytest.raises(ConfigError, match="there is no such setting"):
        rules.with_changes(queue_ahead.RULE, {"songs": 3})
    with pytest.raises(ConfigError, match="greater than or equal"):
        rules.with_changes(queue_ahead.RULE, {"count": -1})
