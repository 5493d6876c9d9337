"""Pages are compressed, and their lengths tell nothing of the session's token (BREACH)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from string import hexdigits

import pytest

from sidecar.web.security.masking import unmask
from tests.web.house import ANN, Browser, WebHouse

# How a list is fetched anew by our own page, whoever has led somebody to it.
OURS = {"Accept-Encoding": "gzip, deflate, br", "Sec-Fetch-Site": "same-origin"}
DIGITS = hexdigits[:16]
KNOWN, GUESSED = 6, 5
# How well digits can be told by lengths differs by token, and by what a page happens to hold: the
# stylesheet's hash once hid each digit of one token. So it is tried with several of them.
TOKENS = tuple(sha256(b"%d" % at).hexdigest() for at in range(6))
ASKED_FOR = (KNOWN, KNOWN + GUESSED)
# Digits that each run draws anew, and how much room this disk has: a guess may be like them too.
OF_THIS_RUN = re.compile(
    r"(?<=data-version=\")\w+|(?<=<progress class=\"space\" max=\")\d+|"
    r"(?<=>0 bytes of )[\d.]+ \w+"
)
# Put around a guess, so that the chance in one answer's bits is averaged away.
AROUND = ("~!g", "^;k*", "hm_", "!!p~", ",-jo", "n^^", "~*i;", "l_gh,", "-o", "k!m~")
SEARCHED = "somebodysearched"

Ask = Callable[[str], bytes]


@pytest.fixture
def ann(house: WebHouse) -> Browser:
    house.add(1)
    return house.come_in(ANN)


def asked(ann: Browser, text: str) -> bytes:
    """Return the compressed page of a search, without what varies its length by chance.

    Whoever asks often enough averages that away.
    """
    answer = ann.client.get("/downloads", query_string={"q": text}, headers=OURS)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.data[3] == 8  # a name follows
    packed: bytes = answer.data
    return packed[10:].partition(b"\0")[2]


def guess(ask: Ask, known: str, around: Sequence[str]) -> str:
    """Guess the digit that follows by the shortest answers."""
    return min(
        DIGITS, key=lambda one: sum(len(ask(f"{text}{known}{one}{text}")) for text in around)
    )


def test_nobody_guesses_the_token_from_the_lengths_of_pages(ann: Browser) -> None:
    token = unmask(ann.csrf)

    found = token[:KNOWN]
    for _ in range(GUESSED):
        found += guess(lambda text: asked(ann, text), found, AROUND[:2])

    assert found != token[: KNOWN + GUESSED]


def test_the_same_attack_finds_a_token_that_is_not_masked(ann: Browser) -> None:
    """Otherwise the test above would say nothing."""
    page = ann.client.get("/downloads", query_string={"q": SEARCHED}).text
    masked = page.partition('data-csrf="')[2].partition('"')[0]
    page = OF_THIS_RUN.sub("", page)
    assert unmask(masked) == unmask(ann.csrf)

    def is_found(token: str, at: int) -> bool:
        of_token = page.replace(masked, token)

        def without_mask(text: str) -> bytes:
            return gzip.compress(of_token.replace(SEARCHED, text).encode(), 6, mtime=0)

        return guess(without_mask, token[:at], AROUND) == token[at]

    right = [is_found(token, at) for token in TOKENS for at in ASKED_FOR]
    assert sum(right) >= len(right) / 3, "by chance it is one of sixteen"


def test_a_page_never_has_the_same_token_or_length_twice(ann: Browser) -> None:
    answers = [ann.client.get("/downloads", headers=OURS) for _ in range(40)]

    pages = [gzip.decompress(one.data).decode() for one in answers]
    tokens = {page.partition('data-csrf="')[2].partition('"')[0] for page in pages}
    assert len(tokens) == len(pages)
    assert {unmask(one) for one in tokens} == {unmask(ann.csrf)}
    assert not any(unmask(ann.csrf) in page for page in pages)
    assert len({len(one.data) for one in answers}) > 10


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_s_page_causes_is_sent_as_it_is(ann: Browser, site: str) -> None:
    answer = ann.client.get("/downloads?q=a", headers=OURS | {"Sec-Fetch-Site": site})

    assert "Content-Encoding" not in answer.headers
    assert "<h1>" in answer.text
