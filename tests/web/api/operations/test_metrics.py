"""`/metrics` is closed until it is opened, and tells figures but no names."""

from __future__ import annotations

import logging

from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, TestResponse

from sidecar.domain.downloads.download import Status
from sidecar.jellyfin.http.statistics import NO_ANSWER, RequestStatistics
from sidecar.services.health.problems import Problem, ProblemKind
from tests.services.conftest import STICK
from tests.web.house import ANN, EVE, WebHouse

KEY = "a key of its own, long enough"
HERE = {"REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1"}


def ask(house: WebHouse, key: str = "", **environ: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Client(house.web.wsgi).get(
        "/metrics", headers=headers, environ_overrides={**HERE, **environ}
    )


def figures(house: WebHouse) -> dict[tuple[str, ...], float]:
    answer = ask(house, KEY)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_is_off_then_for_this_machine_then_for_the_key(house: WebHouse) -> None:
    configuration = house.services.configuration
    _, ann_s = house.store.api_keys.create(ANN.user_id, "A program")
    _, eve_s = house.store.api_keys.create(EVE.user_id, "An admin's")
    elsewhere = {"REMOTE_ADDR": "192.168.1.7"}
    assert [ask(house, one).status_code for one in ("", eve_s)] == [404, 404]

    configuration.change({"metrics.enabled": True})
    assert ask(house).status_code == 200
    for environ in (
        elsewhere,
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
    ):
        assert [ask(house, one, **environ).status_code for one in ("", eve_s)] == [403, 403]

    configuration.change({"metrics.key": KEY})
    for wrong in ("", ann_s, eve_s, KEY[:-1], f"{KEY}x", "ü"):
        assert ask(house, wrong).status_code == 401, wrong
        assert ask(house, wrong, **elsewhere).status_code == 401, wrong
    assert ask(house, KEY, **elsewhere).status_code == 200
    # A key for figures is none for anything else.
    bearer = {"Authorization": f"Bearer {KEY}"}
    assert Client(house.web.wsgi).get("/api/v1/downloads", headers=bearer).status_code == 401
    assert KEY not in house.come_in(EVE).get("/api/v1/settings").text


def test_it_tells_figures_and_no_names(house: WebHouse) -> None:
    house.services.configuration.change({"metrics.enabled": True, "metrics.key": KEY})
    done = house.add(1, status=Status.COMPLETED, title="A secret song", body=b"x" * 700)
    house.add(2, title="Another secret", size=5000)
    house.add(3, status=Status.FAILED, title="A third secret")
    running = house.begin(house.add(4))
    house.transfer({running.id: 900}, seconds=1)
    log = logging.LogRecord("sidecar", logging.ERROR, "", 0, "ann's token is gone", None, None)
    house.recent.emit(log)
    house.services.accounts.problems.note(ProblemKind.SERVER, "jellyfin", Problem("away", "away"))

    found = figures(house)

    assert found["sidecar_downloads", "completed"] == 1
    assert found["sidecar_downloads", "failed"] == 1
    assert found["sidecar_downloads", "downloading"] == 1
    assert found["sidecar_queue_bytes",] == 5000
    assert found["sidecar_device_used_bytes", STICK] == 700
    assert found["sidecar_device_files", STICK] == 1
    assert found["sidecar_device_usable", STICK] == 1
    assert found["sidecar_transferred_bytes_total",] == 900
    assert found["sidecar_transfer_bytes_per_second",] > 0
    assert found["sidecar_jellyfin_up",] == 0
    assert found["sidecar_problems", "server"] == 1
    assert found["sidecar_log_records_total", "ERROR"] == 1
    assert found["process_resident_memory_bytes",] > 1_000_000
    text = ask(house, KEY).text
    for name in ("secret", "Car stick", ANN.name, ANN.user_id, done.item_id, "token"):
        assert name not in text, name


def test_requests_are_counted_by_route_and_ids_and_names_are_none() -> None:
    counted = RequestStatistics()
    for path in (("Items", "f" * 32, "File"), ("Items", "0" * 32, "File"), ("Items", "Rock")):
        counted.note("GET", path, status=200, seconds=0.5)
    counted.note("GET", ("Items",), status=None, seconds=10)

    assert [(one.route, one.status, one.requests, one.seconds) for one in counted.all()] == [
        ("/Items", NO_ANSWER, 1, 10),
        ("/Items/{id}", "200", 1, 0.5),
        ("/Items/{id}/File", "200", 2, 1.0),
    ]
