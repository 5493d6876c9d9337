"""Keeps what a person chose for a browser of theirs, and says which files that are now.

    chosen on a page ─▶ its files, as the account sees them ─▶ what fits ─▶ the page fetches it

The browser holds the files; here is only what was chosen, and what it last said that it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from secrets import token_hex

from sidecar.clock import Clock
from sidecar.domain.browsers import BrowserPlan, next_unwatched, plan_browser
from sidecar.domain.items.item import Item
from sidecar.errors import NotPossible, NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.library.lookup import expand_item, get_item
from sidecar.store.accounts.choices import Choices

PREFIX = "browser:"
ID = re.compile(r"[0-9a-f]{32}")
MOST_BROWSERS = 10
MOST_CHOSEN = 50
DEFAULT_BUDGET = 500_000_000
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class ChosenItem:
    """An item that is kept in a browser: an album, a playlist, a series, or a track."""

    item_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBrowser:
    """A browser that keeps files, for one person.

    Attributes:
        budget: The most that it keeps, in bytes.
        chosen: What is kept there, in the order of choosing.
        files, bytes: What it said that it has.
        seen_at: When it last said so; None if it never did.
    """

    id: str
    name: str
    budget: int = DEFAULT_BUDGET
    chosen: tuple[ChosenItem, ...] = ()
    files: int = 0
    bytes: int = 0
    seen_at: datetime | None = None


class BrowserService:
    """The browsers that keep files. Safe for many threads."""

    def __init__(
        self, *, choices: Choices, client: Callable[[str], Jellyfin], clock: Clock
    ) -> None:
        """Prepare; `client` returns the Jellyfin client of an account, by its id."""
        self._choices = choices
        self._client = client
        self._clock = clock

    def all(self, person: Person) -> list[KeptBrowser]:
        """Return a person's browsers, by name."""
        found = self._choices.named(person.user_id, PREFIX)
        return sorted(map(_read, found.values()), key=lambda one: (one.name.casefold(), one.id))

    def find(self, person: Person, browser_id: str) -> KeptBrowser | None:
        """Return a browser of this person; nobody sees those of others."""
        if not ID.fullmatch(browser_id):
            return None
        text = self._choices.of(person.user_id, PREFIX + browser_id)
        return _read(text) if text else None

    def begin(self, person: Person, browser_id: str, name: str) -> KeptBrowser:
        """Let a browser keep files for a person; it keeps its id, and has one if it has none.

        Raises:
            NotPossible: There are too many.
        """
        known = self.find(person, browser_id)
        if known is not None:
            return known
        if len(self.all(person)) >= MOST_BROWSERS:
            raise NotPossible(
                msg("Too many browsers keep files for you: remove one of them on Devices")
            )
        fresh = browser_id if ID.fullmatch(browser_id) else token_hex(16)
        browser = KeptBrowser(id=fresh, name=_tidy(name))
        self._choices.put(person.user_id, PREFIX + fresh, _write(browser))
        return browser

    def change(self, person: Person, browser_id: str, *, name: str, budget: int) -> KeptBrowser:
        """Set a browser's name and limit.

        Raises:
            NotVisible: It is not this person's.
        """
        return self._change(
            person,
            browser_id,
            lambda known: replace(known, name=_tidy(name) or known.name, budget=budget),
        )

    def choose(self, person: Person, browser_id: str, item_id: str) -> KeptBrowser:
        """Keep an item in a browser.

        Raises:
            NotVisible: The browser, or the item, is not this person's to see.
            NotPossible: There is nothing in it that can be kept, or too much was chosen.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        known = self._own(person, browser_id)
        if any(one.item_id == item_id for one in known.chosen):
            return known
        _check_may_have_more(known)
        client = self._client(person.user_id)
        item = get_item(client, item_id)
        expand_item(client, item)

        def keep(known: KeptBrowser) -> KeptBrowser:
            others = [one for one in known.chosen if one.item_id != item.id]
            if len(others) == len(known.chosen):
                _check_may_have_more(known)
            return replace(known, chosen=(*others, ChosenItem(item.id, item.title)))

        return self._change(person, browser_id, keep)

    def drop(self, person: Person, browser_id: str, item_id: str) -> KeptBrowser:
        """Do not keep an item in a browser any more.

        Raises:
            NotVisible: The browser is not this person's.
        """
        return self._change(
            person,
            browser_id,
            lambda known: replace(
                known, chosen=tuple(one for one in known.chosen if one.item_id != item_id)
            ),
        )

    def forget(self, person: Person, browser_id: str) -> None:
        """Let a browser keep nothing any more; it removes its files when it next hears of it.

        Raises:
            NotVisible: The browser is not this person's.
        """
        self._choices.drop(person.user_id, PREFIX + self._own(person, browser_id).id)

    def plan(self, person: Person, browser_id: str) -> BrowserPlan:
        """Return what a browser is to keep now.

        What Jellyfin does not have any more, or does not show, is not among it. If it cannot be
        asked, or does not list all of something, nothing is returned: so nothing is removed.

        Raises:
            NotVisible: The browser is not this person's.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        known = self._own(person, browser_id)
        items = list(self._items(person, known))
        # A listing does not tell how big its files are.
        described = self._client(person.user_id).items(one.id for one in items)
        return plan_browser([described.get(one.id, one) for one in items], known.budget)

    def report(self, person: Person, browser_id: str, *, files: int, size: int) -> None:
        """Note what a browser says that it has.

        Raises:
            NotVisible: The browser is not this person's.
        """
        now = self._clock.now()
        self._change(
            person,
            browser_id,
            lambda known: replace(known, files=files, bytes=size, seen_at=now),
        )

    def _items(self, person: Person, browser: KeptBrowser) -> Iterator[Item]:
        client = self._client(person.user_id)
        for one in browser.chosen:
            try:
                item = get_item(client, one.item_id)
                items = expand_item(client, item) or [item]
            except (NotVisible, NotPossible):
                continue
            yield from next_unwatched(item, items)

    def _own(self, person: Person, browser_id: str) -> KeptBrowser:
        found = self.find(person, browser_id)
        if found is None:
            raise NotVisible
        return found

    def _change(
        self, person: Person, browser_id: str, change: Callable[[KeptBrowser], KeptBrowser]
    ) -> KeptBrowser:
        """Change a browser as it is now: its pages tell, and people choose, at the same time.

        Raises:
            NotVisible: The browser is not this person's.
        """
        known = self._own(person, browser_id)
        changed: list[KeptBrowser] = []

        def rewrite(text: str | None) -> str | None:
            if text is None:
                return None
            changed.append(change(_read(text)))
            return _write(changed[0])

        self._choices.change(person.user_id, PREFIX + known.id, rewrite)
        if not changed:
            raise NotVisible
        return changed[0]


def _check_may_have_more(browser: KeptBrowser) -> None:
    if len(browser.chosen) >= MOST_CHOSEN:
        raise NotPossible(msg("{name} keeps too much already: remove something", name=browser.name))


def _write(browser: KeptBrowser) -> str:
    facts = asdict(browser)
    facts["seen_at"] = browser.seen_at.isoformat() if browser.seen_at else None
    return json.dumps(facts)


def _read(text: str) -> KeptBrowser:
    facts = json.loads(text)
    seen_at = facts.pop("seen_at")
    chosen = tuple(ChosenItem(**one) for one in facts.pop("chosen"))
    seen = datetime.fromisoformat(seen_at) if seen_at else None
    return KeptBrowser(**facts, chosen=chosen, seen_at=seen)


def _tidy(name: str) -> str:
    return " ".join(name.split())[:LONGEST_NAME]
