"""The page speaks the reader's language, and no sentence of it was forgotten."""

from __future__ import annotations

import json
import re
import tomllib
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po
from flask import render_template_string
from werkzeug.test import Client

from sidecar.web.app import web_files
from sidecar.web.i18n.sentences import CATALOGUES, ENGLISH, NAMES
from tests.web.house import WebHouse

ROOT = Path(__file__).parents[3]
KEYWORDS = DEFAULT_KEYWORDS | {
    "msg": None,
    "translatable": None,
    "sentence": None,
    "counted": (1, 2),
    "_numbered": (1, 2),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)s|\{(\w+)\}|%%")
OTHERS = sorted(set(NAMES) - {ENGLISH})


@pytest.fixture(scope="module")
def sentences() -> set[str | tuple[str, ...]]:
    """Everything that the templates and the web's modules say."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(one["pattern"], one["method"]) for one in mappings]
    options = {one["pattern"]: {"trimmed": "true"} for one in mappings}
    found = {
        message
        for _, _, message, _, _ in extract_from_dir(
            str(ROOT), methods, options, KEYWORDS, directory_filter=_is_ours
        )
    }
    assert len(found) > 40
    return found


def _is_ours(folder: str) -> bool:
    return Path(folder).relative_to(ROOT).parts[:1] in {(), ("templates",), ("sidecar",)}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated_once(
    language: str, sentences: set[str | tuple[str, ...]]
) -> None:
    text = (CATALOGUES / f"{language}.po").read_bytes()
    catalogue = read_po(BytesIO(text), locale=language, abort_invalid=True)
    assert text.count(b"\nmsgid ") == len(catalogue) + 1  # with the head

    missing = {one for one in sentences if not _is_whole(catalogue.get(_key(one)))}
    superfluous = {message.id for message in catalogue if message.id} - sentences

    assert not missing
    assert not superfluous


def _key(sentence: str | tuple[str, ...]) -> str:
    return sentence if isinstance(sentence, str) else sentence[0]


def _is_whole(message: Message | None) -> bool:
    """Return whether all forms are there, with the same values in them."""
    if message is None or message.fuzzy:
        return False
    originals = (message.id,) if isinstance(message.id, str) else message.id
    forms = (message.string,) if isinstance(message.string, str) else message.string or ("",)
    pairs = zip(forms, originals, strict=True)
    return all(forms) and all(_values(form) == _values(original) for form, original in pairs)


def _values(text: str) -> set[str]:
    return {match[0] for match in PLACEHOLDER.finditer(text)}


@pytest.mark.parametrize("language", OTHERS)
def test_the_scripts_say_everything_in_every_language(language: str) -> None:
    scripts = web_files().static / "js"
    translated = json.loads((scripts / "sentences.json").read_text("utf-8"))[language]
    used = {
        match
        for script in scripts.rglob("*.js")
        for match in re.findall(r'\bsaid\(\s*"(.+?)"', script.read_text())
    }

    assert used == translated.keys()
    assert all(_values(sentence) == _values(one) for one, sentence in translated.items())


@pytest.mark.parametrize(
    ("asked", "said"),
    [("de-AT,en;q=0.5", "Anmelden"), ("fr", "Sign in"), ("", "Sign in"), ("en,de", "Sign in")],
)
def test_the_browser_says_which_language(client: Client, asked: str, said: str) -> None:
    page = client.get("/sign-in", headers={"Accept-Language": asked}).text

    assert f"<h1>{said}</h1>" in page
    assert f'<html lang="{"de" if said == "Anmelden" else "en"}">' in page


@pytest.mark.parametrize(("language", "said"), [("en", "2,616 files"), ("de", "2.616 Dateien")])
def test_large_numbers_are_written_as_in_the_language(
    house: WebHouse, language: str, said: str
) -> None:
    text = '{{ ngettext("%(num)s file", "%(num)s files", 2616) }}'
    with house.web.flask.test_request_context(headers={"Accept-Language": language}):
        assert render_template_string(text) == said


def test_a_person_chooses_and_comes_back_to_the_page(client: Client) -> None:
    chosen = client.post("/language", data={"language": "de", "next": "/sign-in?next=/downloads"})

    assert chosen.status_code == 303
    assert chosen.location == "/sign-in?next=/downloads"
    assert "<h1>Anmelden</h1>" in client.get("/sign-in").text


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_choosing_leads_nowhere_else(client: Client, wanted: str) -> None:
    chosen = client.post("/language", data={"language": "xx", "next": wanted})

    assert chosen.location == "/"
    assert "Set-Cookie" not in chosen.headers
