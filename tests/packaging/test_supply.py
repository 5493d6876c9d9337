"""What we are made of comes from locks with hashes, and from nowhere else."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.packaging.audit import NOTHING, SOMETHING, UNKNOWN, Verdict, of_browser, of_python, tell

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-supply.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pinned(lock: str) -> dict[str, str]:
    """Return the version of each package; each has hashes."""
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    found = {}
    for line in filter(None, text.splitlines()):
        match = re.fullmatch(
            r"([\w.-]+)==(\S+)( ; [^\-]*?)?((?:\s+--hash=sha256:[0-9a-f]{64})+)", line
        )
        assert match is not None, line
        found[name_of(match[1])] = match[2]
    return found


def name_of(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_its_hashes(lock: str) -> None:
    assert len(pinned(lock)) > 10


def test_the_locks_hold_all_that_is_asked_for() -> None:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    run = {*project["dependencies"], *project["optional-dependencies"]["demo"], *groups["build"]}

    assert {name_of(one) for one in run} <= set(pinned("requirements.lock"))
    assert {name_of(one) for one in groups["dev"]} <= set(pinned("requirements-dev.lock"))
    assert {name_of(one) for one in groups["supply"]} <= set(pinned("requirements-supply.lock"))


def test_the_tests_run_with_what_people_run_with() -> None:
    run, dev = pinned("requirements.lock"), pinned("requirements-dev.lock")

    assert {name: dev.get(name) for name in run} == run


def test_nothing_is_installed_without_its_hash() -> None:
    make = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    commands = [one.strip() for line in make.splitlines() for one in line.split("&&")]
    installs = [one for one in commands if re.search(r"/pip .*install\b", one)]

    assert len(installs) == 4
    for line in installs:
        is_ours = "--no-deps --no-build-isolation --editable ." in line
        makes_the_lock = line.endswith("install $(UV)")
        of_a_lock = re.search(r" --require-hashes -r (requirements|\$\(1\)$)", line)
        assert is_ours or makes_the_lock or of_a_lock, line
    locks = re.findall(r"\$\(call install_locked,([^,)]*)", make)
    assert locks
    assert set(locks) <= set(LOCKS)
    assert re.search(r"^UV := uv==[\d.]+$", make, re.MULTILINE)
    assert "pip -q wheel --no-deps --no-build-isolation" in make


def test_the_browser_s_code_has_hashes_too() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]

    assert [name for name, one in packages.items() if name and "integrity" not in one] == []


def test_the_browser_s_part_has_our_version() -> None:
    for file in ("package.json", "package-lock.json"):
        assert (
            json.loads((ROOT / file).read_text("utf-8"))["version"] == PROJECT["project"]["version"]
        )


def test_what_is_known_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    vulnerable = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    known = of_python(
        "a.lock",
        json.dumps({"dependencies": [{"name": "x", "version": "1.0", "vulns": [vulnerable]}]}),
    )
    browser = of_browser("b.json", json.dumps({"vulnerabilities": {"y": {"severity": "high"}}}))

    assert tell([known, browser]) == SOMETHING
    told = capsys.readouterr().out
    assert "x 1.0: PYSEC-1, mended in 2.0" in told
    assert "y: high" in told
    assert tell([Verdict("a.lock", ())]) == NOTHING


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "oops",
        "[]",
        '{"message": "request to https://registry.npmjs.org/ failed"}',
        '{"dependencies": [{"name": "x", "skip_reason": "not found"}]}',
    ],
)
def test_silence_is_no_clean_bill(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell([of_python("a.lock", answer), Verdict("b", ())]) == UNKNOWN
    assert "a.lock: NOT CHECKED" in capsys.readouterr().out
    if "dependencies" not in answer:
        assert of_browser("b.json", answer).known is None


def test_the_first_start_says_what_it_does_before_it_is_silent(tmp_path: Path) -> None:
    steps = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "run", f"VENV={tmp_path / 'new'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert steps[0].startswith("echo ")
    assert "takes about half a minute" in steps[0]
    assert not any("half a minute" in step for step in steps[1:])
