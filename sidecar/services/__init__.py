"""The use cases, one package for each capability: they combine the layers below."""

from __future__ import annotations
