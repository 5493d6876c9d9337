from __future__ import annotations

from tests.web.house import Browser, WebHouse


def test_an_admin_makes_a_backup_at_once(house: WebHouse, eve: Browser, ann: Browser) -> None:
    assert "none yet" in eve.get("/admin").text

    assert ann.press("/admin/backup").status_code in {403, 404}
    assert eve.press("/admin/backup").location == "/admin"

    page = eve.get("/admin").text
    assert "1 kept" in page
    assert "make one every night" in page
    assert house.services.background.backups.view().kept == 1
