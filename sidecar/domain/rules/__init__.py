"""The rules: each turns what people do into wishes. One file for each rule."""

from __future__ import annotations
