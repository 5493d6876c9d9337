"""The settings' sections with their keys, types and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from sidecar.config.base import Duration, Room, Section, Speed, explain_invalid
from sidecar.config.files import read_secret
from sidecar.config.rules import ALL_RULES, AnyRules
from sidecar.domain.accounts.device_access import DeviceRoles, is_named
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.formats.formats import Format, Target, choose_target, read_bitrate
from sidecar.domain.formats.tags import SEPARATOR
from sidecar.domain.items.kinds import MediaKind
from sidecar.domain.transfers.network import Span, Use
from sidecar.errors import ConfigError, SyncthingError
from sidecar.messages import msg


def _check_server_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError('must be a web address such as "http://192.168.1.10:8096"')
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be the plain address, without a user name, ? or #")
    return value.rstrip("/")


def _check_aria2_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError('must be an address such as "http://127.0.0.1:6800/jsonrpc"')
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be the plain address, without a user name, ? or #")
    return value if parts.path.strip("/") else f"{value.rstrip('/')}/jsonrpc"


def _check_base_url(value: str) -> str:
    trimmed = value.strip("/")
    return f"/{trimmed}" if trimmed else ""


def _make_absolute(value: Path) -> Path:
    expanded = value.expanduser()
    if not expanded.is_absolute():
        raise ValueError("must be a full path, from the root")
    return Path(*expanded.parts)


ServerUrl = Annotated[str, AfterValidator(_check_server_url)]
Aria2Url = Annotated[str, AfterValidator(_check_aria2_url)]
BaseUrl = Annotated[str, AfterValidator(_check_base_url)]


FullPath = Annotated[Path, AfterValidator(_make_absolute)]


class JellyfinSettings(Section):
    """The Jellyfin server, and an account that is signed in at start."""

    url: ServerUrl | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: FullPath | None = None


class ServerSettings(Section):
    """The sidecar's own web server, and its data folder."""

    host: str = "127.0.0.1"
    port: int = Field(default=8097, ge=0, le=65535)
    base_url: BaseUrl = ""
    data_dir: FullPath = Field(
        default_factory=lambda: platformdirs.user_data_path("jellyfin-sidecar")
    )
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    proxies_in_a_row: int = Field(default=1, ge=1, le=9)


def _parse_span(value: object) -> object:
    return Span.read(value) if isinstance(value, str) else value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise ValueError('must be a time zone such as "Europe/Berlin"') from None
    return value


DaySpan = Annotated[Span, BeforeValidator(_parse_span)]
ZoneName = Annotated[str, AfterValidator(_check_zone)]


class EngineName(StrEnum):
    """The program that transfers files."""

    THREADS = "threads"
    ARIA2 = "aria2"


class Aria2Settings(Section):
    """The aria2 for `engine = "aria2"`: one that runs already, or one that the sidecar starts."""

    url: Aria2Url | None = None
    secret: SecretStr | None = None
    program: str = Field(default="aria2c", min_length=1)


class TransferSettings(Section):
    """How files are fetched."""

    engine: EngineName = EngineName.THREADS
    workers: int = Field(default=3, ge=1, le=16)
    connect_timeout: Duration = timedelta(seconds=10)
    read_timeout: Duration = timedelta(seconds=30)
    speed_limit: Speed | None = None
    busy_hours: tuple[DaySpan, ...] = ()
    busy_speed_limit: Speed | None = None
    converters: int = Field(default=1, ge=1, le=8)
    ffmpeg: str = Field(default="ffmpeg", min_length=1)
    aria2: Aria2Settings = Aria2Settings()


class NetworkSettings(Section):
    """When files may be fetched automatically."""

    use: Use = Use.UNMETERED
    quiet_hours: tuple[DaySpan, ...] = ()
    time_zone: ZoneName | None = None


