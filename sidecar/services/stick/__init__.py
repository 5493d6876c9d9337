"""What a device says of itself to whoever opens it: a page for people, a manifest for programs."""

from __future__ import annotations
