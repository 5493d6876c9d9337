from __future__ import annotations

from sidecar.domain.files.catalogue import ListedFile, Work, WorkKind, group_works


def file(
    path: str, title: str, artist: str = "", album: str = "", kind: str = "Audio"
) -> ListedFile:
    return ListedFile(
        path=path,
        title=title,
        artist=artist or None,
        album=album or None,
        kind=kind,
        size=1,
    )


def told(found: Work) -> tuple[str, str, list[tuple[str, list[str]]]]:
    return (
        found.title,
        found.by,
        [(part.label, [one.title for one in part.files]) for part in found.parts],
    )


def test_tracks_of_one_folder_and_album_are_one_work() -> None:
    found = group_works(
        [
            file("AC_DC/Live (1992)/1-01 - A.flac", "A", "AC/DC", "Live?"),
            file("AC_DC/Live (1992)/2-01 - B.flac", "B", "AC/DC", "Live?"),
        ]
    )

    assert [told(one) for one in found] == [("Live?", "AC/DC", [("", ["A", "B"])])]


def test_many_artists_are_filed_under_their_folder() -> None:
    hits = [file(f"Various/Hits/{one}.mp3", one, one, "Hits") for one in "ab"]
    flat = [file(f"{one}.mp3", one, one, "Flat") for one in "cd"]

    assert [told(one)[:2] for one in group_works(hits + flat)] == [
        ("Hits", "Various"),
        ("Flat", "Various artists"),
    ]


def test_two_albums_in_one_folder_are_two_works() -> None:
    files = [file(f"{n}.mp3", str(n), "Kettle", album) for n, album in enumerate(("Steam", "Tea"))]

    assert [one.title for one in group_works(files)] == ["Steam", "Tea"]


def test_a_series_has_its_seasons_in_order_and_films_stand_alone() -> None:
    found = group_works(
        [
            file("Pi (1998)/Pi (1998).mkv", "Pi", kind="Movie"),
            file("Signals_/Season 02/Signals - S02E01.mkv", "Three", "Signals?", kind="Episode"),
            file("Signals_/Season 01/Signals - S01E01.mkv", "One", "Signals?", kind="Episode"),
        ]
    )

    assert [(one.kind, *told(one)) for one in found] == [
        (WorkKind.FILMS, "Pi", "", [("", ["Pi"])]),
        (WorkKind.SERIES, "Signals?", "", [("Season 01", ["One"]), ("Season 02", ["Three"])]),
    ]
    assert found[1].cover_places[0] == "Signals_/cover.jpg"


def test_people_look_without_accents_and_articles() -> None:
    names = ["Zoo", "The Beatles", "Ärzte", "bee"]
    files = [file(f"{name}/x/1.mp3", "1", name, "x") for name in names]

    assert [one.by for one in group_works(files)] == ["Ärzte", "The Beatles", "bee", "Zoo"]


def test_what_has_no_album_takes_the_name_of_its_folder_or_its_own() -> None:
    assert [one.title for one in group_works([file("A/Unknown Album/x.mp3", "x")])] == [
        "Unknown Album"
    ]
    assert [one.title for one in group_works([file("x.mp3", "x")])] == ["x"]
