"""The rules: each turns what people do into wishes. One file for each rule.

A rule's file has all that is known of it: name, words for people, icon, settings, how firmly its
files keep their place, and its wishes, a pure function. `registry` finds the files by itself.
"""

from __future__ import annotations
