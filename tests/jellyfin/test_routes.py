"""Each path that our client asks for is answered by the demo, and counted by its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sidecar.jellyfin
from sidecar.demo.protocol.messages import ErrorReply
from sidecar.demo.routes import (
    files,
    items,
    playlists,
    remote_control,
    sessions,
    system,
    user_data,
    users,
)
from sidecar.demo.routes.routing import RouteTable
from sidecar.jellyfin.http.statistics import WORDS

PARTS = (system, users, items, user_data, playlists, sessions, remote_control, files)
ROUTES = RouteTable([route for part in PARTS for route in part.ROUTES])
METHODS = ("GET", "POST", "DELETE")
# With these every word counts; elsewhere a path is known by its first word.
ASKING = {"_ask", "_list_suggested", "_read_page", "_send", "listed_page", "page", "pages", "send"}
WITH_METHOD = {"_ask", "_send", "send"}
FIRST_WORDS = {
    path.split("/")[1] for path in (route.path for part in PARTS for route in part.ROUTES)
}
# What a module's own `_send` puts before each path.
BEGINNINGS = {"playlists.py": ("Playlists",)}
ANY = "x1"

Asked = tuple[tuple[str, ...], tuple[str, ...]]


def list_asked() -> set[Asked]:
    """Return the methods and the path of each request that our code spells out."""
    found: set[Asked] = set()
    for module in Path(sidecar.jellyfin.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            found.update(_read(node, BEGINNINGS.get(module.name, ())))
    return found


def _read(node: ast.AST, beginning: tuple[str, ...]) -> Iterator[Asked]:
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        parts = node.args
    elif isinstance(node, ast.Tuple):
        called, parts = "", node.elts
    else:
        return
    if any(isinstance(one, ast.Starred) for one in parts):
        return
    words = [_read_word(one) for one in parts]
    methods: tuple[str, ...] = METHODS
    if called in WITH_METHOD:
        methods = tuple(one for one in words[:1] if one in METHODS) or METHODS
        words = words[1:]
    path = (*(beginning if called == "_send" else ()), *words)
    if path and path[0][:1].isupper() and (called in ASKING or path[0] in FIRST_WORDS):
        yield methods, path


def _read_word(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_read_word(one) for one in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ANY


ASKED = sorted(list_asked())


def is_answered(methods: tuple[str, ...], path: tuple[str, ...]) -> bool:
    for method in methods:
        try:
            ROUTES.find(method, "/" + "/".join(path))
        except ErrorReply:
            continue
        return True
    return False


def test_all_requests_are_found() -> None:
    paths = {path for _, path in ASKED}

    assert len(ASKED) > 35
    assert {("Items", ANY, "Similar"), ("Playlists", ANY, "Items", ANY, "Move", ANY)} <= paths


@pytest.mark.parametrize(("methods", "path"), ASKED, ids=["/".join(path) for _, path in ASKED])
def test_the_demo_answers_each_request_and_the_metrics_know_its_words(
    methods: tuple[str, ...], path: tuple[str, ...]
) -> None:
    assert is_answered(methods, path), f"the demo does not answer {methods} {path}"
    assert {one for one in path if ANY not in one} <= WORDS
