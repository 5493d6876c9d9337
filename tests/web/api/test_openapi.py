from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sidecar.web.api.openapi import PREFIX, described
from sidecar.web.api.operations import OPERATIONS
from sidecar.web.app import Web
from tests.web.house import Browser


def routes_of(web: Web) -> Iterator[tuple[str, str]]:
    for rule in web.flask.url_map.iter_rules():
        if rule.rule.startswith(PREFIX):
            for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield rule.endpoint, verb


def test_every_route_of_the_api_is_described_and_no_other(web: Web) -> None:
    assert set(routes_of(web)) == set(OPERATIONS)


def test_the_description_is_served_to_who_is_signed_in(ann: Browser) -> None:
    told = ann.client.get(f"{PREFIX}/openapi.json").json

    assert told is not None
    assert told["openapi"] == "3.1.0"
    assert f"{PREFIX}/downloads/{{download_id}}/pause" in told["paths"]


def test_every_reference_leads_somewhere(web: Web) -> None:
    told = described(list(web.flask.url_map.iter_rules()))

    names = set(told["components"]["schemas"])  # type: ignore[index]
    assert set(re.findall(r"#/components/schemas/([^'\"]+)", str(told))) <= names


@pytest.mark.parametrize("endpoint", sorted({one for one, _ in OPERATIONS}))
def test_every_argument_of_a_path_is_described(web: Web, endpoint: str) -> None:
    rules = [one for one in web.flask.url_map.iter_rules() if one.endpoint == endpoint]
    told = described(rules)

    for path, verbs in told["paths"].items():  # type: ignore[attr-defined]
        for operation in verbs.values():
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
