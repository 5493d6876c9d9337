from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from sidecar.confined.pictures import to_baseline_jpeg

PROGRESSIVE, BASELINE = b"\xff\xc2", b"\xff\xc0"


def a_picture(
    form: str, size: tuple[int, int] = (800, 600), *, is_progressive: bool = False
) -> bytes:
    made = BytesIO()
    Image.new("RGB" if form == "JPEG" else "RGBA", size, "teal").save(
        made, form, **({"progressive": True} if is_progressive else {})
    )
    return made.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_picture_becomes_a_baseline_jpeg_of_a_bounded_size(form: str) -> None:
    is_progressive = form == "JPEG"

    made = to_baseline_jpeg(a_picture(form, is_progressive=is_progressive), most=320)

    assert made is not None
    assert BASELINE in made
    assert PROGRESSIVE not in made
    with Image.open(BytesIO(made)) as picture:
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (320, 240), "RGB")


def test_a_small_picture_stays_small() -> None:
    made = to_baseline_jpeg(a_picture("PNG", (50, 40)), most=320)

    assert made is not None
    with Image.open(BytesIO(made)) as picture:
        assert picture.size == (50, 40)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", a_picture("PNG")[:100], a_picture("JPEG")[:40], b"%!PS-Adobe-3.0 EPSF"],
)
def test_what_is_no_picture_gives_none(body: bytes) -> None:
    assert to_baseline_jpeg(body, most=320) is None


def test_a_trap_is_not_unpacked() -> None:
    trap = a_picture("PNG", (9000, 9000))
    assert len(trap) < 400_000

    assert to_baseline_jpeg(trap, most=320) is None


def test_what_every_player_shows_already_stays_byte_for_byte() -> None:
    body = a_picture("JPEG", (300, 200))

    assert to_baseline_jpeg(body, most=320) == body
    assert to_baseline_jpeg(body, most=200) != body


def test_what_can_be_seen_through_is_white() -> None:
    made = BytesIO()
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(made, "PNG")

    shown = to_baseline_jpeg(made.getvalue(), most=320)

    assert shown is not None
    with Image.open(BytesIO(shown)) as picture:
        assert picture.getpixel((5, 5)) == (255, 255, 255)


def test_a_picture_that_lies_on_its_side_is_set_upright() -> None:
    made, facts = BytesIO(), Image.Exif()
    facts[0x0112] = 6  # turned a quarter
    Image.new("RGB", (300, 200), "teal").save(made, "JPEG", exif=facts)

    shown = to_baseline_jpeg(made.getvalue(), most=320)

    assert shown is not None
    with Image.open(BytesIO(shown)) as picture:
        assert picture.size == (200, 300)
