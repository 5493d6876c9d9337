"""Says what a download in the queue waits for: device, server, account, network or room."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.config import DeviceSettings
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.downloads.waits import Wait, WaitKind
from sidecar.domain.transfers.network import NetworkVerdict
from sidecar.domain.wishes import PIN
from sidecar.messages import msg
from sidecar.services.accounts.accounts import OUTSIDE_HOURS
from sidecar.services.accounts.person import Person
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.space.planner import CURED_BY_ROOM, WaitingForRoom
from sidecar.store.downloads.order import NotNow
from sidecar.store.rules.holds import Holds

SOMEBODY_OUTSIDE_HOURS = msg("Jellyfin lets the account that downloads it do nothing now")
SOMEBODY_SIGNED_OUT = msg("The account that downloads it must sign in again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Finds what keeps downloads from coming. Safe for many threads.

    Attributes:
        trouble_of: Returns what is wrong with a device, as people are told.
        settings_of: Returns the present settings of a device.
        verdict_on: Returns what may be fetched for a device, wherever that is.
        waiting_for_room: Returns what waits for room there.
        holds: Tell what people asked for themselves.
    """

    problems: Problems
    trouble_of: Callable[[str], Problem | None]
    settings_of: Callable[[str], DeviceSettings | None]
    verdict_on: Callable[[str], NetworkVerdict | None]
    waiting_for_room: Callable[[str], WaitingForRoom | None]
    holds: Holds
    clock: Clock

    def of(self, person: Person, downloads: Iterable[Download]) -> Mapping[int, tuple[Wait, ...]]:
        """Return what those of these downloads wait for that can not come when it is their turn.

        What concerns all comes first. A download that was tried in vain and is not due yet waits
        for neither network nor room.
        """
        pending = [one for one in downloads if one.status is Status.PENDING]
        if not pending:
            return {}
        devices = {one.device_id for one in pending}
        of_all = {one: tuple(self.of_device(one)) for one in devices}
        verdicts = {one: self._own_only_on(one) for one in devices}
        own = self._own(one.id for one in pending if verdicts[one.device_id])
        rooms = {one: self.waiting_for_room(one) for one in devices}
        accounts = self.problems.known_of(ProblemKind.ACCOUNT)
        now, found = self.clock.now(), {}
        for one in pending:
            waits = [*of_all[one.device_id]]
            if (account := accounts.get(one.user_id)) is not None:
                waits.append(Wait(WaitKind.ACCOUNT, _tell_account(person, one, account)))
            if one.retry_next_at is None or one.retry_next_at <= now:
                verdict, room = verdicts[one.device_id], rooms[one.device_id]
                if verdict and one.id not in own:
                    waits.append(Wait(WaitKind.NETWORK, verdict))
                if room and (why := room.why(one.id)):
                    waits.append(Wait(WaitKind.ROOM, why))
            if waits:
                found[one.id] = tuple(waits)
        return found

    def of_one(self, person: Person, download: Download) -> tuple[Wait, ...]:
        """Return what one download waits for beside its turn."""
        return self.of(person, [download]).get(download.id, ())

    def of_device(self, device_id: str) -> Iterator[Wait]:
        """Return what keeps every download from coming to a device."""
        trouble, settings = self.trouble_of(device_id), self.settings_of(device_id)
        if trouble is not None:
            kind = WaitKind.ROOM if trouble.code in CURED_BY_ROOM else WaitKind.DEVICE
            yield Wait(kind, trouble.text)
        if settings is not None and settings.paused:
            text = msg(
                "{device} is paused: nothing is downloaded to it until somebody resumes it",
                device=settings.name,
            )
            yield Wait(WaitKind.PAUSED, text)
        for one in self.problems.known_of(ProblemKind.SERVER).values():
            yield Wait(WaitKind.SERVER, one.text)

    def not_now(self, device_ids: Collection[str]) -> NotNow:
        """Return what of these devices cannot come now, as a condition of the queue."""
        stopped = {one for one in device_ids if any(self.of_device(one))}
        going = [one for one in device_ids if one not in stopped]
        rooms = [room for one in going if (room := self.waiting_for_room(one))]
        return NotNow(
            devices=stopped,
            users={*self.problems.known_of(ProblemKind.ACCOUNT)},
            downloads=[refused for one in rooms for refused in one.reason_of],
            own_only=[one for one in going if self._own_only_on(one)],
        )

    def _own_only_on(self, device_id: str) -> str | None:
        verdict = self.verdict_on(device_id)
        return verdict.text if verdict and verdict.own_only else None

    def _own(self, download_ids: Iterable[int]) -> Collection[int]:
        """Return those of these downloads that somebody asked for themself."""
        asked = [*download_ids]
        found = self.holds.reasons_for(asked) if asked else {}
        return {key for key, holds in found.items() if any(one.reason.rule == PIN for one in holds)}


def _tell_account(person: Person, download: Download, account: Problem) -> str:
    """Return what is wrong with the account that fetches; its own text names it."""
    if person.is_admin or download.user_id == person.user_id:
        return account.text
    return SOMEBODY_OUTSIDE_HOURS if account.code == OUTSIDE_HOURS else SOMEBODY_SIGNED_OUT
