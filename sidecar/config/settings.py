"""The settings' sections with their keys, types and defaults."""

import re
from collections.abc import Mapping
from datetime import time, timedelta
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
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
from sidecar.domain.formats.films import (
    FilmFormat,
    FilmTarget,
    choose_film_target,
    read_languages,
)
from sidecar.domain.formats.formats import Format, Target, choose_target, read_bitrate
from sidecar.domain.formats.tags import SEPARATOR
from sidecar.domain.items.kinds import MediaKind
from sidecar.domain.items.versions import VersionChoice
from sidecar.domain.transfers.network import Span, Use
from sidecar.errors import ConfigError, SyncthingError
from sidecar.messages import msg, translatable

_PATH = re.compile(r"[\w.~/-]*")
# A name, one that begins with a dot for all below it, or an address.
_HOST = re.compile(r"[\w.-]+|\[?[0-9A-Fa-f:.]+(%[\w.-]+)?\]?")


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
    if not _PATH.fullmatch(trimmed):
        raise ValueError('must be a path such as "/sidecar"')
    return f"/{trimmed}" if trimmed else ""


def _check_own_address(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError('must be an address of this machine, such as "127.0.0.1" or "0.0.0.0"')
    return value


def _check_host(value: str) -> str:
    if not _HOST.fullmatch(value.strip()):
        raise ValueError('must be a name such as "sidecar.example.org"')
    return value


def _check_network(value: str) -> str:
    try:
        ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError(
            'must be an address or a network, such as "10.0.0.2" or "172.16.0.0/12"'
        ) from None
    return value


def _check_origin(value: str) -> str:
    parts = urlsplit(value.strip().rstrip("/"))
    is_plain = not (parts.path or parts.query or parts.fragment or parts.username)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
        raise ValueError(
            'must be an address without a path, such as "https://jellyfin.example.org"'
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port not in {None, default} else ""
    return f"{parts.scheme}://{host}{port}"


def _make_absolute(value: Path) -> Path:
    expanded = value.expanduser()
    if not expanded.is_absolute():
        raise ValueError("must be a full path, from the root")
    return Path(*expanded.parts)


# What a passphrase must have to be worth guarding sign-ins.
SHORTEST_PASSPHRASE = 10
# What a key must have that programs keep, so that nobody guesses it.
SHORTEST_KEY = 20
ServerUrl = Annotated[str, AfterValidator(_check_server_url)]
Aria2Url = Annotated[str, AfterValidator(_check_aria2_url)]
OwnAddress = Annotated[str, AfterValidator(_check_own_address)]
HostName = Annotated[str, AfterValidator(_check_host)]
NetworkAddress = Annotated[str, AfterValidator(_check_network)]
BaseUrl = Annotated[str, AfterValidator(_check_base_url)]
# As browsers write it in the header `Origin`.
PageOrigin = Annotated[str, AfterValidator(_check_origin)]


FullPath = Annotated[Path, AfterValidator(_make_absolute)]


class JellyfinSettings(Section):
    """The Jellyfin server, and an account that is signed in at start."""

    url: ServerUrl | None = Field(
        default=None,
        title=translatable("Address of Jellyfin"),
        description=translatable("With its base path, if it has one: http://192.168.1.10:8096"),
    )
    username: str | None = Field(
        default=None,
        title=translatable("Account that signs in at every start"),
        description=translatable("For a sidecar that nobody sits in front of."),
    )
    password: SecretStr | None = Field(default=None, title=translatable("Its password"))
    ca_file: FullPath | None = Field(
        default=None,
        title=translatable("Certificate authority"),
        description=translatable("If the server's certificate was signed by one of your own."),
    )


class ServerSettings(Section):
    """The sidecar's own web server, and its data folder."""

    host: OwnAddress = Field(
        default="127.0.0.1",
        title=translatable("Listens on"),
        description=translatable(
            "127.0.0.1 is this machine only, 0.0.0.0 everyone on the network."
        ),
    )
    port: int = Field(default=8097, ge=0, le=65535, title=translatable("Port"))
    base_url: BaseUrl = Field(
        default="",
        title=translatable("Path behind a reverse proxy"),
        description=translatable("For example /sidecar; empty for none."),
    )
    data_dir: FullPath = Field(
        default_factory=lambda: platformdirs.user_data_path("jellyfin-sidecar"),
        title=translatable("Data folder"),
        description=translatable("Database, keys and covers."),
    )
    machine: str | None = Field(
        default=None,
        max_length=60,
        title=translatable("Name of this machine"),
        description=translatable(
            "Where several machines share a database; empty: the name that it has."
        ),
    )
    allowed_hosts: tuple[HostName, ...] = Field(
        default=(),
        title=translatable("More names of this page"),
        description=translatable(
            "Names under which browsers reach it, beside localhost; separated by commas."
        ),
    )
    trusted_proxies: tuple[NetworkAddress, ...] = Field(
        default=(),
        title=translatable("Trusted reverse proxies"),
        description=translatable(
            "Addresses whose X-Forwarded headers are believed; separated by commas."
        ),
    )
    proxies_in_a_row: int = Field(
        default=1, ge=1, le=9, title=translatable("Reverse proxies one after the other")
    )
    jellyfin_web_origins: tuple[PageOrigin, ...] = Field(
        default=(),
        title=translatable("Jellyfin's pages with our button"),
        description=translatable(
            "Where browsers open Jellyfin, such as https://jellyfin.example.org; separated by "
            "commas. Empty: no page of Jellyfin may ask here."
        ),
    )


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

    url: Aria2Url | None = Field(
        default=None,
        title=translatable("Address of an aria2 that runs already"),
        description=translatable("Empty: the sidecar starts its own."),
    )
    secret: SecretStr | None = Field(default=None, title=translatable("Its secret"))
    program: str = Field(default="aria2c", min_length=1, title=translatable("Program of aria2"))


class TransferSettings(Section):
    """How files are fetched."""

    engine: EngineName = Field(
        default=EngineName.THREADS,
        title=translatable("Engine"),
        description=translatable("What moves the bytes; aria2 needs the package aria2."),
    )
    workers: int = Field(default=3, ge=1, le=16, title=translatable("Downloads at once"))
    connect_timeout: Duration = Field(
        default=timedelta(seconds=10),
        title=translatable("Longest wait for a connection"),
    )
    read_timeout: Duration = Field(
        default=timedelta(seconds=30), title=translatable("Longest wait for the next byte")
    )
    speed_limit: Speed | None = Field(
        default=None,
        title=translatable("Speed limit (per second)"),
        description=translatable("Of all downloads together, such as 5 MB; empty for no limit."),
    )
    busy_hours: tuple[DaySpan, ...] = Field(
        default=(),
        title=translatable("Busy hours"),
        description=translatable(
            "When the other speed limit holds, such as 18:00-23:00; separated by commas."
        ),
    )
    busy_speed_limit: Speed | None = Field(
        default=None,
        title=translatable("Speed limit in busy hours (per second)"),
        description=translatable("Empty: the same as outside of them."),
    )
    converters: int = Field(default=1, ge=1, le=8, title=translatable("Conversions at once"))
    ffmpeg: str = Field(default="ffmpeg", min_length=1, title=translatable("Program of ffmpeg"))
    aria2: Aria2Settings = Aria2Settings()


class NetworkSettings(Section):
    """When files may be fetched automatically."""

    use: Use = Field(
        default=Use.UNMETERED,
        title=translatable("Automatic downloads over"),
        description=translatable("What people choose themselves is always downloaded."),
    )
    quiet_hours: tuple[DaySpan, ...] = Field(
        default=(),
        title=translatable("Quiet hours"),
        description=translatable(
            "When nothing is downloaded automatically, such as 22:00-06:30; separated by commas."
        ),
    )
    time_zone: ZoneName | None = Field(
        default=None,
        title=translatable("Time zone"),
        description=translatable(
            "Of quiet and busy hours, such as Europe/Berlin; empty: that of this machine."
        ),
    )


class SyncthingSettings(Section):
    """The Syncthing on this machine, if it syncs the folders of devices to other devices."""

    url: ServerUrl | None = Field(
        default=None,
        title=translatable("Address of Syncthing"),
        description=translatable(
            "On this machine, such as http://127.0.0.1:8384; empty if there is none."
        ),
    )
    api_key: SecretStr | None = Field(
        default=None,
        title=translatable("API key"),
        description=translatable("In Syncthing: Actions, Settings, API Key."),
    )
    api_key_file: FullPath | None = Field(default=None, title=translatable("File with the API key"))
    certificate: FullPath | None = Field(default=None, title=translatable("Its certificate"))

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
    budget: Room | None = Field(
        default=None,
        title=translatable("Storage limit"),
        description=translatable("The most that downloads may use, such as 10 GB; empty for all."),
    )
    reserve: Room | None = Field(
        default=None,
        title=translatable("Keep free"),
        description=translatable(
            "Never filled, such as 1 GB; empty for a hundredth of the device."
        ),
    )
    paused: bool = Field(
        default=False, title=translatable("Paused: nothing is downloaded or removed")
    )
    users: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    cast: bool = Field(
        default=True,
        title=translatable("Show in the cast menu of Jellyfin apps"),
        description=translatable("What is cast to it is downloaded."),
    )
    network: Use | None = Field(
        default=None,
        title=translatable("Automatic downloads over"),
        description=translatable("What people choose themselves is always downloaded."),
    )
    speed_limit: Speed | None = Field(
        default=None,
        title=translatable("Speed limit (per second)"),
        description=translatable("For this device, such as 2 MB; empty for no limit."),
    )
    format: Format = Field(
        default=Format.ORIGINAL,
        title=translatable("Music format"),
        description=translatable("Music in another format is converted; never to a larger file."),
    )
    bitrate: str | None = Field(
        default=None,
        title=translatable("Bitrate"),
        description=translatable("Of converted music, such as 128k; empty for that of the format."),
    )
    video: FilmFormat = Field(
        default=FilmFormat.ORIGINAL,
        title=translatable("Format of films and series"),
        description=translatable("Converting a film takes long on a small machine."),
    )
    audio_languages: str | None = Field(
        default=None,
        title=translatable("Languages of converted films"),
        description=translatable("Such as de, en; empty for all."),
    )
    subtitle_languages: str | None = Field(
        default=None,
        title=translatable("Subtitles of converted films"),
        description=translatable("Such as de, en; empty for all."),
    )
    keep_original: bool = Field(
        default=False,
        title=translatable("Keep the original next to converted files"),
        description=translatable("Hidden; another format then needs no new download."),
    )
    complete_tags: bool = Field(
        default=False,
        title=translatable("Complete missing tags from Jellyfin"),
        description=translatable("In the copies of music on the device, cover included."),
    )
    tag_separator: str = Field(
        default=SEPARATOR,
        min_length=1,
        max_length=8,
        title=translatable("Separator between artists"),
        description=translatable("In converted music, where a tag holds one text only."),
    )
    preset: PresetName = Field(
        default=PresetName.GENERIC,
        title=translatable("Player type"),
        description=translatable("Decides on file names, playlists and covers of new files."),
    )
    music: bool | None = Field(default=None, title=translatable("Music"))
    audiobooks: bool | None = Field(default=None, title=translatable("Audiobooks"))
    films: bool | None = Field(default=None, title=translatable("Films"))
    series: bool | None = Field(default=None, title=translatable("Series"))
    music_videos: bool | None = Field(default=None, title=translatable("Music videos"))
    versions: VersionChoice = Field(
        default=VersionChoice.LARGEST, title=translatable("Films in several versions")
    )
    album_playlists: bool = Field(
        default=False,
        title=translatable("Write a playlist for each album"),
        description=translatable("For players without a library."),
    )
    covers: bool = Field(default=True, title=translatable("Write covers next to the files"))
    lyrics: bool = Field(default=True, title=translatable("Write lyrics next to the files"))
    subtitles: bool = Field(default=True, title=translatable("Write subtitles next to the films"))
    index: bool = Field(
        default=True,
        title=translatable("Write “Offline library.html” to the device"),
        description=translatable("A page that shows and plays what is there."),
    )
    syncthing_folder: str | None = None
    time_zone: ZoneName | None = Field(
        default=None,
        title=translatable("Time zone of the player's clock"),
        description=translatable("Such as Europe/Berlin; empty for that of this machine."),
    )

    @field_validator("bitrate")
    @classmethod
    def _check_bitrate(cls, bitrate: str | None, others: ValidationInfo) -> str | None:
        if bitrate is None:
            return None
        wanted = others.data.get("format", Format.ORIGINAL)
        target = choose_target(wanted, bitrate)
        return f"{target.kbits if target else read_bitrate(bitrate)}k"

    @field_validator("audio_languages", "subtitle_languages")
    @classmethod
    def _check_languages(cls, languages: str | None) -> str | None:
        return ", ".join(read_languages(languages)) or None

    @property
    def film_target(self) -> FilmTarget | None:
        """The format that its films are converted to; None for the original files."""
        return choose_film_target(self.film_format, self.audio_languages, self.subtitle_languages)

    @property
    def film_format(self) -> FilmFormat:
        """The format of its films: as set, or what the player of its preset takes."""
        return PRESETS[self.preset].video if self.video is FilmFormat.PLAYER else self.video

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

    def with_usual_kinds(self) -> Self:
        """Return the same settings, with the kinds that are not set as its preset has them."""
        return self.model_copy(update={kind.value: kind in self.takes for kind in MediaKind})

    def serves(self, user_name: str) -> bool:
        """Whether the account may use this device: it is in `users`, or `users` is empty."""
        return not self.users or is_named(user_name, self.users)

    @property
    def roles(self) -> DeviceRoles:
        """The users and managers of the device."""
        return DeviceRoles(self.users, self.managers)

    def with_changes(self, changes: Mapping[str, object]) -> Self:
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
            return self.model_validate({**self.model_dump(), **given})
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

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        title=translatable("Level"),
        description=translatable("How much the log says: DEBUG is the most."),
    )
    format: Literal["text", "json"] = Field(
        default="text",
        title=translatable("Log format"),
        description=translatable("text for people, json for programs that collect logs."),
    )


def _parse_time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return time.fromisoformat(f"{value.strip():0>5}")
    except ValueError:
        raise ValueError('must be a time such as "03:30"') from None


def _check_minutes(value: time) -> time:
    if value.tzinfo is not None or value.second or value.microsecond:
        raise ValueError('must be a time such as "03:30"')
    return value


DayTime = Annotated[time, BeforeValidator(_parse_time), AfterValidator(_check_minutes)]


class BackupSettings(Section):
    """The backup that is made every night."""

    nightly: bool = Field(default=False, title=translatable("Make a backup every night"))
    at: DayTime = Field(
        default=time(3, 30),
        title=translatable("Time of day"),
        description=translatable("In the time zone of quiet hours. A missed one is made later."),
    )
    keep: int = Field(
        default=7,
        ge=1,
        le=1000,
        title=translatable("Backups kept"),
        description=translatable("Older ones are deleted. Backups made by hand are never deleted."),
    )
    folder: FullPath | None = Field(
        default=None,
        title=translatable("Folder for backups"),
        description=translatable(
            "Best on another disk; it must exist. Empty: a folder beside the database."
        ),
    )
    passphrase: SecretStr | None = Field(
        default=None,
        title=translatable("Passphrase"),
        description=translatable(
            "With it, sign-ins and keys are in the backup too, encrypted. Without it everybody "
            "signs in again after a restore."
        ),
    )

    @field_validator("passphrase")
    @classmethod
    def _check_passphrase(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_PASSPHRASE:
            raise ValueError(f"must have at least {SHORTEST_PASSPHRASE} characters")
        return value


class MetricsSettings(Section):
    """Figures for Prometheus, at `/metrics`."""

    enabled: bool = Field(
        default=False,
        title=translatable("Answer at /metrics"),
        description=translatable("Figures for Prometheus, without names of people or titles."),
    )
    key: SecretStr | None = Field(
        default=None,
        title=translatable("Key"),
        description=translatable(
            "Whoever asks must send it, as a bearer token. Empty: only this machine may ask."
        ),
    )

    @field_validator("key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"must have at least {SHORTEST_KEY} characters")
        return value


def _check_database_url(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise ValueError('must be an address such as "postgresql://user:password@host/name"')
    return value


class DatabaseSettings(Section):
    """Another database than the file in the data folder."""

    url: Annotated[SecretStr, AfterValidator(_check_database_url)] | None = Field(
        default=None,
        title=translatable("Address of a PostgreSQL database"),
        description=translatable("Empty: a file in the data folder, which suits most."),
    )


def _check_redis_url(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        is_remote = parts.scheme in {"redis", "rediss"} and bool(parts.hostname)
        is_local = parts.scheme == "unix" and bool(parts.path)
        is_right = (is_remote or is_local) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        raise ValueError('must be an address such as "rediss://:password@host:6379/0"')
    return value


class RedisSettings(Section):
    """What several processes on one database tell each other over."""

    url: Annotated[SecretStr, AfterValidator(_check_redis_url)] | None = Field(
        default=None,
        title=translatable("Address of a Redis server"),
        description=translatable("Only for several processes on one PostgreSQL database."),
    )


class Settings(Section):
    """All settings."""

    jellyfin: JellyfinSettings = JellyfinSettings()
    server: ServerSettings = Field(default_factory=ServerSettings)
    transfer: TransferSettings = TransferSettings()
    network: NetworkSettings = NetworkSettings()
    rules: AnyRules = Field(default_factory=ALL_RULES)
    syncthing: SyncthingSettings = SyncthingSettings()
    backup: BackupSettings = BackupSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    devices: tuple[DeviceSettings, ...] = ()
    # Keys that the environment sets, as "transfer.workers".
    _from_environment: frozenset[str] = PrivateAttr(default=frozenset())
    _from_demo: frozenset[str] = PrivateAttr(default=frozenset())
    _file: Path | None = PrivateAttr(default=None)

    @property
    def from_environment(self) -> frozenset[str]:
        """The keys that the environment sets, as "transfer.workers"."""
        return self._from_environment

    @property
    def file(self) -> Path | None:
        """The file that they were read from; None without one."""
        return self._file

    def note_sources(self, file: Path | None, from_environment: frozenset[str]) -> None:
        """Note the file that was read, and which keys the environment sets."""
        self._file, self._from_environment = file, from_environment

    @property
    def from_demo(self) -> frozenset[str]:
        """The keys that the demo sets, as "jellyfin.url"."""
        return self._from_demo

    def with_demo(self, section: str, **values: object) -> Self:
        """Return these settings with what the demo sets in a section."""
        changed = getattr(self, section).model_copy(update=values)
        settings = self.model_copy(update={section: changed})
        places = self._from_demo | {f"{section}.{key}" for key in values}
        settings._from_demo = places  # noqa: SLF001 - it is ours
        return settings


def check_devices(settings: Settings, where: str | Path) -> None:
    """Refuse devices with the same name, in one folder or each other's, or with the data folder.

    Where one is in another, files would be of both: imported, counted and removed twice.
    """
    data_dir = settings.server.data_dir
    for number, device in enumerate(settings.devices):
        others = settings.devices[:number]
        if any(one.name.casefold() == device.name.casefold() for one in others):
            raise ConfigError(where, "devices.name", device.name, msg("two devices have this name"))
        if any(device.path == one.path for one in others):
            raise ConfigError(where, "devices.path", str(device.path), msg("two devices share it"))
        for one in others:
            inner, outer = (one, device) if device.path in one.path.parents else (device, one)
            if outer.path in inner.path.parents:
                reason = msg(
                    "{inner} is in the folder of {outer} ({path}): give each a folder of its own",
                    inner=inner.name,
                    outer=outer.name,
                    path=outer.path,
                )
                raise ConfigError(where, "devices.path", str(inner.path), reason)
        if device.path == data_dir or device.path in data_dir.parents:
            reason = msg("holds the sidecar's own data; a device needs a folder of its own")
            raise ConfigError(where, "devices.path", str(device.path), reason)
