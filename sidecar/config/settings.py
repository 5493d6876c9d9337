"""What can be set: every section, key, type and default. Frozen; a misspelt key is refused."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
)

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _server_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError('must be a web address such as "http://192.168.1.10:8096"')
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be the plain address, without a user name, ? or #")
    return value.rstrip("/")


def _base_url(value: str) -> str:
    trimmed = value.strip("/")
    return f"/{trimmed}" if trimmed else ""


def _absolute(value: Path) -> Path:
    expanded = value.expanduser()
    if not expanded.is_absolute():
        raise ValueError("must be a full path, from the root")
    return Path(*expanded.parts)


def _duration(value: object) -> object:
    """Read "30 seconds", "1 day" … as people write them."""
    if not isinstance(value, str):
        return value
    number, _, unit = value.strip().partition(" ")
    seconds = UNITS.get(unit.strip().removesuffix("s"))
    try:
        amount = float(number)
    except ValueError:
        seconds = None
    if seconds is None:
        raise ValueError('must be a time such as "30 seconds", "10 minutes" or "1 day"')
    return timedelta(seconds=amount * seconds)


ServerUrl = Annotated[str, AfterValidator(_server_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
FullPath = Annotated[Path, AfterValidator(_absolute)]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]


class Section(BaseModel):
    """A part of the settings: frozen, and a misspelt key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class JellyfinSettings(Section):
    """The server to stand beside, and an account that signs in at start."""

    url: ServerUrl | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: FullPath | None = None


class ServerSettings(Section):
    """The sidecar's own web server and where it keeps its data."""

    host: str = "127.0.0.1"
    port: int = Field(default=8097, ge=0, le=65535)
    base_url: BaseUrl = ""
    data_dir: FullPath = Field(
        default_factory=lambda: platformdirs.user_data_path("jellyfin-sidecar")
    )
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()


class EngineName(StrEnum):
    """What moves the bytes."""

    THREADS = "threads"


class TransferSettings(Section):
    """How files are fetched."""

    engine: EngineName = EngineName.THREADS
    workers: int = Field(default=3, ge=1, le=16)
    connect_timeout: Duration = timedelta(seconds=10)
    read_timeout: Duration = timedelta(seconds=30)


class FavouritesSettings(Section):
    """What a heart pressed in any client brings to the devices."""

    enabled: bool = True
    tracks: bool = True
    albums: bool = True
    artists: bool = True
    playlists: bool = True
    grace: Duration = timedelta(days=1)
    heal_forgotten_hearts: bool = True
    check_every: Duration = timedelta(hours=1)


class RulesSettings(Section):
    """One section for each rule."""

    favourites: FavouritesSettings = FavouritesSettings()


class DeviceSettings(Section):
    """A folder that the sidecar fills."""

    name: str = Field(min_length=1, max_length=60)
    path: FullPath
    budget: ByteSize | None = None
    reserve: ByteSize | None = None
    users: tuple[str, ...] = ()

    def serves(self, user_name: str) -> bool:
        """Whether this account's files go here: named in `users`, or nobody is."""
        return not self.users or user_name.casefold() in {one.casefold() for one in self.users}


class LogSettings(Section):
    """What is written to the log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(Section):
    """Everything that can be set."""

    jellyfin: JellyfinSettings = JellyfinSettings()
    server: ServerSettings = Field(default_factory=ServerSettings)
    transfer: TransferSettings = TransferSettings()
    rules: RulesSettings = RulesSettings()
    log: LogSettings = LogSettings()
    devices: tuple[DeviceSettings, ...] = ()
