"""Numbers in the paths of routes."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import IntegerConverter

from sidecar.web.app import Web
from sidecar.web.request.query_params import LARGEST_ID


@pytest.mark.parametrize(
    "number", [LARGEST_ID + 1, 2552999499061682378941399040, "9" * 5000, -1, "1_0"]
)
def test_a_number_that_no_row_can_have_leads_nowhere(web: Web, number: object) -> None:
    to, looked_at = web.flask.url_map.bind("localhost"), 0
    for rule in web.flask.url_map.iter_rules():
        kinds = rule._converters
        if any(isinstance(one, IntegerConverter) for one in kinds.values()):
            for wanted, leads in ((LARGEST_ID, True), (number, False)):
                path = rule.rule
                for name, kind in kinds.items():
                    is_number = isinstance(kind, IntegerConverter)
                    argument = f"<int:{name}>" if is_number else f"<{name}>"
                    path = path.replace(argument, str(wanted) if is_number else "one")
                for verb in rule.methods or ():
                    if leads:
                        assert to.match(path, verb)[0] == rule.endpoint
                    else:
                        with pytest.raises((NotFound, MethodNotAllowed)):
                            to.match(path, verb)
            looked_at += 1
    assert looked_at > 10
