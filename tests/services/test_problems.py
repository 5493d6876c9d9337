from __future__ import annotations

from sidecar.events import Bus, DeviceChanged, Event, NoticesChanged, WorkArrived
from sidecar.services.problems import Problem, ProblemKind, Problems

FULL = Problem("full", "Car stick is full")


def heard(bus: Bus) -> list[Event]:
    news: list[Event] = []
    bus.subscribe(news.append)
    return news


def test_one_trouble_is_told_once() -> None:
    bus = Bus()
    news = heard(bus)
    troubles = Problems(bus)

    assert troubles.note(ProblemKind.DEVICE, "stick", FULL)
    assert not troubles.note(ProblemKind.DEVICE, "stick", FULL)

    assert news == [DeviceChanged("stick"), NoticesChanged()]


def test_a_cure_is_told_and_brings_the_work_back() -> None:
    bus = Bus()
    troubles = Problems(bus)
    troubles.note(ProblemKind.DEVICE, "stick", FULL)
    news = heard(bus)

    assert troubles.clear(ProblemKind.DEVICE, "stick")
    assert not troubles.clear(ProblemKind.DEVICE, "stick")

    assert news == [DeviceChanged("stick"), NoticesChanged(), WorkArrived()]
    assert troubles.of(ProblemKind.DEVICE, "stick") is None


def test_troubles_are_listed_by_kind() -> None:
    troubles = Problems(Bus())
    troubles.note(ProblemKind.DEVICE, "stick", FULL)
    troubles.note(ProblemKind.ACCOUNT, "ann", Problem("signed-out", "Ann must sign in again"))

    assert troubles.all_of(ProblemKind.DEVICE) == {"stick": FULL}
