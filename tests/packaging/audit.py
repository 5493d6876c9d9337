"""`make audit`: whether anything is known against the exact versions that we use.

    python -m tests.packaging.audit PIP_AUDIT LOCK…

Asks what pip-audit asks for Python's packages and npm for the browser's. Ends with 0 if nothing is
known, 1 if something is, and 2 if nobody could be asked: silence is not a clean bill.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

NOTHING, SOMETHING, UNKNOWN = 0, 1, 2
LONGEST_S = 600


@dataclass(frozen=True)
class Verdict:
    """What was found out of one list.

    Attributes:
        known: What is known against it, a line each; None if nobody could be asked.
    """

    subject: str
    known: tuple[str, ...] | None


def of_python(lock: str, answer: str) -> Verdict:
    """Return the verdict that pip-audit gave as JSON; it gives none if it could not ask."""
    try:
        packages = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(lock, None)
    known = tuple(
        f"{one['name']} {one['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no release'}"
        for one in packages
        for found in one.get("vulns", ())
    )
    was_skipped = any("skip_reason" in one for one in packages)
    return Verdict(lock, None if was_skipped and not known else known)


def of_browser(lock: str, answer: str) -> Verdict:
    """Return the verdict that `npm audit` gave as JSON."""
    try:
        found = json.loads(answer)
        known = found["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return Verdict(lock, None)
    return Verdict(lock, tuple(f"{name}: {one['severity']}" for name, one in known.items()))


def tell(verdicts: Sequence[Verdict]) -> int:
    """Print what is known and return how it ends."""
    for one in verdicts:
        if one.known is None:
            print(f"{one.subject}: NOT CHECKED, no advisory database could be reached")
        else:
            print(f"{one.subject}: {len(one.known)} known")
            print(*(f"  {line}" for line in one.known), sep="\n", end="\n" * bool(one.known))
    if any(one.known for one in verdicts):
        return SOMETHING
    return UNKNOWN if any(one.known is None for one in verdicts) else NOTHING


def _asked(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return ""
    if not done.stdout.strip():
        print(*done.stderr.strip().splitlines()[-1:], file=sys.stderr)
    return done.stdout


def main(pip_audit: str, locks: Sequence[str]) -> int:
    """Ask, tell, and return how it ends."""
    asking = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")
    verdicts = [of_python(one, _asked(pip_audit, *asking, "-r", one)) for one in locks]
    browser = _asked("npm", "audit", "--package-lock-only", "--json")
    return tell([*verdicts, of_browser("package-lock.json", browser)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
