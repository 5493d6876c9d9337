"""Reads all tags and pictures of a file with mutagen.

Runs only in the child process (`child`), because the files are untrusted.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sidecar.confined.tags import DAMAGED, raise_if_disk
from sidecar.domain.formats.tag_fields import BY_ATOM, BY_FRAME, canonical
from sidecar.domain.formats.tags import Tags, collected
from sidecar.transfer.tagging.library import apev2, asf, flac, id3, mp3, mutagen

# Kinds of pictures in ID3 and FLAC.
FRONT_COVER = 3
ICONS = frozenset({1, 2})
# Larger pictures are ignored.
LARGEST_PICTURE = 64 * 1024 * 1024
_FRONT_OF_APE = "cover art (front)"


@dataclass(frozen=True, slots=True)
class EmbeddedPicture:
    """A picture in a file; `kind` is that of ID3 and FLAC: 3 is the front cover, 1 and 2 icons."""

    kind: int
    content: bytes


@dataclass(frozen=True, slots=True)
class FileTags:
    """The tags of a file, with our names for them, and its pictures."""

    tags: Tags = field(default_factory=dict)
    pictures: tuple[EmbeddedPicture, ...] = ()

    @property
    def cover(self) -> EmbeddedPicture | None:
        """The front cover, else the first picture that is no icon."""
        front = (one for one in self.pictures if one.kind == FRONT_COVER)
        others = (one for one in self.pictures if one.kind not in ICONS)
        return next(front, None) or next(others, None)


def read(file: BinaryIO) -> FileTags:
    """Return the tags and pictures of a file; none if its kind is not known.

    Raises:
        OSError: The file cannot be read.
    """
    found = open_music(file)
    pairs, pictures = list(_pairs(found)), list(_pictures(found))
    for more in _besides(file, found):
        known = {canonical(name) for name, _ in pairs}
        pairs += [one for one in _of_tags(more) if canonical(one[0]) not in known]
        pictures = pictures or list(_pictures_of(more))
    return FileTags(collected(pairs), tuple(pictures))


def open_music(file: BinaryIO) -> Any:  # noqa: ANN401 - mutagen's types are not annotated
    """Open a file with mutagen; None if mutagen does not know its kind."""
    try:
        file.seek(0)
        return mutagen.File(file)
    except DAMAGED as error:
        raise_if_disk(error)
        return None


def _besides(file: BinaryIO, found: Any) -> Iterator[Any]:  # noqa: ANN401 - mutagen's
    """Yield further tags that a file may have besides those of its own kind."""
    kinds: list[Any] = []
    if isinstance(found, mp3.MP3) or getattr(found, "tags", None) is None:
        kinds.append(apev2.APEv2)
    if found is None or getattr(found, "tags", None) is None or isinstance(found, flac.FLAC):
        kinds.insert(0, id3.ID3)
    for kind in kinds:
        try:
            file.seek(0)
            yield kind(file)
        except DAMAGED as error:
            raise_if_disk(error)


def _pairs(found: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - mutagen's
    tags = getattr(found, "tags", None)
    return iter(()) if tags is None else _of_tags(tags)


def _of_tags(tags: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - mutagen's
    match type(tags).__name__:
        case name if "ID3" in name:
            return _of_id3(tags)
        case "MP4Tags":
            return _of_mp4(tags)
        case "APEv2":
            return _of_ape(tags)
        case "ASFTags":
            return ((str(name), str(value)) for name, value in tags if not _is_binary(value))
        case _:
            return ((str(name), str(value)) for name, value in _flat(tags))


def _is_binary(value: object) -> bool:
    return isinstance(value, asf.ASFByteArrayAttribute | asf.ASFGUIDAttribute)


def _flat(tags: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - mutagen's
    for one in tags:
        if isinstance(one, tuple):
            yield one[0], one[1]
        else:
            values = tags[one]
            yield from (
                (one, value) for value in (values if isinstance(values, list) else [values])
            )


def _of_id3(tags: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401, C901 - one frame after another
    for frame in tags.values():
        kind = frame.FrameID
        if kind == "TXXX":
            yield from ((frame.desc, str(text)) for text in frame.text)
        elif kind in {"TIPL", "TMCL", "IPLS"}:
            yield from _people(kind, frame.people)
        elif kind == "COMM":
            name = f"comment:{frame.desc}" if frame.desc.strip() else "comment"
            hidden = frame.desc.lower().startswith(("itun", "songs-db", "id3v1 comment"))
            yield from () if hidden else ((name, str(text)) for text in frame.text)
        elif kind == "USLT":
            yield "lyrics", str(frame.text)
        elif kind == "SYLT":
            yield from _synchronised(frame)
        elif kind == "UFID" and f"UFID:{frame.owner}" in BY_FRAME:
            yield BY_FRAME[f"UFID:{frame.owner}"].name, frame.data.decode("ascii", "replace")
        elif kind == "RVA2":
            yield from _volume(frame)
        elif kind == "TCON":
            yield from (("genre", text) for text in frame.genres)
        elif kind in BY_FRAME and kind[0] == "W":
            yield BY_FRAME[kind].name, str(frame.url)
        elif kind in BY_FRAME:
            yield from ((BY_FRAME[kind].name, str(text)) for text in frame.text)


def _people(kind: str, people: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for role, name in people:
        known = BY_FRAME.get(f"TIPL:{role}") or BY_FRAME.get(f"TIPL:{role.lower()}")
        if known is not None and kind != "TMCL":
            yield known.name, name
        else:
            has_role = role.lower() not in {"", "performer"}
            yield "performer", f"{name} ({role})" if has_role else name


def _synchronised(frame: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - mutagen's
    """Yield synchronised lyrics in the format of LRC files."""
    in_milliseconds, are_lyrics = 2, 1
    if frame.format != in_milliseconds or frame.type != are_lyrics:
        return
    lines = []
    for text, at in frame.text:
        minutes, rest = divmod(int(at) // 10, 6000)
        lines.append(f"[{minutes:02}:{rest // 100:02}.{rest % 100:02}]{str(text).strip()}")
    yield "syncedlyrics", "\n".join(lines)


def _volume(frame: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - mutagen's
    for side in ("track", "album"):
        if frame.desc.lower() == side:
            yield f"replaygain_{side}_gain", f"{frame.gain:+.2f} dB"
            yield f"replaygain_{side}_peak", f"{frame.peak:.6f}"


def _of_mp4(tags: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - mutagen's
    for atom, values in tags.items():
        name = BY_ATOM[atom].name if atom in BY_ATOM else ""
        if atom in {"trkn", "disk"}:
            yield from ((name, f"{number}/{total}") for number, total in values)
        elif atom == "cpil":
            yield name, "1" if values else "0"
        elif atom.startswith("----:"):
            free = name or atom.rpartition(":")[2].encode("latin-1", "replace").decode()
            yield from ((free, _text(one)) for one in values)
        elif name:
            yield from ((name, str(one)) for one in values)


def _text(value: bytes) -> str:
    return bytes(value).decode("utf-8", "replace")


def _of_ape(tags: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - mutagen's
    for name, value in tags.items():
        if isinstance(value, apev2.APETextValue):
            yield from ((str(name), one) for one in value)


def _pictures(found: Any) -> Iterator[EmbeddedPicture]:  # noqa: ANN401 - mutagen's
    for one in getattr(found, "pictures", None) or ():
        yield EmbeddedPicture(int(one.type), bytes(one.data))
    tags = getattr(found, "tags", None)
    if tags is not None:
        yield from _pictures_of(tags)


def _pictures_of(tags: Any) -> Iterator[EmbeddedPicture]:  # noqa: ANN401 - mutagen's
    with suppress(*DAMAGED):
        match type(tags).__name__:
            case name if "ID3" in name:
                for one in tags.getall("APIC"):
                    yield EmbeddedPicture(int(one.type), bytes(one.data))
            case "MP4Tags":
                for one in tags.get("covr", ()):
                    yield EmbeddedPicture(FRONT_COVER, bytes(one))
            case "APEv2":
                for key, value in tags.items():
                    if key.lower().startswith("cover art ("):
                        kind = FRONT_COVER if key.lower() == _FRONT_OF_APE else 0
                        yield EmbeddedPicture(kind, value.value.partition(b"\0")[2])
            case "ASFTags":
                for one in tags.get("WM/Picture", ()):
                    yield _of_asf(one.value)
            case _:
                yield from _of_ogg(tags)


def _of_ogg(tags: Any) -> Iterator[EmbeddedPicture]:  # noqa: ANN401 - mutagen's
    for block in tags.get("metadata_block_picture", ()):
        with suppress(*DAMAGED):
            one = flac.Picture(base64.b64decode(block))
            yield EmbeddedPicture(int(one.type), bytes(one.data))
    for content in tags.get("coverart", ()):
        with suppress(*DAMAGED):
            yield EmbeddedPicture(FRONT_COVER, base64.b64decode(content))


def _of_asf(value: bytes) -> EmbeddedPicture:
    """Parse a WM/Picture: kind, length, two zero-terminated texts in UTF-16, the data."""
    kind, length = struct.unpack_from("<bI", value)
    rest = value[5:]
    for _ in range(2):
        end = 0
        while rest[end : end + 2] != b"\0\0":
            end += 2
            if end > len(rest):
                raise ValueError("it has no end")
        rest = rest[end + 2 :]
    return EmbeddedPicture(kind, rest[:length])
