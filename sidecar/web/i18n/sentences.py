"""The sentences of all languages, and the formats that go with them; needs no web framework.

    English sentence ──▶ catalogues/de.po ──▶ the same sentence in German

The English sentences are the keys, so English has no catalogue, and a sentence without a
translation stays English.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from sidecar.web.i18n.numbers import LocalFormat

ENGLISH = "en"
# Each in its own language.
NAMES = MappingProxyType({ENGLISH: "English", "de": "Deutsch"})
CATALOGUES = Path(__file__).parent / "catalogues"


@cache
def catalogue(language: str) -> NullTranslations:
    """Load the catalogue of a language when it is first needed; an empty one for English.

    To read the German sentences takes as long as a tenth of the whole start.
    """
    if language == ENGLISH:
        return NullTranslations()
    # Whoever reads English only needs no reader of catalogues.
    mofile, pofile = (import_module(f"babel.messages.{one}") for one in ("mofile", "pofile"))
    compiled = BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        mofile.write_mo(compiled, pofile.read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def local_format(language: str) -> LocalFormat:
    """Return the formats of a language."""
    sentences = catalogue(language)
    return LocalFormat(language, sentences.gettext, sentences.ngettext)


def words_of(language: str) -> LocalFormat:
    """Return the formats and sentences of a language that somebody chose once; else English."""
    return local_format(language if language in NAMES else ENGLISH)
