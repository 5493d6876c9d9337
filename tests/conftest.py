from __future__ import annotations

import gc
import logging
import math
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import Browser, expect, sync_playwright
from werkzeug.routing import Rule

from sidecar.process.logs import LogOutput
from tests import postgres
from tests.browser.program import start_chromium
from tests.browser.trouble import BrowserTrouble
from tests.fakes.servers.syncthings import OneSyncthing, two_syncthings
from tests.patience import PATIENCE_S

# A loaded machine is slow: how long one example takes says nothing about the code. Examples are the
# same each time, unless a seed was asked for; `make nightly` tries many more.
settings.register_profile(
    "sidecar",
    deadline=None,
    derandomize="SIDECAR_SEED" not in os.environ,
    max_examples=int(os.environ.get("SIDECAR_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sidecar")

# The names of the threads that follow an account.
FOLLOWS = re.compile("(listener|sessions|hearts|rules|identity)-")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the tests of this process that want one."""
    with postgres.running() as started:
        yield started


# What werkzeug makes of a rule's text.
COMPILED = ("_parts", "_trace", "_converters", "arguments")


@pytest.fixture(scope="session", autouse=True)
def _addresses_compiled_once() -> Iterator[None]:
    """Compile each address of the web application once, not again for each test that makes one.

    What werkzeug compiles for a rule without defaults depends on its text alone.
    """
    compiled: dict[tuple[object, ...], Rule] = {}
    compile_rule = Rule.compile

    def once(rule: Rule) -> None:
        key = (type(rule), rule.rule, rule.subdomain, rule.host, rule.merge_slashes)
        known = compiled.get(key)
        if known is None or rule.defaults:
            compile_rule(rule)
            if not rule.defaults:
                compiled[key] = rule
            return
        for name in COMPILED:
            setattr(rule, name, getattr(known, name))
        for name in ("_build", "_build_unknown"):
            setattr(rule, name, getattr(known, name).__func__.__get__(rule, None))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "compile", once)
        yield


@pytest.fixture(autouse=True)
def _logging_put_back() -> Iterator[None]:
    """Undo what a command, or a changed setting, of a test set up for its log."""
    root, ours = logging.getLogger(), logging.getLogger("sidecar")
    before, level, our_level = root.handlers[:], root.level, ours.level
    yield
    ours.setLevel(our_level)
    if any(isinstance(one, LogOutput) for one in root.handlers):
        root.handlers[:] = before
        root.setLevel(level)
        logging.captureWarnings(capture=False)


class _Templates(BytecodeCache):
    """Keeps the templates that were compiled in this process."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[object, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get(self._key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._compiled[self._key(bucket)] = bucket.code

    def _key(self, bucket: Bucket) -> tuple[object, ...]:
        return (bucket.key, bucket.checksum, *sorted(bucket.environment.extensions))


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> Iterator[None]:
    """Compile each template once, not again for each test that makes a web application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": _Templates()})
        yield


@pytest.fixture(autouse=True, scope="module")
def _no_thread_is_left() -> Iterator[None]:
    """Let no account be followed on after its tests: that takes time from all tests to come."""
    before = set(threading.enumerate())
    yield
    left = [one for one in set(threading.enumerate()) - before if FOLLOWS.match(one.name)]
    for one in left:
        one.join(PATIENCE_S)
    assert not [one.name for one in left if one.is_alive()]


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """Return a folder in memory, where the system has one: each sync to the disk is free there."""
    memory = Path("/dev/shm")  # noqa: S108
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def chromium_process() -> Iterator[Browser]:
    # Only what fails waits so long; a machine with much to do is no failure.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        # Only in the tests of it: elsewhere it would answer for the server.
        without_worker = partial(browser.new_context, service_workers="block")
        browser.new_context = without_worker  # type: ignore[method-assign]
        yield browser
        browser.close()


def pytest_configure(config: pytest.Config) -> None:
    """Make the browser's files of the scripts as they are now: what is tested must be those."""
    if hasattr(config, "workerinput"):
        return
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    made = subprocess.run(
        ["make", "--silent", "node_modules/test-ready", "static/vendor/ready"],
        cwd=Path(__file__).parents[1], env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if made.returncode:
        raise pytest.UsageError(f"The browser's files could not be made: {made.stderr.strip()}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process has one to itself at the end.

    The longest are those whose tests are given the most time.
    """
    longest: dict[Path, float] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            given = item.get_closest_marker("timeout")
            seconds = float(given.args[0]) if given and given.args else 1.0
            longest[item.path] = max(longest.get(item.path, 0.0), seconds or math.inf)
    items.sort(key=lambda item: -longest.get(item.path, 0.0))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays: thousands of tests and all modules."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Close what is open in the browser before the servers stop: that is no trouble of a page."""
    browser = item.funcargs.get("chromium") if isinstance(item, pytest.Function) else None
    if isinstance(browser, Browser):
        for context in browser.contexts:
            context.close()


@pytest.fixture
def trouble() -> BrowserTrouble:
    """Return what goes wrong in the browser; a test announces here what it provokes."""
    return BrowserTrouble()


@pytest.fixture
def chromium(chromium_process: Browser, trouble: BrowserTrouble) -> Iterator[Browser]:
    """Chromium, in which nothing may go wrong that the test did not announce."""
    chromium_process.on("context", trouble.watch)
    yield chromium_process
    chromium_process.remove_listener("context", trouble.watch)
    assert trouble.unannounced == []


@pytest.fixture(scope="session")
def syncthings(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[OneSyncthing, OneSyncthing]]:
    """Two real Syncthings that share a folder: the sidecar's machine and Ann's phone."""
    with two_syncthings(tmp_path_factory.mktemp("syncthing")) as both:
        yield both
