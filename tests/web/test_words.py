"""The pages speak of things as everybody does: no metaphor, no id, no code name, no server path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from babel.messages.pofile import read_po

from sidecar.domain.downloads.download import Status
from sidecar.domain.rules.registry import RULES
from sidecar.domain.wishes import PIN
from sidecar.errors import ServerAway
from sidecar.services.health.problems import Problem, ProblemKind
from sidecar.web.i18n.sentences import CATALOGUES
from sidecar.web.security.permissions import Role
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.web.all_routes import all_routes, role_of_route
from tests.web.house import ANN, Browser, WebHouse

# What used to stand there, and its kind.
ENGLISH = (
    r"\blet (all |all found |it |them )?go\b",
    r"\bfetch(es|ed|ing)?\b",
    r"\badopt(ed|s)?\b",
    r"\b(is|are) ours\b|\bnot ours\b|\bof ours\b|\bfor ours\b|\bour files\b|before us\b",
    r"asked for (it|them)\b|you asked for|people ask for",
    r"until (its|their) room|make room|has no room|waits? for room|has more room",
    r"may be pulled out|use it again",
    r"does not tell its queue|is a guess|lately|heard for",
    r"wants nothing|keeps something here|rules want|leave alone|left alone: ",
    r"as usual|as it is on the server|\banew\b|put-back",
    r"want it again|allow it|forget me|make a key|(?<!api )keys for programs",
    r"somebody else's file|taken over\b|take these over",
    r"is as it should be|how it stands|came in from|over plain http",
    r"gone deaf|gone silent|(brought|taken|take) (it |them )?home|stand still|\bmarker \{",
)
GERMAN = (
    r"loslassen|gehen lassen|gehen lässt",
    r"\b(ge)?holt\b",
    r"gehört uns|\bvon uns\b|vor uns\b|nicht unsere?\b|unsere dateien",
    r"angefordert hast|du danach fragst|\bgewünscht\b",
    r"gebraucht wird:|platz machen|hat keinen platz",
    r"herausgezogen|herausziehen|wieder benutzen",
    r"verrät|\bgeraten\b",
    r"will sie nichts|hält hier etwas|was regeln",
    r"wie üblich|wie es auf dem server|neu machen",
    r"mich vergessen|schlüssel machen|(?<!api-)schlüssel für programme",
    r"alles ist, wie es sein soll|wie es steht|kam über einfaches http|\bregale\b",
    # One word for one thing.
    r"wiedergabeliste|\bmaschinen?\b|auswerfen|tempogrenze|speichergrenze|\bhandy\b",
    r"anheften|angeheftet|downloads? pausier|interpret|heruntergeladen|vorrang",
)
# People are addressed with "du". Only where a sentence begins, "Sie" may be things.
FORMAL = re.compile(r"\b(Ihre?[mnrs]?|Ihnen)\b|[^.:;?!…] Sie\b")
FIELD = re.compile(r"\{\w+\}|%\(\w+\)s")
ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")
OTHER_UNITS = re.compile(r"\b[KMGT]iB\b")
CODE_NAMES = [one.name for one in RULES if "_" in one.name]
SHOWN = ("alt", "aria-label", "placeholder", "title")
# Paths are what these are about, and only owners see them.
ABOUT_PATHS = {"device_editor.add", "device_editor.edit", "settings.group", "checks.show"}
# The documentation is for those who run it, and in English.
NOT_WORDS = {"help.document", "log.show"}
NO_PAGE = re.compile(r"^/(api|static|media|socket\.io|health|favicon)|cover|manifest|offline\.js")


def sentences() -> list[tuple[str, str]]:
    """Return every sentence of the pages, with its German."""
    with (CATALOGUES / "de.po").open("rb") as source:
        catalogue = read_po(source, locale="de")
    found: list[tuple[str, str]] = []
    for message in catalogue:
        originals = (message.id,) if isinstance(message.id, str) else message.id
        forms = (message.string,) if isinstance(message.string, str) else message.string or ()
        found += zip(originals, forms, strict=True)
    return found


def is_forbidden(text: str, patterns: tuple[str, ...]) -> bool:
    said = FIELD.sub("…", text)
    return any(re.search(one, said, re.IGNORECASE) for one in patterns)


def test_no_sentence_says_it_in_our_words() -> None:
    english = [one for one, _ in sentences() if is_forbidden(one, ENGLISH)]
    german = [two for _, two in sentences() if is_forbidden(two, GERMAN)]

    assert english == []
    assert german == []


def test_german_addresses_everybody_alike() -> None:
    assert [german for _, german in sentences() if FORMAL.search(german)] == []


@pytest.mark.parametrize(
    "formal", ["Ihre Dateien bleiben.", "Weg: Ihr Gerät", "Prüfen Sie es.", "Wo haben Sie es?"]
)
def test_a_formal_sentence_is_found_wherever_it_begins(formal: str) -> None:
    assert FORMAL.search(formal)


class Shown(HTMLParser):
    """Collects what people read on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"script", "style"}
        self.texts += [value for name, value in attrs if name in SHOWN and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def pages(house: WebHouse) -> Iterator[tuple[str, str]]:
    """Yield every page that can be looked at, with its endpoint."""
    values = {
        "device_id": STICK,
        "item_id": track(1).id,
        "album_id": track(50).id,
        "download_id": str(house.row(2).id),
        "name": "downloads",
        "key": track(50).id,
    }
    for rule in all_routes(house.web).iter_rules():
        if "GET" not in (rule.methods or set()) or NO_PAGE.search(rule.rule):
            continue
        if role_of_route(house.web, rule.endpoint, "GET") in {None, Role.ANYBODY}:
            continue
        if rule.endpoint in NOT_WORDS or not rule.arguments <= set(values):
            continue
        path = re.sub(r"<(?:[^:<>]*(?:\([^)]*\))?:)?(\w+)>", lambda one: values[one[1]], rule.rule)
        yield rule.endpoint, path
    for tab in ("active", "completed", "missing", "failed", "removed"):
        yield "pages.downloads", f"/downloads?tab={tab}"
    yield "offline_page.show", "/offline?look=files"


@pytest.fixture
def full(house: WebHouse) -> WebHouse:
    """The house with something of everything that is told of."""
    album = row(50, Type="MusicAlbum", Name="First Light", CanDownload=None)
    house.library(album, *(row(number, ParentId=track(50).id) for number in range(1, 4)))
    house.add(1, status=Status.COMPLETED, rule=PIN, text="downloaded by you", size=4096)
    house.add(2, status=Status.FAILED)
    house.add(3, rule="album_affinity", source=track(50).id, text="you played 3 of 11")
    house.add(4, status=Status.REMOVED)
    store = house.store
    store.tombstones.put(ANN.user_id, STICK, track(9).id)
    store.exclusions.put(ANN.user_id, "album_affinity", track(50).id, device_id=STICK)
    store.exclusions.put(ANN.user_id, "queue_ahead", track(3).id, device_id=STICK)
    house.heard(ANN, 1, house.clock.now())
    problems = house.services.accounts.problems
    problems.note(ProblemKind.ROOM, STICK, Problem("full", "Car stick is full"))
    house.services.accounts.server.tell(ServerAway("Jellyfin at nas does not answer"))
    return house


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_page_shows_an_id_a_code_name_a_path_or_another_unit(
    full: WebHouse, ann: Browser, eve: Browser, language: str
) -> None:
    wrong: list[str] = []
    seen = 0
    for who in (ann, eve):
        who.client.set_cookie("sidecar_language", language)
        for is_away in (False, True):
            for endpoint, path in pages(full):
                answer = who.get(path)
                if answer.mimetype != "text/html":
                    continue
                seen += 1
                shown = Shown()
                shown.feed(answer.text)
                for text in map(str.strip, shown.texts):
                    is_path = str(full.folder.parent) in text and endpoint not in ABOUT_PATHS
                    has_code = any(one in text for one in CODE_NAMES)
                    if is_path or has_code or ID.search(text) or OTHER_UNITS.search(text):
                        wrong.append(f"{path}: {text}")
            if not is_away:
                full.unplug()
        full.folder.with_name("unplugged").rename(full.folder)
        full.look_at_devices()

    assert seen > 60
    assert sorted(set(wrong)) == []
