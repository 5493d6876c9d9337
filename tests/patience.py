"""How long a test waits for what must happen, before it says that it does not.

Only what is broken takes so long: a machine with much to do is no failure. Shorter is only what a
test is about, as the silence that ends a transfer.
"""

from __future__ import annotations

PATIENCE_S = 60.0
