"""Maps aria2's error codes to failures of a download."""

from __future__ import annotations

import re
from types import MappingProxyType

from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.messages import msg

_T, _C, _D = FailureClass.TRANSIENT, FailureClass.CHANGED, FailureClass.DEVICE
_BLOCKED, _AWAY = FailureClass.BLOCKED, FailureClass.SERVER_AWAY

BAD_OPTION = 28
# Paths and addresses, with the spaces that a path may have: where a device is mounted is not for
# everybody.
_PLACES = re.compile(r"\S*/.*/[^\s,]*|\S*/[^\s,]*")

MEANINGS = MappingProxyType(
    {
        1: (_T, msg("aria2 failed without a reason")),
        2: (_T, msg("aria2 waited too long")),
        3: (FailureClass.FILE_AWAY, msg("aria2 did not find the file")),
        4: (FailureClass.FILE_AWAY, msg("aria2 did not find the file, again and again")),
        5: (_T, msg("aria2 gave up on a slow transfer")),
        6: (_T, msg("aria2 could not connect")),
        7: (_T, msg("aria2 was ended before the file was whole")),
        8: (_C, msg("aria2 could not go on with the part file")),
        9: (_D, msg("aria2 found no room on the device")),
        10: (_C, msg("aria2 could not go on with the part file of another aria2")),
        11: (_T, msg("aria2 is at this file already")),
        12: (_T, msg("aria2 is at this file already")),
        13: (_C, msg("aria2 would not write to the part file that is there")),
        14: (_D, msg("aria2 could not rename a file")),
        15: (_D, msg("aria2 could not open the part file")),
        16: (_D, msg("aria2 could not make the part file")),
        17: (_D, msg("aria2 could not write to the device")),
        18: (_D, msg("aria2 could not make a folder")),
        19: (_AWAY, msg("aria2 could not find the server's address")),
        20: (_BLOCKED, msg("aria2 took the file for a list of downloads")),
        21: (_T, msg("aria2 failed over FTP")),
        22: (_T, msg("aria2 got an answer that it cannot use")),
        23: (_BLOCKED, msg("aria2 was sent on too often")),
        24: (FailureClass.SIGNED_OUT, msg("aria2 was not let in")),
        25: (_BLOCKED, msg("aria2 took the file for a torrent")),
        26: (_BLOCKED, msg("aria2 took the file for a torrent")),
        27: (_BLOCKED, msg("aria2 took the address for a magnet link")),
        BAD_OPTION: (_BLOCKED, msg("aria2 does not know one of our options: it may be too old")),
        29: (_AWAY, msg("aria2 was told that the server is overloaded")),
        30: (_T, msg("aria2 could not read our request")),
        32: (_C, msg("aria2 found the file damaged")),
    }
)


def judge(code: int, words: str) -> Failure:
    """Return the failure for an error of aria2.

    Args:
        code: aria2's `errorCode`.
        words: aria2's `errorMessage`; shown to people, shortened.
    """
    kind, meaning = MEANINGS.get(code, (_T, msg("aria2 failed (error {code})", code=code)))
    said = _PLACES.sub("…", " ".join(words.split())[:300])
    return Failure(
        kind,
        f"aria2-{code}",
        msg("{meaning}: {words}", meaning=meaning, words=said) if said else meaning,
    )


def removed_failure() -> Failure:
    """Return the failure for a download that somebody else removed from aria2."""
    text = msg(
        "It was removed from aria2 by somebody else; it goes on where it was when it is retried"
    )
    return Failure(_T, "aria2-removed", text)


def paused_failure() -> Failure:
    """Return the failure for a download that somebody else paused in aria2."""
    text = msg("It was paused in aria2 by somebody else; pause it here to keep it waiting")
    return Failure(_T, "aria2-paused", text)


def ended_failure() -> Failure:
    """Return the failure for an aria2 that ended during a download."""
    text = msg(
        "aria2 broke off in the middle; the download goes on where it was as soon as aria2 is back"
    )
    return Failure(_T, "aria2-gone", text)


def unreachable_failure() -> Failure:
    """Return the failure for an aria2 that cannot be reached."""
    text = msg("aria2 does not answer: see whether it runs and whether its address is right")
    return Failure(_T, "aria2-away", text)


def wrong_secret_failure() -> Failure:
    """Return the failure for an aria2 that does not accept our secret."""
    text = msg("aria2 does not accept the secret: correct transfer.aria2.secret and start again")
    return Failure(_BLOCKED, "aria2-secret", text)


def busy_failure() -> Failure:
    """Return the failure for an aria2 that did not begin to fetch the file."""
    text = msg(
        "aria2 did not begin: it has too much else to do, or it runs on another machine; "
        "it must run on this one"
    )
    return Failure(_T, "aria2-busy", text)


def no_progress_failure() -> Failure:
    """Return the failure for an aria2 that receives bytes but writes none."""
    text = msg(
        "aria2 has written nothing for a minute: see whether the device works, and whether "
        "aria2 sees it under the same path"
    )
    return Failure(_T, "aria2-stuck", text)


def wrong_place_failure() -> Failure:
    """Return the failure for an aria2 that wrote the whole file to another place."""
    text = msg(
        "aria2 wrote the file somewhere else: it must see the devices under the same paths "
        "as the sidecar"
    )
    return Failure(_BLOCKED, "aria2-elsewhere", text)


def wrong_bytes_failure() -> Failure:
    """Return the failure for a part file whose bytes differ from those sent to aria2."""
    text = msg("The part file is not what was sent to aria2: the file is downloaded from the start")
    return Failure(_C, "aria2-mixed-up", text)
