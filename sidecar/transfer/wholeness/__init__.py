"""Whether a media file is whole: its structure is walked to the end, and ffmpeg decodes it."""

from __future__ import annotations

from sidecar.transfer.wholeness.checker import WholenessChecker

__all__ = ["WholenessChecker"]
