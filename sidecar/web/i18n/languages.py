"""Translates the pages to the language that the person or their browser has chosen.

Answers of the API are not translated: programs read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from babel import negotiate_locale
from flask import Flask, g, request
from jinja2 import pass_context
from jinja2.runtime import Context

from sidecar.messages import Message, translate
from sidecar.web import redirects
from sidecar.web.i18n.durations import show_duration
from sidecar.web.i18n.numbers import LocalFormat
from sidecar.web.i18n.sentences import ENGLISH, NAMES, catalogue, local_format

COOKIE = "sidecar_language"
# From here on a number has a separator.
THOUSAND = 1000


class Languages:
    """The language of the current request, and its sentences."""

    def now(self) -> str:
        """Return the language of the current request."""
        if "language" not in g:
            asked = request.cookies.get(COOKIE, "")
            g.language = asked if asked in NAMES else self._of_the_browser()
        language: str = g.language
        return language

    def sentence(self, text: str) -> str:
        """Translate an English sentence to the language of the current request."""
        return catalogue(self.now()).gettext(text)

    def counted(self, one: str, many: str, number: int) -> str:
        """Return the translated plural form for the number."""
        return catalogue(self.now()).ngettext(one, many, number)

    def translated(self, told: object) -> str:
        """Translate a message, or that of an error, to the language of the current request.

        Plain text is looked up as a sentence; if the catalogue does not have it, it stays as it is.
        """
        text = str(told)
        return translate(text, self.words()) if isinstance(text, Message) else self.sentence(text)

    def of(self, language: str) -> LocalFormat:
        """Return the formats of a language."""
        return local_format(language)

    def words(self) -> LocalFormat:
        """Return the formats of the language of the current request."""
        return self.of(self.now())

    def teach(self, app: Flask) -> None:
        """Add `_`, `ngettext`, the `translated` filter and `language()` to the templates."""
        app.jinja_env.add_extension("jinja2.ext.i18n")
        install: Callable[..., None] = app.jinja_env.install_gettext_callables  # type: ignore[attr-defined]  # comes with the extension
        install(self.sentence, self.counted, newstyle=True)
        # The extension's own, which asks `counted`.
        ngettext = cast("Callable[..., str]", app.jinja_env.globals["ngettext"])
        app.jinja_env.globals["ngettext"] = self._with_separators(ngettext)
        app.jinja_env.filters["translated"] = self.translated
        app.jinja_env.filters["duration"] = lambda text: show_duration(text, self.now())
        # A message that a template shows as it is would be English on every page.
        app.jinja_env.finalize = self._finalize
        app.jinja_env.globals |= {"here": redirects.here, "language": self.now, "languages": NAMES}

    def _with_separators(self, ngettext: Callable[..., str]) -> Callable[..., str]:
        """Return the templates' `ngettext`, which writes large numbers as the language does."""

        @pass_context
        def counted(context: Context, one: str, many: str, number: int, **values: object) -> str:
            shown = self.words().number(number) if number >= THOUSAND else number
            return ngettext(context, one, many, number, **{"num": shown} | values)

        return counted

    def _finalize(self, told: object) -> object:
        return self.translated(told) if isinstance(told, Message) else told

    @staticmethod
    def _of_the_browser() -> str:
        wanted = list(request.accept_languages.values())
        return negotiate_locale(wanted, list(NAMES), sep="-") or ENGLISH
