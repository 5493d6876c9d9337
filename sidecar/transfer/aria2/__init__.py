"""The engine that lets aria2 write the files: chosen by `transfer.engine = "aria2"`.

    Jellyfin ──▶ our request, judged ──▶ relay on loopback ──▶ aria2c ──▶ part file

aria2 follows redirects and sends its headers along, even to another host, and shows them to its RPC
clients. So it never gets the token: it fetches from a local relay that exists for one attempt and
passes on only what the built-in engine's checks have accepted. When the sidecar dies, so does the
relay, and aria2 writes no further byte.
"""

from __future__ import annotations
