"""`/questions`: what waits for an answer, as the part of every page that shows it.

The layout has it from the start, so it needs no script; with scripts, the part is fetched again
when the live connection says that something changed.
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
    """Return the route."""
    questions = PageRoutes("questions")

    @questions.get("/questions", role=Role.SIGNED_IN)
    def show() -> str:
        return render_template("partials/questions.html", back=redirects.wanted())

    return questions.blueprint


def teach(app: Flask, notices: NoticeBoard) -> None:
    """Give the templates `open_questions()`: those that concern whoever asks for the page."""

    def open_questions() -> Sequence[OpenQuestion]:
        person = auth.asker().person
        if person is None:
            return ()
        # It is a part of every page, also of those that say what went wrong.
        return attempt(partial(notices.questions, person), "showing what waits for an answer", list)

    app.jinja_env.globals["open_questions"] = open_questions
