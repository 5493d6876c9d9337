"""What each page is for, in three sentences: shown by the `?` of the page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sidecar.web.i18n.numbers import translatable

Topic = tuple[str, str, str]
HOME: Topic = (
    translatable("What is going on, at a glance: downloads, devices, what is new."),
    translatable("The tile of a device says whether it is up to date and safe to unplug."),
    translatable("What needs you is at the top of every page; the bell counts it."),
)
DOWNLOADS: Topic = (
    translatable("Everything that is on its way to your devices, has arrived or has failed."),
    translatable("You can pause, cancel, retry and reorder downloads, one or many at once."),
    translatable("They come from what you play and mark in Jellyfin, or choose in the library."),
)
LIBRARY: Topic = (
    translatable("Everything that your account may see in Jellyfin."),
    translatable("Download puts an album, film or playlist on the device that you choose."),
    translatable("The heart marks a favourite, here and in Jellyfin."),
)
OFFLINE: Topic = (
    translatable("Everything on your devices that can be played without Jellyfin."),
    translatable("Pin what must stay; the rest is removed when space runs out, oldest play first."),
    translatable("To be removed next shows which files would be removed first."),
)
DEVICES: Topic = (
    translatable("Each device with its space, what will be downloaded and what will be removed."),
    translatable("Eject a device before you unplug it, so that no file is cut off."),
    translatable("Where many files would be removed at once, nothing happens until you confirm."),
)
DEVICE: Topic = (
    translatable("The settings of one device, the rules that fill it, and what you pinned there."),
    translatable("A rule downloads by itself what you will want, such as your favourites."),
    translatable("Whoever manages the device changes its settings; everybody can unpin their own."),
)
PLAYING: Topic = (
    translatable("What your Jellyfin players play now, and what you played before."),
    translatable("What comes next in the queue is downloaded ahead, so that it is there in time."),
    translatable("A play counts for the rules when half of it, or four minutes, were heard."),
)
ACTIVITY: Topic = (
    translatable("What came to your devices, went from them or failed, and why."),
    translatable("Plays lists what was played, and the charts sum it all up."),
    translatable("You see what concerns you; an admin sees everything."),
)
PROFILE: Topic = (
    translatable("Your account here: API keys for programs, and your active sessions."),
    translatable("An API key may do what you may do: give each program one of its own."),
    translatable("A session that you do not know can be signed out here at once."),
)
NOTIFICATIONS: Topic = (
    translatable("What you are told outside of this page: on your phone, by e-mail, in a chat."),
    translatable("What comes close together comes in one message, and nothing comes twice."),
    translatable("An address may have a password in it: it is encrypted and never shown again."),
)
ADMIN: Topic = (
    translatable("How the sidecar is doing: Jellyfin, transfers, accounts, sessions, log."),
    translatable("Automatic downloads can be paused here for everybody."),
    translatable("Only administrators of Jellyfin see this page."),
)
IMPORTS: Topic = (
    translatable("What was on the device before: files of your library, and plays of its player."),
    translatable("Imported files are managed like all others and are not downloaded again."),
    translatable("Nothing is imported, moved or deleted until you choose it."),
)
MATCHES: Topic = (
    translatable("Files whose item in Jellyfin has changed and could be one of several."),
    translatable("Choose the right one, and the file stays without a new download."),
    translatable("Until then nothing is done about the file."),
)
SETTINGS: Topic = (
    translatable("Everything about the sidecar that an administrator can change while it runs."),
    translatable("What the settings file or the environment sets is shown and locked."),
    translatable("Most changes count at once; the others say that they need a restart."),
)
EDITOR: Topic = (
    translatable("A device is a USB stick, a card or a folder that downloads go to."),
    translatable("Choose a drive that is plugged in, or a folder on this machine."),
    translatable("What is there already stays as it is, also when the device is removed again."),
)
SET_UP: Topic = (
    translatable("Connects the sidecar to your own Jellyfin, in three steps."),
    translatable("Jellyfin is asked who its administrator is: only that account can set up."),
    translatable("Everything can be changed later in the settings."),
)
THIS_BROWSER: Topic = (
    translatable("What this browser keeps for you, to be played without a network."),
    translatable("Choose an album, a playlist or a series in the library, and set a limit here."),
    translatable("What you hear without a network comes to Jellyfin when it is back."),
)
SELECTIONS: Topic = (
    translatable(
        "A saved filter chooses by itself: artists, genres, years, what you have not heard yet."
    ),
    translatable(
        "What matches is kept on the device that you choose, also what comes to Jellyfin later."
    ),
    translatable("The number beside it says how much matches now, before you save it."),
)
CHECKS: Topic = (
    translatable("Finds what keeps the sidecar from working: settings, network, Jellyfin, drives."),
    translatable("Each finding says what is wrong and what you can do about it."),
    translatable("Checking changes nothing."),
)
LOG: Topic = (
    translatable("What the sidecar did and what went wrong, newest first."),
    translatable("Look here when an alert does not say enough."),
    translatable("Passwords and keys are never written to it."),
)
WEBHOOKS: Topic = (
    translatable("Tells other programs, such as Home Assistant, what happens here."),
    translatable("Each event is one message in JSON, signed with a secret that you see once."),
    translatable("What is not taken is sent again for a while."),
)
TASKS: Topic = (
    translatable("What is done regularly: when it was done last, how that ended, when it is next."),
    translatable("Run now does it at once, on whatever machine it is done."),
    translatable("Nothing has to be run by hand: what changes is noticed sooner anyway."),
)
MACHINES: Topic = (
    translatable("Where the sidecar runs, if several machines share one PostgreSQL database."),
    translatable("With a code from here another machine joins and fills what is plugged in there."),
    translatable("Give a code only to a machine that you trust with everything."),
)
SERVER: Topic = (
    translatable("Another Jellyfin answers at the address of yours, such as a new installation."),
    translatable("See first what would keep its files, then accept it or bring the old one back."),
    translatable("Until then nothing is downloaded or removed."),
)
NAMES: Topic = (
    translatable("Names of files that no longer suit what Jellyfin knows."),
    translatable("Choose which get the name that they would have today; playlists follow."),
    translatable("Nothing is downloaded again for it."),
)
PLAYER: Topic = (
    translatable("Positions, plays and ratings that a player with Rockbox has kept."),
    translatable(
        "Choose what is added to your Jellyfin history, and what the player gets in return."
    ),
    translatable("Nothing is counted twice, and each import can be taken back."),
)
REPLAYS: Topic = (
    translatable("Shows what a year of your plays would have found on a device of a certain size."),
    translatable("Choose sizes and compare them before you buy a stick or change a storage limit."),
    translatable("Nothing is downloaded or removed by it."),
)
# By endpoint, else by the group of routes.
TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "home": HOME,
        "pages": DOWNLOADS,
        "library": LIBRARY,
        "offline_page": OFFLINE,
        "plans": DEVICES,
        "this_browser": THIS_BROWSER,
        "device": DEVICE,
        "plays": PLAYING,
        "activity": ACTIVITY,
        "profile": PROFILE,
        "notifications": NOTIFICATIONS,
        "admin": ADMIN,
        "returns": IMPORTS,
        "settings": SETTINGS,
        "device_editor": EDITOR,
        "set_up": SET_UP,
        "selections": SELECTIONS,
        "replays": REPLAYS,
        "buttons": DOWNLOADS,
        "checks": CHECKS,
        "log": LOG,
        "machines": MACHINES,
        "tasks": TASKS,
        "webhooks": WEBHOOKS,
        "player": PLAYER,
        "identity.matches": MATCHES,
        "identity.names": NAMES,
        "identity.server": SERVER,
    }
)


def topic(endpoint: str | None) -> Topic | None:
    """Return what the page of an endpoint is for; None if nobody has said."""
    name = endpoint or ""
    return TOPICS.get(name) or TOPICS.get(name.partition(".")[0])
