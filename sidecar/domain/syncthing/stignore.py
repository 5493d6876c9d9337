"""The one line by which Syncthing leaves our own folder alone, in a file that is a person's.

In such a file the first line that fits decides. So ours goes to the end, unless a line before it
could call our folder back in: then it goes before that one. Nothing else is changed, not a byte.
"""

from __future__ import annotations

OURS = ".sidecar"
LINE = f"/{OURS}"
_FLAGS = ("(?d)", "(?i)")
_COMMENT = b"//"
# An included file may hold anything.
_UNSURE = (b"!", b"#include")


def build_line(prefix: str) -> str:
    """Return the line for a device that lies in a folder below Syncthing's, as in `Sticks/Car/`."""
    return f"/{prefix}{OURS}"


def is_ignored(content: bytes, prefix: str = "") -> bool:
    """Whether these lines keep our folder from travelling, as far as that is sure."""
    for line in content.splitlines():
        bare = line.strip()
        if bare.startswith(_UNSURE):
            return False
        if _is_ours(bare, prefix):
            return True
    return False


def with_line(content: bytes) -> bytes:
    """Return the same lines with ours among them; the same bytes if it is there already."""
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
    # Without a slash in it, a pattern holds at any depth.
    return pattern in {OURS, f"**/{OURS}"} or _strip_pattern(pattern) == whole


def _strip_pattern(pattern: str) -> str:
    """Return a pattern from the root, without what only says that all below is meant."""
    for ending in ("/**", "/*", "/"):
        pattern = pattern.removesuffix(ending)
    return f"/{pattern.removeprefix('/')}"
