from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.cli.doctor import _device
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.errors import SidecarError


def test_a_budget_that_takes_no_file_is_no_good_set_up(tmp_path: Path) -> None:
    write_marker(tmp_path, Marker("0" * 32, "Stick"))
    settings = DeviceSettings(name="Stick", path=tmp_path, budget=ByteSize(10))

    with pytest.raises(SidecarError, match=r'budget of 10 bytes takes no file: .*"10 GB"'):
        _device(settings)

    assert "is ours" in _device(settings.with_changes({"budget": "10 GB"}))
