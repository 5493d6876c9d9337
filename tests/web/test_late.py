"""The API is an application of its own, which is made with the first request for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from flask import Flask
from werkzeug.test import Client

from sidecar.web.app import Web
from sidecar.web.late import LateApp

TOGETHER = 4


def test_requests_that_come_together_get_one_application() -> None:
    made: list[Flask] = []
    all_there = Barrier(TOGETHER)

    def make() -> Flask:
        made.append(Flask("late"))
        return made[-1]

    late = LateApp(make)

    def ask(_number: int) -> tuple[int, Flask]:
        all_there.wait(timeout=60)
        return Client(late).get("/nowhere").status_code, late.flask

    assert made == []
    with ThreadPoolExecutor(TOGETHER) as threads:
        told = list(threads.map(ask, range(TOGETHER)))

    assert len(made) == 1
    assert told == [(404, made[0])] * TOGETHER


def test_what_one_application_links_to_is_where_the_other_serves_it(web: Web) -> None:
    served, linked = (
        {
            (rule.endpoint, rule.rule)
            for app in (web.flask, web.api.flask)
            for rule in app.url_map.iter_rules()
            if rule.build_only is is_linked
        }
        for is_linked in (False, True)
    )

    assert linked <= served
    assert {endpoint for endpoint, _ in linked} >= {"api.cover", "items.cover", "media.file"}


def test_whatever_is_below_api_and_nothing_else_is_the_api_s(web: Web) -> None:
    of_pages, of_api = (
        {rule.rule for rule in app.url_map.iter_rules() if not rule.build_only}
        for app in (web.flask, web.api.flask)
    )

    assert [one for one in of_pages if one.startswith("/api/")] == []
    assert [one for one in of_api if not one.startswith("/api/")] == []