class SyncthingSettings(Section):
    """The Syncthing on this machine, if it syncs the folders of devices to other devices."""

    url: ServerUrl | None = None
    api_key: SecretStr | None = None
    api_key_file: FullPath | None = None
    certificate: FullPath | None = None

    def read_key(self) -> SecretStr:
        """Return the API key; a key file is read each time, since its content may change.

        Raises:
            SyncthingError: No key is set, or its file cannot be read.
        """
        if self.api_key is not None:
            return self.api_key
        if self.api_key_file is None:
            text = msg("Syncthing is not asked without its API key (settings: syncthing.api_key)")
            raise SyncthingError("wrong-key", text)
        try:
            return SecretStr(read_secret(self.api_key_file).strip())
        except (OSError, ValueError) as error:
            text = msg(
                "Syncthing's API key in {file} cannot be read (settings: syncthing.api_key_file)",
                file=self.api_key_file,
            )
            raise SyncthingError("wrong-key", text) from error


class DeviceSettings(Section):
    """A folder that the sidecar fills."""

    name: str = Field(min_length=1, max_length=60)
    path: FullPath
    budget: Room | None = None
    reserve: Room | None = None
    paused: bool = False
    users: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    cast: bool = True
    network: Use | None = None
    speed_limit: Speed | None = None
    format: Format = Format.ORIGINAL
    bitrate: str | None = None
    keep_original: bool = False
    complete_tags: bool = False
    tag_separator: str = Field(default=SEPARATOR, min_length=1, max_length=8)
    preset: PresetName = PresetName.GENERIC
    music: bool | None = None
    audiobooks: bool | None = None
    films: bool | None = None
    series: bool | None = None
    music_videos: bool | None = None
    album_playlists: bool = False
    covers: bool = True
    lyrics: bool = True
    subtitles: bool = True
    index: bool = True
    syncthing_folder: str | None = None
    time_zone: ZoneName | None = None

    @field_validator("bitrate")
    @classmethod
    def _check_bitrate(cls, bitrate: str | None, others: ValidationInfo) -> str | None:
        if bitrate is None:
            return None
        wanted = others.data.get("format", Format.ORIGINAL)
        target = choose_target(wanted, bitrate)
        return f"{target.kbits if target else read_bitrate(bitrate)}k"

    @property
    def target(self) -> Target | None:
        """The format that its music is converted to; None for the original files."""
        return choose_target(self.format, self.bitrate)

    @property
    def takes(self) -> frozenset[MediaKind]:
        """The kinds of media that come to it: as set, else as its preset has it."""
        usual = PRESETS[self.preset].takes
        chosen = {kind: getattr(self, kind.value) for kind in MediaKind}
        return frozenset(
            kind for kind, told in chosen.items() if (kind in usual if told is None else told)
        )

    def with_usual_kinds(self) -> DeviceSettings:
        """Return the same settings, with the kinds that are not set as its preset has them."""
        return self.model_copy(update={kind.value: kind in self.takes for kind in MediaKind})

    def serves(self, user_name: str) -> bool:
        """Whether the account may use this device: it is in `users`, or `users` is empty."""
        return not self.users or is_named(user_name, self.users)

    @property
    def roles(self) -> DeviceRoles:
        """The users and managers of the device."""
        return DeviceRoles(self.users, self.managers)

    def with_changes(self, changes: Mapping[str, object]) -> DeviceSettings:
        """Return the settings with changes, whose values are as in the file; None changes nothing.

        Raises:
            ConfigError: A key or a value is wrong, or the key cannot be changed for a device.
        """
        for key in changes:
            if key not in CHANGEABLE:
                reason = msg("there is no such setting that can be changed for a device")
                raise ConfigError("devices", key, None, reason)
        try:
            given = {key: value for key, value in changes.items() if value is not None}
            return DeviceSettings.model_validate({**self.model_dump(), **given})
        except ValidationError as error:
            raise explain_invalid("devices", error, changes) from None


# The identity of a device and its people can only be set in the settings file.
CHANGEABLE = frozenset(DeviceSettings.model_fields) - {
    "name",
    "path",
    "users",
    "managers",
    "syncthing_folder",
}


class LogSettings(Section):
    """The log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(Section):
    """All settings."""

    jellyfin: JellyfinSettings = JellyfinSettings()
    server: ServerSettings = Field(default_factory=ServerSettings)
    transfer: TransferSettings = TransferSettings()
    network: NetworkSettings = NetworkSettings()
    rules: AnyRules = Field(default_factory=ALL_RULES)
    syncthing: SyncthingSettings = SyncthingSettings()
    log: LogSettings = LogSettings()
    devices: tuple[DeviceSettings, ...] = ()
