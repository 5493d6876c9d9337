"""Every error the sidecar raises on purpose. Messages are for the person at the page or the prompt.

* SidecarError
  - ConfigError         the file or the environment is wrong; the operator can mend it (exit 2)
  - AlreadyRunning      another sidecar holds this data folder or this device
  - StoreTrouble        the database cannot be opened, read or written now
  - IllegalMove         a bug: an event that cannot happen in this state
  - Stopped             the work was asked to stop; nothing is wrong
  - JellyfinTrouble     an answer that is not the one we need
    + ServerAway        nobody answers, or the server is starting: wait, nothing is used up
    + SignedOut         the token is refused: a person must sign in again
    + NotAllowed        the server says this user may not
    + OutsideHours      the server lets this user do nothing at all now: wait, as for ServerAway
    + NotFound          the server does not know this item (or hides it from this user)
    + WrongServer       another server answers at the address: full stop
    + OddAnswer         anything else: a login page, broken JSON, an unexpected status
  - SignInRefused       the name or the password is wrong, or the account may not sign in
  - SyncthingTrouble    Syncthing did not tell what was asked; see `SyncthingError.code`
  - DeviceTrouble       the device cannot be used as it is; see `DeviceError.code`
  - domain.failures.TransferFailed   one attempt at one file failed, and why
"""

from __future__ import annotations

from sidecar.messages import msg


class SidecarError(Exception):
    """The root of all errors raised on purpose; `str()` is a sentence for people."""


class ConfigError(SidecarError):
    """A setting is wrong. Says where it was read, which key, its value and why it is refused.

    Of an address, what may be a password or a key is left out; so is a value that holds others.
    """

    def __init__(self, where: object, key: str, value: object, reason: str) -> None:
        value = _showable(value)
        shown = "" if value is None else f" = {value!r}"
        text = msg(
            "{where}: {key}{value}: {reason}", where=where, key=key, value=shown, reason=reason
        )
        super().__init__(text)
        self.where, self.key, self.value, self.reason = str(where), key, value, reason


def _showable(value: object) -> object:
    """Return a value as it may stand in a log; None if it is better not shown at all."""
    if not isinstance(value, (str, int, float)):
        return None
    if not isinstance(value, str):
        return value
    text, has_query, _ = value.partition("?")
    before, at, host = text.rpartition("@")
    if at:
        scheme, slashes, _ = before.rpartition("//")
        text = f"{scheme}{slashes}***@{host}"
    return f"{text}?***" if has_query else text


class AlreadyRunning(SidecarError):
    """Another sidecar is at work on the same data folder or device."""


class DatabaseError(SidecarError):
    """The database cannot be opened, read or written; says why. What was asked is not done."""


class IllegalMove(SidecarError):
    """A download was asked to make a move that its state does not allow: a bug."""


class Stopped(SidecarError):
    """The work was asked to stop and did; it can be taken up again where it was."""


class JellyfinError(SidecarError):
    """The Jellyfin server did not give what was asked for."""


class ServerAway(JellyfinError):
    """The server does not answer or is still starting.

    Attributes:
        retry_after_s: Seconds the server asked us to wait, or None.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SignedOut(JellyfinError):
    """The server refuses our token (confirmed): the person must sign in again."""


class NotAllowed(JellyfinError):
    """The server answered that this user may not do this."""


class OutsideHours(JellyfinError):
    """The server refuses this user everything now (confirmed), and will let them in again."""


class NotFound(JellyfinError):
    """The server does not know what was asked for, or hides it from this user."""


class WrongServer(JellyfinError):
    """Another Jellyfin server answers at the address we remember."""


class UnexpectedAnswer(JellyfinError):
    """The answer is not one that Jellyfin gives: a login page, a proxy's error, broken JSON."""


class SignInRefused(SidecarError):
    """Jellyfin refused the name and password, or the account may not sign in now."""


class NotLetIn(SignInRefused):
    """Jellyfin knows the account but does not let it in now; it may later."""


class TooManyTries(SignInRefused):
    """Jellyfin was not asked: too many tries have failed.

    Attributes:
        wait_s: Seconds until the next try is taken.
    """

    def __init__(self, message: str, *, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class NotAManager(SidecarError):
    """The person uses the device, but what they asked for is for those who manage it."""


class DeviceError(SidecarError):
    """A device cannot be used as it is. One message stands for the whole device.

    Attributes:
        code: One of `missing`, `other-device`, `no-marker`, `read-only`, `full`, `too-big`,
            `no-permission`, `broken`, `name-taken`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SyncthingError(SidecarError):
    """Syncthing did not tell what was asked: nothing is known of the other devices then.

    Attributes:
        code: One of `away`, `wrong-key`, `untrusted`, `unknown-folder`, `odd`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotVisible(SidecarError):
    """There is no such thing, or it is not for this person to see."""

    def __init__(self) -> None:
        super().__init__(msg("There is nothing here, or it is not yours to see."))


class NotPossible(SidecarError):
    """What was asked for is understood and cannot be done; says why."""
