"""Explains why an item is on a device, or why it is not: facts in, sentences out.

its state ─▶ who wants it ─▶ what it waits for ─▶ what the person has excluded

The caller gathers the facts, and leaves out what the person may not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from types import MappingProxyType

from sidecar.domain.downloads.download import (
    FORBIDDEN,
    NOT_ALLOWED,
    NOT_TAKEN,
    TOO_BIG,
    Download,
    Status,
)
from sidecar.domain.downloads.waits import Wait
from sidecar.messages import as_sentence, clause, listed, msg

STATES = MappingProxyType(
    {
        Status.COMPLETED: msg("It is on {device}"),
        Status.DOWNLOADING: msg("It is being downloaded to {device} now: {progress} is there"),
        Status.PENDING: msg("It is not on {device} yet: it waits in the queue"),
        Status.PAUSED: msg(
            "It is not on {device}: its download is paused until somebody resumes it"
        ),
        Status.REMOVED: msg("It was on {device} and was removed"),
    }
)
# What is queued again once the account may, or the device has another limit.
_ENDS_BY_ITSELF = frozenset({FORBIDDEN, NOT_ALLOWED, TOO_BIG})
_DAYS, _HOURS, _MINUTES = 86_400, 3600, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedBecause:
    """One reason why an item is wanted.

    Attributes:
        who: The account's name; None for the person who asks.
        release_at: When the hold ends; None while the reason lasts.
    """

    who: str | None
    rule: str
    text: str
    release_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainFacts:
    """The facts about one item on one device that the person may know.

    Attributes:
        device: Its name.
        download: None if there is none, or none that concerns the person.
        speaks_for_all: The facts are those of all accounts, not only of this person.
        is_away: The device is not attached: its content is as of the last scan.
        hidden: Sentences about accounts that may not see its item on the server any more.
        waits: What keeps the download from coming when it is its turn.
        was_removed: The person removed it on purpose.
        excluded_from: The labels of the rules from which the person excluded it.
        switched_off: The labels of the rules that are switched off for the device.
        not_taken: The sentence that the device does not take this kind of media.
        is_in_doubt: A file may be this item's already; a person is being asked.
        resting_until: It was evicted, and no rule fetches it before this time.
    """

    device: str
    now: datetime
    download: Download | None = None
    speaks_for_all: bool = False
    wanted: tuple[WantedBecause, ...] = ()
    is_away: bool = False
    hidden: tuple[str, ...] = ()
    waits: tuple[Wait, ...] = ()
    was_removed: bool = False
    excluded_from: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()
    resting_until: datetime | None = None
    is_in_doubt: bool = False
    not_taken: str | None = None

    @property
    def status(self) -> Status | None:
        """Where the download stands; None without one."""
        return None if self.download is None else self.download.status

    @property
    def lasts(self) -> bool:
        """Whether anybody holds it beyond a grace period."""
        return any(one.release_at is None for one in self.wanted)


def explain(facts: ExplainFacts) -> tuple[str, ...]:
    """Return sentences that answer "why is it here?", or "why is it not?"; at least one."""
    sentences = (
        _describe_state(facts),
        *_describe_loss(facts),
        *_list_reasons(facts),
        *_list_obstacles(facts),
        *_list_refusals(facts),
    )
    return tuple(map(as_sentence, sentences))


def format_span(time: timedelta) -> str:
    """Format a duration in its largest unit, rounded up: "3 hours"."""
    seconds = ceil(time.total_seconds())
    if seconds > _DAYS:
        return msg("{days} days", days=-(-seconds // _DAYS))
    if seconds > _HOURS:
        return msg("{hours} hours", hours=-(-seconds // _HOURS))
    if seconds > _MINUTES:
        return msg("{minutes} minutes", minutes=-(-seconds // _MINUTES))
    return msg("a minute")


def _describe_state(facts: ExplainFacts) -> str:
    download, device = facts.download, facts.device
    if download is None:
        return _explain_absence(facts)
    if download.missing_since is not None:
        return msg("It was on {device}, and its file is missing there", device=device)
    if download.status is Status.COMPLETED and facts.is_away:
        return msg("It was on {device} when {device} was last seen", device=device)
    if download.status is Status.DOWNLOADING and download.finalizing:
        return _explain_finishing(facts)
    if download.status is Status.FAILED:
        return _explain_failure(facts, download)
    return STATES[download.status].format(device=device, progress=f"{download.progress:.0%}")


def _explain_finishing(facts: ExplainFacts) -> str:
    if facts.is_away:
        return msg("It is put in its place on {device} when {device} is back", device=facts.device)
    return msg("It is just being put in its place on {device}", device=facts.device)


def _explain_failure(facts: ExplainFacts, download: Download) -> str:
    if download.error_code == NOT_TAKEN:
        return _explain_not_taken(facts.device, clause(download.error_message or ""))
    why = _describe_failure(facts, download)
    return msg("It is not on {device}: {why}", device=facts.device, why=why)


def _explain_not_taken(device: str, why: str) -> str:
    return msg("It is not on {device}: {why}, by its settings", device=device, why=why)


def _explain_absence(facts: ExplainFacts) -> str:
    if facts.not_taken is not None:
        return _explain_not_taken(facts.device, facts.not_taken)
    if facts.wanted and facts.is_in_doubt:
        return msg(
            "It is needed on {device} and may be there already: it is not downloaded "
            "until somebody says which item a file there is",
            device=facts.device,
        )
    if facts.wanted:
        return msg(
            "It is needed on {device} and is not in the queue: Jellyfin did not show "
            "its file. It is tried again by itself",
            device=facts.device,
        )
    if facts.speaks_for_all:
        return msg(
            "It is not on {device}: nobody has downloaded it, and no rule does",
            device=facts.device,
        )
    return msg(
        "You have not downloaded it to {device}, and no rule of yours does",
        device=facts.device,
    )


def _describe_failure(facts: ExplainFacts, download: Download) -> str:
    why = clause(download.error_message or msg("it could not be downloaded"))
    if download.retry_next_at is None:
        if download.error_code in _ENDS_BY_ITSELF:
            return msg("{why}. As soon as that changes, it is downloaded by itself", why=why)
        return msg("{why}. It is not tried again until somebody says so", why=why)
    return msg(
        "{why}. It is tried again in {time}",
        why=why,
        time=format_span(download.retry_next_at - facts.now),
    )


def _describe_loss(facts: ExplainFacts) -> Iterator[str]:
    download = facts.download
    if download is not None and download.gone_since is not None and download.is_present:
        yield msg(
            "It has not been on the server for {time}: this file is kept until you "
            "delete it, and could not be downloaded again then",
            time=format_span(facts.now - download.gone_since),
        )
    yield from facts.hidden


def _list_reasons(facts: ExplainFacts) -> Iterator[str]:
    for one in facts.wanted:
        who = one.who or msg("you")
        if one.release_at is None:
            yield msg("Needed for {who}: {reason}", who=who, reason=one.text)
        elif one.release_at > facts.now:
            left = format_span(one.release_at - facts.now)
            yield msg(
                "Was needed for {who} ({reason}), and is kept for another {left}",
                who=who,
                reason=one.text,
                left=left,
            )
    if not facts.wanted and facts.download is not None and facts.download.is_present:
        yield msg("No longer needed; removed when space runs out")


def _list_obstacles(facts: ExplainFacts) -> Iterator[str]:
    download = facts.download
    if download is None or download.status is not Status.PENDING:
        return
    yield from (one.text for one in facts.waits)
    if download.retry_next_at is not None and download.retry_next_at > facts.now:
        why = clause(download.error_message or msg("it could not be downloaded"))
        yield msg(
            "The last try failed: {why}. The next one is in {time}",
            why=why,
            time=format_span(download.retry_next_at - facts.now),
        )
    elif not facts.waits:
        yield msg("It is downloaded when it is its turn")


def _list_refusals(facts: ExplainFacts) -> Iterator[str]:
    is_here = facts.status in {Status.COMPLETED, Status.DOWNLOADING, Status.PENDING}
    if facts.was_removed and not is_here:
        yield msg(
            "You removed it from {device}: it won't be downloaded automatically again",
            device=facts.device,
        )
    elif facts.resting_until is not None and facts.resting_until > facts.now and not is_here:
        left = format_span(facts.resting_until - facts.now)
        yield msg(
            "It was removed to make space: it is not downloaded automatically for another {left}",
            left=left,
        )
    elif facts.status is Status.REMOVED and facts.lasts:
        yield msg("It comes back when there is a new reason for it, or when you download it")
    for rule in facts.excluded_from:
        yield msg("You excluded it, or what it is part of, from the rule “{rule}”", rule=rule)
    if facts.switched_off and not facts.wanted and not is_here:
        names = listed(facts.switched_off)
        yield msg("Switched off for {device}: {names}", device=facts.device, names=names)
