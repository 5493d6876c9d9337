"""The demo's two libraries, as data: `WHOLE` for people, `SMALL` for tests in a hurry.

A change of anything here or in `sidecar.demo.content.albums` means a higher `VERSION`: libraries
that were made before are then made again.
"""

from __future__ import annotations

from sidecar.demo.content.albums import (
    BOTH_SIDES,
    CHOIR_HITS,
    FIRST_LIGHT,
    KETTLE_HITS,
    LANTERNS,
    LOOSE,
    MAINS_HUM,
    MARIGOLD,
    MORGUNN,
    NAMES,
    SKETCHES,
    STORM,
)
from sidecar.demo.content.recipe import Film, PlaylistRecipe, Recipe, Series

VERSION = 1

_FILMS = (
    Film("Copper Moon", 2018, 45, ".mkv", 0, ((64, 28, 10), (235, 140, 60))),
    Film("Harbour: What Remains?", 2021, 60, ".mp4", 140, ((9, 32, 63), (83, 120, 149))),
)

_LIGHTHOUSE = Series(
    title="The Lighthouse Shift",
    seconds=24,
    seasons=(
        (2020, ("Oil", "The Supply Boat", "Fog Signal")),
        (2022, ("Electricity", "A Visitor/The Visit", "Lights Out?")),
    ),
    colours=((20, 30, 48), (250, 220, 120)),
)

_ROAD_TRIP = PlaylistRecipe(
    name="Road trip",
    owner="ann",
    picks=(
        (FIRST_LIGHT, "Harbour Lamps"),
        (KETTLE_HITS, "Steam Waltz"),
        (CHOIR_HITS, "Queue"),
        (MAINS_HUM, "On/Off"),
        (FIRST_LIGHT, "Harbour Lamps"),
        (LANTERNS, "Everyone on the Roof"),
        (MORGUNN, "Hafið bláa í mars"),
        (NAMES, "MORNING"),
    ),
)

_LONG_DRIVE = PlaylistRecipe(
    name="Long drive",
    owner="admin",
    picks=(
        (BOTH_SIDES, "The Bridge at Night"),
        (MARIGOLD, "Tin Roof"),
        (STORM, "Drizzle"),
        (NAMES, "🦊🌙✨"),
        (BOTH_SIDES, "Delta"),
    ),
)

WHOLE = Recipe(
    name="whole",
    version=VERSION,
    albums=(
        FIRST_LIGHT,
        BOTH_SIDES,
        MARIGOLD,
        LANTERNS,
        KETTLE_HITS,
        CHOIR_HITS,
        MAINS_HUM,
        MORGUNN,
        NAMES,
        STORM,
        LOOSE,
    ),
    films=_FILMS,
    series=(_LIGHTHOUSE,),
    playlists=(_ROAD_TRIP, _LONG_DRIVE),
)

SMALL = Recipe(
    name="small",
    version=VERSION,
    albums=(SKETCHES,),
    films=(Film("Flip Book", 2016, 10, ".mkv", 60, ((40, 40, 60), (240, 90, 120))),),
    playlists=(PlaylistRecipe("Road trip", "ann", ((SKETCHES, "Chalk?"), (SKETCHES, "Pencil"))),),
)
