"""Programs of admins set up webhooks as the page does."""

from __future__ import annotations

from tests.fakes.servers.answering import Reply, answering
from tests.web.house import Browser

PATH = "/api/v1/webhooks"
CANARY = "/hook/canary-77aa"


def test_an_admin_s_program_adds_changes_tests_and_removes_a_webhook(
    eve: Browser, ann: Browser
) -> None:
    with answering({f"POST {CANARY}": Reply(200)}) as other:
        body = {"url": other.url + CANARY, "events": ["device.ready"]}
        made = eve.send("POST", PATH, body)
        assert made.status_code == 201, made.text
        hook = made.get_json()
        assert len(hook["secret"]) > 20
        there = f"{PATH}/{hook['id']}"
        tested = eve.send("POST", f"{there}/test")
        assert tested.get_json()["is_taken"] is True
        assert eve.send("POST", f"{there}/test").status_code == 422, "one was sent a moment ago"
        assert len(other.asked(CANARY)) == 1

    assert eve.send("PATCH", there, {"events": ["problem.began"]}).status_code == 204
    listed = eve.get(PATH)
    assert listed.get_json()["items"][0]["events"] == ["problem.began"]
    assert listed.get_json()["items"][0]["host"] == other.url.removeprefix("http://")
    for secret in (CANARY, hook["secret"]):
        assert secret not in listed.text
    for bad in (
        {"url": "file:///etc/passwd", "events": ["device.ready"]},
        {"url": "http://me:pw@host/", "events": ["device.ready"]},
        {"url": "http://host/", "events": []},
        {"url": "http://host/", "events": ["test", "nonsense"]},
    ):
        assert eve.send("POST", PATH, bad).status_code == 422, bad
    assert ann.get(PATH).status_code == 403
    assert eve.send("DELETE", there).status_code == 204
    assert eve.send("DELETE", there).status_code == 404
    assert eve.told(PATH)["items"] == []
