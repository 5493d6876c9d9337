from __future__ import annotations

import gzip
import logging

import pytest
import xxhash

from sidecar.clock import SystemClock
from sidecar.domain.downloads.download import Validator
from sidecar.domain.transfers.failures import FailureClass
from sidecar.domain.transfers.response import OVERLAP
from sidecar.errors import Stopped
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Engine
from sidecar.transfer.http.engine import HttpEngine
from sidecar.transfer.timeouts import Timeouts
from tests.fakes.clock import FakeClock
from tests.fakes.servers.fault_server import (
    LATER,
    MODIFIED,
    after,
    claims,
    drips,
    honest,
    says,
    silent_after,
)
from tests.fakes.servers.syncthings import free_port
from tests.faults.behaviours import whole_file
from tests.transfer.conftest import BODY, HURRIED, OTHER, MakeEngine, Try

HALF = len(BODY) // 2


def half_done(attempt: Try) -> None:
    attempt.server.script.append(after(HALF))
    assert attempt.fails().kind is FailureClass.TRANSIENT
    assert attempt.memory.held == HALF


def test_a_whole_file_is_counted_hashed_and_synced(attempt: Try) -> None:
    receipt = attempt()

    assert attempt.content() == BODY
    assert (receipt.size, receipt.fetched) == (len(BODY), len(BODY))
    assert receipt.content_hash == xxhash.xxh3_128_hexdigest(BODY)
    assert receipt.mime_type == "audio/flac"
    assert attempt.memory.validator is not None
    assert attempt.memory.validator.last_modified == MODIFIED


def test_it_asks_once_for_plain_bytes_with_our_header_only(attempt: Try) -> None:
    attempt()

    (asked,) = attempt.server.requests
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.headers["authorization"] == 'MediaBrowser Token="secret"'
    assert "range" not in asked.headers
    assert "cookie" not in asked.headers


def test_a_cut_file_is_gone_on_with_where_it_was(attempt: Try) -> None:
    half_done(attempt)

    receipt = attempt()

    assert attempt.content() == BODY
    assert receipt.fetched == len(BODY) - HALF + OVERLAP
    assert receipt.content_hash == xxhash.xxh3_128_hexdigest(BODY)
    resumed = attempt.server.requests[1]
    assert resumed.headers["range"] == f"bytes={HALF - OVERLAP}-"
    assert resumed.headers["if-unmodified-since"] == MODIFIED


@pytest.mark.parametrize("modified", [LATER, "Fri, 30 Oct 2026 10:00:00 GMT"])
def test_another_file_of_the_same_length_is_never_mixed_in(attempt: Try, modified: str) -> None:
    half_done(attempt)
    attempt.server.body, attempt.server.modified = OTHER, modified

    assert attempt.fails().kind is FailureClass.CHANGED

    attempt.memory.held, attempt.memory.validator = 0, None
    attempt()
    assert attempt.content() == OTHER


