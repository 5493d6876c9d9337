from __future__ import annotations

import pytest

from sidecar.domain.formats.completing import changes, completed, is_in_doubt

WHOLE = {"title": ("Tone",), "artist": ("Anna",), "album": ("Light",), "tracknumber": ("1",)}
CYRILLIC = "Кино"


def test_what_is_missing_comes_from_jellyfin_and_what_is_there_stays() -> None:
    tags = {"title": ("My own title",), "comment": ("mine",)}
    known = {"title": ("Tone",), "artist": ("Anna", "Bert"), "genre": ("Pop",)}

    assert completed(tags, known) == {
        "title": ("My own title",),
        "comment": ("mine",),
        "artist": ("Anna", "Bert"),
        "genre": ("Pop",),
    }
    assert changes(tags, known) == {"artist": ("Anna", "Bert"), "genre": ("Pop",)}


@pytest.mark.parametrize(
    ("own", "right"),
    [
        ("Caf\ufffd \ufffd", "Café ß"),
        ("CafÃ© ÃŸ", "Café ß"),
        (CYRILLIC.encode("cp1251").decode("latin-1"), CYRILLIC),
        ("夜に駆ける".encode("cp932").decode("cp1252", "replace"), "夜に駆ける"),
        ("东风破".encode("gbk").decode("latin-1"), "东风破"),
        ("????", "Кино"),
        ("Caf?", "Café"),
        ("A title that is too long for 30", "A title that is too long for 30 letters"),
        ("A title that is too long for a"[:30], "A title that is too long for a tag"),
        ("Track 01", "Tone"),
        ("Unknown Artist", "Anna"),
        ("<unknown>", "Anna"),
        ("Unbekannter Interpret", "Anna"),
        ("Tone\x02", "Tone two"),
    ],
)
def test_broken_words_are_in_doubt_and_give_way_to_jellyfins(own: str, right: str) -> None:
    if len(own) == 31:
        own = own[:30]

    assert is_in_doubt({**WHOLE, "title": (own,)})
    assert completed({**WHOLE, "title": (own,)}, {"title": (right,)})["title"] == (right,)


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("Café ß", "Caf\ufffd \ufffd"),
        ("Why?", "Why not"),
        ("Ärzte", "Aerzte"),
        ("Tone (live)", "Tone"),
        ("A name of exactly thirty signs", "Something else that is longer"),
        ("tone", "Tone"),
        ("", ""),
    ],
)
def test_words_of_the_file_that_can_be_read_win(own: str, other: str) -> None:
    tags = {**WHOLE, "title": (own,)} if own else WHOLE

    assert completed(tags, {"title": (other,)} if other else {}) == tags


def test_all_artists_of_the_file_win_over_jellyfins_one() -> None:
    tags = {**WHOLE, "artist": ("Anna; the First", "Bert")}

    assert completed(tags, {"artist": ("Anna",)}) == tags


def test_a_number_that_is_none_gives_way() -> None:
    tags = {**WHOLE, "tracknumber": ("A1",)}

    assert is_in_doubt(tags)
    assert completed(tags, {"tracknumber": ("4",)})["tracknumber"] == ("4",)
    assert completed(tags, {}) == tags


@pytest.mark.parametrize("title", ["Tone", "Ärzte", "Ångström på ön", "Кино", "夜に駆ける", "Café"])
def test_jellyfin_is_not_asked_where_nothing_is_amiss(title: str) -> None:
    assert not is_in_doubt({**WHOLE, "title": (title,)})


@pytest.mark.parametrize("name", ["title", "artist", "album", "tracknumber"])
def test_jellyfin_is_asked_where_something_is_missing(name: str) -> None:
    assert is_in_doubt({key: value for key, value in WHOLE.items() if key != name})
