"""Whether a person wants messages in their Jellyfin clients, and in which language."""

from __future__ import annotations

from sidecar.services.accounts.person import Person
from sidecar.store.accounts.choices import Choices

WANTED, LANGUAGE = "client_messages", "language"
OFF, ON = "off", "on"
ENGLISH = "en"


class ClientMessagePreferences:
    """The choices of each person: messages are on until they are switched off. Thread-safe."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._languages: dict[str, str] = {}

    def is_on(self, user_id: str) -> bool:
        """Return whether an account's clients show messages."""
        return self._choices.of(user_id, WANTED) != OFF

    def switch(self, person: Person, *, is_on: bool) -> None:
        """Switch the messages of a person on or off."""
        self._choices.put(person.user_id, WANTED, ON if is_on else OFF)

    def language(self, user_id: str) -> str:
        """Return the language in which an account last looked at the page; else English."""
        return self._choices.of(user_id, LANGUAGE) or ENGLISH

    def learn_language(self, person: Person, language: str) -> None:
        """Note the language in which a person looks at the page."""
        if self._languages.get(person.user_id) != language:
            self._choices.put(person.user_id, LANGUAGE, language)
            self._languages[person.user_id] = language
