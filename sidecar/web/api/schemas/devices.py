"""The shapes of devices, plans, settings and of what people say about them."""

from __future__ import annotations

from sidecar.domain.downloads.states import Status
from sidecar.web.api.schemas.base import Moment, Shape
from sidecar.web.api.schemas.downloads import Reason


class Managed(Shape):
    """Who manages a device beside the admins, and whether the one who asks does."""

    managers: list[str]
    may_manage: bool


class OwnedFiles(Shape):
    """How many files are somebody's."""

    name: str
    files: int


class Share(Shape):
    """Whose files are meant; those of others by name for an admin alone, else only hidden."""

    total: int
    yours: int
    shared: int
    others: list[OwnedFiles]
    hidden: int


class Device(Managed):
    """A folder that is filled; sizes in bytes."""

    id: str
    name: str
    path: str | None = None
    trouble: str | None
    budget: int | None
    used: int
    free: int | None
    total: int | None
    paused: bool
    unplugged: bool
    files: int
    missing: int


class PlanLine(Shape):
    """One file that comes or goes; without a title if it is somebody else's."""

    download_id: int | None
    item_id: str | None
    title: str | None
    bytes: int
    reason: str


class Refusal(PlanLine):
    """One file that does not come."""

    code: str | None
    is_final: bool


class Space(Shape):
    """Where the bytes of a device are."""

    total: int
    lasting: int
    passing: int
    others: int
    reserve: int
    free: int
    most: int


class Reformat(Shape):
    """Files in another format than the one that is set, and what it costs to make them anew."""

    format: str
    files: int
    whose: Share
    bytes_to_fetch: int
    bytes_now: int
    bytes_after: int
    is_confirmed: bool
    text: str


class Plan(Managed):
    """What would come and go on a device."""

    device_id: str
    device: str
    trouble: str | None
    plan_id: str | None
    needs_confirmation: bool
    whose: Share
    over: int
    bytes_added: int
    bytes_removed: int
    adds: list[PlanLine]
    removals: list[PlanLine]
    refusals: list[Refusal]
    space: Space | None
    reformat: Reformat | None


class Setting(Shape):
    """One key: what it is now, what it is without a change, and its bounds."""

    value: str | int | float | bool | None
    default: str | int | float | bool | None
    kind: str
    least: int | str | None = None
    most: int | str | None = None
    options: list[str] | None = None


class RuleSettings(Shape):
    """A rule on a device: its keys, what it cannot do now, and why it wants what it wants."""

    settings: dict[str, Setting]
    remarks: list[str]
    because: list[str]


class DeviceSettings(Managed):
    """A device's settings and its rules'."""

    id: str
    name: str
    settings: dict[str, Setting]
    rules: dict[str, RuleSettings]


class Pin(Shape):
    """What somebody asked to keep on a device."""

    item_id: str
    text: str
    files: int


class Queued(Shape):
    """How many downloads were queued."""

    queued: int


class Exclusion(Shape):
    """An item that somebody does not want from a rule; without a device, on none."""

    device_id: str | None
    rule: str
    item_id: str


class Playlist(Shape):
    """A playlist that is chosen for a device."""

    playlist_id: str
    title: str


class Removed(Shape):
    """Something that was deleted on purpose."""

    item_id: str
    title: str | None


class HeldFor(Reason):
    """A reason, and when it ends."""

    release_at: Moment | None


class Why(Shape):
    """Why something is on a device, or why not."""

    is_here: bool
    status: Status | None
    sentences: list[str]
    reasons: list[HeldFor]


class DeviceName(Shape):
    """Which device."""

    id: str
    name: str


class RemovalsQuestion(Shape):
    """What is asked about files that are missing."""

    text: str
    gone: int
    edited: int
    total: int
    whose: Share
    examples: list[str]


class Removals(Managed):
    """The open question about a device, if there is one."""

    device: DeviceName
    question: RemovalsQuestion | None


class Files(Shape):
    """How many files it concerned."""

    files: int
