"""`/questions`: the open questions, as the fragment that is part of every page.

The layout renders it, so it needs no script; scripts fetch it again when the live connection
reports a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flask import Blueprint, Flask, render_template

from sidecar.services.notice_board import NoticeBoard
from sidecar.services.notices import OpenQuestion
from sidecar.threads import attempt
from sidecar.web import redirects
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security import auth
from sidecar.web.security.permissions import Role


def routes() -> Blueprint:
    """Return the routes."""
    questions = PageRoutes("questions")

    @questions.get("/questions", role=Role.SIGNED_IN)
    def show() -> str:
        return render_template("partials/questions.html", back=redirects.wanted())

    return questions.blueprint


def teach(app: Flask, notices: NoticeBoard) -> None:
    """Add `open_questions()`, those for the current person, to the templates."""

    def open_questions() -> Sequence[OpenQuestion]:
        person = auth.asker().person
        if person is None:
            return ()
        # It is part of every page, including the error pages, so it must not raise.
        return attempt(partial(notices.questions, person), "showing what waits for an answer", list)

    app.jinja_env.globals["open_questions"] = open_questions
