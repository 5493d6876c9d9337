from __future__ import annotations

from dataclasses import replace

from sidecar.domain.formats.formats import Format, Target
from sidecar.domain.space.reformat import PresentFile, describe_cost, estimate_cost

MIB = 1024**2
OPUS = Target(Format.OPUS, 128)
FLAC = PresentFile(1, "original", "A/B/1 - Tone.flac", 30 * MIB, None, 240.0)
SMALL = PresentFile(2, "original", "A/B/2 - Tone.mp3", 3 * MIB, None, 240.0)
MADE = PresentFile(3, "opus-96k", "A/B/3 - Tone.opus", 3 * MIB, 28 * MIB, 240.0)


def test_originals_are_fetched_again_but_not_those_that_are_small_enough() -> None:
    found = estimate_cost(OPUS.name, OPUS, [FLAC, SMALL])

    assert (found.anew, found.as_wanted) == ((1,), (2,))
    assert (found.bytes_to_fetch, found.bytes_now) == (30 * MIB, 30 * MIB)
    assert 3 * MIB < found.bytes_after < 5 * MIB


def test_what_was_converted_costs_its_original() -> None:
    found = estimate_cost(OPUS.name, OPUS, [MADE])

    assert (found.anew, found.bytes_to_fetch, found.bytes_now) == ((3,), 28 * MIB, 3 * MIB)


def test_back_to_the_original_only_what_was_converted_is_fetched() -> None:
    left_alone = replace(SMALL, format="opus-128k")

    found = estimate_cost("original", None, [MADE, left_alone])

    assert (found.anew, found.as_wanted, found.bytes_after) == ((3,), (2,), 28 * MIB)


def test_nothing_costs_nothing() -> None:
    found = estimate_cost("original", None, [])

    assert (found.anew, found.bytes_to_fetch) == ((), 0)


def test_the_cost_is_said_in_words() -> None:
    assert describe_cost(estimate_cost("original", None, [MADE])) == (
        "1 file is on it in another format than the original: 29.4 MB would be downloaded "
        "again, and 3.1 MB become 29.4 MB"
    )
    assert "2 files are on it in another format than Opus 128k: 60.8 MB" in describe_cost(
        estimate_cost(OPUS.name, OPUS, [FLAC, MADE])
    )
