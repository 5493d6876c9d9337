"""What can be set: every section, key, type and default. Frozen; a misspelt key is refused."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, ByteSize, Field, SecretStr

from sidecar.config.rules import ALL_RULES, AnyRules
from sidecar.config.sections import Duration, Section


def _server_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError('must be a web address such as "http://192.168.1.10:8096"')
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be the plain address, without a user name, ? or #")
    return value.rstrip("/")


def _aria2_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError('must be an address such as "http://127.0.0.1:6800/jsonrpc"')
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be the plain address, without a user name, ? or #")
    return value if parts.path.strip("/") else f"{value.rstrip('/')}/jsonrpc"


def _base_url(value: str) -> str:
    trimmed = value.strip("/")
    return f"/{trimmed}" if trimmed else ""


def _absolute(value: Path) -> Path:
    expanded = value.expanduser()
    if not expanded.is_absolute():
        raise ValueError("must be a full path, from the root")
    return Path(*expanded.parts)


ServerUrl = Annotated[str, AfterValidator(_server_url)]
Aria2Url = Annotated[str, AfterValidator(_aria2_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
FullPath = Annotated[Path, AfterValidator(_absolute)]


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
    ARIA2 = "aria2"


class Aria2Settings(Section):
    """Which aria2 is used if it moves the bytes: one of our own, or one that runs already."""

    url: Aria2Url | None = None
    secret: SecretStr | None = None
    program: str = Field(default="aria2c", min_length=1)


class TransferSettings(Section):
    """How files are fetched."""

    engine: EngineName = EngineName.THREADS
    workers: int = Field(default=3, ge=1, le=16)
    connect_timeout: Duration = timedelta(seconds=10)
    read_timeout: Duration = timedelta(seconds=30)
    aria2: Aria2Settings = Aria2Settings()


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
    rules: AnyRules = Field(default_factory=ALL_RULES)
    log: LogSettings = LogSettings()
    devices: tuple[DeviceSettings, ...] = ()
