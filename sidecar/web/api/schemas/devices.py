"""Schemas of devices, plans, settings, pins and exclusions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import (
    AliasChoices,
    AliasPath,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from sidecar.domain.downloads.download import Status
from sidecar.domain.items.kinds import MediaKind
from sidecar.services.files.removals.review import RemovalsView
from sidecar.services.rules.settings.view import RuleSettingsView
from sidecar.services.rules.settings.view import Setting as SettingValue
from sidecar.web.api.schemas.base import (
    Moment,
    OfDevice,
    Schema,
    WrittenAsItIs,
    left_out_if_empty,
    left_out_if_unset,
    taken_from,
)
from sidecar.web.api.schemas.downloads import Reason


class Managed(Schema):
    """A device's managers apart from the admins, and whether you may manage it."""

    managers: list[str] = Field(
        validation_alias=AliasChoices("managers", AliasPath("management", "managers"))
    )
    may_manage: bool = Field(
        validation_alias=AliasChoices("may_manage", AliasPath("management", "may_manage"))
    )


class OwnedFiles(Schema):
    """How many of the files belong to one account."""

    name: str
    files: int


class Share(Schema):
    """Whose files they are; only admins see other owners by name (`others`), else `hidden`."""

    total: int
    yours: int
    shared: int
    others: list[OwnedFiles]
    hidden: int

    @field_validator("others", mode="before")
    @classmethod
    def _by_name(cls, others: Sequence[tuple[str, int]]) -> list[OwnedFiles]:
        return [OwnedFiles(name=name, files=files) for name, files in others]


class Device(Managed):
    """A device: a folder that the sidecar fills. Sizes in bytes."""

    id: str
    name: str
    path: str | None = left_out_if_empty("path")
    trouble: str | None
    budget: int | None
    used: int
    free: int | None
    total: int | None
    paused: bool = taken_from("is_paused")
    unplugged: bool = taken_from("is_unplugged")
    machine: str | None
    told_at: datetime | None
    files: int
    missing: int
    takes: Annotated[list[MediaKind], BeforeValidator(sorted)]


@dataclass(frozen=True)
class PlanLine:
    """One file to be added or removed; without a title if it belongs to somebody else."""

    download_id: int | None
    item_id: str | None
    title: str | None
    bytes: int
    reason: str


@dataclass(frozen=True)
class Refusal(PlanLine):
    """One file that will not be added, and why."""

    code: str | None
    is_final: bool


class Space(Schema):
    """How the space of a device is used, in bytes."""

    total: int
    lasting: int
    passing: int
    others: int
    reserve: int
    free: int
    most: int


class Reformat(Schema):
    """Files whose format is not the one that is set, and the cost of converting them again."""

    format: str
    files: int
    whose: Share
    bytes_to_fetch: int
    bytes_now: int
    bytes_after: int
    is_confirmed: bool
    text: str


class Plan(Managed):
    """What would be added to a device and removed from it. Sizes in bytes.

    Of a plan that another machine tells, `adds`, `removals` and `refusals` are the first ones, and
    with `lines` as many as were asked for. The numbers are those of all.
    """

    device_id: str = taken_from("id")
    device: str = taken_from("name")
    trouble: str | None
    made_at: Moment | None
    plan_id: str | None
    needs_confirmation: bool
    whose: Share
    over: int
    files_added: int
    bytes_added: int
    files_removed: int
    bytes_removed: int
    files_refused: int
    adds: Annotated[tuple[PlanLine, ...], WrittenAsItIs]
    removals: Annotated[tuple[PlanLine, ...], WrittenAsItIs]
    refusals: Annotated[tuple[Refusal, ...], WrittenAsItIs]
    space: Space | None
    reformat: Reformat | None
    machine: str | None
    told_at: datetime | None


class Setting(Schema):
    """One setting: its value, its default, its type and its bounds."""

    value: str | int | float | bool | None
    default: str | int | float | bool | None
    kind: str = taken_from("key.kind")
    least: int | str | None = left_out_if_unset("key.least")
    most: int | str | None = left_out_if_unset("key.most")
    options: list[str] | None = left_out_if_empty("key.options")


def _by_key(settings: Sequence[SettingValue]) -> dict[str, SettingValue]:
    return {one.key.name: one for one in settings}


Settings = Annotated[dict[str, Setting], BeforeValidator(_by_key)]


class RuleSettings(Schema):
    """A rule on a device: its settings, what it cannot do now, and the reasons of its wishes."""

    settings: Settings
    remarks: list[str]
    files: int
    because: list[str]


class DeviceSettings(Managed):
    """The settings of a device and of its rules."""

    id: str = taken_from("device_id")
    name: str
    settings: Settings
    rules: dict[str, RuleSettings]

    @field_validator("rules", mode="before")
    @classmethod
    def _by_name(cls, rules: Sequence[RuleSettingsView]) -> dict[str, RuleSettingsView]:
        return {one.name: one for one in rules}


class Pin(Schema):
    """An item that an account wants to keep on a device."""

    item_id: str
    text: str
    files: int


class Queued(Schema):
    """The number of downloads that were queued."""

    queued: int


class Exclusion(Schema):
    """An item that a rule shall not fetch for an account; without a device, on all devices."""

    device_id: str | None
    rule: str
    item_id: str
    title: str | None


class Playlist(Schema):
    """A playlist that is chosen for a device."""

    playlist_id: str
    title: str


class Removed(Schema):
    """An item that the account deleted from a device."""

    item_id: str
    title: str | None


class HeldFor(Reason):
    """A reason, and when it ends."""

    release_at: Moment | None


class Why(Schema):
    """Why an item is on a device, or why it is not."""

    is_here: bool
    status: Status | None
    sentences: list[str]
    reasons: list[HeldFor]


class RemovalsQuestion(Schema):
    """The question about files that are missing from a device."""

    text: str
    gone: int
    edited: int
    total: int
    whose: Share
    examples: list[str]


class Removals(OfDevice, Managed):
    """The open question about a device's missing files, if there is one."""

    question: RemovalsQuestion | None

    @model_validator(mode="before")
    @classmethod
    def _from_view(cls, value: RemovalsView) -> dict[str, object]:
        return {
            "device_id": value.device_id,
            "device_name": value.device_name,
            "managers": value.management.managers,
            "may_manage": value.management.may_manage,
            "question": value if value.text is not None else None,
        }


class Files(Schema):
    """The number of files that were affected."""

    files: int
