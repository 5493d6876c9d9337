"""The engine that lets aria2 write the files: chosen by `transfer.engine = "aria2"`.

    Jellyfin ──▶ our request, judged ──▶ relay on loopback ──▶ aria2c ──▶ part file

aria2 follows redirects and takes its headers along, even to another host, and gives them back to
whoever may ask it. So it never gets the token: it fetches from a relay of ours that exists for one
attempt, and what the relay passes on has been judged as the built-in engine judges it. When the
sidecar dies the relay dies with it, and aria2 writes no further byte.
"""

from __future__ import annotations
