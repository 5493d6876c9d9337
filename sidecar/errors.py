"""The errors that the sidecar raises on purpose; their messages are shown to people.

* SidecarError
  - ConfigError         a setting is wrong; the operator can correct it (exit code 2)
  - AlreadyRunning      another sidecar uses this data folder or this device
  - DatabaseError       the database cannot be opened, read or written now
  - IllegalMove         a bug: a transition that the download's state does not allow
  - Stopped             the work was asked to stop; nothing is wrong
  - JellyfinError       Jellyfin did not give what was asked for
    + ServerAway        the server does not answer or is starting: wait, no attempt is used up
      . TooSlow         it took this request and did not answer in time; it may answer others
    + SignedOut         the token is refused: a person must sign in again
    + NotAllowed        the user lacks the permission
    + OutsideHours      outside the user's access hours: wait, as for ServerAway
    + NotFound          the item does not exist, or is hidden from this user
    + WrongServer       another server answers at the address: everything stops
    + UnexpectedAnswer  anything else: a login page, broken JSON, an unexpected status
  - SignInRefused       the name or the password is wrong, or the account may not sign in
    + NotLetIn          Jellyfin knows the account but does not let it in now
    + TooManyTries      too many attempts failed; Jellyfin was not asked
  - NotAManager         only the managers of the device may do this
  - DeviceError         the device cannot be used as it is; see its `code`
  - SyncthingError      Syncthing did not give what was asked for; see its `code`
  - NotVisible          it does not exist, or the person may not see it
  - NotPossible         the request is understood but cannot be carried out
  - domain.transfers.failures.TransferFailed   one attempt to fetch a file failed
"""

from __future__ import annotations

from sidecar.messages import msg


class SidecarError(Exception):
    """Base class of all errors raised on purpose; `str()` is a sentence for people."""


class ConfigError(SidecarError):
    """A setting is wrong: where it was read, its key, its value, and why it is refused.

    Credentials and the query of a URL are masked; values other than strings and numbers are left
    out.
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
    """Return a value without secrets, for the message; None if it must not be shown."""
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
    """Another sidecar uses the same data folder or device."""


class DatabaseError(SidecarError):
    """The database cannot be opened, read or written; nothing was changed."""


class LockedOut(DatabaseError):
    """The database does not let this machine in any more: an admin has removed it."""


class IllegalMove(SidecarError):
    """A download's state does not allow the requested transition: a bug."""


class Stopped(SidecarError):
    """The work was asked to stop and did; it can be resumed later."""


class JellyfinError(SidecarError):
    """The Jellyfin server did not give what was asked for."""


class ServerAway(JellyfinError):
    """The server does not answer or is still starting.

    Attributes:
        retry_after_s: Seconds that the server asked us to wait, or None.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooSlow(ServerAway):
    """The server took this request and did not answer it in time; others it may answer."""


class SignedOut(JellyfinError):
    """The server refuses our token, confirmed by a second request: sign in again."""


class NotAllowed(JellyfinError):
    """The server answered that this user lacks the permission."""


class OutsideHours(JellyfinError):
    """It is outside the user's access hours, confirmed by a second request: wait."""


class NotFound(JellyfinError):
    """What was asked for does not exist on the server, or is hidden from this user."""


class WrongServer(JellyfinError):
    """Another Jellyfin server than the known one answers at the address."""


class UnexpectedAnswer(JellyfinError):
    """The answer does not come from Jellyfin's API: a login page, a proxy's error, broken JSON."""


class SignInRefused(SidecarError):
    """Jellyfin refused the name and password, or the account may not sign in now."""


class NotLetIn(SignInRefused):
    """Jellyfin knows the account but does not let it in now; it may later."""


class TooManyTries(SignInRefused):
    """Too many sign-ins have failed; Jellyfin was not asked.

    Attributes:
        wait_s: Seconds until the next attempt is allowed.
    """

    def __init__(self, message: str, *, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class NotAManager(SidecarError):
    """Only the managers of the device may do this; the person just uses it."""


class DeviceError(SidecarError):
    """A device cannot be used as it is; the message is about the whole device.

    Attributes:
        code: One of `missing`, `other-device`, `no-marker`, `read-only`, `full`, `too-big`,
            `no-permission`, `broken`, `name-taken`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotCertain(DeviceError):
    """A file has its final name on a device, but it is not certain that this lasts."""


class SyncthingError(SidecarError):
    """Syncthing did not give what was asked for, so the state of its peers is unknown.

    Attributes:
        code: One of `away`, `wrong-key`, `untrusted`, `unknown-folder`, `odd`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotVisible(SidecarError):
    """What was asked for does not exist, or this person may not see it."""

    def __init__(self) -> None:
        super().__init__(msg("There is nothing here, or it is not yours to see."))


class NotPossible(SidecarError):
    """The request is understood but cannot be carried out; the message says why."""
