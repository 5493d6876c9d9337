"""The data model of a demo library: albums, films, series, playlists and their paths.

It touches no disk and starts no program: `sidecar.demo.content.libraries` holds the contents and
`sidecar.demo.content.media` makes the files.

    Recipe ── albums ── discs ── songs        Music/Artist/Album (Year)/1-02 - Title.flac
           ── films, series ── episodes       Movies/Film (Year)/Film (Year).mkv
           ── playlists ── picks              (album, title)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST_NAME_BYTES = 255

Colour = tuple[int, int, int]
Colours = tuple[Colour, Colour]
"""A picture's two colours, each red, green and blue from 0 to 255."""


class AlbumCodec(StrEnum):
    """How an album's tracks are encoded; the value is what Jellyfin calls the codec."""

    FLAC = "flac"
    MP3 = "mp3"
    OPUS = "opus"
    AAC = "aac"

    @property
    def ending(self) -> str:
        """Return the file name's ending, with its dot."""
        return ".m4a" if self is AlbumCodec.AAC else f".{self.value}"


class SongSound(StrEnum):
    """The kinds of sound that a song can have."""

    MUSIC = "music"
    RAIN = "rain"


@dataclass(frozen=True, slots=True)
class Song:
    """One track of an album.

    Attributes:
        artists: Empty means the album's artists.
        lyrics: Timed lines (`[mm:ss.xx]text`), or None.
    """

    title: str
    seconds: int
    artists: tuple[str, ...] = ()
    lyrics: str | None = None
    sound: SongSound = SongSound.MUSIC


@dataclass(frozen=True, slots=True)
class Album:
    """An album, and how its files are named on the disk.

    Attributes:
        title: None for loose files without any tags.
        bit_depth: Bits of a FLAC sample; lossy codecs have none.
        has_disc_folders: Whether each disc has a folder of its own.
    """

    title: str | None
    artists: tuple[str, ...]
    year: int | None
    genres: tuple[str, ...]
    codec: AlbumCodec
    colours: Colours
    discs: tuple[tuple[Song, ...], ...]
    bit_depth: int = 16
    sample_rate: int = 44_100
    has_disc_folders: bool = False

    @property
    def folder(self) -> str:
        """Return the album's folder, relative to the library."""
        if self.title is None:
            return "Music/Loose recordings"
        artist, title = self.artists[0], _with_year(self.title, self.year)
        return f"Music/{to_file_name(artist)}/{to_file_name(title)}"


@dataclass(frozen=True, slots=True)
class Track:
    """A song with its position on an album."""

    album: Album
    song: Song
    disc: int
    number: int

    @property
    def is_tagged(self) -> bool:
        """Return whether the file carries any tags."""
        return self.album.title is not None

    @property
    def artists(self) -> tuple[str, ...]:
        """Return who plays on this track."""
        return self.song.artists or self.album.artists

    @property
    def path(self) -> str:
        """Return the file's path, relative to the library."""
        ending = self.album.codec.ending
        if not self.is_tagged:
            return f"{self.album.folder}/{to_file_name(self.song.title, ending)}"
        place = f"{self.number:02}"
        if self.album.has_disc_folders:
            place = f"Disc {self.disc}/{place}"
        elif len(self.album.discs) > 1:
            place = f"{self.disc}-{place}"
        return f"{self.album.folder}/{place} - {to_file_name(self.song.title, ending, spare=7)}"


@dataclass(frozen=True, slots=True)
class Film:
    """A short film.

    Attributes:
        ending: `.mkv` or `.mp4`.
        hue: Degrees by which the test picture's colours are turned.
    """

    title: str
    year: int
    seconds: int
    ending: str
    hue: int
    colours: Colours

    @property
    def folder(self) -> str:
        """Return the film's folder, relative to the library."""
        return f"Movies/{to_file_name(_with_year(self.title, self.year))}"

    @property
    def path(self) -> str:
        """Return the film's path, relative to the library."""
        return f"{self.folder}/{to_file_name(_with_year(self.title, self.year), self.ending)}"


@dataclass(frozen=True, slots=True)
class Series:
    """A series; each season is its year and the titles of its episodes."""

    title: str
    seconds: int
    seasons: tuple[tuple[int, tuple[str, ...]], ...]
    colours: Colours

    @property
    def folder(self) -> str:
        """Return the series' folder, relative to the library."""
        return f"Shows/{to_file_name(self.title)}"


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode with its position in a series."""

    series: Series
    title: str
    year: int
    season: int
    number: int

    @property
    def path(self) -> str:
        """Return the file's path, relative to the library."""
        place = f"S{self.season:02}E{self.number:02}"
        name = to_file_name(f"{self.series.title} - {place} - {self.title}", ".mkv")
        return f"{self.series.folder}/Season {self.season:02}/{name}"


@dataclass(frozen=True, slots=True)
class PlaylistRecipe:
    """A playlist of one user; a pick is an album and the title of a song on it."""

    name: str
    owner: str
    picks: tuple[tuple[Album, str], ...]

    def paths(self) -> list[str]:
        """Return the tracks' paths in playing order; a pick that is on no album is a KeyError."""
        return [
            {track.song.title: track.path for track in tracks_of(album)}[title]
            for album, title in self.picks
        ]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole library. Raise `version` when any file would come out different."""

    name: str
    version: int
    albums: tuple[Album, ...]
    films: tuple[Film, ...] = ()
    series: tuple[Series, ...] = ()
    playlists: tuple[PlaylistRecipe, ...] = ()

    def tracks(self) -> Iterator[Track]:
        """Yield every track of every album, in order."""
        for album in self.albums:
            yield from tracks_of(album)

    def episodes(self) -> Iterator[Episode]:
        """Yield every episode of every series, in order."""
        for series in self.series:
            for season, (year, titles) in enumerate(series.seasons, start=1):
                for number, title in enumerate(titles, start=1):
                    yield Episode(series, title, year, season, number)


def tracks_of(album: Album) -> Iterator[Track]:
    """Yield an album's tracks, numbered from 1 on each disc."""
    for disc, songs in enumerate(album.discs, start=1):
        for number, song in enumerate(songs, start=1):
            yield Track(album, song, disc, number)


def to_file_name(name: str, ending: str = "", *, spare: int = 0) -> str:
    """Return `name` as an ext4 file name: as it is, but for the slash and what is too long.

    Args:
        name: What people call it.
        ending: The ending to append, which shortening never eats.
        spare: Bytes that the caller puts in front.
    """
    room = LONGEST_NAME_BYTES - len(ending.encode()) - spare
    return name.replace("/", "_").encode()[:room].decode(errors="ignore") + ending


def _with_year(title: str, year: int | None) -> str:
    return title if year is None else f"{title} ({year})"
