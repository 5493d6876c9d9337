"""The table of tag fields: their names here, and in each tag system.

             Vorbis (FLAC, Ogg, Opus)  ID3 (MP3, WAV, AIFF)  MP4           APEv2
    artist   ARTIST                    TPE1                  ©ART          Artist
    bpm      BPM                       TBPM                  tmpo          BPM
    …        any other name            TXXX:name             ----:name     name

A field without a place of its own is stored under a free name, as in the last line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

FREE_FORM = "----:com.apple.iTunes:"
USER_TEXT = "TXXX:"


class TagSystem(StrEnum):
    """A tag system. The two versions of ID3 differ in what they can store."""

    VORBIS = "vorbis"
    ID3_23 = "id3v2.3"
    ID3_24 = "id3v2.4"
    MP4 = "mp4"
    APE = "apev2"


class FieldKind(StrEnum):
    """The type of a field's values."""

    TEXT = "text"
    NUMBER = "number"  # with a total in a field of its own
    TOTAL = "total"
    DATE = "date"
    FLAG = "flag"
    INTEGER = "integer"
    GAIN = "gain"
    PEAK = "peak"
    COMMENT = "comment"
    LYRICS = "lyrics"
    PERSON = "person"  # with a role


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: Its name here, and in Vorbis comments (upper or lower case).
        id3: The frame; `TXXX:…` and `UFID:…` with their names, people with their role.
        mp4: The atom.
        ape: The key.
        also: Its other names where names are free, in lower case.
    """

    name: str
    id3: str = ""
    mp4: str = ""
    ape: str = ""
    kind: FieldKind = FieldKind.TEXT
    also: tuple[str, ...] = ()

    @property
    def vorbis(self) -> str:
        """Its name in Vorbis comments."""
        return self.name.upper()


def _musicbrainz(name: str, title: str, *, id3: str = "") -> Field:
    return Field(
        name, id3 or USER_TEXT + title, FREE_FORM + title, name.upper(), also=(title.lower(),)
    )


_TEXT, _KIND = FieldKind.TEXT, FieldKind

FIELDS: tuple[Field, ...] = (
    Field("title", "TIT2", "\xa9nam", "Title", also=("name",)),
    Field("artist", "TPE1", "\xa9ART", "Artist", also=("author",)),
    Field(
        "albumartist",
        "TPE2",
        "aART",
        "Album Artist",
        also=("album artist", "album_artist", "album-artist", "wm/albumartist", "ensemble"),
    ),
    Field("album", "TALB", "\xa9alb", "Album", also=("wm/albumtitle",)),
    Field(
        "tracknumber",
        "TRCK",
        "trkn",
        "Track",
        _KIND.NUMBER,
        ("track", "tracknum", "track number", "wm/tracknumber", "wm/track"),
    ),
    Field(
        "tracktotal", "", "", "", _KIND.TOTAL, ("totaltracks", "trackc", "tracks", "total tracks")
    ),
    Field(
        "discnumber",
        "TPOS",
        "disk",
        "Disc",
        _KIND.NUMBER,
        ("disc", "disk", "disknumber", "disc number", "wm/partofset", "part of set"),
    ),
    Field("disctotal", "", "", "", _KIND.TOTAL, ("totaldiscs", "discc", "discs", "total discs")),
    Field("date", "TDRC", "\xa9day", "Year", _KIND.DATE, ("year", "wm/year", "tyer", "tdrc")),
    Field(
        "originaldate",
        "TDOR",
        FREE_FORM + "ORIGINALDATE",
        "ORIGINALDATE",
        _KIND.DATE,
        (
            *("originalyear", "original date", "original year", "origyear", "tory", "tdor"),
            *("original release date", "wm/originalreleasetime", "wm/originalreleaseyear"),
        ),
    ),
    Field("genre", "TCON", "\xa9gen", "Genre", also=("wm/genre",)),
    Field("composer", "TCOM", "\xa9wrt", "Composer", also=("wm/composer",)),
    Field("lyricist", "TEXT", FREE_FORM + "LYRICIST", "Lyricist", also=("wm/writer",)),
    Field("conductor", "TPE3", FREE_FORM + "CONDUCTOR", "Conductor", also=("wm/conductor",)),
    Field(
        "remixer", "TPE4", FREE_FORM + "REMIXER", "MixArtist", also=("mixartist", "wm/modifiedby")
    ),
    Field("arranger", "TIPL:arranger", FREE_FORM + "ARRANGER", "Arranger", _KIND.PERSON),
    Field(
        "engineer",
        "TIPL:engineer",
        FREE_FORM + "ENGINEER",
        "Engineer",
        _KIND.PERSON,
        ("wm/engineer",),
    ),
    Field(
        "producer",
        "TIPL:producer",
        FREE_FORM + "PRODUCER",
        "Producer",
        _KIND.PERSON,
        ("wm/producer",),
    ),
    Field("mixer", "TIPL:mix", FREE_FORM + "MIXER", "Mixer", _KIND.PERSON, ("wm/mixer",)),
    Field("djmixer", "TIPL:DJ-mix", FREE_FORM + "DJMIXER", "DJMixer", _KIND.PERSON),
    Field("performer", "TMCL:", FREE_FORM + "PERFORMER", "Performer", _KIND.PERSON),
    Field(
        "label",
        "TPUB",
        FREE_FORM + "LABEL",
        "Label",
        also=("organization", "publisher", "wm/publisher"),
    ),
    Field("copyright", "TCOP", "cprt", "Copyright"),
    Field("isrc", "TSRC", FREE_FORM + "ISRC", "ISRC", also=("wm/isrc",)),
    Field("barcode", USER_TEXT + "BARCODE", FREE_FORM + "BARCODE", "Barcode", also=("wm/barcode",)),
    Field(
        "catalognumber",
        USER_TEXT + "CATALOGNUMBER",
        FREE_FORM + "CATALOGNUMBER",
        "CatalogNumber",
        also=("wm/catalogno", "catalog #"),
    ),
    Field("media", "TMED", FREE_FORM + "MEDIA", "Media", also=("wm/media",)),
    Field("mood", "TMOO", FREE_FORM + "MOOD", "Mood", also=("wm/mood",)),
    Field("bpm", "TBPM", "tmpo", "BPM", _KIND.INTEGER, ("tempo", "wm/beatsperminute", "tbpm")),
    Field("key", "TKEY", FREE_FORM + "initialkey", "KEY", also=("initialkey", "initial key")),
    Field("language", "TLAN", FREE_FORM + "LANGUAGE", "Language", also=("wm/language",)),
    Field(
        "grouping",
        "TIT1",
        "\xa9grp",
        "Grouping",
        also=("contentgroup", "wm/contentgroupdescription"),
    ),
    Field("subtitle", "TIT3", FREE_FORM + "SUBTITLE", "Subtitle", also=("wm/subtitle",)),
    Field(
        "discsubtitle",
        "TSST",
        FREE_FORM + "DISCSUBTITLE",
        "DiscSubtitle",
        also=("setsubtitle", "wm/setsubtitle"),
    ),
    Field("work", USER_TEXT + "WORK", "\xa9wrk", "WORK"),
    Field("narrator", USER_TEXT + "NARRATOR", "\xa9nrt", "NARRATOR"),
    Field("show", USER_TEXT + "SHOW", "tvsh", "SHOW"),
    Field("description", USER_TEXT + "DESCRIPTION", "desc", "DESCRIPTION"),
    Field("synopsis", USER_TEXT + "SYNOPSIS", "ldes", "SYNOPSIS", also=("longdescription",)),
    Field("website", "WOAR", FREE_FORM + "WEBSITE", "Weblink", also=("weblink", "wm/authorurl")),
    Field("comment", "COMM", "\xa9cmt", "Comment", _KIND.COMMENT),
    Field(
        "lyrics",
        "USLT",
        "\xa9lyr",
        "Lyrics",
        _KIND.LYRICS,
        (
            "unsyncedlyrics",
            "unsynced lyrics",
            "unsynchronizedlyrics",
            "uslt",
            "wm/lyrics",
            "syncedlyrics",
        ),
    ),
    Field(
        "compilation",
        "TCMP",
        "cpil",
        "Compilation",
        _KIND.FLAG,
        ("tcmp", "cpil", "itunescompilation", "wm/iscompilation"),
    ),
    Field(
        "titlesort", "TSOT", "sonm", "TITLESORT", also=("title-sort", "sort_name", "titlesortorder")
    ),
    Field(
        "artistsort",
        "TSOP",
        "soar",
        "ARTISTSORT",
        also=("artist-sort", "sort_artist", "wm/artistsortorder", "artistsortorder"),
    ),
    Field(
        "albumsort",
        "TSOA",
        "soal",
        "ALBUMSORT",
        also=("album-sort", "sort_album", "wm/albumsortorder", "albumsortorder"),
    ),
    Field(
        "albumartistsort",
        "TSO2",
        "soaa",
        "ALBUMARTISTSORT",
        also=("sort_album_artist", "wm/albumartistsortorder", "albumartistsortorder"),
    ),
    Field(
        "composersort", "TSOC", "soco", "COMPOSERSORT", also=("sort_composer", "composersortorder")
    ),
    Field(
        "itunesadvisory",
        USER_TEXT + "ITUNESADVISORY",
        "rtng",
        "ITUNESADVISORY",
        _KIND.INTEGER,
        ("rating_advisory",),
    ),
    *(
        Field(name, USER_TEXT + name, FREE_FORM + name, name.upper(), kind)
        for name, kind in (
            ("replaygain_track_gain", _KIND.GAIN),
            ("replaygain_track_peak", _KIND.PEAK),
            ("replaygain_album_gain", _KIND.GAIN),
            ("replaygain_album_peak", _KIND.PEAK),
        )
    ),
    _musicbrainz("musicbrainz_trackid", "MusicBrainz Track Id", id3="UFID:http://musicbrainz.org"),
    _musicbrainz("musicbrainz_releasetrackid", "MusicBrainz Release Track Id"),
    _musicbrainz("musicbrainz_albumid", "MusicBrainz Album Id"),
    _musicbrainz("musicbrainz_artistid", "MusicBrainz Artist Id"),
    _musicbrainz("musicbrainz_albumartistid", "MusicBrainz Album Artist Id"),
    _musicbrainz("musicbrainz_releasegroupid", "MusicBrainz Release Group Id"),
    _musicbrainz("musicbrainz_workid", "MusicBrainz Work Id"),
    _musicbrainz("musicbrainz_discid", "MusicBrainz Disc Id"),
    _musicbrainz("releasetype", "MusicBrainz Album Type"),
    _musicbrainz("releasestatus", "MusicBrainz Album Status"),
    _musicbrainz("releasecountry", "MusicBrainz Album Release Country"),
    _musicbrainz("acoustid_id", "Acoustid Id"),
    _musicbrainz("acoustid_fingerprint", "Acoustid Fingerprint"),
)
BY_NAME: Mapping[str, Field] = MappingProxyType({one.name: one for one in FIELDS})
TOTALS = MappingProxyType({"tracknumber": "tracktotal", "discnumber": "disctotal"})

_ALIASES = {
    **{alias: one.name for one in FIELDS for alias in one.also},
    **{one.ape.lower(): one.name for one in FIELDS if one.ape},
    **{one.name: one.name for one in FIELDS},
}
BY_FRAME: Mapping[str, Field] = MappingProxyType({one.id3: one for one in FIELDS if one.id3})
BY_ATOM: Mapping[str, Field] = MappingProxyType({one.mp4: one for one in FIELDS if one.mp4})


def canonical(name: str) -> str:
    """Return the name here of a field with a free name; unknown names stay."""
    plain = " ".join(name.strip().lower().split())
    return _ALIASES.get(plain) or _ALIASES.get(plain.replace("musicbrainz/", "musicbrainz "), plain)
