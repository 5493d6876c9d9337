"""A series in the library of a test's Jellyfin: one season begun, one not seen."""

from __future__ import annotations

from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import track
from tests.services.rules.steered import row
from tests.web.house import WebHouse

SERIES, SEASONS, EPISODES = track(50).id, (track(51).id, track(52).id), range(53, 57)
TICKS = 10_000_000


def add_series(house: WebHouse) -> None:
    """Let Jellyfin have two seasons of two episodes; the second episode was stopped at 1:30."""
    counted = {"IsFavorite": False, "Played": False, "UnplayedItemCount": 3}
    series = row(50, Type="Series", Name="The Signal", MediaSources=[], UserData=counted)
    seasons = [
        row(
            51 + at,
            Type="Season",
            Name=f"Season {at + 1}",
            SeriesId=SERIES,
            ParentId=SERIES,
            MediaSources=[],
            UserData=counted | {"UnplayedItemCount": left},
        )
        for at, left in enumerate((1, 2))
    ]
    episodes = [_episode(number) for number in EPISODES]
    lists = {"Season": seasons, "Episode": episodes}

    def answer(request: Request) -> Reply:
        if "ids" in request.query:
            wanted = request.query["ids"].split(",")
            return _page(*(one for one in episodes if one["Id"] in wanted))
        return _page(*lists.get(request.query.get("includeItemTypes", ""), ()))

    routes = house.jellyfin.routes
    routes["GET /Items"] = answer
    routes["GET /Shows/NextUp"] = routes["GET /UserItems/Resume"] = _page(episodes[1])
    for one in (series, *seasons, *episodes):
        routes[f"GET /Items/{one['Id']}"] = json_reply(one)


def _episode(number: int) -> dict[str, object]:
    at = number - EPISODES.start
    position = 90 * TICKS if at == 1 else 0
    return row(
        number,
        Type="Episode",
        Name=f"Beacon {at + 1}",
        SeriesId=SERIES,
        SeriesName="The Signal",
        SeasonId=SEASONS[at // 2],
        ParentId=SEASONS[at // 2],
        ParentIndexNumber=at // 2 + 1,
        IndexNumber=at % 2 + 1,
        RunTimeTicks=600 * TICKS,
        UserData={"IsFavorite": False, "Played": at == 0, "PlaybackPositionTicks": position},
    )


def _page(*rows: object) -> Reply:
    return json_reply({"Items": rows, "TotalRecordCount": len(rows), "StartIndex": 0})