@pytest.mark.parametrize("length", [HALF // 2, HALF, 2 * len(BODY)])
def test_a_shorter_or_longer_file_is_never_mixed_in(attempt: Try, length: int) -> None:
    half_done(attempt)
    attempt.server.body = (OTHER * 3)[:length]
    attempt.server.modified = LATER

    assert attempt.fails().kind is FailureClass.CHANGED


def test_a_200_in_place_of_a_206_starts_over_with_this_very_body(attempt: Try) -> None:
    half_done(attempt)
    attempt.server.modified = LATER
    attempt.server.script.append(says(200, OTHER, Content_Type="audio/flac", Last_Modified=LATER))

    receipt = attempt()

    assert attempt.content() == OTHER
    assert receipt.content_hash == xxhash.xxh3_128_hexdigest(OTHER)
    assert len(attempt.server.requests) == 2
    assert attempt.memory.opened_at == [0, 0]


def test_nothing_of_the_old_file_is_left_when_the_new_one_is_shorter(attempt: Try) -> None:
    half_done(attempt)
    short = attempt.server.body = OTHER[:1000]
    attempt.server.modified = LATER
    attempt.server.script.append(whole_file)

    attempt()

    assert attempt.content() == short


def test_a_part_that_is_whole_already_is_only_compared(attempt: Try) -> None:
    half_done(attempt)
    attempt.part.path.write_bytes(BODY)
    attempt.memory.held = len(BODY)

    receipt = attempt()

    assert (receipt.size, receipt.fetched) == (len(BODY), OVERLAP)
    assert attempt.content() == BODY


def test_a_part_longer_than_the_file_starts_over(attempt: Try) -> None:
    half_done(attempt)
    attempt.part.path.write_bytes(BODY + b"more")
    attempt.memory.held = len(BODY) + 4

    attempt()

    assert attempt.content() == BODY


def test_what_was_not_synced_is_fetched_again(attempt: Try) -> None:
    half_done(attempt)
    attempt.memory.held = 1000

    attempt()

    assert attempt.server.requests[1].start == 0
    assert attempt.memory.opened_at == [0, 1000]
    assert attempt.content() == BODY


def test_a_part_shorter_than_the_row_is_believed(attempt: Try) -> None:
    half_done(attempt)
    attempt.part.path.write_bytes(BODY[:500])

    attempt()

    assert attempt.memory.opened_at == [0, 500]
    assert attempt.content() == BODY


def test_a_size_that_differs_from_the_scan_is_looked_at_twice_and_believed(attempt: Try) -> None:
    attempt.known_size = 12345

    receipt = attempt()

    assert receipt.size == len(BODY)
    assert receipt.is_unlike_scan
    assert [asked.headers.get("range") for asked in attempt.server.requests] == [
        None,
        "bytes=0-0",
    ]


def test_a_size_that_differs_and_then_changes_is_not_believed(attempt: Try) -> None:
    attempt.known_size = 12345
    attempt.server.script.append(
        says(200, OTHER[:-1], Content_Type="audio/flac", Last_Modified=MODIFIED)
    )

    assert attempt.fails().kind is FailureClass.CHANGED


def test_a_body_without_length_must_be_as_long_as_the_scan_says(attempt: Try) -> None:
    bare = {"Content_Length": None, "Content_Type": "audio/flac", "Last_Modified": MODIFIED}
    attempt.known_size = len(BODY)
    attempt.server.script += [says(200, BODY[:HALF], **bare), says(200, BODY, **bare)]

    assert attempt.fails().code == "short-body"
    attempt.memory.held, attempt.memory.validator = 0, None
    attempt()

    assert attempt.content() == BODY


def test_a_body_without_length_that_breaks_goes_on_where_it_was(attempt: Try) -> None:
    bare = {"Content_Length": None, "Content_Type": "audio/flac", "Last_Modified": MODIFIED}
    attempt.server.script.append(says(200, BODY[:HALF], **bare))

    assert attempt.fails().code == "short-body"
    assert attempt.memory.held == HALF

    assert attempt().fetched == len(BODY) - HALF + OVERLAP
    assert attempt.content() == BODY


@pytest.mark.parametrize("known", [0, len(BODY), None])
def test_a_body_of_nothing_is_no_file_whatever_the_scan_says(
    attempt: Try, known: int | None
) -> None:
    attempt.server.body = b""
    attempt.known_size = known

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.EMPTY, "empty")
    assert "empty on the server" in failure.message


def test_an_empty_answer_in_the_middle_loses_nothing(attempt: Try) -> None:
    half_done(attempt)
    attempt.server.script.append(says(200, Content_Type="audio/flac", Last_Modified=MODIFIED))

    assert attempt.fails().code == "empty"
    assert attempt.memory.held == HALF
    attempt()

    assert attempt.content() == BODY


@pytest.mark.parametrize("again", [1, 500, OVERLAP, HALF])
def test_the_end_of_what_is_there_is_asked_for_once_more_and_compared(
    attempt: Try, again: int
) -> None:
    attempt.server.script.append(after(again))
    attempt.fails()
    # The right range, and the bytes of the file's beginning.
    attempt.server.script.append(claims(BODY[max(0, again - OVERLAP) + 7 :] + BODY[:7]))

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.CHANGED, "changed")
    assert attempt.content() == BODY[:again]
    assert attempt.server.requests[1].start == max(0, again - OVERLAP)


