"""`/questions`: what waits for an answer, as the part of every page that shows it.

The layout has it from the start, so it needs no script; with scripts, the part is fetched again
when the live connection says that something changed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flask import Blueprint, Flask, render_template

from sidecar.services.notice_board import NoticeBoard
from sidecar.services.notices import OpenQuestion
from sidecar.web import redirects
from sidecar.web.security import auth

log = logging.getLogger(__name__)


def routes() -> Blueprint:
    """Return the route."""
    questions = Blueprint("questions", __name__)

    @questions.get("/questions")
    def show() -> str:
        return render_template("partials/questions.html", back=redirects.wanted())

    return questions


def teach(app: Flask, notices: NoticeBoard) -> None:
    """Give the templates `open_questions()`: those that concern whoever asks for the page."""

    def open_questions() -> Sequence[OpenQuestion]:
        person = auth.asker().person
        if person is None:
            return ()
        try:
            return notices.questions(person)
        except Exception:
            # It is a part of every page, also of those that say what went wrong.
            log.exception("what waits for an answer could not be shown")
            return ()

    app.jinja_env.globals["open_questions"] = open_questions
