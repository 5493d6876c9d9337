"""mutagen's readers, typed as anything: it says that it is typed, but its constructors are not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

File: Any = import_module("mutagen").File
FLAC: Any = import_module("mutagen.flac").FLAC
ID3: Any = import_module("mutagen.id3").ID3
MP3: Any = import_module("mutagen.mp3").MP3
MP4: Any = import_module("mutagen.mp4").MP4
OggOpus: Any = import_module("mutagen.oggopus").OggOpus
Picture: Any = import_module("mutagen.flac").Picture
