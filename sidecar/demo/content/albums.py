"""The demo's albums, as data: every name is invented, and much of it is awkward on purpose.

There are names that FAT32 and Windows refuse, two albums of one name, titles that differ only in
case, and text that would be markup on a careless page. What a library holds of these is in
`sidecar.demo.content.libraries`; a change here means a higher version there.
"""

from __future__ import annotations

from unicodedata import normalize

from sidecar.demo.content.recipe import Album, AlbumCodec, Song, SongSound

_LAMPS = """\
[00:01.00]Somebody lit the harbour lamps
[00:05.50]one by one by one
[00:10.00]and the sea came in to look at them
[00:15.00]and the working day was done
[00:20.00]one by one by one"""

_LONG_TITLE = (
    "The Ballad of the Very Patient Archivist Who Wrote Down Every Single Thing That Happened on "
    "the Ferry Between Two Islands During One Uneventful Winter and Then Read All of It Aloud to "
    "the Captain Who Had Been There and Disagreed with It, Kindly (XII)"
)

FIRST_LIGHT = Album(
    title="First Light",
    artists=("The Sine Waves",),
    year=2019,
    genres=("Ambient",),
    codec=AlbumCodec.FLAC,
    bit_depth=24,
    colours=((252, 176, 69), (131, 58, 180)),
    discs=(
        (
            Song("Before the Birds", 24),
            Song("Harbour Lamps", 31, lyrics=_LAMPS),
            Song("Slow Kettle", 22),
            Song("A Window Facing East", 27),
            Song("Bicycle in the Fog", 19),
            Song("Paper Boats", 25),
            Song("The Baker Whistles", 21),
            Song("Half Past Six", 28),
            Song("All the Way Up", 34),
        ),
    ),
)

BOTH_SIDES = Album(
    title="Both Sides of the River",
    artists=("The Sine Waves",),
    year=2022,
    genres=("Ambient", "Folk"),
    codec=AlbumCodec.FLAC,
    colours=((29, 151, 108), (147, 249, 185)),
    discs=(
        (
            Song("Intro", 12),
            Song("Left Bank", 26),
            Song("Stepping Stones", 23),
            Song("Ferryman", 29),
        ),
        (
            Song("Intro", 13),
            Song("Right Bank", 25),
            Song("The Bridge at Night", 30),
            Song("Delta", 33),
        ),
    ),
)

MARIGOLD = Album(
    title="The Marigold Tapes",
    artists=("Greta Marigold",),
    year=2008,
    genres=("Folk",),
    codec=AlbumCodec.OPUS,
    colours=((247, 151, 30), (196, 30, 58)),
    has_disc_folders=True,
    discs=(
        (Song("Kitchen Table", 22), Song("Seeds", 18), Song("A Letter Home", 27)),
        (Song("Attic", 20), Song("Tin Roof", 24), Song("The Last Reel", 31)),
    ),
)

LANTERNS = Album(
    title="Lanterns: Songs for a Power Cut",
    artists=("Various Artists",),
    year=2020,
    genres=("Pop", "Folk"),
    codec=AlbumCodec.MP3,
    colours=((15, 32, 39), (255, 200, 87)),
    discs=(
        (
            Song("Candle Drawer", 21, artists=("Matchbox Parade",)),
            Song("No Signal", 24, artists=("Ida Halvorsdal",)),
            Song("Fuse", 17, artists=("The Copper Kettle Orchestra",)),
            Song("Shadow Animals", 26, artists=("Uncle Thermostat",)),
            Song(
                "Everyone on the Roof",
                35,
                artists=("Matchbox Parade", "Ida Halvorsdal", "Uncle Thermostat"),
            ),
            Song("Neighbours", 23, artists=("Post Office Choir",)),
            Song("And the Fridge Hums Again", 28, artists=("DC/AC",)),
        ),
    ),
)

