"""Templates ask for pages that are there: a name that no page has would hide a part for ever."""

from __future__ import annotations

import re

from sidecar.web.app import web_files
from tests.web.house import WebHouse

ASKED = re.compile(r'has_page\("([^"]+)"\)')
# Only while nothing is set up.
AT_FIRST = {"set_up.show"}


def test_each_page_that_a_template_asks_for_exists(house: WebHouse) -> None:
    texts = [one.read_text("utf-8") for one in web_files().templates.rglob("*.html")]
    asked = {name for text in texts for name in ASKED.findall(text)}

    assert asked > AT_FIRST
    assert asked - AT_FIRST <= set(house.web.flask.view_functions)
