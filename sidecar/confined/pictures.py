"""Covers as every player can show them: a baseline JPEG of a bounded size.

Players decode no progressive JPEG, and no WebP. What is no picture, or a trap, gives none.
"""

from __future__ import annotations

import warnings
from io import BytesIO

from PIL import Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 25_000_000
QUALITY = 88


def baseline(body: bytes, *, most: int) -> bytes | None:
    """Return a picture as a baseline JPEG; None if it is no picture that can be read.

    Args:
        body: The file.
        most: Of pixels, in width and in height; a smaller picture stays as small as it is.
    """
    try:
        with warnings.catch_warnings():
            # Too many pixels are judged here, by the file's head, before one is unpacked.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(body), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    return None
                picture.draft("RGB", (most, most))
                plain = picture.convert("RGB")
        plain.thumbnail((most, most))
        made = BytesIO()
        plain.save(made, "JPEG", quality=QUALITY, optimize=True, progressive=False)
        return made.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
