"""What an installed page needs: its service worker, and the page that it shows without a network.

GET /service-worker.js    what to keep in the browser, by the hash of our static files
GET /without-network      the page for a browser that does not reach the sidecar

Both are the same for everybody: the browser keeps them, so nothing of a person may be in them.
"""

from __future__ import annotations

import json
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, request, url_for

from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role

# What the page without a network is made of; other scripts talk to the sidecar.
FILES = (
    "icon.svg",
    "css/player.css",
    "vendor/icons.svg",
    "vendor/style.css",
    "vendor/without-network.js",
)
WORKER = "vendor/service-worker.js"


def routes() -> Blueprint:
    """Return the routes."""
    pages = PageRoutes("installed")

    @pages.get("/service-worker.js", role=Role.ANYBODY)
    def worker() -> Response:
        source = Path(current_app.static_folder or "", WORKER).read_text(encoding="utf-8")
        facts = {
            "HOME": f"{request.script_root}/",
            # Every address of a file holds the hash of all of them.
            "VERSION": url_for("static", filename=WORKER).split("/")[-3],
            "PAGE": url_for("installed.without_network"),
            "FILES": [url_for("static", filename=one) for one in FILES],
        }
        head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in facts.items())
        reply = Response(head + source, mimetype="text/javascript")
        # Browsers look for a new one at each visit; an old one must not stand in its way.
        reply.headers["Cache-Control"] = "no-cache"
        return reply

    @pages.get("/without-network", role=Role.ANYBODY)
    def without_network() -> str:
        return render_template("without_network.html")

    return pages.blueprint
