"""Checks that Syncthing carries the devices that lie in its folders, each with a way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from functools import partial
from types import MappingProxyType

from sidecar.clock import Clock
from sidecar.config import DeviceSettings, Settings
from sidecar.config.settings import SyncthingSettings
from sidecar.domain.syncthing.folders import FolderFacts, FolderFault, find_faults
from sidecar.domain.syncthing.stignore import build_line, is_ignored
from sidecar.errors import SyncthingError
from sidecar.messages import counted, listed, msg
from sidecar.services.operations.doctor import Check, FoundWrong, Place, WayOut
from sidecar.services.syncthing.arrivals import CarriedFolder, carried_by
from sidecar.store.stores import Stores
from sidecar.syncthing.client import OtherDevice, SharedFolder, Syncthing
from sidecar.syncthing.connection import SyncthingConnection

# So many of a device's files are looked for, which are so old that Syncthing has seen them: it
# looks at a whole folder every hour by default.
LOOKED_FOR = 20
SEEN_AFTER = timedelta(hours=2)

_ADDRESS = WayOut(
    msg("Check url, api_key and certificate in [syncthing] of the settings"), Place.SETTINGS
)
# What to do in Syncthing's own page, where "the folder" is the one that was named.
_WAYS_OUT = MappingProxyType(
    {
        FolderFault.PAUSED: msg("Press Resume at the folder on Syncthing's page"),
        FolderFault.STOPPED: msg(
            "Look at the folder on Syncthing's page. If its marker .stfolder is missing, make that "
            "folder again once you see that the right device is plugged in"
        ),
        FolderFault.SENDS_NOTHING: msg(
            "Edit the folder on Syncthing's page, Advanced: choose Send & Receive or Send Only, "
            "then press Override Changes if it is offered"
        ),
        FolderFault.ALONE: msg(
            "Edit the folder on Syncthing's page, Sharing: choose who gets it, and accept it there"
        ),
        FolderFault.HIDDEN: msg(
            "Take the lines out of its .stignore that hide downloads, or let Syncthing scan the "
            "folder (Rescan)"
        ),
        FolderFault.PEERS_PAUSED: msg("Press Resume at the device on Syncthing's page"),
        FolderFault.FAILING: msg(
            "Syncthing's page names them under Failed Items: mostly rights or room are missing"
        ),
        FolderFault.VERSIONS: msg(
            "Edit the folder on Syncthing's page, File Versioning: choose No File Versioning. Then "
            "delete the folder .stversions"
        ),
        FolderFault.TRAVELLING: msg(
            "Write that line to its .stignore; the page of the device does it with one press"
        ),
    }
)


def checks_of_syncthing(
    settings: Settings, files: Callable[[str], Sequence[str]]
) -> Iterator[Check]:
    """Yield the checks of Syncthing and of each device in one of its folders; none without it.

    Args:
        settings: The present settings.
        files: Returns paths of old files of ours on a device, by the name of the device.
    """
    asked = settings.syncthing
    if asked.url is None:
        return
    with closing(_connect(asked)) as syncthing:
        try:
            folders, every = syncthing.folders(), syncthing.devices()
        except SyncthingError as trouble:
            yield Check(msg("Syncthing"), partial(_raise, trouble), _ADDRESS)
            return
        answers = msg("Answers at {url}", url=asked.url)
        yield Check(msg("Syncthing"), lambda: answers, _ADDRESS)
        for device in settings.devices:
            subject = msg("Syncthing and {name}", name=device.name)
            try:
                looks = _look_at(syncthing, device, folders, every, files(device.name))
            except SyncthingError as trouble:
                looks = [partial(_raise, trouble)]
            for look in looks:
                yield Check(subject, look, _ADDRESS)


def find_old_files(stores: Stores, name: str, clock: Clock) -> Sequence[str]:
    """Return some files of ours on a device that Syncthing should know by now."""
    device = next((one for one in stores.devices.all() if one.name == name), None)
    if device is None:
        return []
    before = clock.now() - SEEN_AFTER
    old = [
        one.path
        for one in stores.downloads.queries.files_on(device.id)
        if one.completed_at is not None and one.completed_at < before and not one.is_missing
    ]
    return old[:: max(1, len(old) // LOOKED_FOR)][:LOOKED_FOR]


def _connect(settings: SyncthingSettings) -> Syncthing:
    connection = SyncthingConnection(
        settings.url or "", key=settings.read_key, certificate=settings.certificate
    )
    return Syncthing(connection)


def _look_at(
    syncthing: Syncthing,
    device: DeviceSettings,
    folders: Sequence[SharedFolder],
    every: Mapping[str, OtherDevice],
    files: Sequence[str],
) -> Sequence[Callable[[], str]]:
    """Return what says what is well about a device, or raises each thing that is wrong."""
    carried = carried_by(device, folders)
    if carried is None:
        return [partial(_say_not_carried, device)]
    shared = next(one for one in folders if one.id == carried.id)
    peers = [every[one] for one in carried.shared_with if one in every]
    facts = _find_facts(syncthing, shared, carried, peers, files)
    faults = find_faults(facts)
    if not faults:
        return [partial(_say_shared, carried, peers)]
    return [
        partial(_raise, FoundWrong(_say(one, carried, facts), WayOut(_WAYS_OUT[one])))
        for one in faults
    ]


def _find_facts(
    syncthing: Syncthing,
    shared: SharedFolder,
    carried: CarriedFolder,
    peers: Sequence[OtherDevice],
    files: Sequence[str],
) -> FolderFacts:
    state = syncthing.state(shared.id)
    # One that is paused or has stopped answers nothing else.
    is_asked = not shared.is_paused and not state.error
    lines = "\n".join(syncthing.ignored(shared.id)).encode() if is_asked else b""
    return FolderFacts(
        is_paused=shared.is_paused,
        type=shared.type,
        error=state.error,
        failing=state.failing,
        keeps_versions=shared.keeps_versions,
        peers=len(carried.shared_with),
        peers_paused=[one.name for one in peers if one.is_paused],
        unknown=sum(not syncthing.knows(shared.id, carried.path(one)) for one in files)
        if is_asked
        else 0,
        is_left_alone=is_ignored(lines, carried.prefix),
    )


def _say_not_carried(device: DeviceSettings) -> str:
    if device.syncthing_folder is None:
        return msg("{name} lies in no folder of Syncthing", name=device.name)
    raise FoundWrong(
        msg(
            "Syncthing knows no folder {wanted}, which {name} should be "
            "(settings: devices.syncthing_folder)",
            wanted=device.syncthing_folder,
            name=device.name,
        ),
        WayOut(msg("Write the ID that Syncthing's page shows for the folder"), Place.DEVICES),
    )


def _say_shared(carried: CarriedFolder, peers: Sequence[OtherDevice]) -> str:
    names = [
        one.name if one.is_connected else msg("{name} (not connected)", name=one.name)
        for one in peers
    ]
    return msg(
        "The folder {label} is shared with {peers}", label=carried.label, peers=listed(names)
    )


def _say(fault: FolderFault, carried: CarriedFolder, facts: FolderFacts) -> str:
    label, line = carried.label, build_line(carried.prefix)
    return {
        FolderFault.PAUSED: msg("The folder {label} is paused: nothing of it is sent", label=label),
        FolderFault.STOPPED: msg(
            "The folder {label} has stopped: {error}", label=label, error=facts.error
        ),
        FolderFault.SENDS_NOTHING: msg(
            "The folder {label} only receives: what arrives here is sent to nobody", label=label
        ),
        FolderFault.ALONE: msg("The folder {label} is shared with nobody", label=label),
        FolderFault.HIDDEN: counted(
            "Syncthing does not know {count} download in the folder {label}",
            "Syncthing does not know {count} downloads in the folder {label}",
            facts.unknown,
            label=label,
        ),
        FolderFault.PEERS_PAUSED: msg(
            "Nothing of the folder {label} is sent to {names}: paused",
            label=label,
            names=listed(facts.peers_paused or [""]),
        ),
        FolderFault.FAILING: counted(
            "{count} file of the folder {label} cannot be brought here",
            "{count} files of the folder {label} cannot be brought here",
            facts.failing,
            label=label,
        ),
        FolderFault.VERSIONS: msg(
            "The folder {label} keeps what other devices delete or replace: that takes room on the "
            "device which no limit counts",
            label=label,
        ),
        FolderFault.TRAVELLING: msg(
            "Our unfinished files travel with the folder {label}: the line {line} is missing",
            label=label,
            line=line,
        ),
    }[fault]


def _raise(trouble: Exception) -> str:
    raise trouble
