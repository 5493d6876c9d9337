from __future__ import annotations

import pytest

from sidecar.domain.transfers.failures import FailureClass
from sidecar.transfer.aria2.codes import MEANINGS, judge


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, FailureClass.TRANSIENT),
        (3, FailureClass.FILE_AWAY),
        (6, FailureClass.TRANSIENT),
        (8, FailureClass.CHANGED),
        (9, FailureClass.DEVICE),
        (17, FailureClass.DEVICE),
        (19, FailureClass.SERVER_AWAY),
        (22, FailureClass.TRANSIENT),
        (23, FailureClass.BLOCKED),
        (24, FailureClass.SIGNED_OUT),
        (29, FailureClass.SERVER_AWAY),
        (32, FailureClass.CHANGED),
        (4711, FailureClass.TRANSIENT),
    ],
)
def test_a_number_of_aria2_decides_what_happens(code: int, kind: FailureClass) -> None:
    assert judge(code, "").kind is kind


def test_the_number_and_the_words_of_aria2_are_kept() -> None:
    failure = judge(17, "Failed to write\ninto the file")

    assert failure.code == "aria2-17"
    assert failure.message == "aria2 could not write to the device: Failed to write into the file"


def test_every_documented_number_has_a_meaning() -> None:
    reserved = {31}

    assert set(MEANINGS) == set(range(1, 33)) - reserved


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "Failed to open the file /media/ann/My stick/.sidecar/parts/1.part, cause: Denied",
            "Failed to open the file …, cause: Denied",
        ),
        ("No URI http://127.0.0.1:4711/secret available.", "No URI … available."),
        ("Timeout.", "Timeout."),
    ],
)
def test_no_place_on_the_machine_is_told(words: str, told: str) -> None:
    assert str(judge(15, words).message) == f"aria2 could not open the part file: {told}"
