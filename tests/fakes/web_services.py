"""The services of the web for tests that hand in some of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from sidecar.web.services import WebServices


def services_of(desk: object, **others: object) -> WebServices:
    """Return services with this one to sign in and for downloads; what is not given is None."""
    same = dict.fromkeys(("sign_in", "downloads", "devices", "notices", "system"), desk)
    if "preferences" in others:
        same["settings"] = others["preferences"]
    given = same | others
    names = dict.fromkeys(WebServices.__dataclass_fields__)
    return cast("WebServices", SimpleNamespace(**(names | given)))
