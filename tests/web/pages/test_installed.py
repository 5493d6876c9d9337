"""What an installed page keeps in a browser: the same for everybody, and nothing of anybody."""

from __future__ import annotations

import json
import re
from pathlib import Path

from werkzeug.test import Client

from sidecar.web.app import WebOptions, web_files
from tests.fakes.clock import FakeClock
from tests.services.rules.steered import row
from tests.web.house import ANN, BEN, Browser, WebHouse, web_house


def constants(source: str) -> dict[str, object]:
    """What the server puts before the service worker."""
    found = re.findall(r"^const ([A-Z]+) = (.*);$", source, re.MULTILINE)[:4]
    return {name: json.loads(value) for name, value in found}


def test_the_service_worker_names_files_that_exist_by_their_hash(ann: Browser) -> None:
    answer = ann.client.get("/service-worker.js")

    told = constants(answer.text)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert (told["HOME"], told["PAGE"]) == ("/", "/without-network")
    files = told["FILES"]
    assert isinstance(files, list)
    for path in files:
        assert ann.client.get(path, buffered=True).status_code == 200, path
        assert f"/{told['VERSION']}/" in path or path == "/static/icon.svg"
    assert "csrf" not in answer.text


def test_the_page_without_a_network_is_nobody_s_and_loads_only_what_is_kept(ann: Browser) -> None:
    files = constants(ann.client.get("/service-worker.js").text)["FILES"]

    page = ann.client.get("/without-network").text

    assert "csrf" not in page
    assert "ann" not in re.sub(r"<[^>]+>", " ", page).split()
    assert isinstance(files, list)
    assert set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page)) <= set(files)


def test_it_is_below_the_base_url(quick_path: Path, clock: FakeClock) -> None:
    with web_house(quick_path, clock, options=WebOptions(base_url="/sidecar")) as house:
        told = constants(Client(house.web.wsgi).get("/sidecar/service-worker.js").text)

    assert (told["HOME"], told["PAGE"]) == ("/sidecar/", "/sidecar/without-network")


def test_the_manifest_stays_within_where_it_is_served(ann: Browser) -> None:
    path = Path(web_files().static, "manifest.webmanifest")
    manifest = json.loads(path.read_text(encoding="utf-8"))

    links = [one["url"] for one in manifest["shortcuts"]]
    links += [manifest[name] for name in ("start_url", "scope")]
    links.append(manifest["share_target"]["action"])
    assert all(re.fullmatch(r"\.\./[a-z]*", one) for one in links)
    for link in links:
        # This house has no Jellyfin: its library says so.
        assert ann.client.get(link.removeprefix("..")).status_code in {200, 502}
    for icon in manifest["icons"]:
        assert ann.client.get(f"/static/{icon['src']}", buffered=True).status_code == 200


def test_each_account_keeps_its_own_in_a_browser(house: WebHouse) -> None:
    ann, ben = house.come_in(ANN), house.come_in(BEN)
    house.library(row(7, Size=1000))
    page = ann.get("/this-browser").text
    assert "Nothing is kept in this browser for you." in page

    begun = ann.press("/this-browser/choose", item=row(7)["Id"])
    assert begun.status_code == 303
    cookie = begun.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    [browser] = house.services.web.browsers.all(ANN)
    wanted = ann.told("/this-browser/wanted")
    assert [one["item"] for one in wanted["files"]] == [row(7)["Id"]]
    told = {"files": 1, "bytes": 1000}
    assert ann.send("POST", "/this-browser/kept", told).status_code == 204
    assert ann.press("/this-browser/change", name="Phone", budget="1,5 GB").status_code == 303
    assert "Phone" in ann.get("/devices").text
    assert "1.5 GB" in ann.get("/this-browser").text
    wrong = ann.press("/this-browser/change", name="Phone", budget="10 elephants")
    assert (wrong.status_code, "10 elephants" in wrong.text) == (400, True)

    # Ben uses the same browser: it is another one to him, and his is not hers.
    ben.client.set_cookie("sidecar_browser", browser.id)
    assert ben.told("/this-browser/wanted") == {"budget": 0, "files": []}
    assert "Phone" not in ben.get("/this-browser").text + ben.get("/devices").text
    for path in ("forget", "change", "drop"):
        facts = {"browser": browser.id, "budget": "1 GB", "item": "7" * 32}
        refused = ben.press(f"/this-browser/{path}", **facts)
        assert refused.status_code == 404, path
    plays = {"plays": [{"item_id": "x", "started_at": 1.0, "seconds_heard": 3.0}]}
    assert ben.send("POST", "/this-browser/plays", plays).status_code == 422
    states = {"states": [{"item_id": "7" * 32, "position": -1}]}
    assert ben.send("POST", "/this-browser/states", states).status_code == 422
    assert ben.send("POST", "/this-browser/states", {"states": []}).json == {"taken": 0}
    assert ann.press("/this-browser/forget").status_code == 303
    assert ann.told("/this-browser/wanted")["files"] == []
