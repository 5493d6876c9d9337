"""What services say is a message with an id, and pages say it in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

import sidecar
from sidecar.device.errors import device_missing
from sidecar.domain.downloads.download import Status
from sidecar.domain.formats.formats import Format, Target, explain_not_smaller
from sidecar.domain.space.space import Space, check_space
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.transfers.response import empty, unproved_length_failure
from sidecar.errors import ServerAway, SidecarError
from sidecar.messages import Message, counted, msg, translate
from sidecar.store.downloads.transitions import WholeFile
from sidecar.transfer.faults import short_body_error
from sidecar.web.i18n.languages import Languages
from tests.web.house import Browser, WebHouse

ROOT = Path(sidecar.__file__).parent
# Who speaks to people; what the command line and the settings say is English.
SPEAKERS = ("domain", "services", "device", "jellyfin", "syncthing", "transfer", "errors.py")
VALUES = {"Notice", "Failure", "Problem", "Reason", "SpaceRefusal", "ActionRefusal"}
# Nobody but the log is told why work was stopped or a file could not be inspected; settings are
# mended in the shell.
NOT_FOR_PEOPLE = {"Stopped", "IllegalMove", "ConfigError", "CannotTell"}
SENTENCE = re.compile(r"\w+ \w+")


def test_every_sentence_for_people_is_a_message() -> None:
    plain = [found for file in _files() for found in _plain(file)]

    assert plain == []


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    raise DeviceError('full', 'It is full')",
        "def f(x):\n    raise DeviceError('full', f'{x} is quite full')",
        "def f():\n    text = 'It is full'\n    return Notice('a', 'b', text)",
        "def f(x):\n    return Notice('a', 'b', 'It is full' if x else msg('It fits'))",
    ],
)
def test_plain_sentences_are_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "speaker.py").write_text(source)

    assert list(_plain(tmp_path / "speaker.py"))


def _files() -> Iterator[Path]:
    for speaker in SPEAKERS:
        path = ROOT / speaker
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _errors() -> set[str]:
    every, new = set[str](), [SidecarError]
    while new:
        one = new.pop()
        every.add(one.__name__)
        new += one.__subclasses__()
    return every


def _plain(file: Path) -> Iterator[str]:
    """Yield where a text that is no message is given to an error or a value for people."""
    told = (_errors() | VALUES) - NOT_FOR_PEOPLE
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for scope in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
        assigned = {
            target.id: one.value
            for one in ast.walk(scope)
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        for call in (one for one in ast.walk(scope) if isinstance(one, ast.Call)):
            if ast.unparse(call.func).rpartition(".")[2] not in told:
                continue
            given = [*call.args, *(one.value for one in call.keywords)]
            given += [
                assigned[one.id]
                for one in given
                if isinstance(one, ast.Name) and one.id in assigned
            ]
            if any(map(_is_plain_sentence, given)):
                yield f"{file.name}:{call.lineno}"


def _is_plain_sentence(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return SENTENCE.search(text) is not None
        case ast.JoinedStr(values=parts):
            told = "".join(
                str(one.value) if isinstance(one, ast.Constant) else "x" for one in parts
            )
            return SENTENCE.search(told) is not None
        case ast.IfExp(body=body, orelse=orelse):
            return _is_plain_sentence(body) or _is_plain_sentence(orelse)
        case ast.BoolOp(values=values):
            return any(map(_is_plain_sentence, values))
        case _:
            return False


def _full() -> str:
    space = Space(free=10**9, total=10**11, block=4096, largest_file=None)
    refusal = check_space(
        remaining=10**9,
        size=10**9,
        space=space,
        used=0,
        promised=0,
        budget=None,
        reserve=1_500_000_000,
        name="Car stick",
    )
    assert refusal is not None
    return refusal.message


@pytest.mark.parametrize(
    ("message", "german"),
    [
        (_full(), "Car stick ist voll (1,5 GB bleiben frei): Seine Warteschlange wartet"),
        (empty().message, "Die Datei ist auf dem Server leer: Es wird von selbst wieder nach ihr"),
        (
            str(device_missing("Car stick")),
            "Car stick ist nicht da: Schließe es an, dann geht es von selbst weiter",
        ),
        (counted("{count} newer file", "{count} newer files", 1), "1 neuere Datei"),
        (counted("{count} newer file", "{count} newer files", 5), "5 neuere Dateien"),
        (
            msg("{title} {what}", title="Tone 1", what=msg("is paused: resume it first")),
            "Tone 1 ist angehalten: Setze es erst fort",
        ),
        ("nas does not answer", "nas does not answer"),
    ],
)
def test_sentences_are_told_in_german(message: str, german: str) -> None:
    assert translate(message, Languages().of("de")).startswith(german)
    assert translate(message, Languages().of("en")) == message


@pytest.fixture
def german(ann: Browser) -> Client:
    ann.client.set_cookie("sidecar_language", "de")
    return ann.client


def refusal(text: str) -> Failure:
    return Failure(FailureClass.REFUSED, "refused", text)


def test_the_pages_say_it_in_the_language_of_the_reader(house: WebHouse, german: Client) -> None:
    away = msg("Jellyfin at {server} does not answer", server="nas")
    house.services.accounts.server.tell(ServerAway(away))
    message = msg("{host} does not answer", host="nas")
    house.add(1, status=Status.FAILED, failure=refusal(message))
    kept = house.add(2, status=Status.DOWNLOADING)
    file = WholeFile(2000, "0" * 32, "audio/flac")
    note = explain_not_smaller(Target(Format.OPUS, 128))
    house.store.downloads.transitions.mark_all_finalizing([(kept.id, file, {"format_note": note})])
    house.store.downloads.transitions.mark_all_arrived([(house.now(kept), file)])
    house.unplug()

    failed = german.get("/downloads?tab=failed").text
    completed = german.get(f"/downloads?tab=completed&open={kept.id}").text

    assert "nas antwortet nicht" in failed
    assert "Car stick ist nicht da" in failed
    assert "Jellyfin ist nicht erreichbar." in failed
    assert "wäre nicht kleiner" in completed


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (
            short_body_error("nas", 7_340_032, 118_800_000).failure,
            "nas hörte nach 7,3 MB von 118,8 MB auf",
        ),
        (unproved_length_failure(1_200_000, 3_400_000), "Der Server sendet 1,2 MB, seine"),
    ],
)
def test_a_failure_tells_sizes_as_the_language_writes_them(
    house: WebHouse, german: Client, failure: Failure, told: str
) -> None:
    house.add(1, status=Status.FAILED, failure=failure)

    assert told in german.get("/downloads?tab=failed").text


def test_the_plain_text_of_earlier_versions_is_still_shown(house: WebHouse, german: Client) -> None:
    old = "nas stopped after 12 of 24 bytes, 50% of it"
    house.add(1, status=Status.FAILED, failure=refusal(old))

    assert old in german.get("/downloads?tab=failed").text


def test_the_api_speaks_english_to_programs(house: WebHouse, german: Client) -> None:
    message = msg("{host} does not answer", host="nas")
    assert isinstance(message, Message)
    house.add(1, status=Status.FAILED, failure=refusal(message))

    (told,) = german.get("/api/v1/downloads").get_json()["items"]

    assert told["error_message"] == "nas does not answer"