def test_a_line_that_breaks_within_what_is_compared_loses_nothing(attempt: Try) -> None:
    half_done(attempt)
    attempt.server.script.append(after(OVERLAP // 2))

    assert attempt.fails().kind is FailureClass.TRANSIENT
    assert attempt.memory.held == HALF


@pytest.mark.parametrize("length", [HALF, 2 * len(BODY)])
def test_a_length_that_the_scan_does_not_confirm_needs_an_answer_with_a_part(
    attempt: Try, length: int
) -> None:
    body = (BODY * 2)[:length]
    lies = says(200, body, Content_Type="audio/flac", Last_Modified=MODIFIED)
    attempt.server.script += [lies, lies]

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.UNPROVED, "unproved")
    assert attempt.memory.held == length


def test_the_failure_says_both_lengths_and_both_ways_out(attempt: Try) -> None:
    attempt.known_size = 3_400_000
    lies = says(200, BODY, Content_Type="audio/flac", Last_Modified=MODIFIED)
    attempt.server.script += [lies, lies]

    assert attempt.fails().message == (
        "The server sends 300 kB, its library says 3.4 MB: scan the library, or accept it as it is"
    )


@pytest.mark.parametrize("known", [len(BODY) - 1, len(BODY) + 1, None])
def test_that_all_answers_agree_does_not_prove_a_file_whole(
    attempt: Try, known: int | None
) -> None:
    attempt.known_size = known

    assert attempt().is_unlike_scan


def test_what_a_person_has_accepted_is_believed_and_nothing_else(attempt: Try) -> None:
    attempt.known_size = len(BODY) + 1
    attempt.accepted = Validator(MODIFIED, len(BODY))

    assert not attempt().is_unlike_scan
    assert len(attempt.server.requests) == 1

    attempt.accepted = Validator(LATER, len(BODY))
    attempt.memory.validator = None
    assert attempt().is_unlike_scan


def test_a_validator_younger_than_a_second_is_not_resumed_under(attempt: Try) -> None:
    attempt.server.modified = attempt.server.date
    attempt.server.script.append(after(HALF))
    attempt.fails()

    attempt()

    assert attempt.server.requests[1].start is None
    assert attempt.content() == BODY


def test_a_stop_is_honoured_and_what_was_fetched_is_kept(attempt: Try) -> None:
    attempt.server.body = BODY * 20
    attempt.memory.on_move = lambda _held: attempt.stop.set()

    with pytest.raises(Stopped):
        attempt()

    held = attempt.memory.held
    assert 0 < held < len(BODY) * 20
    assert attempt.content() == (BODY * 20)[:held]


def test_never_more_than_eight_mebibytes_are_in_doubt(attempt: Try) -> None:
    attempt.server.body = BODY * 100
    doubt: list[int] = []
    attempt.memory.on_move = lambda held: doubt.append(held - attempt.memory.held)

    attempt()

    assert max(doubt) <= 8 * 1024 * 1024


def test_a_part_deleted_by_a_person_is_not_called_complete(attempt: Try) -> None:
    attempt.server.body = BODY * 20
    attempt.memory.on_move = lambda _held: attempt.part.path.unlink(missing_ok=True)

    assert attempt.fails().code == "part-vanished"


def test_silence_ends_the_attempt_and_keeps_what_came(attempt: Try, impatient: Engine) -> None:
    attempt.engine = impatient
    attempt.server.script.append(silent_after(HALF))

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.TRANSIENT, "silent")
    assert attempt.memory.held == HALF


