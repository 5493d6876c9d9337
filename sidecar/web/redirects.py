"""Validates the redirect targets of requests: only local paths are accepted."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from flask import current_app, request


def here() -> str:
    """Return the path and query of the current page; for a form's request, of the form's page."""
    if request.method != "GET":
        return asked_from() or "/"
    return request.full_path.rstrip("?")


def own_path(wanted: str) -> str | None:
    """Return the path if it is local; None if it could lead to another site."""
    plain = wanted.isprintable() and "\\" not in wanted and " " not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else None


def wanted() -> str | None:
    """Return the local path in the request's `next` parameter; None if there is none."""
    return own_path(request.values.get("next", ""))


def asked_from() -> str | None:
    """Return the local path of the page that sent the request, as far as the browser tells it."""
    try:
        page = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    except ValueError:
        return None
    path = page.path.removeprefix(request.script_root)
    return own_path(f"{path}?{page.query}" if page.query else path)


def safe_target(otherwise: str) -> str:
    """Return the URL in the request's `next` parameter, or `otherwise` if it has no local path.

    Args:
        otherwise: A URL from `url_for`.
    """
    path = wanted()
    return request.script_root + path if path else otherwise


def page_above() -> str | None:
    """Return the nearest page above the request's path: of an address that only takes a form."""
    routes = current_app.create_url_adapter(request)
    above = filter(own_path, map(str, PurePosixPath(request.path).parents))
    found = next((one for one in above if routes and routes.test(one, "GET")), None)
    return None if found is None else request.script_root + found
