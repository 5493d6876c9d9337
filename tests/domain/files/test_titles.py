from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from sidecar.domain.files.titles import find_air_date, format_code, strip_repeats, with_year
from tests.domain.files.test_naming import DAILY, EPISODE


@pytest.mark.parametrize(
    ("title", "year", "name"),
    [
        ("Plain", 2005, "Plain (2005)"),
        ("Plain (2005)", 2005, "Plain (2005)"),
        ("Plain(2005)", 2005, "Plain (2005)"),
        ("Plain [2005]", 2005, "Plain (2005)"),
        ("Plain {2005} ", 2005, "Plain (2005)"),
        ("Plain 2005", 2005, "Plain 2005"),
        ("Plain (2005) - Director's Cut", 2005, "Plain (2005) - Director's Cut"),
        ("Plain (2006)", 2005, "Plain (2006) (2005)"),
        ("Plain (2005)", None, "Plain (2005)"),
        ("Plain", 0, "Plain"),
        ("Plain", -1, "Plain"),
        ("1917", 2019, "1917 (2019)"),
        ("1917 (2019)", 2019, "1917 (2019)"),
        ("2012", 2012, "2012 (2012)"),
        ("2012 (2012)", 2012, "2012 (2012)"),
        ("(2005)", 2005, "(2005)"),
        ("Blade 2049", 2017, "Blade 2049 (2017)"),
        ("Agent 12005", 2005, "Agent 12005 (2005)"),
    ],
)
def test_a_year_stands_in_a_name_once(title: str, year: int | None, name: str) -> None:
    assert with_year(title, year) == name


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("The Hub", "The Hub"),
        ("The Line", ""),
        ("The Line S01E02", ""),
        ("the line s1e2", ""),
        ("The Line - 1x02", ""),
        ("The Line - Season 1 - Episode 2", ""),
        ("S01E02 - The Hub", "The Hub"),
        ("The Line.S01E02.The Hub", "The Hub"),
        ("Episode 2", ""),
        ("Folge 02", ""),
        ("#2", ""),
        ("2", ""),
        ("Episode 3", "Episode 3"),
        ("Episode 2 of 6", "Episode 2 of 6"),
        ("Part 2", "Part 2"),
        ("S01E03", "S01E03"),
        ("S02E02", "S02E02"),
        ("S01E023", "S01E023"),
        ("S01E02b", "S01E02b"),
        ("S01E02-E03", "S01E02-E03"),
        ("The Line of Fire", "The Line of Fire"),
        ("The Line - The Hub", "The Line - The Hub"),
        ("2 Fast", "2 Fast"),
        ("2024-05-06", "2024-05-06"),
    ],
)
def test_an_episodes_title_does_not_say_again_what_its_name_says(title: str, left: str) -> None:
    assert strip_repeats(replace(EPISODE, title=title)) == left


@pytest.mark.parametrize("title", ["The Line S01E02-E03", "S01E02E03", "S01E02-03", "1x02-03"])
def test_a_file_with_two_episodes_does_not_say_them_twice(title: str) -> None:
    assert strip_repeats(replace(EPISODE, number_end=3, title=title)) == ""


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (1, 2, "S01E01-E02"),
        (9, 11, "S01E09-E11"),
        (1, 1, "S01E01"),
        (3, 2, "S01E03"),
        (1, None, "S01E01"),
        (-1, 2, ""),
    ],
)
def test_a_code_names_the_first_and_the_last_episode(
    first: int, last: int | None, code: str
) -> None:
    assert format_code(replace(EPISODE, number=first, number_end=last)) == code


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("Daily Show 2024-05-06", ""),
        ("2024.05.06", ""),
        ("20240506", ""),
        ("06.05.2024", ""),
        ("Daily Show - 2024-05-06 - Guest", "Guest"),
        ("Guest", "Guest"),
        ("2024-05-06b", "2024-05-06b"),
        ("Daily Show 2023-05-06", "Daily Show 2023-05-06"),
    ],
)
def test_an_episode_known_by_its_day_does_not_say_it_twice(title: str, left: str) -> None:
    assert strip_repeats(replace(DAILY, title=title)) == left


DAY = date(2024, 5, 6)


@pytest.mark.parametrize(
    ("title", "aired", "found"),
    [
        ("Guest", DAY, DAY),
        ("Daily Show 2024-05-06", None, DAY),
        # The server stands east of Greenwich: its midnight is the day before.
        ("Daily Show 2024-05-06", date(2024, 5, 5), DAY),
        ("The riots of 1992-04-29", DAY, DAY),
        ("Daily Show 2024-13-06", None, None),
        ("Guest", None, None),
    ],
)
def test_the_day_of_an_episode_is_the_one_that_it_was_named_after(
    title: str, aired: date | None, found: date | None
) -> None:
    assert find_air_date(replace(DAILY, title=title, aired=aired)) == found


def test_an_episode_with_a_number_is_not_known_by_its_day() -> None:
    assert find_air_date(replace(DAILY, number=3)) is None
