from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.errors import ConfigError, SignedOut
from sidecar.jellyfin.tokens import TokenBox

TOKEN = SecretStr("0123456789abcdef0123456789abcdef")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "token.key"


def test_a_sealed_token_can_be_opened_again_even_after_a_restart(key_file: Path) -> None:
    sealed = TokenBox(key_file).encrypt(TOKEN)

    assert TokenBox(key_file).decrypt(sealed) == TOKEN
    assert TOKEN.get_secret_value().encode() not in sealed


def test_the_key_file_is_for_its_owner_alone_and_leaves_no_draft(key_file: Path) -> None:
    before = os.umask(0)
    try:
        TokenBox(key_file).encrypt(TOKEN)
    finally:
        os.umask(before)

    assert key_file.stat().st_mode & 0o777 == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]


def test_the_same_token_is_sealed_differently_each_time(key_file: Path) -> None:
    box = TokenBox(key_file)

    assert box.encrypt(TOKEN) != box.encrypt(TOKEN)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused(key_file: Path, mode: int) -> None:
    TokenBox(key_file).encrypt(TOKEN)
    key_file.chmod(mode)

    with pytest.raises(ConfigError, match=f"mode = '{mode:04o}'.*chmod 600"):
        TokenBox(key_file).encrypt(TOKEN)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 44])
def test_a_damaged_key_is_never_replaced_in_silence(key_file: Path, content: bytes) -> None:
    key_file.write_bytes(content)
    key_file.chmod(0o600)

    with pytest.raises(ConfigError, match="damaged"):
        TokenBox(key_file).encrypt(TOKEN)
    assert key_file.read_bytes() == content


def test_a_token_of_another_key_means_signing_in_again(key_file: Path, tmp_path: Path) -> None:
    sealed = TokenBox(key_file).encrypt(TOKEN)

    with pytest.raises(SignedOut, match="sign in again"):
        TokenBox(tmp_path / "another.key").decrypt(sealed)
    with pytest.raises(SignedOut):
        TokenBox(key_file).decrypt(sealed[:-4])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing/token\.key: key file"):
        TokenBox(tmp_path / "missing" / "token.key").encrypt(TOKEN)


def test_all_who_make_the_key_at_once_end_up_with_the_same_one(key_file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda _: TokenBox(key_file).encrypt(TOKEN), range(32)))

    assert {TokenBox(key_file).decrypt(one).get_secret_value() for one in sealed} == {
        TOKEN.get_secret_value()
    }
    assert list(key_file.parent.iterdir()) == [key_file]
