from __future__ import annotations

from sidecar.events import Bus, DeviceChanged, Event, NoticesChanged, WorkArrived
from sidecar.services.health.problems import Problem, ProblemKind, Problems

FULL = Problem("full", "Car stick is full")


def heard(bus: Bus) -> list[Event]:
    news: list[Event] = []
    bus.subscribe(news.append)
    return news


def test_one_trouble_is_told_once() -> None:
    bus = Bus()
    news = heard(bus)
    problems = Problems(bus)

    assert problems.note(ProblemKind.DEVICE, "stick", FULL)
    assert not problems.note(ProblemKind.DEVICE, "stick", FULL)

    assert news == [DeviceChanged("stick"), NoticesChanged()]


def test_a_cure_is_told_and_brings_the_work_back() -> None:
    bus = Bus()
    problems = Problems(bus)
    problems.note(ProblemKind.DEVICE, "stick", FULL)
    news = heard(bus)

    assert problems.clear(ProblemKind.DEVICE, "stick")
    assert not problems.clear(ProblemKind.DEVICE, "stick")

    assert news == [DeviceChanged("stick"), NoticesChanged(), WorkArrived()]
    assert problems.of(ProblemKind.DEVICE, "stick") is None


def test_troubles_are_listed_by_kind() -> None:
    problems = Problems(Bus())
    problems.note(ProblemKind.DEVICE, "stick", FULL)
    problems.note(ProblemKind.ACCOUNT, "ann", Problem("signed-out", "Ann must sign in again"))

    assert problems.all_of(ProblemKind.DEVICE) == {"stick": FULL}
