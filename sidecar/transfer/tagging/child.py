"""The child process that reads or writes the tags of one file, which it inherits open.

It is started by path, with limits on time and memory, because untrusted files may harm the
libraries that parse them. Its order is a JSON argument; it answers with JSON on standard output.

    {"read": fd, "pixels": 500}            ─▶ {"tags": {…}, "cover": "base64" | null}
    {"write": fd, "what": fd of a JSON}    ─▶ {}
    {"why": "a clause"} as answer to "write" if the file cannot be tagged
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any


def main(arguments: list[str]) -> int:
    """Carry out the order. The arguments are `sys.path` and the order, both as JSON."""
    sys.path[:] = json.loads(arguments[0])
    order = json.loads(arguments[1])
    answer = _read(order) if "read" in order else _write(order)
    json.dump(answer, sys.stdout)
    return 0


def _read(order: dict[str, Any]) -> dict[str, Any]:
    from sidecar.confined.pictures import to_baseline_jpeg  # noqa: PLC0415 - found just now
    from sidecar.transfer.tagging.reading import read  # noqa: PLC0415 - the same

    with open(order["read"], "rb", closefd=False) as file:
        found = read(file)
    cover = found.cover
    made = None if cover is None else to_baseline_jpeg(cover.content, most=order["pixels"])
    return {
        "tags": found.tags,
        "cover": None if made is None else base64.b64encode(made).decode("ascii"),
        "has_cover": cover is not None,
    }


def _write(order: dict[str, Any]) -> dict[str, Any]:
    from sidecar.domain.formats.tag_fields import TagSystem  # noqa: PLC0415 - found just now
    from sidecar.transfer.tagging.library import mutagen  # noqa: PLC0415 - the same
    from sidecar.transfer.tagging.wishes import Writing  # noqa: PLC0415 - the same
    from sidecar.transfer.tagging.writing import NotTaggable, write  # noqa: PLC0415 - the same

    with open(order["what"], "rb", closefd=False) as told:
        told.seek(0)
        what = json.load(told)
    writing = Writing(
        tags=what["tags"],
        cover=base64.b64decode(what["cover"]) if what["cover"] else None,
        id3=TagSystem(what["id3"]),
        separator=what["separator"],
        knows_words=what["knows_words"],
        anew=what["anew"],
    )
    try:
        # Buffered: mutagen ignores how many bytes an unbuffered write has really written.
        with open(order["write"], "r+b", closefd=False) as file:
            write(file, writing)
    except NotTaggable as error:
        return {"why": str(error)}
    except mutagen.MutagenError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        return {"why": "it cannot be taken apart"}
    return {}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:
        print(os.strerror(error.errno or 0), file=sys.stderr)  # noqa: T201 - told to our parent
        sys.exit(2)
