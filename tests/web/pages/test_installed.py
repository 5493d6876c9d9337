"""What an installed page keeps in a browser: the same for everybody, and nothing of anybody."""

from __future__ import annotations

import json
import re
from pathlib import Path

from werkzeug.test import Client

from sidecar.web.app import WebOptions, web_files
from tests.fakes.clock import FakeClock
from tests.web.house import Browser, web_house


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
    assert ann.csrf not in answer.text


def test_the_page_without_a_network_is_nobody_s_and_loads_only_what_is_kept(ann: Browser) -> None:
    files = constants(ann.client.get("/service-worker.js").text)["FILES"]

    page = ann.client.get("/without-network").text

    assert ann.csrf not in page
    assert "ann" not in re.sub(r"<[^>]+>", " ", page).split()
    assert isinstance(files, list)
    assert set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page)) <= set(files)
    for path in files:
        source = ann.client.get(path, buffered=True).data
        for name in re.findall(rb'(?:from|import)\s*\(?"(\.[^"]+\.js)"', source):
            assert any(one.endswith(name.decode().lstrip("./")) for one in files), (path, name)


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
