"""Creates the services for rules, playback, holds and casting."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sidecar.assembly.accounts import AccountServices
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices
from sidecar.domain.files.groups import Group
from sidecar.domain.files.naming import ANY, NameLimits
from sidecar.domain.files.presets import PRESETS
from sidecar.domain.items.item import Item
from sidecar.domain.playback.tracker import Current
from sidecar.domain.space.eviction import list_items_in_use
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.jellyfin.library.groups import GroupLookup
from sidecar.services.downloads.casting.orders import CastOrders
from sidecar.services.downloads.casting.targets import CastTargets
from sidecar.services.health.tasks import TaskKind
from sidecar.services.identity.file_names import FileNames
from sidecar.services.identity.look import LibraryLook
from sidecar.services.identity.matching import ItemMatching
from sidecar.services.identity.questions import IdentityQuestion, IdentityQuestions
from sidecar.services.identity.server_change import ServerChange
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.playback.in_use import SharedInUse
from sidecar.services.playback.shared_playing import SharedPlaying
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.services.processes.calls import RULES, TRY_NOW
from sidecar.services.rules.account_threads import AccountFollowers, AccountThreads
from sidecar.services.rules.fill.choices import FillChoices
from sidecar.services.rules.selections.questions import SelectionQuestion, SelectionQuestions
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.store.rules.settings import RuleSettingsStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleServices:
    """The services for rules, playback, holds and casting.

    Attributes:
        names: Previews and plans new names of files.
        matching: Updates rows whose items have new ids in Jellyfin.
        questions: Open questions about files that may be one of several items.
        server_change: Lets an admin accept another server at the known address.
        planning: Turns wishes into holds and queued downloads.
        followers: Makes the followers of an account.
        watching: Tracks what plays.
        playing: Shows what plays, in whatever process that is heard.
        threads: Starts and stops the threads of the accounts.
        in_use: Returns the items that play or come next.
        tell_in_use: Tells the other processes of them.
        acts: What people do in their clients.
        choices: What was chosen to fill the devices.
        asking: The open questions about saved filters.
        wake: Has all rules of an account run, or those of all, in whatever process they do.
        play_ended: Has the rules of an account run after plays were added.
    """

    names: FileNames
    matching: ItemMatching
    questions: IdentityQuestions
    server_change: ServerChange
    planning: WishService
    settings: RuleSettingsService
    followers: AccountFollowers
    watching: PlaybackTracker
    playing: SharedPlaying
    threads: AccountThreads
    in_use: Callable[[], Collection[str]]
    tell_in_use: Callable[[], None]
    acts: Acts
    choices: FillChoices
    asking: SelectionQuestions
    wake: Callable[..., None]
    play_ended: Callable[[str], None]
    cast_orders: CastOrders
    casting: CastTargets


def make_rules(base: Base, accounts: AccountServices, devices: DeviceServices) -> RuleServices:
    """Create the services for rules, playback and casting."""
    store, clock, around = base.store, base.clock, base.store.db.thread

    def shape_of(device_id: str) -> NameLimits:
        settings = devices.settings.of(device_id)
        if settings is None:
            return ANY
        return replace(PRESETS[settings.preset].shape, beside_each=int(settings.lyrics))

    questions = IdentityQuestions(base.bus)
    matching = ItemMatching(store.db, store.downloads, questions, shape_of=shape_of)

    def known_again(user_id: str, items: Mapping[str, Item]) -> Collection[str]:
        index = ServerFileIndex(accounts.service.client(user_id))
        return matching.before_queueing(index, items)

    def groups_of(
        user_id: str, items: Collection[Item], known: Collection[Item]
    ) -> Mapping[str, Group]:
        return GroupLookup(accounts.service.client(user_id)).of(items, known)

    planning = WishService(
        store.db,
        store.holds,
        store.downloads,
        clock,
        format_of=devices.formats.of,
        shape_of=shape_of,
        known_again=known_again,
        not_taken=devices.taken.refusal,
        fit=devices.taken.fit,
        groups_of=groups_of,
    )
    looking = LibraryLook(
        store.downloads,
        store.chosen,
        matching,
        accounts.service.client,
        hidden=store.hidden.ids,
    )
    settings = RuleSettingsService(
        lambda: base.configuration.now().rules, RuleSettingsStore(store.db)
    )
    acts, choices = Acts(clock), FillChoices()
    asking = SelectionQuestions(store.selections, base.bus)
    base.sharing.findings.share_questions("identity", IdentityQuestion, questions.known)
    base.sharing.findings.share_questions("selection", SelectionQuestion, asking.known)
    followers = AccountFollowers(
        planning=planning,
        registry=devices.registry,
        server=accounts.server,
        stores=store,
        book=settings,
        looking=looking,
        acts=acts,
        choices=choices,
        asking=asking,
        clock=clock,
        tasks=accounts.tasks,
    )
    watching = PlaybackTracker(
        store.plays,
        store.downloads,
        on_play=lambda play: followers.play_ended(play.user_id),
        clock=clock,
    )
    playing = SharedPlaying(watching, clock, is_heard_here=base.roles.watches)
    base.sharing.findings.share(
        "playing", list[Current], found=playing.to_tell, tell=playing.take, is_notice=False
    )
    heard = partial(_list_in_use, watching)
    shared_in_use = SharedInUse(heard, store.meta)
    cast_orders = CastOrders(
        accounts=accounts.service,
        registry=devices.registry,
        planning=planning,
        downloads=store.downloads,
        clock=clock,
        acts=acts,
        playing=lambda user_id: frozenset(one.playing.item.id for one in watching.shown(user_id)),
    )
    threads = AccountThreads(
        accounts=accounts.service,
        make=followers,
        watching=watching,
        server=accounts.server,
        around=around,
        clock=clock,
        tasks=accounts.tasks,
        chance=random.random,
    )
    for task in (TaskKind.RULES, TaskKind.HEARTS, TaskKind.IDENTITY):
        accounts.tasks.offer(task, partial(threads.run_soon, task))
    names = FileNames(
        downloads=store.downloads,
        access=devices.access,
        list_visible=store.inventory.list_visible_to,
        client=accounts.service.client,
        shape_of=shape_of,
        clock=clock,
    )
    base.bus.subscribe(names.hear)
    base.sharing.calls.answer(RULES, lambda user_id: threads.look_through_soon(user_id or None))

    def wake(user_id: str | None = None) -> None:
        threads.look_through_soon(user_id)
        if not base.roles.watches:
            base.sharing.calls.make(RULES, user_id or "")

    casting = CastTargets(
        accounts=accounts.service,
        registry=devices.registry,
        orders=cast_orders,
        around=around,
        clock=clock,
        chance=random.random,
    )
    base.bus.subscribe(casting.hear)
    return RuleServices(
        in_use=heard if base.roles.watches else shared_in_use.read,
        tell_in_use=shared_in_use.tell,
        acts=acts,
        choices=choices,
        asking=asking,
        names=names,
        matching=matching,
        questions=questions,
        server_change=ServerChange(
            accounts=accounts.service,
            server=accounts.server,
            matching=matching,
            looking=looking,
            accepted=partial(base.sharing.calls.make, TRY_NOW),
            clock=clock,
        ),
        planning=planning,
        settings=settings,
        followers=followers,
        watching=watching,
        playing=playing,
        threads=threads,
        wake=wake,
        play_ended=followers.play_ended if base.roles.watches else wake,
        cast_orders=cast_orders,
        casting=casting,
    )


def _list_in_use(watching: PlaybackTracker) -> Collection[str]:
    return list_items_in_use(watching.now())
