"""What a program is told of a body that is refused."""

from __future__ import annotations

from typing import Annotated

import pytest
from flask import Flask
from pydantic import Field

from sidecar.web.api.downloads.actions import ItemId
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body, NoBody, read


class _Wish(Body):
    item_id: str
    device: str | None = None


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (_Wish, "The body takes item_id, device and nothing else."),
        (NoBody, "The body takes nothing."),
    ],
)
def test_who_sends_a_field_that_is_not_known_is_told_those_that_are(
    kind: type[Body], told: str
) -> None:
    sent = {"item_id": "1", "device_name": "Car stick"}
    context = Flask("test").test_request_context(method="POST", json=sent)
    with context, pytest.raises(ApiError) as refused:
        read(kind)

    assert str(refused.value) == told


class _Named(Body):
    item_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class _OfJellyfin(Body):
    item_id: ItemId


@pytest.mark.parametrize("kind", [_Named, _OfJellyfin])
def test_who_sends_a_bad_id_is_told_what_one_looks_like(kind: type[Body]) -> None:
    context = Flask("test").test_request_context(method="POST", json={"item_id": "1"})
    with context, pytest.raises(ApiError) as refused:
        read(kind)

    assert str(refused.value) == "item_id: Should be an id of 32 hexadecimal digits (0-9, a-f)"
