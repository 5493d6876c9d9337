from __future__ import annotations

from sidecar.events import Bus, DeviceChanged, Event, NoticesChanged, WorkArrived
from sidecar.services.problems import Kind, Trouble, Troubles

FULL = Trouble("full", "Car stick is full")


def heard(bus: Bus) -> list[Event]:
    news: list[Event] = []
    bus.subscribe(news.append)
    return news


def test_one_trouble_is_told_once() -> None:
    bus = Bus()
    news = heard(bus)
    troubles = Troubles(bus)

    assert troubles.note(Kind.DEVICE, "stick", FULL)
    assert not troubles.note(Kind.DEVICE, "stick", FULL)

    assert news == [DeviceChanged("stick"), NoticesChanged()]


def test_a_cure_is_told_and_brings_the_work_back() -> None:
    bus = Bus()
    troubles = Troubles(bus)
    troubles.note(Kind.DEVICE, "stick", FULL)
    news = heard(bus)

    assert troubles.clear(Kind.DEVICE, "stick")
    assert not troubles.clear(Kind.DEVICE, "stick")

    assert news == [DeviceChanged("stick"), NoticesChanged(), WorkArrived()]
    assert troubles.of(Kind.DEVICE, "stick") is None


def test_troubles_are_listed_by_kind() -> None:
    troubles = Troubles(Bus())
    troubles.note(Kind.DEVICE, "stick", FULL)
    troubles.note(Kind.ACCOUNT, "ann", Trouble("signed-out", "Ann must sign in again"))

    assert troubles.all_of(Kind.DEVICE) == {"stick": FULL}
