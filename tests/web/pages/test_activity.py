"""The activity page and its API: what happened, to whom it is shown, and the charts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.services.activity.recorder import ActivityRecorder
from sidecar.store.devices.samples import ALL
from sidecar.web.pages.activity.charts import bars, height_of
from tests.services.conftest import STICK, track
from tests.store.playback.test_plays import play as listening
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse


def told(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def entries(browser: Browser, **asked: object) -> list[tuple[str, str]]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    found = browser.told(f"/api/v1/activity?page_size=100&{query}")["items"]
    return [(one["kind"], one["title"]) for one in found]


def test_what_came_went_and_failed_is_listed_with_who_and_why(house: WebHouse) -> None:
    ann, ben, eve = (house.come_in(one) for one in (ANN, BEN, EVE))
    both = house.add(1, ANN, BEN, status=Status.COMPLETED)
    mine = house.add(2, status=Status.COMPLETED)
    house.add(3, status=Status.FAILED)
    house.add(4, BEN, status=Status.COMPLETED, title="A secret")
    house.add(5)
    eve.press(f"/downloads/{both.id}/act", action="delete", **{"for": "everyone"})
    ann.press(f"/downloads/{mine.id}/act", action="delete")

    assert entries(ann) == [
        ("went", "Tone 2"),
        ("went", "Tone 1"),
        ("failed", "Tone 3"),
        ("came", "Tone 2"),
        ("came", "Tone 1"),
    ]
    assert entries(ben) == [("went", "Tone 1"), ("came", "A secret"), ("came", "Tone 1")]
    assert len(entries(eve)) == 6
    assert entries(eve, account="ben", kind="came") == [("came", "A secret"), ("came", "Tone 1")]
    # Others have no entries of theirs to show, and an account that is none has none either.
    assert entries(ann, account="ben") == entries(eve, account="nobody") == []
    assert entries(eve, device="nowhere") == []
    # The direction of a title ends with it.
    assert "<bdi>Tone 1</bdi>" in ann.get("/activity").text
    page = told(ann.get("/activity").text)
    assert "A secret" not in page
    assert "by eve" not in page
    assert "by ann" in page
    assert "your favourite" in page
    assert "ben" not in page
    assert "by eve" in told(eve.get("/activity").text)
    [first, *_] = eve.told("/api/v1/activity?kind=went&account=ben")["items"]
    assert (first["by"], first["device"]["name"]) == ("eve", "Car stick")
    assert {one["account"] for one in first["reasons"]} == {"ann", "ben"}


def test_what_happened_is_found_by_words(house: WebHouse) -> None:
    ann, ben = (house.come_in(one) for one in (ANN, BEN))
    house.add(1, status=Status.COMPLETED, title="Ärger", album="First Light")
    gone = house.add(2, status=Status.COMPLETED, title="Tone of Light")
    house.add(3, BEN, status=Status.COMPLETED, title="Light of Ben")
    ann.press(f"/downloads/{gone.id}/act", action="delete")

    assert entries(ann, q="light tone") == [("went", "Tone of Light"), ("came", "Tone of Light")]
    assert entries(ann, q="FIRST ärger") == [("came", "Ärger")]
    assert entries(ann, q="light", kind="came") == [("came", "Tone of Light"), ("came", "Ärger")]
    assert entries(ann, q="tone ärger") == entries(ann, q="100%") == []
    page = ann.get("/activity?q=ärger").text
    assert "Ärger" in page
    assert "Tone of Light" not in page
    assert 'name="q" value="ärger"' in page
    assert "Nothing of the kind has happened" in ben.get("/activity?q=ärger").text


def test_each_download_has_its_history_for_those_whom_it_concerned(house: WebHouse) -> None:
    ann, ben, eve = (house.come_in(one) for one in (ANN, BEN, EVE))
    file = house.add(1, ANN, BEN, status=Status.COMPLETED)
    house.add(2, status=Status.FAILED)
    eve.press(f"/downloads/{file.id}/act", action="delete", **{"for": "everyone"})
    house.clock.advance(60)
    ann.press(f"/downloads/{file.id}/act", action="retry")

    page = ann.get(f"/downloads/{file.id}/history")
    story = told(page.text).partition("Car stick")[2]

    # The newest first, and of nothing else.
    words = re.findall("Removed|Downloaded|Added to the queue|Failed", story)
    assert words == ["Added to the queue", "Removed", "Downloaded"]
    assert "Deleted" in story
    assert "your favourite" in story
    assert "eve" not in story
    # Ben does not want it again.
    assert ben.get(f"/downloads/{file.id}/history").status_code == 404
    assert "by eve" in told(eve.get(f"/downloads/{file.id}/history").text)
    opened = ann.get(f"/downloads?open={file.id}").text
    assert f'data-asks href="/downloads/{file.id}/history?tab=active&amp;open=' in opened
    assert entries(ann, item=file.item_id, device=STICK) == [
        ("went", "Tone 1"),
        ("came", "Tone 1"),
    ]


def test_the_list_is_endless_and_odd_questions_are_no_trouble(
    house: WebHouse, ann: Browser
) -> None:
    with house.store.db.write():
        for number in range(1, 61):
            house.add(number, status=Status.COMPLETED)

    first = ann.get("/activity").text
    (older,) = re.findall(r'href="(/activity\?before=\d+)"', first)
    second = ann.get(older).text

    titles = [set(re.findall(r"Tone \d+", one)) for one in (first, second)]
    assert (len(titles[0]), len(titles[1]), len(titles[0] | titles[1])) == (50, 10, 60)
    assert 'href="/activity?before=' not in second
    page = ann.told("/api/v1/activity?page_size=7")
    assert len(page["items"]) == 7
    assert entries(ann, before=page["older"])[0][1] == "Tone 53"
    for odd in (
        "before=x",
        "before=-1",
        "before=" + "9" * 40,
        "kind=none",
        "device=x",
        "account=x",
    ):
        assert ann.get(f"/activity?{odd}").status_code == 200, odd
    for bad in ("before=0", "kind=none"):
        assert ann.client.get(f"/api/v1/activity?{bad}").status_code == 422


def test_it_is_bounded(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.store.downloads.activity.MOST_KEPT", 3)

    for number in range(1, 6):
        house.add(number, status=Status.COMPLETED)
    house.store.activity.drop_old()

    assert entries(house.come_in(EVE)) == [("came", f"Tone {n}") for n in (5, 4, 3)]
    assert house.store.db.sql("SELECT count(*) FROM activity_of") == [(3,)]


def test_what_a_person_confirmed_is_theirs_and_the_admins(house: WebHouse) -> None:
    house.store.activity.confirm(ANN.user_id, STICK, "12 files may be removed")

    assert "12 files may be removed" in house.come_in(ANN).get("/activity").text
    assert "by ann" in told(house.come_in(EVE).get("/activity").text)
    assert "12 files" not in house.come_in(BEN).get("/activity").text


def test_plays_are_listed_with_artist_and_whether_the_file_was_there(house: WebHouse) -> None:
    now = house.clock.now()
    house.add(1, status=Status.COMPLETED)
    for number, start in ((1, now + timedelta(minutes=1)), (1, now - timedelta(1)), (2, now)):
        play = replace(
            listening(number),
            user_id=ANN.user_id,
            item_id=track(number).id,
            title=f"Tone {number}",
            artist="The Sine Waves",
            started_at=start,
            ended_at=start + timedelta(minutes=5),
            seconds_heard=300.0,
            run_time=300.0,
        )
        house.store.plays.save(play)
        # What is saved again of a play does not change what was so when it began.
        house.store.plays.save(replace(play, seconds_heard=301.0))
    ann, ben = house.come_in(ANN), house.come_in(BEN)

    plays = told(ann.get("/activity/plays").text)
    assert "Tone 1 The Sine Waves" in plays
    assert "Tone 1" not in told(ben.get("/activity/plays?account=ann").text)
    charts = told(ann.get("/activity/charts").text)
    assert "33 % were on a device before they were played" in charts
    assert "Nothing was played in the last twelve weeks" in told(
        ben.get("/activity/charts?account=ann").text
    )
    assert "33 %" in told(house.come_in(EVE).get("/activity/charts?account=ann").text)


def test_how_fast_is_fetched_now_is_shown_to_whom_it_concerns(house: WebHouse) -> None:
    ann, ben, eve = (house.come_in(one) for one in (ANN, BEN, EVE))
    assert '<p class="speed"><strong>0 bytes/s' in ann.get("/activity/charts").text
    mine = house.add(1, status=Status.DOWNLOADING, size=60_000_000)
    house.transfer({mine.id: 9_000_000}, seconds=3)

    for person in (ann, eve):
        part = person.get("/activity/speed").text
        assert '<p class="speed"><strong>3.0 MB/s</strong>' in part
        assert part.count("<rect ") == 1
        assert "<html" not in part
    assert "<rect " not in ben.get("/activity/speed").text
    # It moves on, and is over after five minutes; the minutes are there as figures.
    house.clock.advance(200)
    part = told(ann.get("/activity/speed").text)
    assert "250 kB/s" in part
    assert re.search("3.4 250 kB/s", part)
    assert "up to 3.0 MB/s" in part
    house.clock.advance(120)
    assert "<rect " not in ann.get("/activity/speed").text


def test_samples_are_taken_and_shown_to_whom_they_concern(house: WebHouse) -> None:
    mine = house.add(1, status=Status.DOWNLOADING, size=60_000_000)
    house.add(2, status=Status.COMPLETED, size=40_000_000)
    house.transfer({mine.id: 9_000_000}, seconds=3)
    registry = house.services.devices.registry
    recorder = ActivityRecorder(
        stores=house.store,
        registry=registry,
        running=house.services.transfers.progress.last,
        zone=lambda: house.clock.now().tzinfo,  # type: ignore[arg-type, return-value]
        clock=house.clock,
    )
    recorder.step()
    house.clock.advance(10)
    recorder.step()
    house.clock.advance(600)
    recorder.step()

    fetched = house.store.samples.speed(ALL, 0)
    assert sum(fetched.values()) == 30_000_000
    assert house.store.samples.speed(ANN.user_id, 0) == fetched
    assert house.store.samples.speed(BEN.user_id, 0) == {}
    ann, ben = (house.come_in(one).get("/activity/charts").text for one in (ANN, BEN))
    assert 'aria-labelledby="chart-speed"' in ann
    # Much less than the speed of any moment: what each step is, is said.
    assert "Up to 33 kB/s in a quarter of an hour, on average" in ann
    assert "No speed was measured in the last 24 hours" in ben
    assert "Space on Car stick" in ann
    assert "<td>40.0 MB</td>" in house.come_in(EVE).get("/activity/charts").text
    # They are kept for a day, and for somewhat more than a year.
    house.clock.advance(25 * 3600)
    house.store.samples.note_speed(int(house.clock.now().timestamp()) // 300, {ALL: 1})
    assert list(house.store.samples.speed(ALL, 0).values()) == [1]
    house.store.samples.note_space((house.clock.now() + timedelta(401)).date(), {STICK: (1, None)})
    assert [one.used for one in house.store.samples.space([STICK])[STICK]] == [1]


def test_charts_fit_their_box() -> None:
    shapes = bars([0, 5, 10], [0, 5, 2])

    assert [(one.x, one.height, one.part) for one in shapes] == [
        (0.0, 0.0, 0.0),
        (33.33, 20.0, 20.0),
        (66.67, 40.0, 8.0),
    ]
    assert all(one.x + one.width <= 100 for one in shapes)
    assert [one.height for one in bars([5], most=10)] == [20.0]
    assert bars([]) == []
    assert [one.height for one in bars([0, 0])] == [0.0, 0.0]
    assert (height_of(10, [5]), height_of(5, [10]), height_of(0, [0])) == (40.0, 20.0, 0.0)
