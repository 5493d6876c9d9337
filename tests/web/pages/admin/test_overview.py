from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

from tests.web.house import Browser, WebHouse


def test_an_admin_makes_a_backup_at_once(house: WebHouse, eve: Browser, ann: Browser) -> None:
    assert "none yet" in eve.get("/admin").text

    assert ann.press("/admin/backup").status_code in {403, 404}
    assert eve.press("/admin/backup").location == "/admin"

    page = eve.get("/admin").text
    assert "1 kept" in page
    assert "make one every night" in page
    assert house.services.background.backups.view().kept == 1


def test_the_engine_is_called_as_in_the_settings(eve: Browser) -> None:
    page = eve.get("/admin").text

    assert "Built in, 3 downloads at once" in page
    assert "threads" not in page


def test_an_admin_has_a_backup_from_the_page_and_nobody_else_has(
    house: WebHouse, eve: Browser, ann: Browser
) -> None:
    assert "Download a backup" not in eve.get("/admin").text
    for _ in range(2):
        eve.press("/admin/backup")
        house.clock.advance(60)

    newest, oldest = eve.told("/api/v1/backups")["items"]
    assert newest["made_at"] > oldest["made_at"]
    where = f"/api/v1/backups/{newest['name']}"
    assert f'href="{where}"' in eve.get("/admin").text
    with eve.get(where) as answer, ZipFile(BytesIO(answer.data)) as kept:
        assert kept.testzip() is None
        assert len(answer.data) == newest["bytes"]
        assert newest["name"] in answer.headers["Content-Disposition"]
    for path in ("/api/v1/backups", where):
        assert ann.get(path).status_code == 403
    beside = house.services.background.backups.find(newest["name"]).with_name("beside.zip")
    beside.write_text("of somebody else")
    for name in ("beside.zip", "..%2fsidecar.db", newest["name"].replace("20", "21", 1)):
        assert eve.get(f"/api/v1/backups/{name}").status_code == 404
