"""What Jellyfin makes of plays that are told later, with their dates."""

from __future__ import annotations

from tests.contract.client import Client

OLD = "2026-01-02T03:04:05.0000000Z"
OLDER = "2025-01-02T03:04:05.0000000Z"


def test_a_tick_with_a_date_counts_one_more_and_moves_the_date_even_back(
    ann: Client, song: str
) -> None:
    ann.ask("DELETE", f"/UserPlayedItems/{song}")

    for date in (OLD, OLDER):
        told = ann.post(f"/UserPlayedItems/{song}", datePlayed=date)

    assert (told["PlayCount"], told["LastPlayedDate"], told["Played"]) == (2, OLDER, True)


def test_of_marks_only_what_is_given_changes(ann: Client, song: str) -> None:
    ann.ask("DELETE", f"/UserPlayedItems/{song}")
    ann.post(f"/UserFavoriteItems/{song}")
    ann.post(f"/UserPlayedItems/{song}", datePlayed=OLD)

    ann.post(f"/UserItems/{song}/UserData", {"PlayCount": 7})

    told = ann.get(f"/UserItems/{song}/UserData")
    assert (told["PlayCount"], told["LastPlayedDate"]) == (7, OLD)
    assert told["IsFavorite"]
    assert told["Played"]
