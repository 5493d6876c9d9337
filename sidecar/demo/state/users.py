"""The four people of the demo, and what each may do, as policies that an admin can change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.formats import Json, drop_nulls, format_date, guid_of, now

_PROVIDERS = "Jellyfin.Server.Implementations.Users.Default"
_CONFIGURATION: Json = {
    "PlayDefaultAudioTrack": True,
    "SubtitleLanguagePreference": "",
    "DisplayMissingEpisodes": False,
    "GroupedFolders": [],
    "SubtitleMode": "Default",
    "DisplayCollectionsView": False,
    "EnableLocalPassword": False,
    "OrderedViews": [],
    "LatestItemsExcludes": [],
    "MyMediaExcludes": [],
    "HidePlayedInLatest": True,
    "RememberAudioSelections": True,
    "RememberSubtitleSelections": True,
    "EnableNextEpisodeAutoPlay": True,
    "CastReceiverId": "F007D354",
}


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account that may sign in.

    Attributes:
        libraries: The names of the only libraries that they may see; empty for all.
    """

    name: str
    password: str
    is_administrator: bool = False
    may_download: bool = True
    libraries: tuple[str, ...] = ()


ACCOUNTS = (
    DemoAccount("admin", "admin", is_administrator=True),
    DemoAccount("ann", "ann"),
    DemoAccount("ben", "ben", may_download=False),
    DemoAccount("kid", "kid", libraries=("Movies",)),
)


@dataclass(slots=True)
class DemoUser:
    """An account as the server knows it.

    Attributes:
        policy: The whole policy object of the API.
    """

    id: str
    name: str
    password: str
    policy: dict[str, Any] = field(default_factory=dict)
    last_login: datetime | None = None
    last_activity: datetime | None = None

    @property
    def is_administrator(self) -> bool:
        """Whether the user is an administrator."""
        return bool(self.policy["IsAdministrator"])

    @property
    def may_download(self) -> bool:
        """Whether the user may download original files."""
        return bool(self.policy["EnableContentDownloading"])

    def may_see_library(self, library_id: str | None) -> bool:
        """Whether the user may see what is in a library; None is in no library and seen by all."""
        if self.policy["EnableAllFolders"] or library_id is None:
            return True
        return library_id in self.policy["EnabledFolders"]

    def is_within_hours(self, moment: datetime) -> bool:
        """Whether the user may use the server now; administrators always may."""
        schedules = self.policy["AccessSchedules"]
        if self.is_administrator or not schedules:
            return True
        hour = moment.hour + moment.minute / 60
        return any(
            one["DayOfWeek"] in _day_names(moment) and one["StartHour"] <= hour < one["EndHour"]
            for one in schedules
        )

    def is_blocked(self, item: DemoItem) -> bool:
        """Whether the policy blocks an item by one of its tags."""
        return any(tag in self.policy["BlockedTags"] for tag in item.tags)

    def to_dto(self, server_id: str) -> Json:
        """Return the user as the API's JSON."""
        return drop_nulls(
            {
                "Name": self.name,
                "ServerId": server_id,
                "Id": self.id,
                "HasPassword": True,
                "HasConfiguredPassword": True,
                "HasConfiguredEasyPassword": False,
                "EnableAutoLogin": False,
                "LastLoginDate": format_date(self.last_login),
                "LastActivityDate": format_date(self.last_activity),
                "Configuration": _CONFIGURATION,
                "Policy": self.policy,
            }
        )


class DemoUsers:
    """All users."""

    def __init__(self, server_id: str, library_ids: dict[str, str]) -> None:
        self.by_id: dict[str, DemoUser] = {}
        for account in ACCOUNTS:
            folders = [library_ids[name] for name in account.libraries if name in library_ids]
            user_id = guid_of(f"{server_id}/{account.name}")
            policy = _policy(account, folders)
            self.by_id[user_id] = DemoUser(user_id, account.name, account.password, policy)

    def find(self, name: str) -> DemoUser | None:
        """Return the user of that name, in any case."""
        return next((one for one in self.by_id.values() if one.name == name.lower()), None)

    def authenticate(self, name: str, password: str) -> DemoUser | None:
        """Return the user with this password, and record the sign-in; else None."""
        user = self.find(name)
        if user is None or user.password != password:
            return None
        user.last_login = user.last_activity = now()
        return user

    def to_json(self) -> dict[str, Json]:
        """Return the policies as JSON, to be stored."""
        return {user.name: user.policy for user in self.by_id.values()}

    def restore(self, saved: dict[str, Json]) -> None:
        """Restore stored policies."""
        for user in self.by_id.values():
            user.policy |= saved.get(user.name, {})


def _day_names(moment: datetime) -> frozenset[str]:
    """Return all names of days that a schedule may have."""
    kind = "Weekday" if moment.weekday() < SATURDAY else "Weekend"
    return frozenset({"Everyday", kind, DAYS[moment.weekday()]})


def _policy(account: DemoAccount, folders: list[str]) -> dict[str, Any]:
    return {
        "IsAdministrator": account.is_administrator,
        "IsHidden": True,
        "EnableCollectionManagement": account.is_administrator,
        "EnableSubtitleManagement": account.is_administrator,
        "EnableLyricManagement": account.is_administrator,
        "IsDisabled": False,
        "BlockedTags": [],
        "AllowedTags": [],
        "EnableUserPreferenceAccess": True,
        "AccessSchedules": [],
        "BlockUnratedItems": [],
        "EnableRemoteControlOfOtherUsers": account.is_administrator,
        "EnableSharedDeviceControl": True,
        "EnableRemoteAccess": True,
        "EnableLiveTvManagement": account.is_administrator,
        "EnableLiveTvAccess": True,
        "EnableMediaPlayback": True,
        "EnableAudioPlaybackTranscoding": True,
        "EnableVideoPlaybackTranscoding": True,
        "EnablePlaybackRemuxing": True,
        "ForceRemoteSourceTranscoding": False,
        "EnableContentDeletion": account.is_administrator,
        "EnableContentDeletionFromFolders": [],
        "EnableContentDownloading": account.may_download,
        "EnableSyncTranscoding": True,
        "EnableMediaConversion": True,
        "EnabledDevices": [],
        "EnableAllDevices": True,
        "EnabledChannels": [],
        "EnableAllChannels": True,
        "EnabledFolders": folders,
        "EnableAllFolders": not account.libraries,
        "InvalidLoginAttemptCount": 0,
        "LoginAttemptsBeforeLockout": -1,
        "MaxActiveSessions": 0,
        "EnablePublicSharing": True,
        "BlockedMediaFolders": [],
        "BlockedChannels": [],
        "RemoteClientBitrateLimit": 0,
        "AuthenticationProviderId": f"{_PROVIDERS}AuthenticationProvider",
        "PasswordResetProviderId": f"{_PROVIDERS}PasswordResetProvider",
        "SyncPlayAccess": "CreateAndJoinGroups",
    }
