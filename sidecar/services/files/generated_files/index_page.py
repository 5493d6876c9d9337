"""Renders the index page of a device: one HTML file that works without a network.

Titles are untrusted. They are embedded escaped, or as JSON that cannot end its element; the
page's script inserts them as text, never as markup; and the content security policy allows only
that script, by its hash. The same library gives the same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from io import BytesIO
from urllib.parse import quote

from sidecar.domain.files.catalogue import Work, WorkKind
from sidecar.sizes import format_size

_WORDS = {
    WorkKind.MUSIC: ("track", "tracks"),
    WorkKind.BOOKS: ("audiobook part", "audiobook parts"),
    WorkKind.FILMS: ("film", "films"),
    WorkKind.SERIES: ("episode", "episodes"),
}
# Characters that could end the script element, or a line of JavaScript.
_RISKY = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def page(name: str, works: Sequence[Work], *, there: Collection[str]) -> bytes:
    """Return the whole page, in UTF-8.

    Args:
        name: The device's name.
        works: What is on it, in order.
        there: The cover paths of the works that exist.
    """
    style, script = _part("index_page.css"), _part("index_page.js")
    parts = {
        "policy": _policy(style, script),
        "name": escape(name),
        "style": style,
        "summary": escape(_summary(works)),
        "folders": "".join(_folder_link(one) for one in _top_folders(works)),
        "script": script,
    }
    encoded = {name: text.encode("utf-8", "replace") for name, text in parts.items()}
    encoded["library"] = _library(works, there)
    return b"".join(
        encoded[piece] if number % 2 else piece.encode() for number, piece in enumerate(_pieces())
    )


@cache
def source_digest() -> str:
    """Name what every page is made of, beside what it tells."""
    parts = ("index_page.html", "index_page.css", "index_page.js")
    return sha256("".join(map(_part, parts)).encode()).hexdigest()


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _pieces() -> tuple[str, ...]:
    """Return the template split at its placeholders: text, a name, text and so on."""
    pieces: list[str] = []
    for number, piece in enumerate(_part("index_page.html").split("{")):
        place, _, text = piece.partition("}")
        pieces += [place, text] if number else [piece]
    return tuple(pieces)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src 'self' file:; media-src 'self' file:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _library(works: Iterable[Work], there: Collection[str]) -> bytes:
    whole = BytesIO()
    whole.write(b'{"works":[')
    for number, one in enumerate(works):
        # One by one: a title with an emoji makes a text of all works four times as large.
        told = json.dumps(_work(one, there), ensure_ascii=False, separators=(",", ":"))
        whole.write(b"," if number else b"")
        whole.write(told.translate(_RISKY).encode("utf-8", "replace"))
    whole.write(b"]}")
    return whole.getvalue()


def _work(work: Work, there: Collection[str]) -> list[object]:
    cover = next((one for one in work.cover_places if one in there), "")
    parts = [
        [
            part.label,
            part.folder,
            [
                [one.title, one.path.rpartition("/")[2]]
                + ([one.artist] if work.by and one.artist and one.artist != work.by else [])
                for one in part.files
            ],
        ]
        for part in work.parts
    ]
    return [str(work.kind), work.title, work.by, cover, parts]


def _summary(works: Sequence[Work]) -> str:
    counts = dict.fromkeys(WorkKind, 0)
    total = 0
    for work in works:
        for part in work.parts:
            counts[work.kind] += len(part.files)
            total += sum(one.size for one in part.files)
    said = [f"{count:,} {_WORDS[kind][count != 1]}" for kind, count in counts.items() if count]
    return " · ".join([*said, format_size(total)]) if said else "Nothing is on this device yet"


def _top_folders(works: Iterable[Work]) -> Sequence[str]:
    tops = {part.folder.partition("/")[0] for work in works for part in work.parts}
    return sorted(tops - {""})


def _folder_link(folder: str) -> str:
    return f'<li><a href="./{quote(folder, safe="")}/">{escape(folder)}</a></li>'
