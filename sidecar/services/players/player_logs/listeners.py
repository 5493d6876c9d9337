"""Whose player a device is: asked once, before anything of it is shown or told to Jellyfin."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sidecar.config import DeviceSettings
from sidecar.domain.accounts.device_access import Access
from sidecar.errors import NotAManager
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.players.player_logs.state_views import (
    ChoiceView,
    ListenerView,
    NotTheListener,
)
from sidecar.store.accounts.accounts import Account
from sidecar.store.playback.player_states import PlayerStates


class Listeners:
    """Decides who listens to a player. Safe for many threads."""

    def __init__(
        self,
        access: DeviceAccess,
        states: PlayerStates,
        accounts: Callable[[], Iterable[Account]],
    ) -> None:
        """Prepare.

        Args:
            access: Who may use and who may manage a device.
            states: Where it is remembered.
            accounts: Returns every account that ever signed in.
        """
        self._access = access
        self._states = states
        self._accounts = accounts

    def of(self, person: Person, device_id: str) -> ListenerView:
        """Return whose player a device is, as a person sees it.

        Raises:
            errors.NotVisible: This person does not use the device.
        """
        settings = self._access.settings(person, device_id)
        chosen = self._states.listener(device_id)
        users = self._users(settings)
        user_id = None if chosen is None else chosen.user_id
        is_gone = user_id is not None and user_id not in users
        may_manage = self._access.to(person, settings) is Access.MANAGE
        is_open = chosen is None or is_gone
        return ListenerView(
            is_chosen=not is_open,
            user_id=None if is_gone else user_id,
            name=users.get(user_id or "", ""),
            is_you=user_id == person.user_id and not is_open,
            choices=self._choices(
                person, users, may_manage=may_manage, may_say=is_open or user_id == person.user_id
            ),
        )

    def choose(self, person: Person, device_id: str, user_id: str | None) -> None:
        """Remember whose player a device is; None: nobody's.

        Who manages the device may say so of everybody; the others of themselves, as long as nobody
        has, or it is theirs.

        Raises:
            errors.NotVisible: This person does not use the device.
            errors.NotAManager: They may not say that.
        """
        listener = self.of(person, device_id)
        if listener.is_chosen and listener.user_id == user_id:
            return
        choices = listener.choices
        if user_id not in {one.user_id for one in choices}:
            raise NotAManager(msg("Who manages the device says whose player it is"))
        self._states.choose_listener(device_id, user_id)

    def check(self, person: Person, device_id: str) -> None:
        """Check that a device is this person's player.

        Raises:
            errors.NotVisible: This person does not use the device.
            NotTheListener: It is not.
        """
        listener = self.of(person, device_id)
        if not listener.is_you:
            raise NotTheListener(_refusal(listener))

    def check_not_of_others(self, person: Person, device_id: str) -> None:
        """Check that nobody has said that a device is not this person's player.

        Raises:
            errors.NotVisible, NotTheListener: As `check`.
        """
        listener = self.of(person, device_id)
        if listener.is_chosen and not listener.is_you:
            raise NotTheListener(_refusal(listener))

    def _users(self, settings: DeviceSettings) -> dict[str, str]:
        return {one.user_id: one.name for one in self._accounts() if settings.serves(one.name)}

    def _choices(
        self, person: Person, users: dict[str, str], *, may_manage: bool, may_say: bool
    ) -> list[ChoiceView]:
        named = [
            ChoiceView(user_id, name)
            for user_id, name in sorted(users.items(), key=lambda one: one[1].casefold())
            if may_manage or (may_say and user_id == person.user_id)
        ]
        return [*named, ChoiceView(None, "")] if may_manage or may_say else []


def _refusal(listener: ListenerView) -> str:
    if not listener.is_chosen:
        return msg("Say first whose player it is")
    if listener.user_id is None:
        return msg("It is nobody's player: nothing of it is told to Jellyfin")
    return msg("It is the player of {name}", name=listener.name)
