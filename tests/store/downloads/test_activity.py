"""What happened is found by whom it concerned, by its kind, and by words."""

from __future__ import annotations

from dataclasses import replace

from sidecar.domain.downloads.download import Move
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.downloads.activity import ActivityFilter, Happening
from sidecar.store.downloads.queue import Downloads
from tests.fakes.clock import FakeClock
from tests.store.examples import ANN, BEN, CARD, track, wanted


def test_entries_are_found_by_the_words_of_their_files(db: Database, clock: FakeClock) -> None:
    downloads = Downloads(db, Bus(), clock)
    log = downloads.transitions.activity
    light = replace(wanted(1), item=replace(track(1), title="Ärger 100%", album="First Light"))
    elsewhere = replace(wanted(1, device=CARD), item=replace(track(1), title="Night"))
    other = replace(wanted(2), item=replace(track(2), title="Light"))
    arrived = downloads.queue.add_all([light, elsewhere, other])
    for one in arrived:
        log.note_move(one, Move.ARRIVE, owners=[ANN])
    log.note_move(arrived[-1], Move.EVICT, owners=[ANN, BEN])
    log.confirm(ANN, CARD, "Light")

    def found(text: str, viewer: str | None = None) -> list[tuple[str, Happening]]:
        which = ActivityFilter(text=text, viewer=viewer)
        return [(one.title, one.kind) for one in log.page(which, 50)]

    assert found("light") == [
        ("Light", Happening.WENT),
        ("Light", Happening.CAME),
        ("Ärger 100%", Happening.CAME),
    ]
    assert found("LIGHT ärger") == [("Ärger 100%", Happening.CAME)]
    assert found("light", viewer=BEN) == [("Light", Happening.WENT)]
    assert found("night") == [("Night", Happening.CAME)], "another device has it by another name"
    assert found("light night") == found("100_") == []
    assert len(found("  ")) == 5, "no words are any"
