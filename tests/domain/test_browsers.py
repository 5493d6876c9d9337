"""What a browser keeps of what was chosen for it."""

from __future__ import annotations

from sidecar.domain.browsers import NEXT_EPISODES, next_unwatched, plan_browser
from sidecar.domain.items.item import Item, ItemType


def item(number: int, size: int = 10, **facts: object) -> Item:
    values = {"id": f"{number:032x}", "type": ItemType.AUDIO, "title": str(number), "size": size}
    return Item(**{**values, **facts})  # type: ignore[arg-type]  # by name


def test_what_is_too_big_keeps_out_nothing_smaller_after_it_and_each_is_kept_once() -> None:
    one, big, two = item(1, 40), item(2, 100), item(3, 50)

    plan = plan_browser([one, big, one, two, big], 90)

    assert (plan.files, plan.left_out, plan.bytes) == ([one, two], [big], 90)


def test_of_a_series_the_next_unwatched_are_kept_of_all_else_everything() -> None:
    episodes = [item(n, type=ItemType.EPISODE, is_played=n < 3) for n in range(1, 9)]

    series = next_unwatched(item(90, type=ItemType.SERIES), episodes)
    album = next_unwatched(item(91, type=ItemType.ALBUM), episodes)

    assert [one.title for one in series] == [str(3 + n) for n in range(NEXT_EPISODES)]
    assert album == episodes
