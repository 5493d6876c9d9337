from __future__ import annotations

from sidecar.store.database import Database
from sidecar.store.meta import Meta


def test_a_value_is_taken_once_and_only_as_it_is(db: Database) -> None:
    meta = Meta(db)
    meta.set("code", "one")
    assert not meta.take("code", "two")
    assert meta.get("code") == "one"
    assert meta.take("code", "one")
    assert not meta.take("code", "one")
    assert meta.get("code") is None
