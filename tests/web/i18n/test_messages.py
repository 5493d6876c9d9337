"""What services say is said in every language, whatever values it has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from sidecar.domain.downloads.states import Status
from sidecar.services.devices.views import DeviceView
from sidecar.services.notices import Notice
from sidecar.web.i18n.languages import ENGLISH, NAMES
from sidecar.web.i18n.messages import CATALOGUES, FIELD, MessageTranslator, sayings
from tests.fakes.desk import ANN, FakeDesk, a_download
from tests.web.house import Browser

ROOT = Path(__file__).parents[3] / "sidecar"
OTHERS = sorted(set(NAMES) - {ENGLISH})
# Who speaks to people. What else `store` says is said in the shell, by commands and at start.
SPEAKERS = (
    *("domain", "services", "device", "transfer", "jellyfin", "syncthing", "errors.py"),
    *("store/downloads/transitions.py", "store/errors.py"),
)
# They write for the log, for the shell or for a program; the page on a stick speaks for itself.
SILENT = {
    "domain/files/catalogue.py": "the tag that tells of samplers",
    "domain/downloads/states.py": "a mistake of ours",
    "domain/rules/registry.py": "a mistake of ours",
    "domain/playback/tracker.py": "the log",
    "domain/transfers/wholeness.py": "the log",
    "threads.py": "the log",
    "services/generated_files": "the page on the stick",
    "jellyfin/live/connection_trust.py": "the log",
    "jellyfin/tokens.py": "the shell",
    "transfer/aria2/supervisor.py": "nobody: it ends a wait",
    "transfer/aria2/relay.py": "nobody: it ends a transfer",
    "transfer/aria2/rpc.py": "the shell",
    "transfer/aria2/sink.py": "the log",
    "transfer/aria2/status.py": "the log",
    "transfer/engines.py": "the shell",
    "transfer/wholeness": "the log",
    "transfer/http.py": "nobody: it ends a transfer",
}
# Not for people although they look like it.
NO_SENTENCES = {
    "%s cast %d of %d items to %s: %d are to be fetched",
    "somebody unknown",
    "not a regular file",
}
SQL = re.compile(r"\b(SELECT|UPDATE|INSERT|DELETE|CREATE|WHERE|FROM|AND|CASE|BEGIN|ORDER)\b")
WORDS = re.compile(r"[a-z']{2,} [a-z]{2,}|^[A-Za-z{}]+ [a-z]+$")
# Errors that are mistakes of ours, what is no text for people, and what is in the other catalogue.
NOT_SAID = (
    "translatable",
    "log.",
    "ValueError",
    "RuntimeError",
    "TypeError",
    "LookupError",
    "re.compile",
)


@cache
def made() -> frozenset[str]:
    """The forms of all sentences that services make, read from their code."""
    return frozenset(form for file in _files() for form in _forms(file)) - NO_SENTENCES


def _files() -> Iterator[Path]:
    for speaker in SPEAKERS:
        path = ROOT / speaker
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = str(file.relative_to(ROOT))
            if not any(name == one or name.startswith(f"{one}/") for one in SILENT):
                yield file


def _forms(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        text = _text(node)
        inside = isinstance(above.get(node), ast.Expr | ast.JoinedStr)
        if text is None or inside or SQL.search(text) or not WORDS.search(text):
            continue
        if any(_is_not_said(one) for one in _all_above(node, above)):
            continue
        numbers = iter(range(99))
        yield re.sub(r"\{[^{}]*\}", lambda _: f"{{{next(numbers)}}}", text)  # noqa: B023 - used at once


def _text(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                str(one.value) if isinstance(one, ast.Constant) else "{}" for one in parts
            )
        case _:
            return None


def _all_above(node: ast.AST, above: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in above:
        node = above[node]
        yield node


def _is_not_said(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith(NOT_SAID)


def catalogue(language: str) -> dict[str, str]:
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        found = read_po(source, locale=language)
    return {str(one.id): str(one.string) for one in found if one.id}


def test_there_are_sentences_to_be_found() -> None:
    assert len(made()) > 250
    assert "{0} is full ({1} stay free): its queue waits for room" in made()
    assert all((ROOT / one).exists() for one in SILENT)
    assert made() >= PIECES
    assert "your favourite" in made()


# Pieces that the code joins; the catalogue has the whole.
PIECES = {
    "The last try failed: {0}. The next one is in ",
    "{0} plays from a playlist and does not tell its queue: ",
    "{0}choose the playlist for this device, and it is followed",
}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_a_service_is_translated(language: str) -> None:
    there = catalogue(language)
    said = sayings(language, point=",")

    missing = {
        one
        for one in made() - PIECES - set(there)
        # What is a part of another sentence, or put together from several, is known as that.
        if said.translate(_filled(one)) == _filled(one)
    }

    assert not missing
    assert not {one for one, text in there.items() if not text}


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_has_values_that_the_sentence_has_not(language: str) -> None:
    for english, text in catalogue(language).items():
        fields = {number for number, _ in FIELD.findall(english)}
        assert {number for number, _ in FIELD.findall(text)} == fields, english


def _filled(form: str) -> str:
    return FIELD.sub(lambda field: f"Q{field[1]}", form).strip()


VALUES = st.text(min_size=1, max_size=12).filter(lambda one: not one.isspace())


@given(data=st.data())
def test_a_sentence_is_known_whatever_its_values(data: st.DataObject) -> None:
    said = {"{0} is full ({1} stay free)": "{0} ist voll ({1} frei)", "your {0}": "dein {0}"}
    one = data.draw(st.sampled_from(sorted(said)))
    # A value that reads like the plain text of the sentence could be cut in another place.
    values = [data.draw(VALUES.filter(lambda text: " " not in text and "(" not in text))] * 2

    assert MessageTranslator(said).translate(one.format(*values)) == said[one].format(*values)


@given(VALUES)
def test_what_is_not_known_stays_as_it_is(text: str) -> None:
    assert MessageTranslator({"{0} is full": "{0} ist voll"}).translate(f"{text}!") == f"{text}!"


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "Car stick is full (1.5 GB stay free): its queue waits for room",
            "Car stick ist voll (1,5 GB bleiben frei): Seine Warteschlange wartet",
        ),
        ("Tone 1 is paused: resume it first", "Tone 1 ist angehalten: Setze es erst fort"),
        (
            "Nobody wants it any more, and what is wanted more needs the room",
            "Niemand möchte es mehr, und was mehr gewünscht ist, braucht den Platz",
        ),
        (
            "next on the album, Kitchen does not tell its queue",
            "als Nächstes auf dem Album, Kitchen verrät seine Warteschlange nicht",
        ),
        (
            "nas sent the part from byte 5 in place of 7: the file is fetched from the start",
            "nas schickte den Teil ab Byte 5 statt ab 7: Die Datei wird von vorn geladen",
        ),
        ("It is wanted for you: your favourite.", "Es ist für dich gewünscht: dein Favorit."),
        ("3 of 12 files are queued", "3 von 12 Dateien stehen in der Warteschlange"),
        ("A song of nobody's", "A song of nobody's"),
    ],
)
def test_sentences_are_said_in_german(english: str, german: str) -> None:
    assert sayings("de", point=",").translate(english) == german
    assert sayings("en", point=".").translate(english) == english


@pytest.fixture
def german(ann: Browser) -> Client:
    ann.client.set_cookie("sidecar_language", "de")
    return ann.client


def test_the_pages_say_it_in_the_language_of_the_reader(german: Client, desk: FakeDesk) -> None:
    note = "As Opus it would not be smaller: it stays as it is on the server"
    stick = "Car stick is not there: plug it in and it goes on"
    desk.shelf = (DeviceView("stick", "Car stick", "", stick, None, 0, None, None),)
    desk.told = (Notice("server", "error", "Jellyfin at nas does not answer"),)
    desk.add(
        a_download(1, status=Status.FAILED, error_message="nas does not answer"),
        a_download(
            2,
            status=Status.COMPLETED,
            format_note=note,
        ),
        of=(ANN,),
    )

    failed = german.get("/downloads?tab=failed").text
    completed = german.get("/downloads?tab=completed").text

    assert "nas antwortet nicht" in failed
    assert "Car stick ist nicht da: Schließe es an, dann geht es weiter" in failed
    assert "Jellyfin unter nas antwortet nicht" in failed
    assert "Als Opus wäre es nicht kleiner" in completed


def test_the_api_speaks_english_to_programs(german: Client, desk: FakeDesk) -> None:
    desk.add(a_download(1, status=Status.FAILED, error_message="nas does not answer"))

    (told,) = german.get("/api/v1/downloads").get_json()["items"]

    assert told["error_message"] == "nas does not answer"
