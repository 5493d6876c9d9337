"""Reads a Dockerfile as far as ours goes: its stages, and what each step does."""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: its word in capitals, and the rest of the line."""

    word: str
    rest: str


@dataclass(slots=True)
class Stage:
    """What is built from one base image.

    Attributes:
        name: After `AS`; empty for the last.
    """

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Copied:
    """What a COPY copies.

    Attributes:
        stage: Where it comes from; empty for the folder with the source.
        mode: What `--chmod` says; empty without it.
    """

    sources: tuple[str, ...]
    target: str
    stage: str = ""
    mode: str = ""


def read_steps(text: str) -> list[Step]:
    """Return the instructions in their order, each on one line."""
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [Step(one.split()[0], one.partition(" ")[2].strip()) for one in lines if one.strip()]


def read_stages(text: str) -> list[Stage]:
    """Return the stages in their order."""
    stages: list[Stage] = []
    for step in read_steps(text):
        if step.word == "FROM":
            base, _, name = step.rest.partition(" AS ")
            stages.append(Stage(base, name))
        else:
            stages[-1].steps.append(step)
    return stages


def read_copy(rest: str) -> Copied:
    """Return what a COPY copies."""
    words = shlex.split(rest)
    flags = dict(one[2:].partition("=")[::2] for one in words if one.startswith("--"))
    *sources, target = [one for one in words if not one.startswith("--")]
    return Copied(tuple(sources), target, flags.get("from", ""), flags.get("chmod", ""))


def read_environment(rest: str, before: Mapping[str, str]) -> dict[str, str]:
    """Return what an ENV sets, where `before` is set already."""
    found = dict(one.partition("=")[::2] for one in shlex.split(rest))
    return {name: Template(value).safe_substitute(before) for name, value in found.items()}


def is_ignored(name: str, rules: str) -> bool:
    """Whether the engine would not be given a file: the last rule that names it decides."""
    ignored = False
    parts = Path(name).parts
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    for rule in rules.splitlines():
        pattern = rule.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        anywhere = pattern.removeprefix("**/")
        if any(fnmatch.fnmatchcase(one, pattern) for one in above) or (
            anywhere != pattern and anywhere in parts
        ):
            ignored = not rule.startswith("!")
    return ignored
