"""Writes tags and a cover into a file, in the tag format of its kind.

Either all tags are replaced (in a file that was just converted), or only some fields (in a copy of
a file that people have tagged: everything else stays).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any, BinaryIO

from PIL import Image

from sidecar.domain.formats.tag_fields import (
    BY_NAME,
    FREE_FORM,
    USER_TEXT,
    Field,
    FieldKind,
    TagSystem,
)
from sidecar.domain.formats.tags import to_r128
from sidecar.transfer.tagging.library import apev2, asf, flac, id3, mp4
from sidecar.transfer.tagging.reading import FRONT_COVER, open_music
from sidecar.transfer.tagging.wishes import Writing

# ID3's code for an unknown language.
NO_LANGUAGE = "XXX"
_OF_ID3_24_ALONE = frozenset({"TMOO", "TSST", "TPRO"})
# Not part of ID3v2.3, but common programs write and read them there.
_IN_BOTH = ("TSOA", "TSOP", "TSOT")
_KEPT_FRAMES = ("CHAP", "CTOC")
_CHAPTER = re.compile(r"chapter\d+(name|url)?", re.IGNORECASE)
_ROLE = re.compile(r"(.+) \(([^()]+)\)")
_YEAR = re.compile(r"\d{4}")
_VORBIS_NAME = re.compile(r"[\x20-\x3c\x3e-\x7d]+")
_APE_NAME = re.compile(r"[\x20-\x7e]{2,255}")
_NO_APE_NAMES = frozenset({"ID3", "TAG", "OGGS", "MP+"})


class NotTaggable(ValueError):
    """Tags cannot be written into this kind of file; nothing was changed."""


def write(file: BinaryIO, what: Writing) -> None:
    """Write tags and cover into a file, in place.

    Args:
        file: Open for reading and writing, buffered, with a file descriptor.
        what: The tags and the cover.

    Raises:
        NotTaggable: Tags cannot be written into this kind of file.
        mutagen.MutagenError: The file cannot be parsed.
        OSError: The device cannot be read or written.
    """
    music = open_music(file)
    if music is None or isinstance(music, asf.ASF):
        raise NotTaggable("its kind is not known")
    if music.tags is None:
        music.add_tags()
    file.seek(0)
    if isinstance(music, mp4.MP4):
        _fill_mp4(music, what)
        music.save(file, padding=_padding(what))
    elif isinstance(music.tags, id3.ID3):
        _save_id3(music, file, what)
    elif isinstance(music.tags, apev2.APEv2):
        _fill_ape(music.tags, what)
        music.save(file)
    else:
        _fill_vorbis(music, what)
        music.save(file, padding=_padding(what))


def _padding(what: Writing) -> Any:  # noqa: ANN401 - mutagen's own type
    """Return no padding for files made here; other files keep theirs."""
    return (lambda _: 0) if what.anew else None


# Vorbis comments


def _fill_vorbis(music: Any, what: Writing) -> None:  # noqa: ANN401 - mutagen's
    tags = music.tags
    ready = what.ready(TagSystem.VORBIS)
    if type(music).__name__ == "OggOpus":
        ready = to_r128(ready)
    if what.anew:
        kept = [(name, value) for name, value in tags if _CHAPTER.fullmatch(name)]
        tags.clear()
        tags.extend(kept)
    for name, values in ready.items():
        spelled = BY_NAME[name].vorbis if name in BY_NAME else name.upper()
        if _VORBIS_NAME.fullmatch(spelled):
            tags[spelled] = list(values)
    if what.cover is not None:
        picture = _picture(what.cover)
        if isinstance(music, flac.FLAC):
            music.clear_pictures()
            music.add_picture(picture)
        else:
            tags["METADATA_BLOCK_PICTURE"] = [base64.b64encode(picture.write()).decode("ascii")]


def _picture(cover: bytes) -> Any:  # noqa: ANN401 - mutagen's
    picture = flac.Picture()
    picture.type, picture.mime, picture.data = FRONT_COVER, "image/jpeg", cover
    with Image.open(BytesIO(cover), formats=("JPEG",)) as known:
        picture.width, picture.height, picture.depth = known.width, known.height, 24
    return picture


# ID3


def _save_id3(music: Any, file: BinaryIO, what: Writing) -> None:  # noqa: ANN401 - mutagen's
    tags = music.tags
    version = what.id3 if what.anew else _version_of(tags)
    if what.anew:
        kept = [one for name in _KEPT_FRAMES for one in tags.getall(name)]
        tags.clear()
        for one in kept:
            tags.add(one)
    _fill_id3(tags, version, what)
    is_old = version is TagSystem.ID3_23
    if is_old:
        both = [one for name in _IN_BOTH for one in tags.getall(name)]
        tags.update_to_v23()
        for one in both:
            tags.add(one)
    saved = {"v2_version": 3, "v23_sep": None} if is_old else {"v2_version": 4}
    if type(tags) is id3.ID3:
        tags.save(file, v1=0 if what.anew else 1, padding=_padding(what), **saved)
    else:  # in a chunk of a WAV, an AIFF or a DSF file
        music.save(file, **saved)


def _version_of(tags: Any) -> TagSystem:  # noqa: ANN401 - mutagen's
    """Return the file's ID3 version: 2.3 for 2.3 and older ones, else 2.4."""
    has_any = bool(getattr(tags, "size", 0))
    return TagSystem.ID3_23 if has_any and tags.version[:2] < (2, 4) else TagSystem.ID3_24


