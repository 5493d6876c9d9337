from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings, load
from sidecar.config.schema import KeyKind, describe_keys
from sidecar.domain.formats.films import FilmFormat, FilmTarget
from sidecar.domain.formats.formats import Format, Target
from sidecar.errors import ConfigError


def device(tmp_path: Path, **facts: object) -> DeviceSettings:
    described = [{"name": "Car stick", "path": str(tmp_path / "stick"), **facts}]
    environ = {
        "SIDECAR_DEVICES": json.dumps(described),
        "SIDECAR_SERVER__DATA_DIR": str(tmp_path / "data"),
    }
    (found,) = load(environ, file=_empty(tmp_path)).devices
    return found


def _empty(folder: Path) -> Path:
    path = folder / "empty.toml"
    path.touch()
    return path


def test_music_stays_as_it_is_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert device(tmp_path).target is None
    assert device(tmp_path, bitrate="96k").target is None


def test_a_format_has_its_usual_bitrate_or_the_one_that_is_set(tmp_path: Path) -> None:
    assert device(tmp_path, format="opus").target == Target(Format.OPUS, 128)
    assert device(tmp_path, format="mp3", bitrate="320k").target == Target(Format.MP3, 320)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"format": "flac"}, "original"),
        ({"format": "opus", "bitrate": "512k"}, "must be from 32k to 256k for Opus"),
        ({"format": "aac", "bitrate": "16k"}, "must be from 64k to 320k for AAC"),
        ({"format": "mp3", "bitrate": "best"}, 'must be a bitrate such as "128k"'),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    tmp_path: Path, facts: dict[str, object], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        device(tmp_path, **facts)


def test_a_change_of_the_format_looks_at_the_bitrate_too(tmp_path: Path) -> None:
    opus = device(tmp_path, format="opus", bitrate="48k")

    with pytest.raises(ConfigError, match="must be from 64k to 320k for MP3"):
        opus.with_changes({"format": "mp3"})

    assert opus.with_changes({"format": "mp3", "bitrate": "96k"}).target == Target(Format.MP3, 96)


def test_the_formats_are_a_choice_on_the_page() -> None:
    described = {one.name: one for one in describe_keys(DeviceSettings)}

    assert described["format"].kind is KeyKind.CHOICE
    assert described["format"].options == ("original", "opus", "mp3", "aac")
    assert described["bitrate"].can_be_empty


def test_films_come_as_they_are_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert device(tmp_path).film_target is None
    assert device(tmp_path, audio_languages="de").film_target is None
    wanted = device(tmp_path, video="1080p", audio_languages=" DE,eng", subtitle_languages="")
    assert wanted.film_target == FilmTarget(FilmFormat.FULL_HD, ("de", "eng"))
    made = {
        preset: device(tmp_path, video="player", preset=preset).film_format
        for preset in ("generic", "android", "rockbox", "car", "jellyfin")
    }
    full, less = FilmFormat.FULL_HD, FilmFormat.HD
    assert list(made.values()) == [full, full, less, less, FilmFormat.ORIGINAL]
    assert device(tmp_path, video="player", preset="jellyfin").film_target is None
    with pytest.raises(ConfigError, match="codes of languages"):
        device(tmp_path, video="720p", subtitle_languages="german")
    with pytest.raises(ConfigError, match="1080p"):
        device(tmp_path, video="4k")
