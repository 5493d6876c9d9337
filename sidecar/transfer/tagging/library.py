"""The modules of mutagen, typed as `Any`: mutagen claims to be typed, but most calls are not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

mutagen: Any = import_module("mutagen")
apev2: Any = import_module("mutagen.apev2")
asf: Any = import_module("mutagen.asf")
flac: Any = import_module("mutagen.flac")
id3: Any = import_module("mutagen.id3")
mp3: Any = import_module("mutagen.mp3")
mp4: Any = import_module("mutagen.mp4")
