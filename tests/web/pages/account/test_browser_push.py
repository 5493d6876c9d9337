"""A browser is told, over a loopback push service that reads it with the browser's keys."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from werkzeug.test import TestResponse

from sidecar.domain.downloads.download import Status
from sidecar.outgoing.web_push import CURVE, point, to_text
from sidecar.services.notifications.push import BrowserPush
from sidecar.store.backup import copy_database
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Answering, Reply, answering
from tests.web.house import ANN, BEN, Browser, WebHouse, web_house

HERE = "/profile/notifications/browser"
CANARY = "okapi-4711-canary"


@dataclass
class Own:
    """The keys of a browser, and what its push service was given for it."""

    service: Answering
    path: str = f"/send/{CANARY}"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def subscription(self) -> dict[str, str]:
        """What the browser tells the sidecar."""
        keys = {"p256dh": to_text(point(self.key)), "auth": to_text(self.auth)}
        return {"endpoint": self.service.url + self.path, **keys}

    def told(self) -> list[dict[str, Any]]:
        """Return the messages that came, decrypted, and forget them."""
        found = [self._read(one.body) for one in self.service.asked(self.path)]
        self.service.requests.clear()
        return found

    def _read(self, body: bytes) -> dict[str, Any]:
        salt, theirs, sealed = body[:16], body[21:86], body[86:]
        assert body[16:21] == (4096).to_bytes(4, "big") + bytes([65])
        public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs)
        shared = self.key.exchange(ec.ECDH(), public)
        secret = derive(shared, self.auth, b"WebPush: info\0" + point(self.key) + theirs, 32)
        content_key = derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derive(secret, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(content_key).decrypt(nonce, sealed, None)
        assert plain.endswith(b"\2")
        read: dict[str, Any] = json.loads(plain[:-1])
        return read


def derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


@pytest.fixture
def house(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    with web_house(quick_path, clock, check_push=lambda _url: None) as built:
        yield built


@pytest.fixture
def own() -> Iterator[Own]:
    with answering() as service:
        own = Own(service)
        service.routes[f"POST {own.path}"] = Reply(201)
        yield own


def push(house: WebHouse) -> BrowserPush:
    return house.services.web.push


def begin(browser: Browser, own: Own) -> TestResponse:
    return browser.send("POST", HERE, own.subscription)


def pass_time(house: WebHouse) -> None:
    house.services.web.notifier.step()
    house.clock.advance(360)
    house.services.web.notifier.step()


def test_a_browser_is_told_what_its_person_chose_until_it_signs_out(
    house: WebHouse, ann: Browser, own: Own
) -> None:
    house.add(9, status=Status.COMPLETED)
    assert begin(ann, own).status_code == 204
    assert "This browser is told." in ann.get("/profile/notifications").text
    pass_time(house)
    assert own.told() == [], "what was before is not told"

    assert "The test was sent" in ann.press("/profile/notifications/test").text
    [request] = own.service.requests
    assert {"TTL", "Urgency"} <= set(request.headers)
    assert request.headers["Content-Encoding"] == "aes128gcm"
    assert push(house).public_key() in request.headers["Authorization"]
    [told] = own.told()
    assert (told["title"], told["path"]) == ("Jellyfin Sidecar", "profile/notifications")

    house.add(1, ANN, status=Status.COMPLETED)
    house.add(2, BEN, status=Status.COMPLETED)
    pass_time(house)
    [told] = own.told()
    assert told["body"] == "1 new file is on Car stick, and no more is on the way."
    assert told["path"] == "devices"
    house.add(3, ANN, status=Status.FAILED)
    house.add(4, ANN, status=Status.COMPLETED)
    pass_time(house)
    [told] = own.told()
    assert (len(told["body"].splitlines()), told["path"]) == (2, "")

    ann.press("/sign-out")
    assert push(house).browsers(ANN.user_id) == 0
    house.add(5, ANN, status=Status.FAILED)
    pass_time(house)
    assert own.told() == []


def test_a_browser_that_is_gone_is_forgotten_and_one_that_fails_is_tried_again(
    house: WebHouse, ann: Browser, own: Own
) -> None:
    other = house.come_in(ANN)
    for status in (404, 410, 403):
        assert begin(ann, own).status_code == 204
        own.service.routes[f"POST {own.path}"] = Reply(status)
        assert push(house).send(ANN.user_id, "a", "b") == [False]
        assert push(house).browsers(ANN.user_id) == 0
    assert begin(other, own).status_code == 204
    own.service.routes[f"POST {own.path}"] = Reply(302, headers={"Location": own.path})
    own.service.requests.clear()
    assert push(house).send(ANN.user_id, "a", "b") == [False]
    assert len(own.service.requests) == 1, "no redirection is followed"
    assert push(house).failing() == ["It answered 302"]
    doctor = house.services.web.doctor
    doctor.begin()
    doctor.step()
    wrong = {one.subject: one.text for one in doctor.now().wrong}
    assert wrong["Notifications"].endswith("did not reach its push service: It answered 302")
    # Its tests have a clock of their own, the server that stands for Jellyfin has the machine's.
    assert "of Jellyfin and of this machine are" in wrong["Clock"]
    house.clock.advance(60)
    assert "not taken by a browser" in other.press("/profile/notifications/test").text
    own.service.routes[f"POST {own.path}"] = Reply(201)
    assert push(house).send(ANN.user_id, "a", "b" * 5000) == [True]
    assert push(house).failing() == []
    other.press(f"{HERE}/end")
    assert push(house).browsers(ANN.user_id) == 0


def test_where_a_browser_is_told_is_as_secret_as_a_token(
    house: WebHouse, ann: Browser, ben: Browser, own: Own, tmp_path: Path
) -> None:
    assert begin(ann, own).status_code == 204
    page = ann.get("/profile/notifications").text
    assert push(house).public_key() in page
    assert CANARY not in page
    assert "This browser is told." not in ben.get("/profile/notifications").text
    house.services.web.push.send(ANN.user_id, "a", "b")
    key = push(house).public_key()
    for name, secrets in (("with", True), ("without", False)):
        copy = tmp_path / name
        copy_database(house.store.db.path, copy, with_secrets=secrets)
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("SELECT count(*) FROM push_subscriptions").fetchone() == (0,)
            kept = database.execute("SELECT value FROM meta WHERE key = 'push-key'").fetchall()
        assert bool(kept) is secrets
        assert CANARY.encode() not in copy.read_bytes()
    assert CANARY.encode() not in house.store.db.path.read_bytes()
    # A session that was not used for a week is over.
    house.clock.advance(8 * 24 * 3600)
    assert push(house).browsers(ANN.user_id) == 0
    assert push(house).public_key() == key


def test_only_what_a_browser_can_have_made_is_taken(
    quick_path: Path, clock: FakeClock, own: Own
) -> None:
    with web_house(quick_path, clock) as house:
        ann, good = house.come_in(ANN), own.subscription
        public = good | {"endpoint": "https://fcm.googleapis.com/fcm/send/abc"}
        for bad in (
            good,
            public | {"p256dh": "BAAA"},
            public | {"p256dh": "ä"},
            public | {"auth": "AAAA"},
        ):
            refused = ann.send("POST", HERE, bad)
            assert refused.status_code == 422, bad
        _, key = house.store.api_keys.create(ANN.user_id, "A program")
        by_key = {"Authorization": f"Bearer {key}"}
        assert ann.client.post(HERE, json=public, headers=by_key).status_code == 409
        assert own.service.requests == []
        assert push(house).browsers(ANN.user_id) == 0
        assert ann.send("POST", HERE, public).status_code == 204
