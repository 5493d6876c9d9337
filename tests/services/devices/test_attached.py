"""Which folder becomes a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.config import DeviceSettings
from sidecar.errors import DeviceError
from sidecar.services.devices.attached import folder_of


def test_a_drive_that_is_not_mounted_yet_is_waited_for_and_its_mount_point_stays_empty(
    tmp_path: Path,
) -> None:
    stick = DeviceSettings(name="Car stick", path=tmp_path)

    with pytest.raises(DeviceError, match=f"Car stick is not there.*{tmp_path}"):
        folder_of(stick, None, lambda folder: folder)
    assert list(tmp_path.iterdir()) == []

    folder, device_id = folder_of(stick, None, lambda _: None)
    folder.close()
    again, known = folder_of(stick, device_id, lambda folder: folder)
    again.close()
    assert known == device_id
