from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.downloads.download import MOVES, Move, Status, Validator, next_status
from sidecar.errors import IllegalMove
from tests.domain.examples import ROW

DOWNLOAD = replace(ROW, status=Status.DOWNLOADING, title="Song", file_path="Song.flac")

ALL_PAIRS = sorted(product(Status, Move))


@pytest.mark.parametrize(("status", "move"), sorted(MOVES))
def test_every_move_in_the_table_is_made(status: Status, move: Move) -> None:
    assert next_status(status, move) is MOVES[status, move]


@pytest.mark.parametrize(("status", "move"), [one for one in ALL_PAIRS if one not in MOVES])
def test_every_other_move_is_refused_with_a_sentence(status: Status, move: Move) -> None:
    with pytest.raises(IllegalMove, match=f"a {status} download cannot {move}".replace("_", ".")):
        next_status(status, move)


def test_no_move_stands_still() -> None:
    assert all(now is not was for (was, _), now in MOVES.items())


def test_every_state_can_be_left_and_every_move_is_of_use() -> None:
    assert {was for was, _ in MOVES} == set(Status)
    assert {move for _, move in MOVES} == set(Move)


def test_only_an_arrival_or_an_adoption_completes_and_only_a_claim_starts() -> None:
    completing = {move for (_, move), now in MOVES.items() if now is Status.COMPLETED}
    assert completing == {Move.ARRIVE, Move.ADOPT}
    assert {move for (_, move), now in MOVES.items() if now is Status.DOWNLOADING} == {Move.CLAIM}


@given(st.lists(st.sampled_from(Move), max_size=40))
def test_a_file_is_complete_only_after_claim_and_arrival_or_when_it_was_there(
    moves: list[Move],
) -> None:
    status, made = Status.PENDING, []

    for move in moves:
        try:
            status = next_status(status, move)
        except IllegalMove:
            continue
        made.append(move)

    if status is Status.COMPLETED:
        assert made[-2:] == [Move.CLAIM, Move.ARRIVE] or made[-1] is Move.ADOPT
    if status is Status.REMOVED:
        # Also what was being finished on a device that is away can be let go.
        assert (
            made[-3:-1] == [Move.CLAIM, Move.ARRIVE]
            or made[-2] is Move.ADOPT
            or made[-2:] == [Move.CLAIM, Move.DELETE]
        )


SIZES = st.none() | st.integers(min_value=0, max_value=2**42)


@given(held=st.integers(min_value=0, max_value=2**42), expected=SIZES, agreed=SIZES, final=SIZES)
def test_progress_is_always_between_nothing_and_all(
    held: int, expected: int | None, agreed: int | None, final: int | None
) -> None:
    download = replace(
        DOWNLOAD,
        bytes_downloaded=held,
        expected_size=expected,
        validator=Validator(None, agreed),
        file_size=final,
    )

    assert 0.0 <= download.progress <= 1.0


def test_the_best_known_size_is_the_files_then_the_agreed_one_then_the_scans() -> None:
    scanned = replace(DOWNLOAD, expected_size=1)
    agreed = replace(scanned, validator=Validator(None, 2))
    finished = replace(agreed, file_size=3)

    assert (scanned.size, agreed.size, finished.size) == (1, 2, 3)
    assert DOWNLOAD.size is None


def test_a_completed_file_is_all_there_even_if_it_is_empty() -> None:
    empty = replace(DOWNLOAD, status=Status.COMPLETED, file_size=0)

    assert empty.progress == 1.0
