"""What templates are compiled to outlives the process, and never stands in for another text."""

from __future__ import annotations

from pathlib import Path
from types import CodeType

import pytest
from jinja2 import DictLoader, Environment

from sidecar.web import compiled_templates
from sidecar.web.compiled_templates import CompiledTemplates

TEXT = "{{ name|upper }}!"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return a folder in which one template is kept, by a process that has ended."""
    compiled_templates._in_memory.cache_clear()
    folder = tmp_path / "data" / "templates"
    assert greet(folder) == "ANN!"
    compiled_templates._in_memory.cache_clear()
    return folder


def greet(folder: Path, text: str = TEXT) -> str:
    loader = DictLoader({"page.html": text})
    environment = Environment(loader=loader, bytecode_cache=CompiledTemplates(folder))  # noqa: S701 - no page
    return environment.get_template("page.html").render(name="ann")


def find_code(folder: Path, text: str = TEXT) -> CodeType | None:
    code: CodeType | None = (
        CompiledTemplates(folder).get_bucket(Environment(), "page.html", None, text).code  # noqa: S701 - no page
    )
    return code


def test_the_next_start_need_not_compile(kept: Path) -> None:
    assert find_code(kept) is not None
    assert greet(kept) == "ANN!"
    assert [oct(one.stat().st_mode & 0o777) for one in (kept, *kept.iterdir())] == [
        "0o700",
        "0o600",
    ]


def test_another_text_and_another_release_are_compiled_anew(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_code(kept, "other") is None
    assert greet(kept, "other") == "other"
    compiled_templates._in_memory.cache_clear()
    monkeypatch.setattr(compiled_templates, "__version__", "another")
    assert find_code(kept, "other") is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_what_a_power_cut_left_is_compiled_anew(kept: Path, share: float) -> None:
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])

    assert greet(kept) == "ANN!"


def test_a_folder_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert greet(tmp_path / "file") == "ANN!"
    assert greet(tmp_path / "file" / "below") == "ANN!"
