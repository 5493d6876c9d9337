"""No template holds what the content policy forbids: it would do nothing in silence."""

from __future__ import annotations

import re

import pytest

from sidecar.web.app import web_files

# htmx 4 knows no switch that forbids `eval`: what needs it throws when it is used, and not before.
FORBIDDEN = {
    "a filter in hx-trigger": r"""hx-trigger\s*=\s*("[^"]*\[|'[^']*\[)""",
    "hx-on": r"\bhx-on\b",
    "code as a value": r"""=\s*["']\s*(js|javascript):""",
    "a handler in an attribute": r"""\son[a-z]+\s*=\s*["']""",
    "a script in the page": r"<script(?![^>]*\ssrc=)[^>]*>",
    "a script that was not built": r"filename=.js/",
    "a style in the page": r"<style|\sstyle\s*=",
}
TEMPLATES = sorted(web_files().templates.rglob("*.html"))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_needs_what_the_policy_forbids(what: str) -> None:
    found = [
        f"{one.name}: {match.group()}"
        for one in TEMPLATES
        for match in re.finditer(FORBIDDEN[what], one.read_text(encoding="utf-8"))
    ]

    assert TEMPLATES
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a filter in hx-trigger", """<form hx-trigger="input[target.name=='q'] delay:500ms">"""),
        ("hx-on", '<p hx-on:click="x()">'),
        ("code as a value", """<p hx-vals='js:{"a": 1}'>"""),
        ("a handler in an attribute", '<p onclick="x()">'),
        ("a script in the page", "<script>x()</script>"),
        ("a script that was not built", "url_for('static', filename='js/pages/home.js')"),
        ("a style in the page", '<p style="color: red">'),
    ],
)
def test_each_of_them_would_be_found(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text)
