"""Which addresses messages may be sent to, by whom.

Whoever types an address makes this machine connect to something. Of a person who is no admin only
services are taken whose host the address cannot choose: else it would be a door into the local
network, past every firewall. Admins may also name services of their own. Nobody may use an option
that is not known here: some read files of this machine, or load programs.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from sidecar.messages import msg

LONGEST = 2000
NO_ADDRESS = msg("This is no address of a service, such as ntfy://topic")
# Their plugins speak to one fixed host each; tests look at it.
PUBLIC = frozenset(
    {"discord", "ntfy", "ntfys", "pbul", "pover", "pushed", "slack", "spush", "tgram"}
)
SELF_HOSTED = frozenset(
    {
        "apprise", "apprises", "form", "forms", "gotify", "gotifys", "hassio", "hassios", "json",
        "jsons", "mailto", "mailtos", "matrix", "matrixs", "mmost", "mmosts", "mqtt", "mqtts",
        "nctalk", "nctalks", "rocket", "rockets", "signal", "signals", "xml", "xmls",
    }
)  # fmt: skip
OPTIONS = frozenset(
    {
        "auth", "bcc", "cc", "channels", "click", "format", "from", "icon", "method", "mode",
        "name", "overflow", "priority", "qos", "reply", "retain", "session", "smtp", "sound",
        "tags", "thread", "title", "to", "token", "tts", "user", "verify",
    }
)  # fmt: skip
# How headers and fields of one's own are named: +X-Key=value, :field=value.
_OWN_FIELD = re.compile(r"[+:-][A-Za-z0-9_-]+")
_SEPARATORS = re.compile(r"[?&;#]")
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_SCHEME = re.compile(r"([a-z]+)://(.+)", re.IGNORECASE)


def check_address(url: str, *, is_admin: bool) -> str | None:
    """Return why messages may not be sent to an address; None if they may.

    The sentence does not hold the address: that may have a password in it.
    """
    found = _SCHEME.fullmatch(url)
    if found is None or len(url) > LONGEST or _ODD.search(url):
        return NO_ADDRESS
    scheme, rest = found[1].lower(), found[2]
    if scheme not in PUBLIC | SELF_HOSTED:
        return msg("{service}:// is none of the services that can be used here", service=scheme)
    if is_admin:
        return _check_options(url)
    if scheme in SELF_HOSTED or _names_host(scheme, rest):
        return msg("Only admins may name a server of their own: it can be inside this network")
    return msg("Leave out what follows the ? in the address") if "?" in rest else None


def _check_options(url: str) -> str | None:
    # Apprise takes all that follows the first ? for options, whatever is in it.
    for part in _SEPARATORS.split(url.partition("?")[2]):
        name = unquote(part.partition("=")[0])
        if name and name.lower() not in OPTIONS and not _OWN_FIELD.fullmatch(name):
            return msg("The option {option} cannot be used here", option=name[:40])
    return None


def _names_host(scheme: str, rest: str) -> bool:
    """Whether an address names a host of its own: ntfy://topic does not, ntfy://host/topic does."""
    return scheme in {"ntfy", "ntfys"} and re.fullmatch(r"[A-Za-z0-9_-]{1,64}/?", rest) is None