KETTLE_HITS = Album(
    title="Greatest Hits",
    artists=("The Copper Kettle Orchestra",),
    year=2015,
    genres=("Jazz",),
    codec=AlbumCodec.MP3,
    colours=((184, 115, 51), (60, 16, 83)),
    discs=(
        (
            Song("Boil", 23),
            Song("Steam Waltz", 27),
            Song("Two Sugars", 19),
            Song("The Spout", 22),
            Song("Last Drop", 30),
        ),
    ),
)

CHOIR_HITS = Album(
    title="Greatest Hits",
    artists=("Post Office Choir",),
    year=2018,
    genres=("Choral",),
    codec=AlbumCodec.AAC,
    colours=((0, 78, 146), (255, 230, 109)),
    discs=(
        (
            Song("Second Class Stamp", 20),
            Song("Fragile", 25),
            Song("Return to Sender's Cousin", 26),
            Song("Queue", 29),
            Song("Closed for Lunch", 18),
        ),
    ),
)

MAINS_HUM = Album(
    title="Mains/Hum",
    artists=("DC/AC",),
    year=2011,
    genres=("Electronic",),
    codec=AlbumCodec.AAC,
    colours=((241, 39, 17), (20, 20, 40)),
    discs=(
        (
            Song("On/Off", 16),
            Song("What?", 22),
            Song("50 Hz", 24),
            Song("Ground: Loop", 27),
        ),
    ),
)

MORGUNN = Album(
    title="Ljósið á bryggjunni",
    artists=("Sæla Tónn",),
    year=2014,
    genres=("Post-Rock",),
    codec=AlbumCodec.OPUS,
    colours=((131, 164, 212), (182, 251, 255)),
    discs=(
        (
            Song("Þoka", 26),
            Song("Hafið bláa í mars", 32),
            # The same letters as separate marks, as some file systems and taggers write them.
            Song(normalize("NFD", "Síðasti dagur á sjó"), 29),
            Song(normalize("NFD", "Über die Brücke (für Zoë)"), 23),
        ),
    ),
)

NAMES = Album(
    title="Names That Bite...",
    artists=("Nobody & the Reserved Words",),
    year=None,
    genres=(),
    codec=AlbumCodec.MP3,
    colours=((67, 206, 162), (24, 90, 157)),
    discs=(
        (
            Song("CON", 14),
            Song("NUL", 15),
            Song("Full Stop.", 13),
            Song("Trailing Space ", 16),
            Song("🦊🌙✨", 18),
            Song("ضوء القمر على الميناء", 21),
            Song(_LONG_TITLE, 24),
            Song("Morning", 17),
            Song("MORNING", 18),
            Song('<b>bold</b> & "quotes"', 15),
            Song("朝 の 港 で 古い 船 が 静か に 待つ", 22),
            Song("../../Up and Away", 14),
            Song('Star * Pipe | Tab \\ "Ask?" <End>', 16),
            Song("Turned \u202eround", 13),
        ),
    ),
)

STORM = Album(
    title="One Long Storm",
    artists=("Rain Cabinet",),
    year=2017,
    genres=("Field Recording",),
    codec=AlbumCodec.FLAC,
    bit_depth=24,
    sample_rate=96_000,
    colours=((44, 62, 80), (76, 161, 175)),
    discs=(
        (
            Song("Drizzle", 10, sound=SongSound.RAIN),
            Song("The Whole Storm, Uncut", 232, sound=SongSound.RAIN),
        ),
    ),
)

LOOSE = Album(
    title=None,
    artists=(),
    year=None,
    genres=(),
    codec=AlbumCodec.MP3,
    colours=((120, 120, 120), (200, 200, 200)),
    discs=((Song("recording 0042", 20),),),
)

SKETCHES = Album(
    title="Three Sketches",
    artists=("The Sine Waves",),
    year=2016,
    genres=("Ambient",),
    codec=AlbumCodec.FLAC,
    colours=((252, 176, 69), (29, 151, 108)),
    discs=((Song("Pencil", 10), Song("Ink/Water", 11), Song("Chalk?", 12)),),
)
