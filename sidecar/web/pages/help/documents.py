"""The documentation as pages: our own Markdown files, rendered when they are read.

HTML in them is shown as text, never passed on, and only links to other pages of the documentation,
to files that it speaks of, to parts of the same page and to `https` addresses are links.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it.token import Token

PACKAGE = Path(__file__).parents[2]
SOURCE_TREE = PACKAGE.parents[1]
# In the order in which people need them.
NAMES = (
    "install",
    "on-the-device",
    "rules",
    "configuration",
    "monitoring",
    "scale",
    "troubleshooting",
    "api",
    "architecture",
    "performance",
    "contributing",
)
# Files that documents link to, by the last part of their address here.
FILES = MappingProxyType(
    {"config.example.toml": "../config.example.toml", "sidecar.lua": "mpv/sidecar.lua"}
)
COMMENTS = re.compile(r"<!--.*?-->", re.DOTALL)
WORDS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Document:
    """A page of the documentation.

    Attributes:
        html: Its content, sanitised.
    """

    name: str
    title: str
    html: Markup


def folder() -> Path:
    """Return the folder of the documentation: in the installed package, else in the source tree."""
    installed = PACKAGE / "docs"
    return installed if installed.is_dir() else SOURCE_TREE / "docs"


@cache
def titles() -> Sequence[tuple[str, str]]:
    """Return the names and titles of all documents that are there; renders none of them."""
    read = ((name, _read(name)) for name in NAMES)
    return [(name, _title(name, text)) for name, text in read if text is not None]


@cache
def document(name: str) -> Document | None:
    """Return a document; None if there is none of this name."""
    text = _read(name) if name in NAMES else None
    return None if text is None else Document(name, _title(name, text), render(text))


def _read(name: str) -> str | None:
    try:
        return (folder() / f"{name}.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _title(name: str, text: str) -> str:
    return next((line[2:] for line in text.splitlines() if line.startswith("# ")), name)


def linked_file(name: str) -> Path | None:
    """Return a file that documents link to; None if there is none of this name."""
    if name not in FILES:
        return None
    # The example of the settings is a file of the package, where that is installed.
    places = (folder() / FILES[name], PACKAGE.parent / name)
    return next((one.resolve() for one in places if one.is_file()), None)


def render(text: str) -> Markup:
    """Return Markdown as safe HTML; links to other documents lead to their pages."""
    # Most starts show no document, and it takes a thirtieth of one to load.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(COMMENTS.sub("", text))
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[at + 1].content))
        for child in token.children or ():
            _check(child)
    html = parser.renderer.render(tokens, parser.options, {})
    # The only HTML that our tables need.
    html = html.replace("&lt;br&gt;", "<br>")
    # What can be scrolled can be reached by the keyboard.
    html = html.replace("<pre>", '<pre tabindex="0">')
    html = html.replace("<table>", '<div class="scrolls" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>")
    return Markup(html)  # noqa: S704 - all other HTML was escaped by the parser


def anchor(heading: str) -> str:
    """Return the id of a heading, as GitHub makes it."""
    return WORDS.sub("", heading.casefold()).strip().replace(" ", "-")


def _check(token: Token) -> None:
    if token.type == "link_open":
        target = link(str(token.attrGet("href") or ""))
        token.attrs = {"href": target} if target else {}
        if target in FILES:
            # The file itself, whatever plays.
            token.attrs["download"] = ""
    elif token.type == "image":
        # Pictures are for those who read the files.
        token.attrs["src"] = ""


def link(target: str) -> str | None:
    """Return where a link of a document leads on our pages; None if nowhere."""
    parts = urlsplit(target)
    if parts.scheme:
        return target if parts.scheme == "https" and parts.netloc else None
    if not parts.path and not parts.netloc:
        return target
    file = next((name for name, path in FILES.items() if path == target), None)
    if file is not None:
        return file
    name = parts.path.removesuffix(".md")
    if parts.netloc or name not in NAMES or not parts.path.endswith(".md"):
        return None
    return f"{name}#{parts.fragment}" if parts.fragment else name
