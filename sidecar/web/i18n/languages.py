"""The pages' words in the reader's language: chosen by the person, else by the browser.

    English sentence in a template → catalogues/de.po → the same sentence in German

English needs no catalogue: its sentences are the keys. What has no translation stays English, so
a gap is never an empty page. Answers of the API are not translated: programs read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from babel import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, request

from sidecar.messages import Message, translate
from sidecar.web import redirects
from sidecar.web.i18n.numbers import LocalFormat

COOKIE = "sidecar_language"
COOKIE_LASTS_S = 365 * 24 * 3600
ENGLISH = "en"
# As each is called by those who speak it.
NAMES = MappingProxyType({ENGLISH: "English", "de": "Deutsch"})
CATALOGUES = Path(__file__).parent / "catalogues"


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the sentences of one language; English has none of its own."""
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Languages:
    """All languages, and the one of the request that is being answered."""

    def __init__(self) -> None:
        """Read the catalogues."""
        self._sentences: Mapping[str, NullTranslations] = {one: catalogue(one) for one in NAMES}
        self._words = {
            one: LocalFormat(one, translations.gettext, translations.ngettext)
            for one, translations in self._sentences.items()
        }

    def now(self) -> str:
        """Return the language of this request."""
        if "language" not in g:
            asked = request.cookies.get(COOKIE, "")
            g.language = asked if asked in NAMES else self._of_the_browser()
        language: str = g.language
        return language

    def sentence(self, text: str) -> str:
        """Return an English sentence in the language of this request."""
        return self._sentences[self.now()].gettext(text)

    def counted(self, one: str, many: str, number: int) -> str:
        """Return the sentence that fits the number."""
        return self._sentences[self.now()].ngettext(one, many, number)

    def translated(self, told: object) -> str:
        """Return a message, or an error that tells one, in the language of this request.

        Plain text is looked up as a whole: what earlier versions stored stays as it is.
        """
        text = str(told)
        return translate(text, self.words()) if isinstance(text, Message) else self.sentence(text)

    def of(self, language: str) -> LocalFormat:
        """Return how sentences and numbers are said in a language."""
        return self._words[language]

    def words(self) -> LocalFormat:
        """Return how sentences and numbers are said in the language of this request."""
        return self.of(self.now())

    def teach(self, app: Flask) -> None:
        """Give the templates `_`, `ngettext` and `language()`."""
        app.jinja_env.add_extension("jinja2.ext.i18n")
        install: Callable[..., None] = app.jinja_env.install_gettext_callables  # type: ignore[attr-defined]  # comes with the extension
        install(self.sentence, self.counted, newstyle=True)
        app.jinja_env.filters["translated"] = self.translated
        app.jinja_env.globals |= {"here": redirects.here, "language": self.now, "languages": NAMES}

    @staticmethod
    def _of_the_browser() -> str:
        wanted = list(request.accept_languages.values())
        return negotiate_locale(wanted, list(NAMES), sep="-") or ENGLISH
