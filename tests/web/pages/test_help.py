"""Help, About and the documentation, which the sidecar serves itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sidecar.web.pages.help.documents import (
    FILES,
    NAMES,
    document,
    link,
    linked_file,
    render,
    titles,
)
from sidecar.web.pages.help.routes import PAGES
from sidecar.web.pages.help.topics import TOPICS, topic
from tests.web.all_routes import all_routes
from tests.web.house import Browser, WebHouse

ROOT = Path(__file__).parents[3]


def test_every_document_is_served_and_packaged(ann: Browser) -> None:
    docs = {one.stem for one in (ROOT / "docs").glob("*.md")}
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packaged = told["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert set(NAMES) == docs
    assert {
        f"docs/{one}.md": f"sidecar/web/docs/{one}.md" for one in docs
    }.items() <= packaged.items()
    start = ann.get("/help").text
    for _, _, sentences in PAGES:
        assert all(one in start for one in sentences)
    for name in NAMES:
        assert f'href="/help/{name}"' in start
        page = ann.get(f"/help/{name}").text
        assert page.count("<h1") == 1
        assert "&lt;!--" not in page


def test_the_list_of_documents_renders_none_of_them(ann: Browser) -> None:
    document.cache_clear()
    titles.cache_clear()

    assert "Troubleshooting" in ann.get("/help").text

    assert document.cache_info().currsize == 0


@pytest.mark.parametrize("name", ["none", "..", "generate", "pictures", "../SECURITY"])
def test_nothing_else_is_served(ann: Browser, name: str) -> None:
    assert ann.get(f"/help/{name}").status_code in {404, 308}


def test_every_link_of_the_documentation_leads_somewhere(ann: Browser) -> None:
    for name in NAMES:
        page = ann.get(f"/help/{name}").text
        article = page[page.index("<article") : page.index("</article>")]
        for target in re.findall(r'href="([^"]+)"', article):
            path, _, part = target.partition("#")
            if target.startswith("https://") or target in FILES:
                continue
            other = ann.get(f"/help/{path}").text if path else page
            assert not part or f'id="{part}"' in other, (name, target)


def test_files_that_documents_speak_of_are_served_and_packaged(ann: Browser) -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packaged = told["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for named, name, path in (
        ("configuration", "config.example.toml", "config.example.toml"),
        ("on-the-device", "sidecar.lua", "docs/mpv/sidecar.lua"),
    ):
        assert f'href="{name}" download' in ann.get(f"/help/{named}").text
        with ann.get(f"/help/{name}") as answer:
            assert answer.data == (ROOT / path).read_bytes()
            assert answer.mimetype == "text/plain"
            assert name in answer.headers["Content-Disposition"]
        assert path in packaged


def test_a_document_links_no_file_that_is_not_there() -> None:
    for name in FILES:
        assert linked_file(name) is not None
    assert linked_file("pyproject.toml") is None


def test_nothing_in_a_document_runs() -> None:
    html = render("# <script>x</script>\n\n<b onclick='x'>[a](javascript:x) [b](//evil.example)\n")

    assert "<script" not in html
    assert "<b" not in html
    assert "href" not in html


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("rules.md", "rules"),
        ("rules.md#favourites", "rules#favourites"),
        ("#here", "#here"),
        ("https://jellyfin.org/docs", "https://jellyfin.org/docs"),
        ("http://jellyfin.org", None),
        ("../README.md", None),
        ("mpv/sidecar.lua", "sidecar.lua"),
        ("../config.example.toml", "config.example.toml"),
        ("../config.toml", None),
        ("javascript:alert(1)", None),
        ("//evil.example/rules.md", None),
    ],
)
def test_links_lead_to_our_pages_or_to_https(target: str, leads: str | None) -> None:
    assert link(target) == leads


def test_every_page_says_what_it_is_for(house: WebHouse) -> None:
    rules = [one for one in all_routes(house.web).iter_rules() if "GET" in (one.methods or ())]
    endpoints = {one.endpoint for one in rules if not one.rule.startswith("/api/")}
    groups = ("help", "sign_in", "installed", "media", "health", "metrics", "static")
    pages = {one for one in endpoints if one.partition(".")[0] not in groups}
    # Parts of pages, a picture, a script, a question in a window of its own, and what leads home.
    parts = {
        "alerts.show",
        "favicon",
        "jellyfin_pages.ask",
        "jellyfin_pages.script",
        "set_up_over.leave",
    }

    assert {one for one in pages if topic(one) is None} <= parts
    for said in TOPICS.values():
        assert len(said) == len(set(said)) == 3
        assert all(one.endswith(".") for one in said)


def test_about_tells_versions_and_licences(ann: Browser) -> None:
    page = ann.get("/about").text

    assert "GNU General Public License" in page
    rows = dict(re.findall(r"<tr><td>([\w.-]+)</td><td>[\w.]+</td><td>([^<]+)</td></tr>", page))
    assert {"flask", "requests", "watchdog"} <= rows.keys()
    assert "BSD" in rows["flask"]
    with ann.get("/static/vendor/LICENCES.txt") as licences:
        assert licences.status_code == 200


@pytest.mark.parametrize("path", ["/", "/downloads", "/offline", "/devices", "/now", "/profile"])
def test_each_page_says_in_three_sentences_what_it_is_for(ann: Browser, path: str) -> None:
    page = ann.get(path).text
    help_ = page[page.index('<div id="help"') : page.index('<div id="menu"')]
    assert help_.count("<p>") == 4


def test_the_keys_can_be_turned_off(ann: Browser) -> None:
    assert 'data-keys="off"' not in ann.get("/keys").text
    ann.press("/keys", keys="off")
    assert 'data-keys="off"' in ann.get("/keys").text

    ann.press("/keys", keys="on")

    assert 'data-keys="off"' not in ann.get("/keys").text
