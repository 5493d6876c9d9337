"""Numbers in the paths of routes."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import IntegerConverter
from werkzeug.test import Client

from sidecar.web.app import Web
from sidecar.web.request.errors import FOR_PROGRAMS
from sidecar.web.request.query_params import LARGEST_ID
from tests.web.all_routes import all_routes


@pytest.mark.parametrize(
    "number", [LARGEST_ID + 1, 2552999499061682378941399040, "9" * 5000, -1, "1_0"]
)
def test_a_number_that_no_row_can_have_leads_nowhere(web: Web, number: object) -> None:
    to, looked_at = all_routes(web).bind("localhost"), 0
    for rule in all_routes(web).iter_rules():
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


def test_who_opens_the_address_of_a_form_is_led_to_the_page_above_it(web: Web) -> None:
    browser, to, led = Client(web.wsgi), all_routes(web).bind("localhost"), {}
    forms = [
        rule.rule
        for rule in all_routes(web).iter_rules()
        if "POST" in (rule.methods or ()) and not rule.arguments and not to.test(rule.rule, "GET")
    ]
    for path in (*forms, "/devices/one/settings"):
        if not path.startswith(FOR_PROGRAMS):
            answer = browser.get(path)
            assert answer.status_code == 303, path
            led[path] = answer.location or ""
    assert all(to.test(above, "GET") for above in led.values())
    assert led["/devices/add/folder"] == "/devices/add"
    assert led["/devices/one/settings"] == "/devices/one"
    assert led["/sign-out"] == "/"
