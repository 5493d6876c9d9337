from __future__ import annotations

from dataclasses import dataclass

import pytest
from jinja2 import Environment, UndefinedError

from sidecar.web.undefined import OfObjects


@dataclass
class Row:
    title: str
    told: dict[str, str]


@pytest.mark.parametrize(
    "text",
    ["{{ row.name }}", "{% if row.name %}x{% endif %}", "{% for x in row.names %}{% endfor %}"],
)
def test_an_attribute_that_an_object_does_not_have_is_an_error(text: str) -> None:
    template = Environment(undefined=OfObjects, autoescape=True).from_string(text)

    with pytest.raises(UndefinedError, match="has no attribute 'name"):
        template.render(row=Row("Tone 1", {}))


@pytest.mark.parametrize(
    "text", ["{{ row.title }}", "{{ row.told.nothing }}Tone 1", "{{ no }}Tone 1"]
)
def test_what_may_be_missing_is_empty(text: str) -> None:
    template = Environment(undefined=OfObjects, autoescape=True).from_string(text)

    assert template.render(row=Row("Tone 1", {})) == "Tone 1"
