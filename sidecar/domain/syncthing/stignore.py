"""The line in `.stignore` that makes Syncthing ignore our own folder.

In this file the first matching line decides. Ours goes to the end, unless an earlier line could
include our folder again: then it goes before that one. Nothing else in the file is changed.
"""

from __future__ import annotations

OURS = ".sidecar"
LINE = f"/{OURS}"
_FLAGS = ("(?d)", "(?i)")
_COMMENT = b"//"
# An included file may contain any pattern.
_UNSURE = (b"!", b"#include")


def build_line(prefix: str) -> str:
    """Return the line for a device that lies in a folder below Syncthing's, as in `Sticks/Car/`."""
    return f"/{prefix}{OURS}"


def is_ignored(content: bytes, prefix: str = "") -> bool:
    """Whether these lines certainly exclude our folder."""
    for line in content.splitlines():
        bare = line.strip()
        if bare.startswith(_UNSURE):
            return False
        if _is_ours(bare, prefix):
            return True
    return False


def with_line(content: bytes) -> bytes:
    """Return the content with our line added; unchanged if it is there already."""
    if is_ignored(content):
        return content
    end = b"\r\n" if b"\r\n" in content else b"\n"
    line = LINE.encode() + end
    lines = content.splitlines(keepends=True)
    for number, there in enumerate(lines):
        if there.strip().startswith(_UNSURE):
            return b"".join([*lines[:number], line, *lines[number:]])
    if content and not content.endswith((b"\n", b"\r")):
        content += end
    return content + line


def _is_ours(bare: bytes, prefix: str) -> bool:
    if bare.startswith(_COMMENT):
        return False
    pattern = bare.decode("utf-8", "replace")
    while pattern.startswith(_FLAGS):
        pattern = pattern[len(_FLAGS[0]) :]
    whole = f"/{prefix}{OURS}"
    # A pattern without a slash matches at any depth.
    return pattern in {OURS, f"**/{OURS}"} or _strip_pattern(pattern) == whole


def _strip_pattern(pattern: str) -> str:
    """Return a pattern relative to the root, without a suffix that matches everything below."""
    for ending in ("/**", "/*", "/"):
        pattern = pattern.removesuffix(ending)
    return f"/{pattern.removeprefix('/')}"
