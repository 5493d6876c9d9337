"""Answers about the settings, and about which devices there are."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator

from sidecar.services.configuration.service import SettingView
from sidecar.web.api.schemas.base import (
    Schema,
    left_out_if_empty,
    left_out_if_unset,
    taken_from,
)

Plain = str | int | float | bool | None


class ConfiguredSetting(Schema):
    """One setting: its value, where it is set, and whether it may be changed here.

    Of a secret the value only says whether there is one.
    """

    value: Plain
    default: Plain
    kind: str = taken_from("key.kind")
    origin: str
    is_locked: bool
    needs_restart: bool
    waits: bool
    least: int | str | None = left_out_if_unset("key.least")
    most: int | str | None = left_out_if_unset("key.most")
    options: list[str] | None = left_out_if_empty("key.options")


def _by_place(settings: Sequence[SettingView]) -> dict[str, SettingView]:
    return {one.place: one for one in settings}


class SettingsSection(Schema):
    """A section of the settings, by the whole names of its keys."""

    name: str
    settings: Annotated[dict[str, ConfiguredSetting], BeforeValidator(_by_place)]


class MountedDrive(Schema):
    """A mounted drive that could become a device. Sizes in bytes."""

    path: Annotated[str, BeforeValidator(str)]
    name: str
    kind: str
    total: int
    free: int
    can_write: bool


class NamedDevice(Schema):
    """A device that was added."""

    name: str
    path: str


class EditedDevice(Schema):
    """A device, with who uses and who manages it."""

    id: str = taken_from("device_id")
    name: str
    users: list[str] = taken_from("settings.users")
    managers: list[str] = taken_from("settings.managers")
    files: int
    bytes: int = taken_from("size")


class Deleted(Schema):
    """The number of files that were deleted."""

    deleted: int
