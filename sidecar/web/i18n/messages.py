"""Sentences that services have made, said in another language: known by their form.

    "Car stick is full (1.0 GiB stay free): its queue waits for room"
      fits  "{0} is full ({1} stay free): its queue waits for room"
      says  "{0} ist voll ({1} bleiben frei): Seine Warteschlange wartet"

Services write English: into the database, the log, the API. Only here is it said otherwise, so they
need no marks and what was stored yesterday is translated too. What fits no known form stays as it
is. `{0!t}` in a translation is a value that is looked up itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parent / "catalogues" / "services"
FIELD = re.compile(r"\{(\d+)(!t)?\}")
# Forms that begin with one of these may follow a name: "Tone 1" + "is paused".
VERBS = frozenset(
    (
        *("is", "was", "has", "still", "goes", "comes", "waits", "could"),
        *("cannot", "may", "sent", "did", "contradicted", "does"),
    )
)
# The number of the field that is such a name.
NAME = 99
# Of what services put together; the others are forms of their own.
JOINED = ((": ", ": "), ("; ", "; "), (", and ", ", und "), (". ", ". "), (" and ", " und "))
NUMBER = re.compile(r"(\d+)\.(\d+)( [KMGT]i?B)")
KEPT = 4000
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class _Form:
    """One form of sentence; `piece` is its longest plain text, looked for before anything else."""

    pattern: re.Pattern[str]
    piece: str
    said: str


@dataclass(frozen=True, slots=True)
class _Known:
    """How something is said, and how much of it is still English: names, mostly."""

    left: int
    said: str


class MessageTranslator:
    """The sentences of one language. Safe for many threads."""

    def __init__(self, sentences: Mapping[str, str], *, point: str = ".") -> None:
        """Prepare.

        Args:
            sentences: The form of each sentence in the language, by its English form.
            point: What stands before decimals.
        """
        self._plain = {form: said for form, said in sentences.items() if not FIELD.search(form)}
        forms = [_form(form, said) for form, said in sentences.items() if FIELD.search(form)]
        forms += [
            _form(f"{{{NAME}}} {form}", f"{{{NAME}}} {said}")
            for form, said in sentences.items()
            if form.split(" ", 1)[0] in VERBS
        ]
        self._forms = forms
        self._point = point
        self._best = lru_cache(KEPT)(self._look_up)

    def translate(self, english: str) -> str:
        """Return how it is said; what is not known stays as it is."""
        known = self._best(english, DEEPEST)
        return known.said if known else english

    def _look_up(self, text: str, depth: int) -> _Known | None:
        """Return the reading that leaves the least unsaid; None if there is none."""
        if text in self._plain:
            return _Known(0, self._plain[text])
        if not depth:
            return None
        if text.endswith(".") and (whole := self._best(text[:-1], depth - 1)):
            return _Known(whole.left, f"{whole.said}.")
        readings = [
            self._filled(form, found, depth)
            for form in self._forms
            if form.piece in text and (found := form.pattern.fullmatch(text))
        ]
        readings += self._put_together(text, depth)
        return min(readings, default=None, key=lambda one: one.left)

    def _filled(self, form: _Form, found: re.Match[str], depth: int) -> _Known:
        left = 0

        def value(field: re.Match[str]) -> str:
            nonlocal left
            english = found[f"v{field[1]}"]
            if field[2] and (known := self._best(english, depth - 1)):
                left += known.left
                return known.said
            left += len(english)
            return NUMBER.sub(rf"\1{self._point}\2\3", english)

        said = FIELD.sub(value, form.said)
        return _Known(left, said)

    def _put_together(self, text: str, depth: int) -> Iterator[_Known]:
        """Sentences that are joined from others: a name or a sentence, and one that is known."""
        for english, ours in JOINED:
            for head, tail in _cuts(text, english):
                if known := self._best(tail, depth - 1):
                    before = self._best(head, depth - 1) or _Known(len(head), head)
                    yield _Known(before.left + known.left, f"{before.said}{ours}{known.said}")


ENGLISH = MessageTranslator({})


def sayings(language: str, *, point: str) -> MessageTranslator:
    """Return the sentences of a language; of one without a catalogue, none."""
    path = CATALOGUES / f"{language}.po"
    if not path.exists():
        return ENGLISH
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    sentences = {str(one.id): str(one.string) for one in catalogue if one.id and one.string}
    return MessageTranslator(sentences, point=point)


def _form(english: str, said: str) -> _Form:
    pieces = re.split(r"\{\d+\}", english)
    fields = re.findall(r"\{(\d+)\}", english)
    pattern = re.escape(pieces[0])
    for number, piece in zip(fields, pieces[1:], strict=True):
        pattern += f"(?P<v{number}>.+?){re.escape(piece)}"
    return _Form(re.compile(pattern, re.DOTALL), max(pieces, key=len), said)


def _cuts(text: str, at: str) -> Iterator[tuple[str, str]]:
    start = text.find(at)
    while start != -1:
        yield text[:start], text[start + len(at) :]
        start = text.find(at, start + 1)
