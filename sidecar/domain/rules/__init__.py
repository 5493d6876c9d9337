"""The rules: each turns what people do into wishes. One file for each rule.

A rule is a pure function from a `context.Context` to `context.Wanted`; `registry.RULES` lists all
of them: adding a rule means adding its file and one line there. `favourites` is no part of that
list and has a service of its own: a heart is a person's word, pressed and taken away one by one,
and is never worked out anew from what is there now.
"""

from __future__ import annotations
