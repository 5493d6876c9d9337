"""Every limit that keeps one visitor from taking the server from the others, and why it is so.

An *address* is where a connection comes from. A trusted proxy is all its visitors, so limits for
one address do not hold for it: slow and greedy clients are the proxy's own business.

What is bounded by them: 40 workers, 600 threads for 200 WebSockets and a handful of others; the
connections, the WebSockets and `DESCRIPTORS_KEPT` file numbers; and 32 MB for what was received or
is to be sent. None of them is a setting: they are far above what a household needs.
"""

from __future__ import annotations

# -- connections

# A browser opens six; a household behind one address (Docker without `trusted_proxies`) some
# dozens. Over it, an address' own oldest connection that no worker has makes room for its newest:
# who comes to ask something is answered before any number of silent ones is missed.
CONNECTIONS_AN_ADDRESS = 512
# Idle ones cost a few kB and a file number each.
CONNECTIONS = 4096
# Database, devices, Jellyfin, WebSockets, transfers: what is not a connection in `CONNECTIONS`.
DESCRIPTORS_KEPT = 600
FEWEST_CONNECTIONS = 64
# More is of no use, and some systems call a million their hard limit.
MOST_DESCRIPTORS = 16_384
# The kernel keeps those that come faster than they are accepted.
BACKLOG = 1024
# What was received of unfinished requests, and what is still to be sent of answers, over all.
BUFFERED_BYTES = 32 * 1024 * 1024

# -- the time that a connection may take without a worker

SILENT_S = 10.0
HEAD_S = 5.0
# From the first byte: 64 KiB over the slowest telephone line.
WHOLE_REQUEST_S = 20.0
WHOLE_ANSWER_S = 30.0
# Closing with something unread would reset the connection, and the answer could be lost.
HEAR_OUT_S = 1.0

# -- sizes

HEAD_BYTES = 32 * 1024
BODY_BYTES = 64 * 1024
# Of an answer that is not a file; beyond it a worker waits until the other side has taken some.
UNSENT_BYTES = 4 * 1024 * 1024

# -- workers

# Those that wait for somebody else rest, and each kind has its share: 40 - 10 - 8 - 10 = 12 are
# left for everything that is quick, even if all of them wait.
WORKERS = 40
# Those that do not rest. More would only take the processor from each other.
BUSY_WORKERS = 8
# So that the others have the rest at once, whatever one address asks.
BUSY_WORKERS_AN_ADDRESS = 6
FILES = 10
FILES_AN_ACCOUNT = 4
POLLS = 8
POLLS_AN_ACCOUNT = 3
JELLYFIN = 10
JELLYFIN_AN_ACCOUNT = 5
# For all that one request asks of it together.
JELLYFIN_WITHIN_S = 15.0

# -- live connections

# Each WebSocket has three threads. A household may share one account, so this is generous; three
# accounts still leave a place for a fourth.
SOCKETS = 200
SOCKETS_AN_ACCOUNT = 60
SOCKETS_A_SESSION = 10
# A page joins as soon as it is connected.
JOIN_WITHIN_S = 5.0
