"""The web server's limits, which keep one client from exhausting it for the others.

An *address* is where a connection comes from. A trusted proxy stands for many clients, so limits
for one address do not apply to it: slow and greedy clients are the proxy's task.

They bound the threads (40 workers, 600 for 200 WebSockets, a handful of others), the file
descriptors (connections, WebSockets and `DESCRIPTORS_KEPT` others) and the buffers (32 MB of data
received or to be sent). None of them is a setting: they are far above what a household needs.
"""

from __future__ import annotations

# -- connections

# A browser opens six; a household behind one address (Docker without `trusted_proxies`) some
# dozens. Beyond it, the longest idle connection of the address is closed for its newest one, so
# that a new request is answered however many connections are held open silently.
CONNECTIONS_AN_ADDRESS = 512
# An idle connection costs a few kB and a file descriptor.
CONNECTIONS = 4096
# Database, devices, Jellyfin, WebSockets, transfers: what is not a connection in `CONNECTIONS`.
DESCRIPTORS_KEPT = 600
FEWEST_CONNECTIONS = 64
# More is useless, and some systems have a hard limit of a million.
MOST_DESCRIPTORS = 16_384
# The kernel's queue of connections that are not accepted yet: those of a whole flood, as a client
# that finds no place in it tries again only after a second, and then after two more.
BACKLOG = CONNECTIONS
# Received parts of unfinished requests and unsent parts of responses, over all connections.
BUFFERED_BYTES = 32 * 1024 * 1024

# -- timeouts of a connection that no worker has, in seconds

SILENT_S = 10.0
HEAD_S = 5.0
# From the first byte: enough for 64 KiB over a slow modem.
WHOLE_REQUEST_S = 20.0
WHOLE_ANSWER_S = 30.0
# Closing a socket with unread data resets the connection, and the response could be lost.
HEAR_OUT_S = 1.0

# -- sizes

HEAD_BYTES = 32 * 1024
BODY_BYTES = 64 * 1024
# Of a response that is not a file; beyond it the worker waits until the client has read some.
UNSENT_BYTES = 4 * 1024 * 1024

# -- workers

# Workers that wait for a client or for Jellyfin are limited by kind (FILES, POLLS, JELLYFIN):
# 40 - 10 - 8 - 10 = 12 are left for quick requests, even if all of those wait.
WORKERS = 40
# How long a thread may compute before another one gets its turn. The thread that accepts and reads
# gives up its turn at each system call, and would wait ten times as long to get it back.
TURN_S = 0.0005
# Workers that run at the same time; more would only compete for the processor.
BUSY_WORKERS = 5
# So that other addresses always find a free worker.
BUSY_WORKERS_AN_ADDRESS = 4
FILES = 10
FILES_AN_ACCOUNT = 4
POLLS = 8
POLLS_AN_ACCOUNT = 3
JELLYFIN = 10
JELLYFIN_AN_ACCOUNT = 5
# For all that one request asks of Jellyfin together.
JELLYFIN_WITHIN_S = 15.0

# -- live connections

# Each WebSocket has three threads. A household may share one account, so the limit per account is
# generous; three accounts still leave room for a fourth.
SOCKETS = 200
SOCKETS_AN_ACCOUNT = 60
SOCKETS_A_SESSION = 10
# A page joins the Socket.IO namespace as soon as it is connected.
JOIN_WITHIN_S = 5.0
