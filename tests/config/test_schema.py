from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Literal

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.config.base import Section
from sidecar.config.rules import SECTIONS
from sidecar.config.schema import KeyKind, SettingKey, describe_keys, to_plain_value


class Network(StrEnum):
    """A choice for tests."""

    ANY = "any"
    WIFI = "wifi"


class Odd(Section):
    """Keys of every kind that the real sections may come to have."""

    network: Network = Network.ANY
    level: Literal["low", "high"] | None = None
    hours: tuple[str, ...] = ()


def test_each_key_of_a_device_is_described() -> None:
    described = {one.name: one for one in describe_keys(DeviceSettings)}

    budget, paused = described["budget"], described["paused"]
    assert budget == SettingKey(
        "budget",
        KeyKind.SIZE,
        0,
        2**60,
        (),
        can_be_empty=True,
        label="Storage limit",
        details=budget.details,
    )
    assert paused == SettingKey(
        "paused", KeyKind.SWITCH, label=paused.label, details=paused.details
    )
    assert all(one.label for one in (budget, paused))


def test_each_key_of_a_rule_has_its_kind_and_its_bounds() -> None:
    enabled, grace, threshold, window = describe_keys(SECTIONS["album_affinity"])
    within, played = "Within the last", "Tracks to play first"

    assert enabled == SettingKey("enabled", KeyKind.SWITCH, label="On")
    assert (grace.name, grace.kind) == ("grace", KeyKind.TIME)
    assert threshold == SettingKey("threshold", KeyKind.NUMBER, 1, 50, label=played)
    assert window == SettingKey("window", KeyKind.TIME, "0 seconds", "3660 days", label=within)


def test_choices_are_told() -> None:
    network, level, hours = describe_keys(Odd)

    assert (network.kind, network.options) == (KeyKind.CHOICE, ("any", "wifi"))
    assert (level.kind, level.options, level.can_be_empty) == (
        KeyKind.CHOICE,
        ("low", "high"),
        True,
    )
    assert hours.kind is KeyKind.LIST


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (timedelta(days=2), "2 days"),
        (ByteSize(5000), 5000),
        (Network.WIFI, "wifi"),
        (True, True),
        (None, None),
        (("22:00", "06:00"), "22:00, 06:00"),
    ],
)
def test_a_value_is_written_as_json_and_as_people_write_it(value: object, told: object) -> None:
    assert to_plain_value(value) == told
    assert type(to_plain_value(value)) in {str, int, bool, type(None), ByteSize}
