"""Sets cookies: none is read by scripts, and one that came over https goes over https only."""

from __future__ import annotations

from typing import Literal

from flask import request
from werkzeug.wrappers import Response

# What a browser keeps of a choice or of itself, in seconds.
A_YEAR_S = 365 * 24 * 3600


def set_cookie(
    response: Response,
    name: str,
    value: str,
    *,
    path: str,
    lasts_s: int | None = None,
    same_site: Literal["Lax", "Strict"] = "Lax",
) -> None:
    """Set a cookie; without `lasts_s` until the browser is closed."""
    response.set_cookie(
        name,
        value,
        max_age=lasts_s,
        path=path,
        secure=request.is_secure,
        httponly=True,
        samesite=same_site,
    )
