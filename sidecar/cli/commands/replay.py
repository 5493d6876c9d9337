"""`replay`: runs a history of plays through the rules, for one or many budgets. Changes nothing.

Works without a server and without a configuration, if the history is given as a file.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from sidecar.assembly.store import database_place
from sidecar.cli.opening import open_database
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.config.budgets import read_budgets
from sidecar.confined.parts import replay_in_parts
from sidecar.domain.fill.choice import FillLimits
from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.history import History, PastItem, make_history
from sidecar.domain.replay.reading import BadRow, NoHistory, Read, complete, read_plays
from sidecar.domain.replay.recommend import recommend
from sidecar.domain.replay.replay import FILL, Scenario
from sidecar.domain.replay.report import Report, explain, make_report
from sidecar.domain.rules import fill
from sidecar.domain.rules.context import RuleSettings
from sidecar.domain.rules.registry import COMPUTED_RULES, RULE_OF
from sidecar.errors import ConfigError, SidecarError
from sidecar.sizes import format_size
from sidecar.store.playback.past import PastPlays

DEFAULT_BUDGETS = "2%,5%,10%,20%"
MOST_TOLD = 20
FULL = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Replay a history of plays day by day through the rules, the plan and the evictions of a "
        "device that is updated each night, and tell how many plays found their file there: with "
        "the rules alone, with the rule fill, and with three simple yardsticks."
    )
    parser.add_argument(
        "--plays",
        type=Path,
        metavar="FILE",
        help="a CSV with the columns time,user,item_id,seconds and, if known, "
        "title,artist,album,genre,size,length; or the export of Playback Reporting; - reads from "
        "standard input (default: the plays that the sidecar has watched)",
    )
    parser.add_argument(
        "--budget",
        action="append",
        metavar="SIZE",
        help="the space of the device: 32GB, 500 MB, or 5%% of the library; several with commas "
        f"between, or given again (default: {DEFAULT_BUDGETS.replace('%', '%%')})",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="RULE.KEY=VALUE",
        help="another setting than the configured one, such as album_affinity.threshold=4; of "
        f"fill: {', '.join(one.name for one in fields(FillLimits))}",
    )
    parser.add_argument(
        "--recommend",
        action="store_true",
        help="also try the rule album_affinity with other thresholds, and tell which settings "
        "would have served best, fill among them",
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(command=show)


def show(settings: Settings, asked: argparse.Namespace) -> int:
    """Replay, and print what each run came to.

    Raises:
        errors.ConfigError: A budget, a setting or the file's heading is wrong.
        errors.SidecarError: There is no play.
    """
    by_rule = _split_settings(asked.set)
    limits = _read_limits(settings, by_rule.pop(FILL, {}))
    changed = _read_settings(settings, by_rule)
    history = _read_history(settings, asked.plays)
    budgets = _read_budgets(asked.budget or [DEFAULT_BUDGETS], history.size)
    scenario = Scenario(budgets=budgets, settings=changed, limits=limits)
    found = replay_in_parts(history, scenario, _make_progress("replay"))
    advice = (
        recommend(history, scenario, found, _make_progress("recommend"), replay_in_parts)
        if asked.recommend
        else []
    )
    report = make_report(history, found, advice)
    if asked.json:
        print(json.dumps(_to_json(report), indent=2, ensure_ascii=False))
        return 0
    _print(history, found)
    for one in report.recommended:
        print(f"\n{format_size(one.budget)}: {explain(one)}")
    return 0


def _split_settings(changes: Iterable[str]) -> dict[str, dict[str, str]]:
    by_rule: dict[str, dict[str, str]] = {}
    for text in changes:
        name, has_value, value = text.partition("=")
        rule, has_key, key = name.strip().partition(".")
        if not has_value or not has_key:
            raise ConfigError("replay", "--set", text, "must be RULE.KEY=VALUE")
        by_rule.setdefault(rule, {})[key.strip()] = value.strip()
    return by_rule


def _read_settings(
    settings: Settings, by_rule: Mapping[str, Mapping[str, str]]
) -> dict[str, RuleSettings]:
    names = {one.name for one in COMPUTED_RULES}
    for rule in by_rule:
        if rule not in names:
            raise ConfigError("replay", "--set", rule, "there is no such rule")
    return {one: settings.rules.with_changes(RULE_OF[one], by_rule.get(one, {})) for one in names}


def _read_limits(settings: Settings, changes: Mapping[str, str]) -> FillLimits:
    limits = settings.rules.of(fill.RULE).limits
    values: dict[str, Any] = {}
    for key, text in changes.items():
        where = f"{FILL}.{key}"
        if key not in {one.name for one in fields(FillLimits)}:
            raise ConfigError("replay", where, None, "there is no such setting")
        is_switch = isinstance(getattr(limits, key), bool)
        if is_switch and text.lower() not in {"true", "false"}:
            raise ConfigError("replay", where, text, "must be true or false")
        if not is_switch and not re.fullmatch(r"\d{1,4}", text, re.ASCII):
            raise ConfigError("replay", where, text, "must be a whole number up to 9999")
        values[key] = text.lower() == "true" if is_switch else int(text)
    limits = replace(limits, **values)
    if limits.discovery > FULL or limits.of_artist > FULL or limits.sure_share > FULL:
        raise ConfigError("replay", FILL, None, "a share must be at most 100")
    return limits


def _read_history(settings: Settings, path: Path | None) -> History:
    """Read the plays of a file, or those of the database; what that knows of items counts too."""
    items: dict[str, PastItem] = {}
    plays = []
    if database_place(settings).exists():
        with open_database(settings, SystemClock()) as db:
            past = PastPlays(db)
            items = {one.id: one for one in past.items()}
            plays = list(past.plays()) if path is None else []
    if path is None:
        if not plays:
            raise SidecarError("No play is known yet; give a history with --plays FILE")
        return make_history(plays, items.values())
    read = _read_file(path)
    for bad in read.bad[:MOST_TOLD]:
        _tell(_describe(path, bad))
    if read.bad:
        rest = len(read.bad) - MOST_TOLD
        more = f" ({rest} are not shown)" if rest > 0 else ""
        _tell(
            f"{path}: {_count(len(read.bad), 'row', 'rows')} left out, {len(read.plays)} read{more}"
        )
    if not read.plays:
        raise SidecarError(f"{path} has no play that could be read")
    # Of a file, only its own items are the library; what we know of them completes them.
    known = [
        complete(one, items[one.id]) if one.id in items else one for one in read.items.values()
    ]
    return make_history(read.plays, known)


def _read_file(path: Path) -> Read:
    try:
        if str(path) == "-":
            return read_plays(sys.stdin)
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            return read_plays(lines)
    except NoHistory as error:
        raise ConfigError("replay", "--plays", str(path), str(error)) from None
    except OSError as error:
        raise SidecarError(f"{path} could not be read: {error.strerror}") from None


def _describe(path: Path, bad: BadRow) -> str:
    return f"{path}, line {bad.line}: {bad.reason}"


def _read_budgets(given: Iterable[str], library: int) -> list[int]:
    try:
        return list(dict.fromkeys(one.of(library) for one in read_budgets(",".join(given))))
    except ValueError as error:
        reason = 'must be a size such as "32 GB", or a share of the library such as "5%"'
        raise ConfigError("replay", "--budget", str(error), reason) from None


def _make_progress(what: str) -> Callable[[float], None]:
    """Return what tells the progress on stderr: in one line, or line by line into a file."""
    is_terminal = sys.stderr.isatty()
    told = -1

    def tell(share: float) -> None:
        nonlocal told
        percent = int(share * FULL)
        step = percent if is_terminal else percent // 10 * 10
        if step == told:
            return
        told = step
        end = "\n" if not is_terminal or percent == FULL else ""
        print(f"{chr(13) if is_terminal else ''}{what}: {step} %", end=end, file=sys.stderr)
        sys.stderr.flush()

    return tell


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _to_json(report: Report) -> dict[str, Any]:
    told = asdict(report)
    if not report.recommended:
        del told["recommended"]
    for one, advice in zip(told.get("recommended", ()), report.recommended, strict=False):
        one["reason"] = explain(advice)
    return told


def _print(history: History, found: Sequence[Figures]) -> None:
    items = list(history.items.values())
    print(
        f"{_count(len(history.plays), 'play', 'plays')} of {_count(len(items), 'item', 'items')} "
        f"({format_size(history.size)}) by {_count(len(history.users), 'person', 'people')}"
    )
    for budget in dict.fromkeys(one.budget for one in found):
        print(f"\n{format_size(budget)}, {budget / max(1, history.size):.1%} of the library")
        print("                       hits   first  repeats  fetched a week  evicted a week")
        for one in found:
            if one.budget != budget:
                continue
            weeks = max(1, len(one.weeks))
            print(
                f"  {one.name:19} {one.hit_rate:6.1%}  {one.first_hit_rate:6.1%}   "
                f"{one.repeat_hit_rate:6.1%}  {format_size(one.bytes_fetched / weeks):>14}  "
                f"{format_size(one.bytes_evicted / weeks):>14}"
            )
    _print_missed(items, found)


def _print_missed(items: Sequence[PastItem], found: Sequence[Figures]) -> None:
    largest = max((one.budget for one in found), default=0)
    for one in found:
        missed = one.missed.most_common(5)
        if one.budget == largest and one.name in {"rules", "fill"} and missed:
            names = ", ".join(
                f"{items[item].title} ({_count(count, 'time', 'times')})" for item, count in missed
            )
            print(f"\nMissed most with {one.name} at {format_size(largest)}: {names}")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
