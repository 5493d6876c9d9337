"""Redirect targets that forms bring along: only paths below our own base URL."""

from __future__ import annotations

from flask import request


def here() -> str:
    """Return the path of the page that is asked for; after a form, the front page."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def own_path(wanted: str) -> str | None:
    """Return the path if it is one of ours, None if it could lead anywhere else."""
    plain = wanted.isprintable() and "\\" not in wanted and " " not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else None


def wanted() -> str | None:
    """Return the path that this request wants to go on to, None if it names none of ours."""
    return own_path(request.values.get("next", ""))


def safe_target(otherwise: str) -> str:
    """Return the address of where this request wants to go on to.

    Args:
        otherwise: An address as `url_for` gives it.
    """
    path = wanted()
    return request.script_root + path if path else otherwise