def _fill_id3(tags: Any, version: TagSystem, what: Writing) -> None:  # noqa: ANN401 - mutagen's
    ready = what.ready(version)
    people: dict[str, list[list[str]]] = {}
    for name, values in ready.items():
        known = BY_NAME.get(name)
        if known is not None and known.kind is FieldKind.PERSON:
            frame, _, role = known.id3.partition(":")
            people.setdefault(frame, []).extend(_with_role(one, role) for one in values)
        else:
            is_native = known is not None and known.id3
            _set_id3(tags, version, known if is_native and known else _free(name), values)
    for frame, pairs in people.items():
        tags.delall(frame)
        tags.add(id3.Frames[frame](encoding=id3.Encoding.UTF8, people=pairs))
    if what.cover is not None:
        tags.delall("APIC")
        tags.add(
            id3.Frames["APIC"](
                encoding=id3.Encoding.LATIN1,
                mime="image/jpeg",
                type=FRONT_COVER,
                desc="",
                data=what.cover,
            )
        )


def _free(name: str) -> Field:
    comment, colon, about = name.partition(":")
    if colon and comment == "comment":
        return Field(name, f"COMM:{about}", kind=FieldKind.COMMENT)
    return Field(name, USER_TEXT + name)


def _with_role(value: str, role: str) -> list[str]:
    found = None if role else _ROLE.fullmatch(value)
    return [found[2], found[1]] if found is not None else [role or "performer", value]


def _set_id3(tags: Any, version: TagSystem, known: Field, values: Sequence[str]) -> None:  # noqa: ANN401 - one kind of frame after another
    texts, frame = list(values), known.id3
    kind, _, about = frame.partition(":")
    utf8 = id3.Encoding.UTF8
    if version is TagSystem.ID3_23 and kind in _OF_ID3_24_ALONE:
        kind, about = "TXXX", known.vorbis
    if known.kind is FieldKind.DATE:
        texts = [found[0] if _is_odd(one) else one for one in texts if (found := _YEAR.search(one))]
        if not texts:
            kind, about, texts = "TXXX", known.vorbis, list(values)
    match kind:
        case "TXXX":
            tags.delall(f"TXXX:{about}")
            tags.add(id3.Frames[kind](encoding=utf8, desc=about, text=texts))
        case "COMM":
            tags.delall(f"COMM:{about}")
            tags.add(id3.Frames[kind](encoding=utf8, lang=NO_LANGUAGE, desc=about, text=texts))
        case "USLT":
            tags.delall(kind)
            for number, text in enumerate(texts, 1):
                desc = "" if number == 1 else str(number)
                tags.add(id3.Frames[kind](encoding=utf8, lang=NO_LANGUAGE, desc=desc, text=text))
        case "UFID":
            tags.add(id3.Frames[kind](owner=about, data=texts[0].encode("ascii", "replace")))
            title = known.mp4.removeprefix(FREE_FORM)
            tags.add(id3.Frames["TXXX"](encoding=utf8, desc=title, text=texts))
        case "WOAR":
            tags.delall(kind)
            tags.add(id3.Frames[kind](url=texts[0]))
        case _:
            tags.delall(kind)
            tags.add(id3.Frames[kind](encoding=utf8, text=texts))


def _is_odd(date: str) -> bool:
    return re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", date) is None


# MP4


def _fill_mp4(music: Any, what: Writing) -> None:  # noqa: ANN401 - mutagen's
    tags = music.tags
    if what.anew:
        tags.clear()
    for name, values in what.ready(TagSystem.MP4).items():
        known = BY_NAME.get(name)
        atom = known.mp4 if known is not None else ""
        if known is None or not atom or not _set_native(tags, atom, known, values):
            free = atom if atom.startswith("----:") else FREE_FORM + _free_name(name)
            # mutagen encodes keys as Latin-1, but the format has UTF-8.
            key = free.encode("utf-8", "replace").decode("latin-1")
            tags[key] = [mp4.MP4FreeForm(one.encode(), mp4.AtomDataType.UTF8) for one in values]
    if what.cover is not None:
        tags["covr"] = [mp4.MP4Cover(what.cover, mp4.MP4Cover.FORMAT_JPEG)]


def _free_name(name: str) -> str:
    return BY_NAME[name].vorbis if name in BY_NAME else name


def _set_native(tags: Any, atom: str, known: Field, values: Sequence[str]) -> bool:  # noqa: ANN401 - mutagen's
    """Set a native atom; return whether it can hold these values."""
    if atom.startswith("----:"):
        return False
    match known.kind:
        case FieldKind.NUMBER:
            pair = re.fullmatch(r"(\d{1,5})(?:/(\d{1,5}))?", values[0])
            if pair is None or max(int(pair[1]), int(pair[2] or 0)) >= 2**16:
                return False
            tags[atom] = [(int(pair[1]), int(pair[2] or 0))]
        case FieldKind.FLAG:
            tags[atom] = True
        case FieldKind.INTEGER:
            whole = re.fullmatch(r"(\d{1,4})(?:\.\d+)?", values[0])
            if whole is None:
                return False
            tags[atom] = [round(float(values[0]))]
        case FieldKind.LYRICS:
            # Players show only one value.
            tags[atom] = ["\n\n".join(values)]
        case _:
            tags[atom] = list(values)
    return True


# APEv2


def _fill_ape(tags: Any, what: Writing) -> None:  # noqa: ANN401 - mutagen's
    if what.anew:
        tags.clear()
    for name, values in what.ready(TagSystem.APE).items():
        key = (BY_NAME[name].ape if name in BY_NAME else "") or name.upper()
        if _APE_NAME.fullmatch(key) and key.upper() not in _NO_APE_NAMES:
            tags[key] = list(values)
    if what.cover is not None:
        for key in [one for one in tags if one.lower() == "cover art (front)"]:
            del tags[key]
        tags["Cover Art (Front)"] = apev2.APEValue(b"cover.jpg\0" + what.cover, apev2.BINARY)
