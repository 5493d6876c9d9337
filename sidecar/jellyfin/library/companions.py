"""Fetches companion files of an item: lyrics, external subtitles, covers.

Lyrics come as the server has parsed them, not as the file. Subtitles that are pictures or that
are embedded in the media file are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from sidecar.domain.files.companions import SUBTITLES, LyricLine, Subtitle
from sidecar.errors import NotAllowed, NotFound, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.http.responses import Answer, Unconfirmed, check_answer, read
from sidecar.jellyfin.models import (
    TICKS_PER_SECOND,
    BaseItem,
    JellyfinModel,
    Many,
    Maybe,
    MediaStream,
    Whole,
)

LONGEST = 5_000_000


class _Line(JellyfinModel):
    text: Maybe[str] = None
    start: Maybe[Whole] = None


class _Lyrics(JellyfinModel):
    lyrics: Many[_Line] = ()


_LYRICS = TypeAdapter(_Lyrics)


@dataclass(frozen=True, slots=True)
class CompanionList:
    """The companion files that the server has for one file.

    Attributes:
        album_id, album_image_tag: Identify the picture of its album; None without one.
    """

    has_lyrics: bool
    source_id: str
    subtitles: tuple[Subtitle, ...]
    album_id: str | None = None
    album_image_tag: str | None = None


class Companions:
    """Fetches companions for one account. Raises what `Jellyfin` raises, but no `NotFound`."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def of(self, item_ids: Collection[str]) -> Mapping[str, CompanionList]:
        """Return the companions of items; items hidden from the account are left out."""
        pages = self._client.pages_of(item_ids, query={"fields": "MediaSources"}, with_streams=True)
        return {
            one.id: _to_companion_list(one)
            for page in pages
            for one in page.items
            if one is not None
        }

    def lyrics(self, item_id: str) -> Sequence[LyricLine]:
        """Return a track's lyrics; empty if there are none."""
        answer = self._get("Audio", item_id, "Lyrics")
        return lines_in(answer) if answer else ()

    def subtitles(self, item_id: str, source_id: str, one: Subtitle) -> bytes | None:
        """Return the content of a subtitle file; None if it is not there any more."""
        ending = SUBTITLES[one.codec.lower()]
        path = ("Videos", item_id, source_id, "Subtitles", str(one.index), f"Stream.{ending}")
        answer = self._get(*path)
        if answer is None or not answer.body or len(answer.body) > LONGEST:
            return None
        return bytes(answer.body)

    def picture(self, item_id: str, tag: str, width: int) -> bytes | None:
        """Return a cover, in the server's own image type; None if it has none."""
        try:
            return self._client.image(item_id, tag, max_width=width).body
        except (NotFound, NotAllowed, UnexpectedAnswer):
            return None

    def _get(self, *path: str) -> Answer | None:
        answer = self._client.connection.send("GET", *path)
        try:
            check_answer(answer)
        except Unconfirmed:
            self._client.me()
            raise
        except (NotFound, NotAllowed):
            return None
        return answer


def lines_in(answer: Answer) -> Sequence[LyricLine]:
    """Parse the lyrics in a response.

    Raises:
        errors.UnexpectedAnswer: It is not what Jellyfin answers.
    """
    return [
        LyricLine(one.text or "", None if one.start is None else one.start / TICKS_PER_SECOND)
        for one in read(answer, _LYRICS).lyrics
        if one is not None
    ]


def _to_companion_list(base: BaseItem) -> CompanionList:
    sources = [one for one in base.media_sources if one is not None]
    # Other versions may be listed first.
    source = next((one for one in sources if one.id == base.id), next(iter(sources), None))
    return CompanionList(
        has_lyrics=bool(base.has_lyrics),
        source_id=(source and source.id) or base.id,
        subtitles=tuple(
            Subtitle(
                index=one.index,
                codec=one.codec or "",
                language=one.language,
                title=one.title,
                is_forced=one.is_forced,
                is_for_deaf=one.is_hearing_impaired,
            )
            for one in (source.media_streams if source else ())
            if one is not None and _is_own_text(one)
        ),
        album_id=base.album_id,
        album_image_tag=base.album_primary_image_tag,
    )


def _is_own_text(one: MediaStream) -> bool:
    return one.type == "Subtitle" and one.is_external and one.is_text_subtitle_stream