def test_a_drip_is_given_up_and_what_came_is_kept(attempt: Try, make_engine: MakeEngine) -> None:
    attempt.engine = make_engine(SystemClock(), HURRIED)
    attempt.server.script.append(drips(0.02))

    assert attempt.fails().code == "too-slow"
    assert attempt.memory.held == attempt.memory.moves[-1] > 0


@pytest.mark.parametrize("status", [404, 503])
def test_a_whole_file_that_is_not_confirmed_now_is_not_fetched_again(
    attempt: Try, status: int
) -> None:
    attempt.known_size = 12345
    attempt.server.script += [honest, says(status)]

    attempt.fails()
    assert attempt.memory.held == len(BODY)

    assert attempt().fetched == OVERLAP


def test_a_reset_is_a_passing_failure(attempt: Try) -> None:
    attempt.server.script.append(after(HALF, reset=True))

    assert attempt.fails().kind is FailureClass.TRANSIENT


def test_nobody_at_the_address_is_the_server_away(attempt: Try) -> None:
    attempt.server.url = f"http://127.0.0.1:{free_port()}/"

    assert attempt.fails().kind is FailureClass.SERVER_AWAY


def test_a_login_page_is_never_written(attempt: Try) -> None:
    page = b"<!doctype html><title>Sign in</title>"
    attempt.server.script += [
        says(200, page, Content_Type="text/html; charset=utf-8"),
        says(200, page, Content_Type="application/octet-stream"),
    ]

    for _ in range(2):
        failure = attempt.fails()
        assert (failure.kind, failure.code) == (FailureClass.BLOCKED, "html")
        assert attempt.content() == b""


def test_a_compressed_answer_is_refused(attempt: Try) -> None:
    squeezed = gzip.compress(BODY)
    attempt.server.script.append(
        says(200, squeezed, Content_Type="audio/flac", Content_Encoding="gzip")
    )

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.BLOCKED, "compressed")
    assert attempt.content() == b""


def test_the_token_follows_no_redirect(attempt: Try) -> None:
    attempt.server.script.append(says(302, Location="http://evil.example/x"))

    failure = attempt.fails()

    assert failure.kind is FailureClass.BLOCKED
    assert "evil.example" in failure.message
    assert len(attempt.server.requests) == 1


def test_the_environment_has_no_say(
    attempt: Try, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / ".netrc").write_text("machine 127.0.0.1 login eve password evil\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    attempt()

    (asked,) = attempt.server.requests
    assert asked.headers["authorization"].startswith("MediaBrowser")


def test_no_secret_is_logged(attempt: Try, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    half_done(attempt)
    attempt()

    assert "secret" not in caplog.text


@pytest.mark.parametrize("limit", [100_000.0, 500.0])
def test_our_own_limit_is_kept_and_is_no_standstill(attempt: Try, limit: float) -> None:
    clock = FakeClock()
    bandwidth = Bandwidth(clock, lambda _device: (limit, None))
    attempt.engine = HttpEngine(clock, timeouts=Timeouts(slow_for=0.3), bandwidth=bandwidth)
    begun = clock.monotonic()

    attempt()

    assert attempt.content() == BODY
    assert clock.monotonic() - begun == pytest.approx(len(BODY) / limit, rel=0.1)


def test_a_limit_that_is_lifted_in_the_middle_acts_at_once(attempt: Try) -> None:
    clock, limits = FakeClock(), [100_000.0]

    def lift(held: int) -> None:
        if held > len(BODY) // 2:
            limits[:] = []

    bandwidth = Bandwidth(clock, lambda _device: (limits[0] if limits else None, None))
    attempt.engine = HttpEngine(clock, bandwidth=bandwidth)
    attempt.memory.on_move = lift
    begun = clock.monotonic()

    attempt()

    assert clock.monotonic() - begun == pytest.approx(len(BODY) / 2 / 100_000, rel=0.2)
