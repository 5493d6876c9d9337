from __future__ import annotations

from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.library.companions import Companions
from tests.fakes.servers.answering import answering, json_reply

FILM, OTHER = "f" * 32, "e" * 32


def source(source_id: str, language: str, title: str) -> dict[str, object]:
    stream = {
        "Type": "Subtitle",
        "Index": 3,
        "Codec": "subrip",
        "Language": language,
        "Title": title,
        "IsExternal": True,
        "IsTextSubtitleStream": True,
    }
    return {"Id": source_id, "MediaStreams": [stream]}


def test_the_texts_are_those_of_the_items_own_file_whatever_version_is_listed_first() -> None:
    film = {
        "Id": FILM,
        "Type": "Movie",
        "Name": "Film",
        "MediaSources": [source(OTHER, "fr", "Cut"), source(FILM, "de", "Signs")],
    }
    answers = {"GET /Items": json_reply({"Items": [film], "TotalRecordCount": 1})}
    with answering(answers) as server:
        client = Jellyfin(server.url, identity=DeviceIdentity(device_id="x", version="1"))
        found = Companions(client).of([FILM])[FILM]

    assert found.source_id == FILM
    (text,) = found.subtitles
    assert (text.language, text.title) == ("de", "Signs")
