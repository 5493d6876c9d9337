"""What the documents say is there is there: links, files, commands, targets, settings."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from docs import generate
from sidecar.cli import COMMANDS, command_parser
from sidecar.config import load
from sidecar.errors import ConfigError

ROOT = Path(__file__).parents[1]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
# A path with a word in capitals is an example: `sidecar/domain/rules/NAME.py`.
EXAMPLE_WORD = re.compile(r"[A-Z]{2,}")
COMMAND = re.compile(r"(?:^|`|bin/)jellyfin-sidecar ([a-z-]+)((?: [\w/.-]+)*)", re.MULTILINE)


def each_page() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


def named_paths(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:sidecar|tests|templates|static|docs|\.ci)/[^`\s]*)`", text):
        if not EXAMPLE_WORD.search(path):
            yield path


def commands() -> Mapping[str, argparse.ArgumentParser]:
    return {name: command(name) for name in COMMANDS}


def command(name: str) -> argparse.ArgumentParser:
    for action in command_parser([name])._actions:
        if isinstance(action, argparse._SubParsersAction):
            parser: argparse.ArgumentParser = action.choices[name]
            return parser
    raise AssertionError


@each_page()
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_picture_is_shown_somewhere() -> None:
    shown = {(page.parent / one).resolve() for page in PAGES for one in links(page)}

    assert set((ROOT / "docs" / "pictures").iterdir()) <= shown


@each_page()
def test_every_named_file_is_there(page: Path) -> None:
    missing = [one for one in named_paths(page) if not list(ROOT.glob(one.rstrip("/")))]

    assert not missing


@each_page()
def test_every_named_command_and_option_is_there(page: Path) -> None:
    known = commands()
    text = page.read_text(encoding="utf-8")
    for name, rest in re.findall(COMMAND, text):
        assert name in known
        for option in re.findall(r" (--[a-z-]+)", rest):
            assert option in every_help(known[name]), f"{name} {option}"


def every_help(parser: argparse.ArgumentParser) -> str:
    """The help of a command and of the commands below it."""
    below = [
        one
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for one in action.choices.values()
    ]
    return parser.format_help() + "".join(map(every_help, below))


@each_page()
def test_every_json_can_be_read(page: Path) -> None:
    for block in re.findall(r"```json\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for link in json.loads(block).get("menuLinks", []):
            assert {"name", "icon", "url"} == set(link)


@each_page()
def test_every_named_target_of_make_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")

    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= targets


@each_page()
def test_every_named_variable_is_a_setting(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in set(re.findall(r"SIDECAR_[A-Z0-9]+(?:__[A-Z0-9_]+)+", text)):
        value = str(tmp_path / "secret") if name.endswith("_FILE") else "no such value"
        (tmp_path / "secret").write_text("secret")
        try:
            load({name: value, "SIDECAR_SERVER__DATA_DIR": str(tmp_path)})
        except ConfigError as error:
            assert "there is no such setting" not in str(error), name  # noqa: PT017


@pytest.mark.parametrize("page", ["configuration.md", "api.md"])
def test_a_generated_page_says_what_the_code_says(page: str) -> None:
    """After a change of the settings or the API, `make docs` writes them anew."""
    text = generate.configuration if page == "configuration.md" else _api

    assert (generate.DOCS / page).read_text(encoding="utf-8") == text()


def test_the_bodies_of_webhooks_are_documented_as_they_are() -> None:
    page = (generate.DOCS / "monitoring.md").read_text(encoding="utf-8")

    assert page == generate.monitoring(page)
    assert "`ReadyData`" in page
    schema = (generate.DOCS / "webhooks.schema.json").read_text(encoding="utf-8")
    assert schema == generate.webhook_schema()


def _api() -> str:
    return generate.api(generate.openapi_document())


def test_every_setting_is_explained() -> None:
    for section in re.split(r"^## ", generate.configuration(), flags=re.MULTILINE)[1:]:
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert rows, section
        assert not rows[0].endswith("| as above |"), rows[0]


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100
