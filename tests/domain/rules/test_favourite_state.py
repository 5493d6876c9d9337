from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.rules.favourite_state import (
    FavouriteState,
    confirm_restore,
    on_event,
    on_lookup,
)


def test_a_heart_told_on_its_own_is_believed() -> None:
    assert on_event(None, value=True, with_playback=False, playing=False) == FavouriteState(True)


def test_a_heart_pressed_while_the_item_plays_is_at_risk() -> None:
    assert on_event(None, value=True, with_playback=False, playing=True) == FavouriteState(
        True, at_risk=True
    )


def test_a_heart_that_flips_back_with_the_stop_is_kept_and_set_again() -> None:
    pressed = on_event(FavouriteState(False), value=True, with_playback=False, playing=True)

    stopped = on_event(pressed, value=False, with_playback=True, playing=False)

    assert stopped == FavouriteState(True, at_risk=True, restore=True)


def test_a_heart_taken_away_while_playing_that_comes_back_with_the_stop_stays_away() -> None:
    taken = on_event(FavouriteState(True), value=False, with_playback=False, playing=True)

    stopped = on_event(taken, value=True, with_playback=True, playing=False)

    assert stopped == FavouriteState(False, at_risk=True, restore=True)


def test_a_flip_told_on_its_own_while_it_plays_is_the_persons_word() -> None:
    pressed = on_event(None, value=True, with_playback=False, playing=True)

    taken = on_event(pressed, value=False, with_playback=False, playing=True)

    assert taken == FavouriteState(False, at_risk=True)


def test_a_change_of_mind_after_the_server_forgot_cancels_the_setting_again() -> None:
    forgotten = FavouriteState(True, at_risk=True, restore=True)

    assert on_event(forgotten, value=False, with_playback=False, playing=False) == FavouriteState(
        False
    )


def test_a_look_up_that_finds_it_flipped_after_a_heart_at_risk_sets_it_again() -> None:
    assert on_lookup(
        FavouriteState(True, at_risk=True), value=False, playing=False
    ) == FavouriteState(True, at_risk=True, restore=True)


def test_a_look_up_that_finds_it_flipped_without_risk_believes_the_person() -> None:
    assert on_lookup(FavouriteState(True), value=False, playing=False) == FavouriteState(False)


def test_the_risk_is_over_when_a_look_up_after_the_playback_confirms_the_word() -> None:
    assert on_lookup(
        confirm_restore(FavouriteState(True, at_risk=True, restore=True)), value=True, playing=False
    ) == FavouriteState(True)


def test_a_look_up_during_the_playback_proves_nothing_yet() -> None:
    assert on_lookup(
        FavouriteState(True, at_risk=True), value=True, playing=True
    ) == FavouriteState(True, at_risk=True)


def test_a_heart_found_while_it_plays_may_have_been_pressed_just_now() -> None:
    assert on_lookup(None, value=True, playing=True) == FavouriteState(True, at_risk=True)


def test_an_old_heart_that_the_start_tells_again_is_at_no_risk() -> None:
    assert on_event(
        FavouriteState(True), value=True, with_playback=True, playing=True
    ) == FavouriteState(True)


def test_a_heart_pressed_within_the_same_breath_as_the_start_is_the_persons_word() -> None:
    assert on_event(
        FavouriteState(False), value=True, with_playback=True, playing=True
    ) == FavouriteState(True, at_risk=True)


def test_a_word_said_again_is_forgotten_again_and_said_again() -> None:
    again = confirm_restore(FavouriteState(True, at_risk=True, restore=True))

    assert on_lookup(again, value=False, playing=False).restore


@given(
    heart=st.one_of(
        st.none(), st.builds(FavouriteState, st.booleans(), st.booleans(), st.booleans())
    ),
    value=st.booleans(),
    playing=st.booleans(),
)
def test_a_person_is_always_believed(
    heart: FavouriteState | None, value: bool, playing: bool
) -> None:
    assert on_event(heart, value=value, with_playback=False, playing=playing).is_favorite is value


@pytest.mark.parametrize("value", [True, False])
def test_without_risk_nothing_is_ever_set_again(value: bool) -> None:
    for heart in (None, FavouriteState(True), FavouriteState(False)):
        for playing in (True, False):
            assert not on_event(heart, value=value, with_playback=True, playing=playing).restore
            assert not on_lookup(heart, value=value, playing=playing).restore


def test_a_track_that_merely_plays_leaves_nothing_to_remember() -> None:
    assert on_event(None, value=False, with_playback=True, playing=True) == FavouriteState(False)
    assert on_event(None, value=False, with_playback=False, playing=True) == FavouriteState(False)
    assert on_lookup(None, value=False, playing=True) == FavouriteState(False)
