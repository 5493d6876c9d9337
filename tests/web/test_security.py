from __future__ import annotations


def test_a_proxy_that_is_no_address_is_told_at_start(desk: FakeDesk) -> None:
    options = WebOptions(trusted_proxies=("the proxy",))
    with pytest.raises(ConfigError, match="trusted_proxies = 'the proxy': must be an address"):
        create_app(desk, Bus(), options, SystemClock())
