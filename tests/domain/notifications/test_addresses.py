"""Nobody but an admin makes this machine connect to a host of their own choice."""

from __future__ import annotations

from typing import Any, cast

import pytest
from apprise.manager_plugins import NotificationManager
from pydantic import SecretStr

from sidecar.domain.notifications.addresses import OPTIONS, PUBLIC, SELF_HOSTED, check_address
from sidecar.outgoing import messenger

TELEGRAM = "tgram://123456789:abcdefghijklmnopqrstuvwxyz123456789/12345"
FOR_ALL = ("ntfy://my-topic", "NTFYS://my_topic/", TELEGRAM)
FOR_ADMINS = (
    "ntfy://ntfy.home/topic",
    "ntfy://user:word@topic",
    "ntfy://192.168.1.1:80",
    "json://127.0.0.1:8384/rest",
    "jsons://[::1]/x?+X-Key=value&method=put",
    "mailto://ann:word@example.org?to=ben@example.org",
    "gotify://router/token",
    "ntfy://my-topic?priority=high",
    f"{TELEGRAM}?format=text",
)
FOR_NOBODY = (
    "",
    "ntfy://",
    "my-topic",
    "http://192.168.1.1/",
    "https://discord.com/api/webhooks/1/x",
    "file:///etc/passwd",
    "syslog://",
    "dbus://",
    "exec://rm",
    "ntfy:// topic",
    "ntfy://topic\njson://127.0.0.1",
    f"json://{'x' * 2000}",
    # These read files of this machine.
    "discord://1/x?template=/etc/passwd",
    "ntfy://host/topic?attach=/etc/shadow",
    "json://host/#?template=/etc/passwd",
    "json://host/?to=x;%74emplate=/etc/passwd",
    f"{TELEGRAM}?template=/var/lib/sidecar/token.key",
)


@pytest.mark.parametrize("url", FOR_ALL)
def test_public_services_are_for_everybody(url: str) -> None:
    assert check_address(url, is_admin=False) is None
    assert messenger.is_public(SecretStr(url))
    assert messenger.name_service(SecretStr(url)) in {"ntfy", "Telegram"}


def test_hosts_of_one_s_own_are_for_admins() -> None:
    for url in FOR_ADMINS:
        assert check_address(url, is_admin=False) is not None, url
        assert check_address(url, is_admin=True) is None, url


def test_nothing_else_is_taken_and_no_refusal_tells_the_address() -> None:
    for url in FOR_NOBODY:
        for is_admin in (False, True):
            refused = check_address(url, is_admin=is_admin)
            assert refused is not None, url
            assert len(url) < 15 or url not in refused


def test_what_everybody_may_use_speaks_to_one_host_and_no_option_names_a_file() -> None:
    """An update of Apprise that changes one of them fails here."""
    plugins = cast("Any", NotificationManager)()
    for scheme in PUBLIC:
        hosts = {
            value
            for name, value in vars(plugins[scheme]).items()
            if name.endswith("_url") and isinstance(value, str)
        }
        assert hosts
        assert all(one.startswith("https://") for one in hosts), scheme
        # A host that the address can choose is one of its tokens, but for ntfy.
        assert ("host" in plugins[scheme].template_tokens) == scheme.startswith("ntfy"), scheme
    assert {one for one in PUBLIC | SELF_HOSTED if one not in plugins.schemas()} == set()
    assert not OPTIONS & {"template", "attach", "pgp", "pgpkey", "keyfile", "redirect", "config"}
