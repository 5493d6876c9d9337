"""Creates what is ordered of other machines: each kind with the call that a press there makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sidecar.errors import NotAManager
from sidecar.messages import counted, listed, msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.editor import DeviceEditor
from sidecar.services.downloads.commands import ActionResult, ResultKind
from sidecar.services.downloads.remove import DELETE, RemoveDownloads, describe_deleting
from sidecar.services.files.adoption.adopt import AdoptedView, AdoptionService, OfferView
from sidecar.services.files.removals.review import RemovalReview
from sidecar.services.orders.kinds import OrderKind, OrderKinds
from sidecar.services.players.device_playlists.returns import PlaylistReturns
from sidecar.services.players.device_playlists.views import ListDecision, ReturnedLists
from sidecar.services.players.player_logs.giving import PlayerGiver
from sidecar.services.players.player_logs.importer import PlayerLogImporter
from sidecar.services.players.player_logs.state_views import (
    GivenView,
    PlayerView,
    TakenStatesView,
)
from sidecar.services.players.player_logs.states import PlayerStateImporter, Wanted
from sidecar.services.players.player_logs.views import LogView, TakenView
from sidecar.services.space.plans import PlanService
from sidecar.services.syncthing.status import SyncStatus
from sidecar.services.transfers.eject import EjectService


def make_kinds(
    *,
    access: DeviceAccess,
    eject: EjectService,
    editor: DeviceEditor,
    removing: RemoveDownloads,
    removals: RemovalReview,
    plans: PlanService,
    sync_status: SyncStatus,
    adoption: AdoptionService,
    logs: PlayerLogImporter,
    states: PlayerStateImporter,
    giver: PlayerGiver,
    lists: PlaylistReturns,
) -> OrderKinds:
    """Return all kinds of orders, each bound to the service that does it."""
    using, managing = access.settings, access.managed

    def forget(_person: Person, device_id: str) -> int:
        return editor.forget(device_id, with_files=True)

    def answer_removals(
        person: Person,
        device_id: str,
        gone: bool,  # noqa: FBT001
        asked: Sequence[int],
    ) -> int:
        return removals.answer(person, device_id, gone=gone, asked=asked)

    def give(person: Person, device_id: str, bookmarks: bool, changelog: bool) -> GivenView:  # noqa: FBT001
        return giver.give(person, device_id, bookmarks=bookmarks, changelog=changelog)

    return OrderKinds(
        eject=OrderKind(
            name="eject",
            act=eject.eject,
            check=managing,
            what=lambda device: msg("eject {device}", device=device),
            tell=_always(msg("It may be unplugged")),
        ),
        reattach=OrderKind(
            name="reattach",
            act=eject.reattach,
            check=managing,
            what=lambda device: msg("reconnect {device}", device=device),
            tell=_always(msg("It is used again")),
            is_for_ejected=True,
        ),
        delete=OrderKind(
            name=DELETE,
            act=removing.delete_there,
            # What somebody may delete is what they may see; each file is asked about.
            check=lambda _person, _device_id: None,
            what=describe_deleting,
            tell=_tell_deleted,
            given=tuple[Sequence[tuple[int, datetime]], bool],
        ),
        forget=OrderKind(
            name="forget",
            act=forget,
            check=_check_admin,
            what=lambda device: msg(
                "delete the downloads from {device} and forget it", device=device
            ),
            tell=lambda files: counted(
                "{count} file was deleted", "{count} files were deleted", files
            ),
        ),
        answer_removals=OrderKind(
            name="answer-removals",
            act=answer_removals,
            check=managing,
            what=lambda device: msg(
                "take your answer about the files that are missing from {device}", device=device
            ),
            tell=lambda files: counted(
                "Your answer counts for {count} file", "Your answer counts for {count} files", files
            ),
            given=tuple[bool, tuple[int, ...]],
        ),
        confirm_plan=OrderKind(
            name="confirm-plan",
            act=plans.confirm,
            check=managing,
            what=lambda device: msg(
                "remove the files that the plan of {device} names", device=device
            ),
            tell=_always(msg("They are being removed")),
            given=tuple[str],
        ),
        ignore=OrderKind(
            name="stignore",
            act=sync_status.ignore,
            check=managing,
            what=lambda device: msg("write the line to the .stignore of {device}", device=device),
            tell=_always(msg("It is written")),
        ),
        look_for_files=OrderKind(
            name="look-for-files",
            act=adoption.offer,
            check=using,
            what=lambda device: msg("look for existing files on {device}", device=device),
            tell=lambda found: counted(
                "{count} file was found that matches your library",
                "{count} files were found that match your library",
                found.matched_total + found.doubtful_total,
            ),
            result=OfferView,
        ),
        adopt=OrderKind(
            name="adopt",
            act=adoption.adopt,
            check=managing,
            what=lambda device: msg("import existing files on {device}", device=device),
            tell=_tell_adopted,
            given=tuple[Sequence[str] | None],
        ),
        look_at_log=OrderKind(
            name="look-at-log",
            act=logs.log,
            check=using,
            what=lambda device: msg("read the player's log on {device}", device=device),
            tell=lambda found: counted(
                "{count} play was found", "{count} plays were found", found.counts.plays
            ),
            result=LogView,
        ),
        take_plays=OrderKind(
            name="take-plays",
            act=logs.take,
            check=using,
            what=lambda device: msg("add the plays from {device} to your history", device=device),
            tell=_tell_plays,
        ),
        look_at_player=OrderKind(
            name="look-at-player",
            act=states.look,
            check=using,
            what=lambda device: msg("read positions and counts of {device}", device=device),
            tell=_always(msg("They are read")),
            result=PlayerView,
        ),
        take_states=OrderKind(
            name="take-states",
            act=states.take,
            check=using,
            what=lambda device: msg("add what {device} knows to your history", device=device),
            tell=_tell_states,
            given=tuple[Wanted],
        ),
        give=OrderKind(
            name="give",
            act=give,
            check=using,
            what=lambda device: msg("write positions and counts to {device}", device=device),
            tell=_tell_given,
            given=tuple[bool, bool],
        ),
        look_at_lists=OrderKind(
            name="look-at-lists",
            act=lists.lists,
            check=using,
            what=lambda device: msg("read the playlists on {device}", device=device),
            tell=lambda found: counted(
                "{count} playlist was made or changed there",
                "{count} playlists were made or changed there",
                len(found.lists),
            ),
            result=ReturnedLists,
        ),
        answer_list=OrderKind(
            name="answer-list",
            act=lists.answer,
            check=using,
            what=lambda device: msg("take your answer about a playlist on {device}", device=device),
            tell=lambda text: text,
            given=tuple[str, str, ListDecision],
        ),
        undo_list=OrderKind(
            name="undo-list",
            act=lists.undo,
            check=using,
            what=lambda device: msg("undo what was taken from {device}", device=device),
            tell=lambda text: text,
            given=tuple[str],
        ),
    )


def _always(text: str) -> Callable[[Any], str]:
    return lambda _result: text


def _check_admin(person: Person, _device_id: str) -> None:
    if not person.is_admin:
        raise NotAManager(msg("Only an admin may do this"))


def _tell_deleted(results: Sequence[ActionResult]) -> str:
    deleted = sum(one.result is ResultKind.DONE for one in results)
    kept = sum(one.result is ResultKind.KEPT for one in results)
    refused = [one for one in results if one.result is ResultKind.REFUSED]
    told: list[str] = [counted("{count} file was deleted", "{count} files were deleted", deleted)]
    if kept:
        told.append(
            counted("{count} stays for other people", "{count} stay for other people", kept)
        )
    if refused:
        told.append(refused[0].text)
    return listed(told)


def _tell_adopted(done: AdoptedView) -> str:
    told = [counted("{count} file was imported", "{count} files were imported", done.adopted)]
    if done.refused:
        told.append(counted("{count} was not", "{count} were not", len(done.refused)))
    return listed([*told, *_left(done.left)])


def _tell_plays(done: TakenView) -> str:
    told = [counted("{count} play was added", "{count} plays were added", done.taken)]
    return listed([*told, *_left(done.left)])


def _tell_states(done: TakenStatesView) -> str:
    told = [
        counted("{count} position was added", "{count} positions were added", done.positions),
        counted("{count} play", "{count} plays", done.plays),
        counted("{count} heart", "{count} hearts", done.hearts),
    ]
    return listed([*told, *_left(done.left)])


def _tell_given(done: GivenView) -> str:
    return listed(
        [
            counted(
                "{count} bookmark was written", "{count} bookmarks were written", done.bookmarks
            ),
            counted("{count} track", "{count} tracks", done.tracks),
        ]
    )


def _left(number: int) -> Sequence[str]:
    return (
        [counted("{count} is left: ask again", "{count} are left: ask again", number)]
        if number
        else []
    )
