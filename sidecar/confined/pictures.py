"""Converts covers to what every player can show: a baseline JPEG of a limited size.

Many players decode neither progressive JPEG nor WebP.
"""

from __future__ import annotations

import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 25_000_000
QUALITY = 88
_ORIENTATION = 0x0112


def to_baseline_jpeg(body: bytes, *, most: int) -> bytes | None:
    """Return a picture as a baseline JPEG; None if it cannot be read, or has too many pixels.

    Args:
        body: The contents of the picture file.
        most: Largest width and height in pixels; smaller pictures are not enlarged.
    """
    try:
        with warnings.catch_warnings():
            # The number of pixels is checked below, from the header, before decoding.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(body), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    return None
                if _will_do(picture, most):
                    picture.load()
                    return body
                picture.draft("RGB", (most, most))
                plain = _on_white(ImageOps.exif_transpose(picture))
        plain.thumbnail((most, most))
        made = BytesIO()
        plain.save(made, "JPEG", quality=QUALITY, optimize=True, progressive=False)
        return made.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _will_do(picture: Image.Image, most: int) -> bool:
    """Whether every player can show a picture as it is; encoding it again would lose quality."""
    is_baseline = picture.format == "JPEG" and "progressive" not in picture.info
    is_upright = picture.getexif().get(_ORIENTATION, 1) == 1
    fits = max(picture.width, picture.height) <= most
    return is_baseline and is_upright and fits and picture.mode in {"RGB", "L"}


def _on_white(picture: Image.Image) -> Image.Image:
    """Return a picture with transparency replaced by white; JPEG would make it black."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")
