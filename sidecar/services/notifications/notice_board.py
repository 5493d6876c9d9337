"""Collects the notices and open questions of all services that concern one person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sidecar.services.accounts.person import Person
from sidecar.services.devices.views import DeviceView
from sidecar.services.health.notices import Notice, OpenQuestion
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.store.downloads.queries import DeviceState


def concerns_space(device: DeviceView, states: Mapping[str, DeviceState]) -> bool:
    """Whether somebody is told of a device's space: who manages it, and whose files it is about.

    Who only might use it loses nothing, and can do nothing about it.

    Args:
        device: The device, as this person sees it.
        states: How this person's downloads stand on each device.
    """
    state = states.get(device.id)
    return device.may_manage or (state is not None and state.has_any)


class NoticeBoard:
    """Collects notices and questions for a person. Safe for many threads."""

    def __init__(
        self,
        *,
        problems: Problems,
        devices: Callable[[Person], Sequence[DeviceView]],
        states: Callable[[str], Mapping[str, DeviceState]],
        further: Iterable[Callable[[Person], Iterable[Notice]]],
        questions: Callable[[Person], Sequence[OpenQuestion]],
        try_now: Callable[[], object],
    ) -> None:
        """Prepare.

        Args:
            problems: The present problems of the server, accounts and devices.
            devices: Lists the devices that a person uses.
            states: How an account's downloads stand on each device.
            further: Other sources of notices for a person.
            questions: Lists the open questions that concern a person.
            try_now: Asks the server at once whether it is back, and whether files get through.
        """
        self._problems = problems
        self._devices = devices
        self._states = states
        self._further = tuple(further)
        self._questions = questions
        self._try_now = try_now

    def notices(self, person: Person) -> Sequence[Notice]:
        """List the notices for this person."""
        server = self._problems.known_of(ProblemKind.SERVER).values()
        notices = [Notice("server", "error", one.text, code=one.code) for one in server]
        for user_id, trouble in self._problems.known_of(ProblemKind.ACCOUNT).items():
            if person.may_see(user_id):
                notices.append(Notice("account", "warning", trouble.text))
        devices = self._devices(person)
        codes = {id_: one.code for id_, one in self._problems.all_of(ProblemKind.DEVICE).items()}
        notices += [
            Notice("device", "warning", device.trouble, device.id, codes.get(device.id, ""))
            for device in devices
            if device.trouble is not None
        ]
        rooms = self._problems.all_of(ProblemKind.ROOM)
        states = self._states(person.user_id) if rooms else {}
        notices += [
            Notice("room", "warning", rooms[device.id].text, device.id)
            for device in devices
            if device.id in rooms and concerns_space(device, states)
        ]
        for more in self._further:
            notices += more(person)
        return notices

    @property
    def is_server_there(self) -> bool:
        """Whether Jellyfin can be asked now."""
        return not self._problems.all_of(ProblemKind.SERVER)

    def try_now(self) -> None:
        """Ask the server at once whether it is back, if it is away, and try one file."""
        self._try_now()

    def questions(self, person: Person) -> Sequence[OpenQuestion]:
        """List the open questions that concern this person."""
        return self._questions(person)
