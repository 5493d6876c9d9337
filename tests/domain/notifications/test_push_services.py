"""Messages for browsers go to the push services that browsers have, and nowhere else."""

from __future__ import annotations

import pytest

from sidecar.domain.notifications.push_services import LONGEST, check_endpoint


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/abc:123",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://wns2-db5p.notify.windows.com/w/?token=AwYAA",
        "https://web.push.apple.com/QGuQyavXutnMH",
        "https://web.push.apple.com:443/Q",
    ],
)
def test_the_push_services_of_browsers_are_known(url: str) -> None:
    assert check_endpoint(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilnotify.windows.com/x",
        "https://notify.windows.com.evil.example/x",
        "https://me@fcm.googleapis.com/x",
        "https://127.0.0.1\\@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://192.168.1.1/x",
        "https://[::1]/x",
        "https://fcm.googleapis.com:0x50/x",
        "https://fcm.googleapis.com/x y\n",
        f"https://fcm.googleapis.com/{'x' * LONGEST}",
        "file:///etc/passwd",
    ],
)
def test_nothing_else_is(url: str) -> None:
    assert check_endpoint(url) is not None
